//! The ways in which messages lie on a connection, and where the next one ends.

use hopscope_scenario::model::{Encoding, Framing};

use super::MESSAGE_LIMIT;

/// How a message lies on its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// How it is marked off.
    pub(super) framing: Framing,
    /// How it is written.
    pub(super) encoding: Encoding,
}

/// Bytes of a frame's length.
pub(super) const PREFIX: usize = 4;
/// The first byte of a message in the binary protocol: the version's, with the highest bit set.
const BINARY: u8 = 0x80;
/// The first byte of a message in the compact protocol.
const COMPACT: u8 = 0x82;
/// What THeader begins with behind the frame's length.
pub(super) const MAGIC: [u8; 2] = [0x0f, 0xff];

/// What begins here.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// Too few bytes to tell.
    Unknown,
    /// A message that nothing marks off.
    Bare(Encoding),
    /// A frame of so many bytes behind its length, and what it is told by: THeader has the encoding inside.
    Frame {
        /// Bytes of what is in it.
        length: usize,
        /// How that is written; none: THeader says.
        encoding: Option<Encoding>,
    },
    /// A frame that is longer than a message may be.
    TooLong(usize),
    /// Nothing of Thrift's.
    Foreign,
}

impl Beginning {
    /// What begins with these bytes. A frame's length is below 2^31, so its first byte cannot be that of a message.
    pub(super) fn of(bytes: &[u8]) -> Self {
        match bytes.first() {
            None => return Self::Unknown,
            Some(&BINARY) => return Self::Bare(Encoding::Binary),
            Some(&COMPACT) => return Self::Bare(Encoding::Compact),
            Some(_) => {}
        }
        let (Some(length), Some(within)) = (bytes.first_chunk::<PREFIX>(), bytes.get(PREFIX..PREFIX + MAGIC.len()))
        else {
            return Self::Unknown;
        };
        let Ok(length) = usize::try_from(u32::from_be_bytes(*length)) else { return Self::Foreign };
        let encoding = match within {
            [BINARY, _] => Some(Encoding::Binary),
            [COMPACT, _] => Some(Encoding::Compact),
            _ if within == MAGIC => None,
            _ => return Self::Foreign,
        };
        if length > MESSAGE_LIMIT { Self::TooLong(length) } else { Self::Frame { length, encoding } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_is_told_by_its_first_bytes() {
        for (bytes, beginning) in [
            (&[][..], Beginning::Unknown),
            (&[0x80], Beginning::Bare(Encoding::Binary)),
            (&[0x82, 0x21], Beginning::Bare(Encoding::Compact)),
            (&[0, 0, 0, 9, 0x80], Beginning::Unknown),
            (&[0, 0, 0, 9, 0x80, 1], Beginning::Frame { length: 9, encoding: Some(Encoding::Binary) }),
            (&[0, 0, 0, 9, 0x82, 0x21], Beginning::Frame { length: 9, encoding: Some(Encoding::Compact) }),
            (&[0, 0, 1, 0, 0x0f, 0xff], Beginning::Frame { length: 256, encoding: None }),
            (&[0x7f, 0, 0, 0, 0x80, 1], Beginning::TooLong(0x7f00_0000)),
            (b"GET / HTTP/1.1", Beginning::Foreign),
            (&[0xff; 8], Beginning::Foreign),
        ] {
            assert_eq!(Beginning::of(bytes), beginning, "{bytes:?}");
        }
    }
}
