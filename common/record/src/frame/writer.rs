//! Makes frames, one after the other.

use super::header::{FrameType, HEADER_LEN, Header, MAX_PAYLOAD};
use super::messages::{MessageRow, put_messages};
use super::payload::{End, Hello, Loss, put_end, put_hello, put_losses, put_names};
use super::sample::{Sample, put_sample};
use crate::codec::{EncodeError, EventEncoder};
use crate::event::Event;
use crate::id::NameIndex;

/// Why a frame was not made. The number it would have had goes to the next one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WriteError {
    /// The payload is longer than [`MAX_PAYLOAD`].
    #[error("a payload of {0} bytes is too long for a frame; at most {MAX_PAYLOAD} fit")]
    TooLong(usize),
    /// The recording has as many frames as numbers.
    #[error("the recording is full: frame numbers have 32 bits")]
    Full,
    /// The events were not encoded.
    #[error(transparent)]
    Events(#[from] EncodeError),
}

/// Makes the frames of one recording: gives each its number, and keeps the encoder's buffers.
///
/// A frame is returned as the bytes that file and readers both get. The first must be Hello; what
/// comes when is for the collector to keep.
pub struct FrameWriter {
    next: u32,
    encoder: EventEncoder,
}

impl FrameWriter {
    /// A writer whose first frame is number 0.
    #[must_use]
    pub fn new() -> Self {
        Self { next: 0, encoder: EventEncoder::new() }
    }

    /// The number that the next frame gets: how many were made.
    #[must_use]
    pub const fn next_number(&self) -> u32 {
        self.next
    }

    /// Frame 0: what the run is.
    ///
    /// # Errors
    /// [`WriteError::TooLong`] if the plan is.
    pub fn hello(&mut self, hello: &Hello) -> Result<Vec<u8>, WriteError> {
        let mut frame = vec![0; HEADER_LEN];
        put_hello(&mut frame, hello);
        self.seal(FrameType::HELLO, frame)
    }

    /// A batch of events, sorted by time, and the time that they are complete up to.
    ///
    /// # Errors
    /// [`WriteError::Events`] if there are too many or they are not sorted.
    pub fn events(&mut self, cut: i64, events: &[Event]) -> Result<Vec<u8>, WriteError> {
        // About what a batch takes, so that the frame is allocated once.
        let mut frame = Vec::with_capacity(HEADER_LEN + 64 + events.len() * 8);
        frame.resize(HEADER_LEN, 0);
        frame.extend_from_slice(&cut.to_le_bytes());
        self.encoder.encode(events, &mut frame)?;
        self.seal(FrameType::EVENTS, frame)
    }

    /// Strings, the first of which gets row `first`.
    ///
    /// # Errors
    /// [`WriteError::TooLong`] if they are.
    pub fn names(&mut self, first: NameIndex, names: &[&str]) -> Result<Vec<u8>, WriteError> {
        let mut frame = vec![0; HEADER_LEN];
        put_names(&mut frame, first, names);
        self.seal(FrameType::NAMES, frame)
    }

    /// What messages carry, the first of which gets row `first`.
    ///
    /// # Errors
    /// [`WriteError::TooLong`] if they are too many.
    pub fn messages(&mut self, first: u64, rows: &[MessageRow]) -> Result<Vec<u8>, WriteError> {
        let mut frame = Vec::with_capacity(HEADER_LEN + 16 + rows.len() * 12);
        frame.resize(HEADER_LEN, 0);
        put_messages(&mut frame, first, rows);
        self.seal(FrameType::MESSAGES, frame)
    }

    /// A sample of what surrounds the run, whose values are in the order of their numbers, each once. Builds that know no
    /// such frame pass it over.
    ///
    /// # Errors
    /// [`WriteError::TooLong`] if there are too many values.
    pub fn clock(&mut self, sample: &Sample) -> Result<Vec<u8>, WriteError> {
        let mut frame = vec![0; HEADER_LEN];
        put_sample(&mut frame, sample);
        self.seal_as(FrameType::CLOCK, true, frame)
    }

    /// Events that were not kept, a row for each source that lost some.
    ///
    /// # Errors
    /// [`WriteError::TooLong`] if there are too many rows.
    pub fn losses(&mut self, losses: &[Loss]) -> Result<Vec<u8>, WriteError> {
        let mut frame = vec![0; HEADER_LEN];
        put_losses(&mut frame, losses);
        self.seal(FrameType::LOSS, frame)
    }

    /// The last frame: how the run ended.
    ///
    /// # Errors
    /// [`WriteError::TooLong`] if there are too many counts.
    pub fn end(&mut self, end: &End) -> Result<Vec<u8>, WriteError> {
        let mut frame = vec![0; HEADER_LEN];
        put_end(&mut frame, end);
        self.seal(FrameType::END, frame)
    }

    fn seal(&mut self, frame_type: FrameType, frame: Vec<u8>) -> Result<Vec<u8>, WriteError> {
        self.seal_as(frame_type, false, frame)
    }

    fn seal_as(&mut self, frame_type: FrameType, skippable: bool, mut frame: Vec<u8>) -> Result<Vec<u8>, WriteError> {
        let payload = &frame[HEADER_LEN..];
        let following = self.next.checked_add(1).ok_or(WriteError::Full)?;
        let header = Header::for_payload(frame_type, self.next, payload).ok_or(WriteError::TooLong(payload.len()))?;
        let header = if skippable { header.as_skippable(payload) } else { header };
        frame[..HEADER_LEN].copy_from_slice(&header.to_bytes());
        self.next = following;
        Ok(frame)
    }
}

impl Default for FrameWriter {
    fn default() -> Self {
        Self::new()
    }
}
