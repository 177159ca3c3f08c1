//! A message as the broker keeps it: one, however many queues have a copy.

use amq_protocol::protocol::BasicProperties;
use amq_protocol::types::ShortString;
use bytes::Bytes;

use crate::memory::Reservation;

/// What a message costs beside its body and its properties, bytes: the structure and its texts.
pub(crate) const MESSAGE_OVERHEAD: usize = 512;

/// What each copy of it costs, bytes: its place in a queue.
pub(crate) const COPY_OVERHEAD: usize = 128;

/// A message with the observer's mark.
#[derive(Debug)]
pub(crate) struct Message<M> {
    pub(crate) exchange: ShortString,
    pub(crate) routing_key: ShortString,
    pub(crate) properties: BasicProperties,
    /// The properties as they go out.
    pub(crate) raw: Bytes,
    pub(crate) body: Bytes,
    pub(crate) mark: M,
    /// Counted as long as a copy is alive.
    pub(crate) memory: Reservation,
}

impl<M> Message<M> {
    /// Its size as limits in bytes count it.
    pub(crate) fn size(&self) -> u64 {
        self.body.len() as u64
    }
}

/// A limit as publishers write it: milliseconds in decimal digits. `None` is no such text.
pub(crate) fn expiration(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // RabbitMQ's longest: 2^32 - 1 ms.
    let ms = text.parse::<u32>().ok().filter(|_| digits)?;
    Some(ms_to_ns(u64::from(ms)))
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
