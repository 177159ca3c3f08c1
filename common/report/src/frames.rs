//! Frames as they come, read in their order.
//!
//! Owns the rules that hold between frames: Hello first, no gap in the numbers, no gap in the rows of names and
//! messages. What a
//! frame alone must be is the record's ([`hopscope_record::decoder`]).

use std::io::{self, Read};

use hopscope_record::Event;
use hopscope_record::codec::{EventDecoder, EventsError};
use hopscope_record::decoder::{DecodeError, Decoder, Frame, Framing};
use hopscope_record::frame::{Payload, PayloadError};

/// Why frames cannot be read on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReadError {
    /// A frame's payload cannot be read.
    #[error("frame {number} cannot be read: {error}")]
    Payload {
        /// Which frame.
        number: u32,
        /// Why.
        error: PayloadError,
    },
    /// A frame's events cannot be read.
    #[error("the events of frame {number} cannot be read: {error}")]
    Events {
        /// Which frame.
        number: u32,
        /// Why.
        error: EventsError,
    },
    /// A frame is missing or comes twice.
    #[error("frame {expected} was due and frame {number} came; read the recording's frames in order and without a gap")]
    OutOfOrder {
        /// The number that was due.
        expected: u32,
        /// The number that came.
        number: u32,
    },
    /// The recording does not begin with Hello, or has a second one.
    #[error("frame {0} is a Hello in the wrong place, or not the Hello that a recording begins with")]
    Hello(u32),
    /// The rows of a Names frame do not follow those before.
    #[error("the names of frame {number} begin at row {first}; row {expected} was due")]
    Names {
        /// Which frame.
        number: u32,
        /// The row that was due.
        expected: usize,
        /// The row that came.
        first: u32,
    },
    /// The rows of a Messages frame do not follow those before.
    #[error("the messages of frame {number} begin at row {first}; row {expected} was due")]
    Messages {
        /// Which frame.
        number: u32,
        /// The row that was due.
        expected: u64,
        /// The row that came.
        first: u64,
    },
}

/// Bytes read at a time.
const CHUNK: usize = 256 * 1024;

/// Takes a recording's file apart, from its first byte on, and hands over each whole frame. Bytes after the last whole
/// frame are passed over: of a recording that grows, they are the next one's beginning.
///
/// # Errors
/// When the file cannot be read or is damaged, or those of `each`.
pub fn each_frame<E>(file: &mut impl Read, mut each: impl FnMut(&Frame<'_>) -> Result<(), E>) -> Result<(), E>
where
    E: From<io::Error> + From<DecodeError>,
{
    let mut decoder = Decoder::new(Framing::File);
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = match file.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        decoder.push(chunk.get(..count).unwrap_or_default());
        while let Some(frame) = decoder.next_frame()? {
            each(&frame)?;
        }
    }
}

/// The events of one frame at a time, taken out of it once for all who read them.
#[derive(Default)]
pub struct Batch {
    decoder: EventDecoder,
    events: Vec<Event>,
}

impl Batch {
    /// The events of a frame; none of one that has others.
    ///
    /// # Errors
    /// [`ReadError`]: they cannot be read.
    pub fn of(&mut self, frame: &Frame<'_>) -> Result<&[Event], ReadError> {
        let number = frame.header.number;
        self.events.clear();
        if let Payload::Events(payload) = frame.read().map_err(|error| ReadError::Payload { number, error })? {
            let decoded = self.decoder.decode(payload.batch, &mut self.events);
            decoded.map_err(|error| ReadError::Events { number, error })?;
        }
        Ok(&self.events)
    }
}

/// Reads frames and holds them to their order. Keeps numbers only.
#[derive(Debug, Default)]
pub(crate) struct FrameReader {
    next: u32,
    names: usize,
    messages: u64,
}

impl FrameReader {
    /// How many frames were read: the number of the next one.
    pub(crate) const fn count(&self) -> u32 {
        self.next
    }

    /// What the next frame holds.
    pub(crate) fn read<'a>(&mut self, frame: &Frame<'a>) -> Result<Payload<'a>, ReadError> {
        let number = frame.header.number;
        if number != self.next {
            return Err(ReadError::OutOfOrder { expected: self.next, number });
        }
        let payload = frame.read().map_err(|error| ReadError::Payload { number, error })?;
        if matches!(payload, Payload::Hello(_)) != (number == 0) {
            return Err(ReadError::Hello(number));
        }
        if let Payload::Names(rows) = &payload {
            if rows.first.0 as usize != self.names {
                return Err(ReadError::Names { number, expected: self.names, first: rows.first.0 });
            }
            self.names += rows.names.len();
        }
        if let Payload::Messages(rows) = &payload {
            if rows.first != self.messages {
                return Err(ReadError::Messages { number, expected: self.messages, first: rows.first });
            }
            self.messages += rows.rows.len() as u64;
        }
        self.next = number.saturating_add(1);
        Ok(payload)
    }
}
