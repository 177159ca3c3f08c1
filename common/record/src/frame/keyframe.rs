//! Keyframes: the folded state after a frame, for readers that do not begin at the beginning.
//!
//! A Keyframe is no part of a recording: it can be made again from the frames up to its own. So it is marked as one to
//! pass over, stands in a side file, and is sent to late readers between the frames.

use super::header::{FrameType, HEADER_LEN, Header};
use super::writer::WriteError;
use crate::bytes::{Malformed, Reader, put_varint, unzigzag, zigzag};
use crate::decoder::Frame;
use crate::state::State;

/// What is so after a frame, and where the frames go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keyframe {
    /// Number of the frame after which it is so; the number in the Keyframe's header.
    pub frame: u32,
    /// Where the next frame begins in the run's file, in bytes.
    pub next_offset: u64,
    /// Rows of Names in the frames up to here: what must be known before the next frame.
    pub names: u32,
    /// Rows of Messages in the frames up to here.
    pub messages: u64,
    /// Events that the Loss frames up to here count.
    pub lost: u64,
    /// The cut of the last Events frame, ns on the run's clock; 0 before the first.
    pub cut: i64,
    /// The fold of all events up to here; how many they are is [`State::events`].
    pub state: State,
}

/// The bytes are no Keyframe, or one of another version of the fold: make it again from the recording.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("this is no Keyframe that this build can read")]
pub struct NotAKeyframe;

impl From<Malformed> for NotAKeyframe {
    fn from(_: Malformed) -> Self {
        Self
    }
}

impl Keyframe {
    /// The Keyframe as a frame, header and payload.
    ///
    /// # Errors
    /// [`WriteError::TooLong`] if the plan has too many links and places.
    pub fn to_frame(&self) -> Result<Vec<u8>, WriteError> {
        let mut frame = vec![0; HEADER_LEN];
        put_varint(&mut frame, self.next_offset);
        put_varint(&mut frame, u64::from(self.names));
        put_varint(&mut frame, self.messages);
        put_varint(&mut frame, self.lost);
        put_varint(&mut frame, zigzag(self.cut.cast_unsigned()));
        self.state.put(&mut frame);
        let payload = &frame[HEADER_LEN..];
        let header = Header::for_payload(FrameType::KEYFRAME, self.frame, payload);
        let header = header.ok_or(WriteError::TooLong(payload.len()))?.as_skippable(payload);
        frame[..HEADER_LEN].copy_from_slice(&header.to_bytes());
        Ok(frame)
    }

    /// Reads a frame of type [`FrameType::KEYFRAME`].
    ///
    /// # Errors
    /// [`NotAKeyframe`], for a frame of another type too.
    pub fn read(frame: &Frame<'_>) -> Result<Self, NotAKeyframe> {
        if frame.header.frame_type != FrameType::KEYFRAME {
            return Err(NotAKeyframe);
        }
        let mut reader = Reader::new(frame.payload());
        let keyframe = Self {
            frame: frame.header.number,
            next_offset: reader.varint()?,
            names: reader.narrow()?,
            messages: reader.varint()?,
            lost: reader.varint()?,
            cut: unzigzag(reader.varint()?).cast_signed(),
            state: State::read(&mut reader)?,
        };
        if reader.is_empty() { Ok(keyframe) } else { Err(NotAKeyframe) }
    }
}
