//! A batch of events as bytes, and back.
//!
//! This is the only encoding of events: live stream, file, replay and import share it, and
//! docs/recording-format.md tells it to programs of other languages. What it relies on: events of
//! one site (kind, link, place) tell of messages with growing numbers, and most of what a later
//! event of a site says was said by the one before. So a batch is three columns and their values:
//! time since the event before, site (a row of a list that grows as sites appear), and one control
//! byte that says which fields are not as predicted; only those stand among the values.
//!
//! A batch stands alone: nothing in it refers to another batch, so a reader may start anywhere.
//! Encoding and decoding are total: any events come back bit for bit, any bytes are decoded or
//! refused. Neither allocates beyond the output once its buffers have grown.

mod decode;
mod encode;
mod predict;

pub use decode::EventDecoder;
pub use encode::EventEncoder;

/// Most events that one batch may hold. The collector cuts before; a decoder refuses more before
/// it reserves memory for them.
pub const MAX_EVENTS: usize = 65_536;

/// Why events were not encoded. Nothing was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EncodeError {
    /// More than [`MAX_EVENTS`].
    #[error("{0} events in one batch; split it, at most {MAX_EVENTS} fit")]
    TooMany(usize),
    /// An event is earlier than the one before it.
    #[error("event {0} of the batch is earlier than the one before it; sort the batch by time")]
    NotSorted(usize),
}

/// Why bytes are no batch of events.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EventsError {
    /// The bytes ended early, or held a number that cannot be.
    #[error("the batch ends early or holds a number that does not fit its field")]
    Malformed,
    /// The batch announces more than [`MAX_EVENTS`].
    #[error("the batch announces {0} events; at most {MAX_EVENTS} are allowed")]
    TooMany(u64),
    /// A row of a list is named that the batch has not given.
    #[error("event {0} of the batch names a site or an origin that the batch has not given")]
    UnknownRow(usize),
    /// A control byte has a combination of bits without a meaning.
    #[error("event {0} of the batch has a control byte without a meaning")]
    BadControl(usize),
    /// A time runs over the range of an `i64`.
    #[error("event {0} of the batch has a time out of range")]
    BadTime(usize),
    /// A column is longer than its events need.
    #[error("the batch holds more bytes than its events need")]
    TrailingBytes,
}

impl From<crate::bytes::Malformed> for EventsError {
    fn from(_: crate::bytes::Malformed) -> Self {
        Self::Malformed
    }
}

#[cfg(test)]
mod tests;
