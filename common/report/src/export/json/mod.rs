//! The recording as JSON: docs/recording-json.md tells the format, docs/recording.schema.json is its schema.
//!
//! What stands before the events (losses, names, how the run ended) is known only at the recording's end, so the frames
//! are read twice: once by [`JsonSurvey`], then by the [`JsonExport`] that it becomes. Neither performs IO: the caller
//! reads the frames from wherever they are, and takes the text chunk by chunk:
//!
//! ```
//! # use hopscope_record::decoder::Frame;
//! # use hopscope_report::export::json::{ExportError, JsonSurvey};
//! # fn export(first: &[Frame], again: &[Frame], mut send: impl FnMut(Vec<u8>)) -> Result<(), ExportError> {
//! let mut survey = JsonSurvey::new();
//! for frame in first {
//!     survey.push(frame)?;
//! }
//! let mut export = survey.begin()?;
//! for frame in again {
//!     export.push(frame)?;
//!     while let Some(chunk) = export.next_chunk() {
//!         send(chunk);
//!     }
//! }
//! send(export.finish()?);
//! # Ok(())
//! # }
//! ```
//!
//! The same frames give the same bytes everywhere. Memory holds the names, the losses, the events of one frame and one
//! chunk of text, however long the recording is.

mod event;
mod head;
mod instant;
mod schema;
mod values;

use hopscope_record::Event;
use hopscope_record::codec::EventDecoder;
use hopscope_record::decoder::Frame;
use hopscope_record::frame::{End, Hello, Loss, Payload};
use hopscope_scenario::plan::{Plan, PlanError};

use self::event::Lines;
use crate::frames::{FrameReader, ReadError};

pub use schema::recording_schema;

/// What the document's `format` says.
pub const FORMAT: &str = "hopscope-recording";

/// The version of the document that this build writes.
pub const VERSION: u32 = 1;

/// About how many bytes a chunk has; it ends with the event that reaches it.
const CHUNK: usize = 64 * 1024;

/// Why a recording cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Its frames cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// There is no frame at all.
    #[error("the recording is empty: it has no Hello frame, so nothing says what it is of")]
    Empty,
    /// Its plan cannot be read.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// What stands before the events cannot be written.
    #[error("the recording's head cannot be written as JSON: {0}")]
    Head(#[from] serde_json::Error),
    /// The second reading ended before the first one had.
    #[error("the first reading saw {expected} frames, the second only {found}; read the same frames twice")]
    Shortened {
        /// Frames at the first reading.
        expected: u32,
        /// Frames at the second.
        found: u32,
    },
}

/// The first reading: gathers what stands before the events.
#[derive(Default)]
pub struct JsonSurvey {
    reader: FrameReader,
    hello: Option<Hello>,
    names: Vec<String>,
    losses: Vec<Loss>,
    end: Option<End>,
}

impl JsonSurvey {
    /// A survey of a recording from its first frame on.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next frame. The events of a frame are not looked at.
    ///
    /// # Errors
    /// [`ExportError::Read`]: the frame cannot be read, or is not the next one.
    pub fn push(&mut self, frame: &Frame<'_>) -> Result<(), ExportError> {
        match self.reader.read(frame)? {
            Payload::Hello(hello) => self.hello = Some(hello),
            Payload::Names(rows) => self.names.extend(rows.names),
            Payload::Loss(losses) => self.losses.extend(losses),
            Payload::End(end) => self.end = Some(end),
            Payload::Events(_) | Payload::Skipped(_) => {}
        }
        Ok(())
    }

    /// Turns to the second reading. What was pushed until now is the recording: of one that still grows, what comes
    /// later is in neither reading.
    ///
    /// # Errors
    /// [`ExportError::Empty`] without any frame, [`ExportError::Plan`] if Hello's plan is none of this build.
    pub fn begin(self) -> Result<JsonExport, ExportError> {
        let hello = self.hello.as_ref().ok_or(ExportError::Empty)?;
        let plan = Plan::from_bytes(&hello.plan)?;
        let out = head::write(&head::Parts {
            hello,
            plan: &plan,
            names: &self.names,
            losses: &self.losses,
            end: self.end.as_ref(),
        })?;
        let lines = Lines::new(hello, &plan, &self.names)?;
        Ok(JsonExport {
            surveyed: self.reader.count(),
            reader: FrameReader::default(),
            decoder: EventDecoder::new(),
            lines,
            events: Vec::new(),
            written: 0,
            first: true,
            out,
        })
    }
}

/// The second reading: hands out the text. See the module's example.
pub struct JsonExport {
    /// How many frames the first reading saw.
    surveyed: u32,
    reader: FrameReader,
    decoder: EventDecoder,
    lines: Lines,
    /// The events of the frame pushed last; those before `written` are in the text.
    events: Vec<Event>,
    written: usize,
    /// No event is in the text yet.
    first: bool,
    /// Text that was not handed out yet.
    out: Vec<u8>,
}

impl JsonExport {
    /// Takes the next frame, from the first one on again. Take the chunks after each frame; what is not taken is kept.
    ///
    /// # Errors
    /// [`ExportError::Read`]: the frame cannot be read, or is not the next one.
    pub fn push(&mut self, frame: &Frame<'_>) -> Result<(), ExportError> {
        if self.reader.count() >= self.surveyed {
            return Ok(());
        }
        if let Payload::Events(events) = self.reader.read(frame)? {
            self.write_events(usize::MAX);
            self.written = 0;
            self.decoder
                .decode(events.batch, &mut self.events)
                .map_err(|error| ReadError::Events { number: frame.header.number, error })?;
        }
        Ok(())
    }

    /// The next part of the text, about 64 KiB of it, or `None` until another frame is pushed.
    pub fn next_chunk(&mut self) -> Option<Vec<u8>> {
        self.write_events(CHUNK);
        if self.out.is_empty() {
            return None;
        }
        Some(std::mem::take(&mut self.out))
    }

    /// The last part of the text.
    ///
    /// # Errors
    /// [`ExportError::Shortened`] if not all frames of the first reading were pushed again; what was handed out is then
    /// not the whole document.
    pub fn finish(mut self) -> Result<Vec<u8>, ExportError> {
        if self.reader.count() < self.surveyed {
            return Err(ExportError::Shortened { expected: self.surveyed, found: self.reader.count() });
        }
        self.write_events(usize::MAX);
        self.out.extend_from_slice(if self.first { b"]\n}\n" } else { b"\n  ]\n}\n" });
        Ok(self.out)
    }

    /// Writes events until the text has so many bytes.
    fn write_events(&mut self, until: usize) {
        while self.out.len() < until
            && let Some(event) = self.events.get(self.written)
        {
            self.out.extend_from_slice(if self.first { b"\n    " } else { b",\n    " });
            self.first = false;
            self.lines.write(event, &mut self.out);
            self.written += 1;
        }
    }
}
