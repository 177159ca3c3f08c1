//! What matches: keys against patterns of words, headers against arguments.

use amq_protocol::types::{AMQPValue, FieldTable, ShortString};

use crate::fault::Fault;
use crate::term;

/// The argument that says how headers are to match.
const X_MATCH: &str = "x-match";

/// Whether a key of words between dots matches a pattern in which `*` is one word and `#` any number, none included.
///
/// Remembers the last `#` only: one that could have taken more words is never better taken back than the next one.
pub(super) fn topic_matches(pattern: &str, key: &str) -> bool {
    let (pattern, key) = (words(pattern), words(key));
    let (mut in_pattern, mut in_key) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(word) = key.get(in_key) {
        match pattern.get(in_pattern) {
            Some(&"#") => {
                retry = Some((in_pattern + 1, in_key));
                in_pattern += 1;
            }
            Some(asked) if *asked == "*" || asked == word => {
                in_pattern += 1;
                in_key += 1;
            }
            _ => match retry {
                Some((after, taken)) => {
                    retry = Some((after, taken + 1));
                    in_pattern = after;
                    in_key = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(in_pattern).all(|word| *word == "#")
}

/// The words of a key; an empty key has none.
fn words(key: &str) -> Vec<&str> {
    if key.is_empty() { Vec::new() } else { key.split('.').collect() }
}

/// Checks how the arguments of a binding to a headers exchange ask for a match.
pub(super) fn check_headers(arguments: &FieldTable) -> Result<(), Fault> {
    let why = match arguments.inner().get(X_MATCH) {
        None => return Ok(()),
        Some(AMQPValue::LongString(mode)) => match mode.as_bytes() {
            b"all" | b"any" | b"all-with-x" | b"any-with-x" => return Ok(()),
            mode => {
                let mode = term::binary(mode);
                format!("Invalid x-match field value {mode}; expected all, any, all-with-x, or any-with-x")
            }
        },
        Some(other) => {
            let (kind, value) = (term::type_name(other), term::value(other));
            format!("Invalid x-match field type {kind} (value {value}); expected longstr")
        }
    };
    Err(Fault::precondition_failed(why))
}

/// Whether headers match a binding's arguments: all of them, or with `x-match` `any` one. Arguments that begin with `x-`
/// count only with `all-with-x` and `any-with-x`. An argument without a value asks for the name alone.
pub(super) fn headers_match(arguments: &FieldTable, headers: Option<&FieldTable>) -> bool {
    let mode = match arguments.inner().get(X_MATCH) {
        Some(AMQPValue::LongString(mode)) => mode.as_bytes(),
        _ => b"all",
    };
    let (any, with_x) = match mode {
        b"any" => (true, false),
        b"any-with-x" => (true, true),
        b"all-with-x" => (false, true),
        _ => (false, false),
    };
    let mut asked = arguments
        .into_iter()
        .filter(|(name, _)| name.as_str() != X_MATCH && (with_x || !name.as_str().starts_with("x-")));
    let holds = |(name, value): (&ShortString, &AMQPValue)| {
        headers.and_then(|headers| headers.inner().get(name.as_str())).is_some_and(|found| same(value, found))
    };
    if any { asked.any(holds) } else { asked.all(holds) }
}

/// Whether two values are the same, whatever their types; no value asks for none in particular.
fn same(asked: &AMQPValue, found: &AMQPValue) -> bool {
    if matches!(asked, AMQPValue::Void) {
        return true;
    }
    if let (Some(asked), Some(found)) = (whole(asked), whole(found)) {
        return asked == found;
    }
    if let (Some(asked), Some(found)) = (number(asked), number(found)) {
        return asked == found;
    }
    match (text(asked), text(found)) {
        (Some(asked), Some(found)) => asked == found,
        _ => asked == found,
    }
}

/// A whole number, times included.
fn whole(value: &AMQPValue) -> Option<i128> {
    match value {
        AMQPValue::Timestamp(value) => Some(i128::from(*value)),
        _ => integer(value).map(i128::from),
    }
}

#[allow(clippy::cast_precision_loss, reason = "a number that is compared with a float is one")]
fn number(value: &AMQPValue) -> Option<f64> {
    match value {
        AMQPValue::Float(value) => Some(f64::from(*value)),
        AMQPValue::Double(value) => Some(*value),
        _ => whole(value).map(|value| value as f64),
    }
}

fn text(value: &AMQPValue) -> Option<&[u8]> {
    match value {
        AMQPValue::LongString(text) => Some(text.as_bytes()),
        AMQPValue::ByteArray(bytes) => Some(bytes.as_slice()),
        _ => None,
    }
}

/// An integer of any width.
pub(crate) fn integer(value: &AMQPValue) -> Option<i64> {
    match *value {
        AMQPValue::ShortShortInt(value) => Some(i64::from(value)),
        AMQPValue::ShortShortUInt(value) => Some(i64::from(value)),
        AMQPValue::ShortInt(value) => Some(i64::from(value)),
        AMQPValue::ShortUInt(value) => Some(i64::from(value)),
        AMQPValue::LongInt(value) => Some(i64::from(value)),
        AMQPValue::LongUInt(value) => Some(i64::from(value)),
        AMQPValue::LongLongInt(value) => Some(value),
        _ => None,
    }
}
