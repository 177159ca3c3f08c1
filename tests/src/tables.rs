//! Tables of AMQP, and what stands in them.

use amq_protocol::types::{AMQPValue, FieldTable, LongString};

/// A table of these.
#[must_use]
pub fn table(entries: &[(&str, AMQPValue)]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in entries {
        table.insert((*name).into(), value.clone());
    }
    table
}

/// A text.
#[must_use]
pub fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(text))
}
