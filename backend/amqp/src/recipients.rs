//! Who else gets a message: more routing keys in its own headers, as RabbitMQ's sender-selected distribution has them.

use amq_protocol::protocol::BasicProperties;
use amq_protocol::types::{AMQPValue, FieldTable};

use crate::fault::Fault;
use crate::term;

/// Lists keys that every receiver may see.
pub(crate) const OPEN: &str = "CC";

/// Lists keys that no receiver sees: the header does not leave the broker.
const HIDDEN: &str = "BCC";

/// The keys that a message asks for beside its own.
///
/// # Errors
/// Where one of the headers is no list. What is no text in a list is passed over.
pub(crate) fn copies(properties: &BasicProperties) -> Result<Vec<String>, Fault> {
    let Some(headers) = properties.headers() else { return Ok(Vec::new()) };
    let mut copies = Vec::new();
    for name in [OPEN, HIDDEN] {
        match headers.inner().get(name) {
            None => (),
            Some(AMQPValue::FieldArray(keys)) => copies.extend(keys.as_slice().iter().filter_map(text)),
            Some(other) => {
                return Err(Fault::precondition_failed(format_args!(
                    "invalid message: {{unacceptable_type_in_header,\"{name}\",{}}}",
                    term::type_name(other)
                )));
            }
        }
    }
    Ok(copies)
}

/// The headers as receivers see them, where these are others.
pub(crate) fn visible(properties: &BasicProperties) -> Option<FieldTable> {
    let headers = properties.headers().as_ref().filter(|headers| headers.contains_key(HIDDEN))?;
    Some(without(headers, HIDDEN))
}

/// Headers without one of them.
pub(crate) fn without(headers: &FieldTable, name: &str) -> FieldTable {
    let mut left = headers.inner().clone();
    left.remove(name);
    left.into()
}

fn text(key: &AMQPValue) -> Option<String> {
    if let AMQPValue::LongString(key) = key { Some(key.to_string()) } else { None }
}
