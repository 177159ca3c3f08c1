//! The header before each payload, and the one before a file's first frame.

use crate::checksum::crc32;

/// Length of a frame's header in bytes.
pub const HEADER_LEN: usize = 16;

/// Longest payload in bytes. A longer one is not written, and refused before memory is reserved.
pub const MAX_PAYLOAD: usize = 16 * 1024 * 1024;

/// First bytes of a recording's file. A byte above 127, a line end of each sort and an
/// end-of-file mark show a transfer that took it for text (as PNG's do).
pub const FILE_MAGIC: [u8; 8] = *b"\x89HOPS\r\n\x1a";

/// Version of the file's frame layout, after the magic.
pub const FILE_VERSION: u32 = 1;

/// Length of magic and version in bytes.
pub const FILE_HEADER_LEN: usize = 12;

/// What a file begins with: magic and version.
#[must_use]
pub fn file_header() -> [u8; FILE_HEADER_LEN] {
    let mut out = [0; FILE_HEADER_LEN];
    out[..8].copy_from_slice(&FILE_MAGIC);
    out[8..].copy_from_slice(&FILE_VERSION.to_le_bytes());
    out
}

/// What a payload holds. Numbers are never reused, in no version.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FrameType(pub u8);

impl FrameType {
    /// What the run is; always frame 0.
    pub const HELLO: Self = Self(1);
    /// A batch of events and its cut.
    pub const EVENTS: Self = Self(2);
    /// Strings that events name by row.
    pub const NAMES: Self = Self(3);
    /// What messages carry: key, value, event time, bytes.
    pub const MESSAGES: Self = Self(4);
    /// A sample of what surrounds a run. May be passed over: events do not depend on it.
    pub const CLOCK: Self = Self(5);
    /// Events that were stamped and not kept.
    pub const LOSS: Self = Self(6);
    /// How the run ended, counted by its parts. The last frame.
    pub const END: Self = Self(7);
    /// The folded state after a frame. In a side file and for late readers, never in a recording.
    pub const KEYFRAME: Self = Self(8);
    /// Assigned: causes of messages that have several.
    pub const CAUSES: Self = Self(9);
}

/// Flag of a frame that a reader may pass over when it does not know its type.
const SKIPPABLE: u8 = 1;

/// The header of a frame.
///
/// Little-endian: payload length (u32), type (u8), flags (u8), zero (u16), frame number (u32),
/// checksum (u32). The checksum is CRC-32 (IEEE 802.3, as in zlib) over the twelve bytes before
/// it and the payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Length of the payload in bytes, at most [`MAX_PAYLOAD`].
    pub payload_len: u32,
    /// What the payload holds.
    pub frame_type: FrameType,
    /// Whether a reader that does not know the type may pass over the frame.
    pub skippable: bool,
    /// Position in the recording, from 0 without a gap.
    pub number: u32,
    checksum: u32,
}

/// Why sixteen bytes are no header of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum HeaderError {
    TooLong(u32),
    /// A flag or a zero byte is set that this version gives no meaning.
    Reserved,
}

impl Header {
    /// The header for a payload; fails if it is too long.
    pub(crate) fn for_payload(frame_type: FrameType, number: u32, payload: &[u8]) -> Option<Self> {
        let payload_len = u32::try_from(payload.len()).ok().filter(|&len| len as usize <= MAX_PAYLOAD)?;
        let mut header = Self { payload_len, frame_type, skippable: false, number, checksum: 0 };
        header.checksum = header.checksum_with(payload);
        Some(header)
    }

    pub(crate) fn to_bytes(self) -> [u8; HEADER_LEN] {
        let mut out = [0; HEADER_LEN];
        out[0..4].copy_from_slice(&self.payload_len.to_le_bytes());
        out[4] = self.frame_type.0;
        out[5] = if self.skippable { SKIPPABLE } else { 0 };
        out[8..12].copy_from_slice(&self.number.to_le_bytes());
        out[12..16].copy_from_slice(&self.checksum.to_le_bytes());
        out
    }

    pub(crate) fn from_bytes(bytes: [u8; HEADER_LEN]) -> Result<Self, HeaderError> {
        let [l0, l1, l2, l3, frame_type, flags, z0, z1, n0, n1, n2, n3, c0, c1, c2, c3] = bytes;
        let payload_len = u32::from_le_bytes([l0, l1, l2, l3]);
        if payload_len as usize > MAX_PAYLOAD {
            return Err(HeaderError::TooLong(payload_len));
        }
        if flags & !SKIPPABLE != 0 || z0 != 0 || z1 != 0 {
            return Err(HeaderError::Reserved);
        }
        Ok(Self {
            payload_len,
            frame_type: FrameType(frame_type),
            skippable: flags & SKIPPABLE != 0,
            number: u32::from_le_bytes([n0, n1, n2, n3]),
            checksum: u32::from_le_bytes([c0, c1, c2, c3]),
        })
    }

    /// Whether header and payload are as they were written.
    pub(crate) fn matches(self, payload: &[u8]) -> bool {
        self.checksum_with(payload) == self.checksum
    }

    fn checksum_with(self, payload: &[u8]) -> u32 {
        crc32(&[&self.to_bytes()[..12], payload])
    }

    /// The same header, marked as one that may be passed over.
    pub(crate) fn as_skippable(mut self, payload: &[u8]) -> Self {
        self.skippable = true;
        self.checksum = self.checksum_with(payload);
        self
    }
}
