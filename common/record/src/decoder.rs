//! Takes a stream of bytes apart into frames: one machine for file, socket and page.
//!
//! Whoever has bytes pushes them, in pieces of any size, and asks for frames. The decoder performs
//! no IO, checks each frame's length before it waits for it and its checksum before it hands it
//! out, and holds no more than one frame and what was pushed after it.

use crate::frame::HeaderError;
use crate::frame::{
    FILE_HEADER_LEN, FILE_MAGIC, FILE_VERSION, FrameType, HEADER_LEN, Header, MAX_PAYLOAD, Payload, PayloadError,
};

/// What the bytes are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framing {
    /// A file: magic and version, then frames that begin with Hello and are numbered from 0
    /// without a gap, with nothing after End.
    File,
    /// A stream of frames, in any order: a reader that resumes gets Hello and then goes on where
    /// it was, so the numbers are its to check.
    Stream,
}

/// Why no more frames can be had. [`Decoder::good_offset`] says where the last good one ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DecodeError {
    /// The file does not begin as a recording does.
    #[error("this is not a recording of Hopscope")]
    NotARecording,
    /// The file is of another version.
    #[error("the file is of version {0}; this build reads version {FILE_VERSION}")]
    FileVersion(u32),
    /// A header announces more than a frame may hold.
    #[error("the frame at byte {at} announces {len} bytes; at most {MAX_PAYLOAD} are allowed")]
    TooLong {
        /// Where the frame begins.
        at: u64,
        /// What it announces.
        len: u32,
    },
    /// A header has bits set that this version gives no meaning.
    #[error("the frame at byte {0} has a header of another version")]
    Reserved(u64),
    /// Header or payload are not what was written.
    #[error("the frame at byte {0} is damaged: its checksum does not match")]
    Checksum(u64),
    /// In a file: not the frame that must come here.
    #[error("the frame at byte {at} has number {number} and type {frame_type}, which cannot follow the frames before")]
    OutOfPlace {
        /// Where the frame begins.
        at: u64,
        /// Its number.
        number: u32,
        /// Its type.
        frame_type: u8,
    },
}

/// A whole frame whose checksum matched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// The header.
    pub header: Header,
    /// Where it begins, counted in all bytes pushed.
    pub offset: u64,
    /// Header and payload, as they were written: what a store keeps and a server sends on.
    pub bytes: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The frame that `bytes` are, neither more nor less, said to begin at `offset`; `None` if they are no frame, or a
    /// damaged one. For bytes that are kept frame by frame; a stream of them is a [`Decoder`]'s.
    #[must_use]
    pub fn from_bytes(bytes: &'a [u8], offset: u64) -> Option<Self> {
        let (head, payload) = bytes.split_first_chunk::<HEADER_LEN>()?;
        let header = Header::from_bytes(*head).ok()?;
        let whole = header.payload_len as usize == payload.len() && header.matches(payload);
        whole.then_some(Self { header, offset, bytes })
    }

    /// The bytes after the header.
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        &self.bytes[HEADER_LEN..]
    }

    /// What it holds.
    ///
    /// # Errors
    /// [`PayloadError`]: an unknown type that may not be passed over, another codec version, or a
    /// payload that is not what its type says.
    pub fn read(&self) -> Result<Payload<'a>, PayloadError> {
        Payload::read(self.header.frame_type, self.header.skippable, self.payload())
    }
}

/// The machine. Push bytes, take frames until there is none, push more.
#[derive(Debug)]
pub struct Decoder {
    framing: Framing,
    /// Bytes pushed and not yet handed out, from `start` on.
    buffer: Vec<u8>,
    start: usize,
    /// Position of `buffer[start]` in all bytes pushed.
    offset: u64,
    file_header_read: bool,
    expected: Option<u32>,
    ended: bool,
    failed: Option<DecodeError>,
}

impl Decoder {
    /// A decoder of bytes from their first one on.
    #[must_use]
    pub const fn new(framing: Framing) -> Self {
        Self {
            framing,
            buffer: Vec::new(),
            start: 0,
            offset: 0,
            file_header_read: matches!(framing, Framing::Stream),
            expected: Some(0),
            ended: false,
            failed: None,
        }
    }

    /// Takes more bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, or `None` until more bytes are pushed.
    ///
    /// # Errors
    /// [`DecodeError`]; the same one ever after.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, DecodeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        match self.advance() {
            Ok(None) => Ok(None),
            Ok(Some((header, offset, len))) => {
                let bytes = &self.buffer[self.start - len..self.start];
                Ok(Some(Frame { header, offset, bytes }))
            }
            Err(error) => {
                self.failed = Some(error);
                self.buffer = Vec::new();
                self.start = 0;
                Err(error)
            }
        }
    }

    /// Where the last good frame ended (or the file's header), in all bytes pushed: what a file
    /// with a torn tail is cut to.
    #[must_use]
    pub const fn good_offset(&self) -> u64 {
        self.offset
    }

    /// Whether bytes wait for the rest of their frame: at the end of a file, a torn tail.
    #[must_use]
    pub fn is_mid_frame(&self) -> bool {
        self.failed.is_none() && self.start < self.buffer.len()
    }

    /// Whether End was seen: the recording is whole.
    #[must_use]
    pub const fn is_ended(&self) -> bool {
        self.ended
    }

    /// Moves past the next frame: its header, where it began, its length with the header.
    fn advance(&mut self) -> Result<Option<(Header, u64, usize)>, DecodeError> {
        if !self.file_header_read && !self.read_file_header()? {
            return Ok(None);
        }
        let rest = &self.buffer[self.start..];
        let Some((head, _)) = rest.split_first_chunk::<HEADER_LEN>() else { return Ok(None) };
        let at = self.offset;
        let header = Header::from_bytes(*head).map_err(|error| match error {
            HeaderError::TooLong(len) => DecodeError::TooLong { at, len },
            HeaderError::Reserved => DecodeError::Reserved(at),
        })?;
        let len = HEADER_LEN + header.payload_len as usize;
        let Some(frame) = rest.get(..len) else { return Ok(None) };
        if !header.matches(&frame[HEADER_LEN..]) {
            return Err(DecodeError::Checksum(at));
        }
        self.check_place(header)?;
        self.start += len;
        self.offset += len as u64;
        Ok(Some((header, at, len)))
    }

    fn read_file_header(&mut self) -> Result<bool, DecodeError> {
        let rest = &self.buffer[self.start..];
        let known = rest.len().min(FILE_MAGIC.len());
        if rest[..known] != FILE_MAGIC[..known] {
            return Err(DecodeError::NotARecording);
        }
        let Some(&version) = rest[known..].first_chunk::<4>() else { return Ok(false) };
        let version = u32::from_le_bytes(version);
        if version != FILE_VERSION {
            return Err(DecodeError::FileVersion(version));
        }
        self.start += FILE_HEADER_LEN;
        self.offset += FILE_HEADER_LEN as u64;
        self.file_header_read = true;
        Ok(true)
    }

    /// In a file, the order of frames; End is noted everywhere.
    fn check_place(&mut self, header: Header) -> Result<(), DecodeError> {
        if self.framing == Framing::File {
            let is_hello = header.frame_type == FrameType::HELLO;
            let in_place = self.expected == Some(header.number) && is_hello == (header.number == 0) && !self.ended;
            if !in_place {
                let frame_type = header.frame_type.0;
                return Err(DecodeError::OutOfPlace { at: self.offset, number: header.number, frame_type });
            }
            self.expected = header.number.checked_add(1);
        }
        self.ended |= header.frame_type == FrameType::END;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
