//! Arguments as RabbitMQ writes them into its reply texts: by the names of its types, and values in Erlang's notation.

use amq_protocol::types::{AMQPValue, FieldTable};

/// RabbitMQ's name for the type of a value.
pub(super) fn type_name(value: &AMQPValue) -> &'static str {
    match value {
        AMQPValue::Boolean(_) => "bool",
        AMQPValue::ShortShortInt(_) => "byte",
        AMQPValue::ShortShortUInt(_) => "unsignedbyte",
        AMQPValue::ShortInt(_) => "short",
        AMQPValue::ShortUInt(_) => "unsignedshort",
        AMQPValue::LongInt(_) => "signedint",
        AMQPValue::LongUInt(_) => "unsignedint",
        AMQPValue::LongLongInt(_) => "long",
        AMQPValue::Float(_) => "float",
        AMQPValue::Double(_) => "double",
        AMQPValue::DecimalValue(_) => "decimal",
        AMQPValue::ShortString(_) | AMQPValue::LongString(_) => "longstr",
        AMQPValue::FieldArray(_) => "array",
        AMQPValue::Timestamp(_) => "timestamp",
        AMQPValue::FieldTable(_) => "table",
        AMQPValue::ByteArray(_) => "binary",
        AMQPValue::Void => "void",
    }
}

/// A value as it stands in a sentence: a text without quotes of its own, all else as a term.
pub(super) fn plain(value: &AMQPValue) -> String {
    match value {
        AMQPValue::ShortString(text) => text.to_string(),
        AMQPValue::LongString(text) => text.to_string(),
        AMQPValue::ByteArray(bytes) => String::from_utf8_lossy(bytes.as_slice()).into_owned(),
        other => term(other),
    }
}

/// A value as a term. Long ones stay on one line, which Erlang breaks.
fn term(value: &AMQPValue) -> String {
    match value {
        AMQPValue::Boolean(value) => value.to_string(),
        AMQPValue::ShortShortInt(value) => value.to_string(),
        AMQPValue::ShortShortUInt(value) => value.to_string(),
        AMQPValue::ShortInt(value) => value.to_string(),
        AMQPValue::ShortUInt(value) => value.to_string(),
        AMQPValue::LongInt(value) => value.to_string(),
        AMQPValue::LongUInt(value) => value.to_string(),
        AMQPValue::LongLongInt(value) => value.to_string(),
        AMQPValue::Timestamp(value) => value.to_string(),
        AMQPValue::Float(value) => format!("{:?}", f64::from(*value)),
        AMQPValue::Double(value) => format!("{value:?}"),
        AMQPValue::DecimalValue(value) => format!("{{{},{}}}", value.scale, value.value),
        AMQPValue::ShortString(_) | AMQPValue::LongString(_) | AMQPValue::ByteArray(_) => {
            format!("<<{}>>", quoted(&plain(value)))
        }
        AMQPValue::FieldArray(values) => {
            let terms = values.as_slice().iter().map(|value| format!("{{{},{}}}", type_name(value), term(value)));
            format!("[{}]", terms.collect::<Vec<_>>().join(","))
        }
        AMQPValue::FieldTable(table) => table_term(table),
        AMQPValue::Void => "undefined".to_owned(),
    }
}

fn table_term(table: &FieldTable) -> String {
    let entries = table
        .inner()
        .iter()
        .map(|(name, value)| format!("{{<<{}>>,{},{}}}", quoted(name.as_str()), type_name(value), term(value)));
    format!("[{}]", entries.collect::<Vec<_>>().join(","))
}

/// A text in quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
