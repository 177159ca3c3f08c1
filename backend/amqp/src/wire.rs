//! Bytes to frames and back.
//!
//! Reading is a push decoder without IO: it never reads beyond a frame's end, never buffers a frame that is larger than
//! agreed, and never recurses deeper than [`depth`] allows. Methods, tables and properties are `amq-protocol`'s.

mod decode;
mod depth;
mod encode;

pub(crate) use decode::{Bad, ContentHeader, Decoder, Frame};
pub(crate) use encode::{content, heartbeat, method, properties};

use amq_protocol::types::ShortString;

/// Bytes that a frame has around its payload.
pub(crate) const FRAME_OVERHEAD: u32 = 8;

/// The class of every content.
pub(crate) const BASIC_CLASS: u16 = 60;

/// A text as a short string, cut at 255 bytes where it is longer.
pub(crate) fn short(text: &str) -> ShortString {
    let mut end = text.len().min(255);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    ShortString::try_new(text.get(..end).unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
