//! A message as the broker keeps it: one, however many queues have a copy.

use amq_protocol::protocol::BasicProperties;
use amq_protocol::types::ShortString;
use bytes::Bytes;

use crate::memory::Reservation;
use crate::term;

/// What a message costs beside its body and its properties, bytes: the structure and its texts.
pub(crate) const MESSAGE_OVERHEAD: usize = 512;

/// What each copy of it costs, bytes: its place in a queue.
pub(crate) const COPY_OVERHEAD: usize = 128;

/// A message with the observer's mark.
#[derive(Debug)]
pub(crate) struct Message<M> {
    pub(crate) exchange: ShortString,
    pub(crate) routing_key: ShortString,
    /// More keys, of its own headers.
    pub(crate) copies: Vec<String>,
    pub(crate) properties: BasicProperties,
    /// The properties as they go out.
    pub(crate) raw: Bytes,
    pub(crate) body: Bytes,
    pub(crate) mark: M,
    /// Counted as long as a copy is alive.
    pub(crate) memory: Reservation,
}

impl<M> Message<M> {
    /// All keys that it is routed by, its own first.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> + Clone {
        std::iter::once(self.routing_key.as_str()).chain(self.copies.iter().map(String::as_str))
    }

    /// Its size as limits in bytes count it.
    pub(crate) fn size(&self) -> u64 {
        self.body.len() as u64
    }
}

/// The longest limit that RabbitMQ takes: ten years, ms.
const EXPIRATION_MAX: u64 = 315_360_000_000;

/// A limit as publishers write it, milliseconds in decimal digits: ns.
///
/// # Errors
/// Why it is none, as RabbitMQ tells it.
pub(crate) fn expiration(text: &str) -> Result<i64, String> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = unsigned.len() - unsigned.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (digits, rest) = unsigned.split_at(digits);
    if digits.is_empty() {
        return Err("no_integer".to_owned());
    }
    if !rest.is_empty() {
        return Err(format!("{{leftover_string,{}}}", term::list(rest.as_bytes())));
    }
    let digits = digits.trim_start_matches('0');
    if text.starts_with('-') && !digits.is_empty() {
        return Err(format!("{{value_negative,-{digits}}}"));
    }
    match if digits.is_empty() { Ok(0) } else { digits.parse::<u64>() } {
        Ok(ms) if ms <= EXPIRATION_MAX => Ok(ms_to_ns(ms)),
        _ => Err(format!("{{value_too_large,{digits}}}")),
    }
}

/// Milliseconds as nanoseconds.
pub(crate) fn ms_to_ns(ms: u64) -> i64 {
    i64::try_from(ms.saturating_mul(1_000_000)).unwrap_or(i64::MAX)
}

/// The same properties without `expiration`: a dead-lettered copy must not expire again.
pub(crate) fn without_expiration(from: &BasicProperties) -> BasicProperties {
    let mut to = BasicProperties::default();
    macro_rules! keep {
        ($($get:ident $with:ident),*) => { $(if let Some(value) = from.$get().clone() { to = to.$with(value); })* };
    }
    keep!(
        content_type with_content_type, content_encoding with_content_encoding, headers with_headers,
        delivery_mode with_delivery_mode, priority with_priority, correlation_id with_correlation_id,
        reply_to with_reply_to, message_id with_message_id, timestamp with_timestamp, kind with_type,
        user_id with_user_id, app_id with_app_id, cluster_id with_cluster_id
    );
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_rabbitmq_reads_them() {
        for (text, ms) in [("0", 0), ("-0", 0), ("+05", 5), ("4294967296", 1 << 32), ("315360000000", EXPIRATION_MAX)] {
            assert_eq!(expiration(text), Ok(ms_to_ns(ms)), "{text}");
        }
        for (text, why) in [
            ("", "no_integer"),
            (" 5", "no_integer"),
            ("soon", "no_integer"),
            ("-1", "{value_negative,-1}"),
            ("10s", "{leftover_string,\"s\"}"),
            ("-1.5", "{leftover_string,\".5\"}"),
            ("315360000001", "{value_too_large,315360000001}"),
            ("99999999999999999999", "{value_too_large,99999999999999999999}"),
        ] {
            assert_eq!(expiration(text), Err(why.to_owned()), "{text}");
        }
    }
}
