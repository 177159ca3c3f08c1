//! What a broker tells its owner of itself, as it is now, in shapes that can be written as JSON.

use std::net::SocketAddr;

use amq_protocol::types::{AMQPValue, FieldTable};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// A queue.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct QueueStatus {
    /// Its name.
    pub name: String,
    /// Its virtual host.
    pub vhost: String,
    /// Copies that wait.
    pub ready: u32,
    /// Copies that are out with consumers and not settled.
    pub unacked: u32,
    /// Consumers.
    pub consumers: u32,
    /// Whether it was declared so; it lives as long as the broker.
    pub durable: bool,
    /// Whether one connection has it for itself.
    pub exclusive: bool,
    /// Whether it goes with its last consumer.
    pub auto_delete: bool,
    /// What it was declared with.
    pub arguments: Map<String, Value>,
}

/// An exchange. The default one has an empty name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ExchangeStatus {
    /// Its name.
    pub name: String,
    /// Its virtual host.
    pub vhost: String,
    /// `direct`, `fanout`, `topic` or `headers`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it was declared so; it lives as long as the broker.
    pub durable: bool,
    /// Whether it goes with its last binding.
    pub auto_delete: bool,
    /// Whether clients may not publish to it.
    pub internal: bool,
}

/// A binding. The default exchange has one to each queue, by the queue's name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct BindingStatus {
    /// The virtual host.
    pub vhost: String,
    /// The exchange that it leads from.
    pub source: String,
    /// What it leads to.
    pub destination: String,
    /// What that is: `queue`.
    pub destination_type: String,
    /// Its key.
    pub routing_key: String,
    /// Its arguments.
    pub arguments: Map<String, Value>,
}

/// A connection that is open.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ConnectionStatus {
    /// Its number, from 1 in the order of their coming.
    pub id: u64,
    /// The client's address.
    pub peer: SocketAddr,
    /// What the client calls itself; empty where it does not.
    pub name: String,
    /// Who the client is.
    pub user: String,
    /// Where it is open.
    pub vhost: String,
    /// Open channels.
    pub channels: usize,
    /// Whether it is read from.
    pub state: ConnectionState,
}

/// Whether a connection is read from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectionState {
    /// It is.
    Running,
    /// Not now: it publishes, and memory is short.
    Blocked,
}

/// A table as JSON: texts as texts, what is no UTF-8 in them replaced; bytes and arrays as arrays; numbers that JSON does not
/// have as null.
pub(crate) fn object(table: &FieldTable) -> Map<String, Value> {
    table.into_iter().map(|(name, value)| (name.to_string(), value_of(value))).collect()
}

fn value_of(value: &AMQPValue) -> Value {
    match value {
        AMQPValue::Boolean(value) => json!(value),
        AMQPValue::ShortShortInt(value) => json!(value),
        AMQPValue::ShortShortUInt(value) => json!(value),
        AMQPValue::ShortInt(value) => json!(value),
        AMQPValue::ShortUInt(value) => json!(value),
        AMQPValue::LongInt(value) => json!(value),
        AMQPValue::LongUInt(value) => json!(value),
        AMQPValue::LongLongInt(value) => json!(value),
        AMQPValue::Float(value) => json!(value),
        AMQPValue::Double(value) => json!(value),
        AMQPValue::DecimalValue(value) => json!({"scale": value.scale, "value": value.value}),
        AMQPValue::ShortString(text) => json!(text.as_str()),
        AMQPValue::LongString(text) => json!(String::from_utf8_lossy(text.as_bytes())),
        AMQPValue::FieldArray(array) => array.as_slice().iter().map(value_of).collect(),
        AMQPValue::Timestamp(seconds) => json!(seconds),
        AMQPValue::FieldTable(table) => Value::Object(object(table)),
        AMQPValue::ByteArray(bytes) => json!(bytes.as_slice()),
        AMQPValue::Void => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use amq_protocol::types::{DecimalValue, FieldArray};

    use super::*;

    #[test]
    fn a_table_is_an_object() {
        let mut inner = FieldTable::default();
        inner.insert("deep".into(), AMQPValue::Void);
        let mut table = FieldTable::default();
        table.insert("n".into(), AMQPValue::LongLongInt(-1));
        table.insert("nan".into(), AMQPValue::Double(f64::NAN));
        table.insert("text".into(), AMQPValue::LongString("a\u{e4}".into()));
        table.insert("table".into(), AMQPValue::FieldTable(inner));
        table.insert("decimal".into(), AMQPValue::DecimalValue(DecimalValue { scale: 2, value: 314 }));
        table.insert("array".into(), AMQPValue::FieldArray(FieldArray::from(vec![AMQPValue::Boolean(true)])));
        let expected = json!({
            "array": [true], "decimal": {"scale": 2, "value": 314}, "n": -1, "nan": null, "table": {"deep": null},
            "text": "a\u{e4}"
        });
        assert_eq!(Value::Object(object(&table)), expected);
    }
}
