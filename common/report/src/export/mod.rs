//! A recording in other formats: one list of them, [`EXPORTS`], and one way to write any.
//!
//! What a document begins with (names, losses, how the run ended) is known only at the recording's end, so the frames
//! are read twice: once by [`Survey`], then by the [`Export`] that it becomes. Neither performs IO: the caller reads the
//! frames from wherever they are, and takes the bytes chunk by chunk. [`Document`] does both for a file:
//!
//! ```
//! # use std::io::{Read, Seek};
//! # use hopscope_report::export::{Document, DocumentError, Format};
//! # fn export<E>(file: impl Read + Seek, bytes: u64, send: impl FnMut(Vec<u8>) -> Result<(), E>)
//! #     -> Result<(), DocumentError<E>> {
//! let format = Format::find("csv").unwrap();
//! Document::survey(format, file, bytes)?.write(send)
//! # }
//! ```
//!
//! The same frames give the same bytes everywhere. Memory holds the names, the samples, the losses, the events of one frame and one
//! chunk, however long the recording is, the rows of messages whose first event is to come, and what a format's encoder says that it keeps.

mod csv;
mod document;
pub(crate) mod fields;
pub mod json;
mod messages;
mod perfetto;
mod table;
pub(crate) mod values;

use std::collections::{BTreeMap, BTreeSet};

use hopscope_record::codec::EventDecoder;
use hopscope_record::decoder::Frame;
use hopscope_record::frame::{End, Hello, Loss, MessageRow, Payload, Sample};
use hopscope_record::{Event, Kind};
use hopscope_scenario::plan::{Plan, PlanError};

pub use document::{Document, DocumentError, SourceError};

use crate::frames::{FrameReader, ReadError};

/// Every format, in the order in which they are offered.
pub static EXPORTS: [&Format; 4] = [&json::JSON, &csv::CSV, &messages::CSV_MESSAGES, &perfetto::PERFETTO];

/// About how many bytes a chunk has; it ends with the event that reaches it.
const CHUNK: usize = 64 * 1024;

/// A format that a recording can be written in.
#[derive(Debug)]
pub struct Format {
    /// Its name in commands and addresses, like `csv-messages`.
    pub id: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// How its files' names end, without the dot.
    pub extension: &'static str,
    /// Whether a person can read it as it is.
    pub text: bool,
    /// Writes what a document begins with, and makes what writes the rest.
    begin: Begin,
}

/// What begins a document.
type Begin = fn(&Parts<'_>, &mut Vec<u8>) -> Result<Box<dyn Encoder>, ExportError>;

impl Format {
    /// The format of this name.
    #[must_use]
    pub fn find(id: &str) -> Option<&'static Self> {
        EXPORTS.into_iter().find(|format| format.id == id)
    }
}

/// What the first reading gathered.
struct Parts<'a> {
    hello: &'a Hello,
    plan: &'a Plan,
    names: &'a [String],
    clocks: &'a [Sample],
    losses: &'a [Loss],
    end: Option<&'a End>,
}

/// What writes a document after its beginning.
trait Encoder: Send {
    /// Writes the next event. `carries` comes with the `Intended` of a message that tells what it carries.
    fn event(&mut self, event: &Event, carries: Option<&MessageRow>, out: &mut Vec<u8>);

    /// Writes what stands after the last event.
    fn end(&mut self, out: &mut Vec<u8>);
}

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
    #[error("what stands before the events cannot be written: {0}")]
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
pub struct Survey {
    reader: FrameReader,
    hello: Option<Hello>,
    names: Vec<String>,
    clocks: Vec<Sample>,
    losses: Vec<Loss>,
    end: Option<End>,
}

impl Survey {
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
            Payload::Clock(sample) => self.clocks.push(sample),
            Payload::Loss(losses) => self.losses.extend(losses),
            Payload::End(end) => self.end = Some(end),
            Payload::Events(_) | Payload::Messages(_) | Payload::Skipped(_) => {}
        }
        Ok(())
    }

    /// Turns to the second reading. What was pushed until now is the recording: of one that still grows, what comes
    /// later is in neither reading.
    ///
    /// # Errors
    /// [`ExportError::Empty`] without any frame, [`ExportError::Plan`] if Hello's plan is none of this build.
    pub fn begin(self, format: &Format) -> Result<Export, ExportError> {
        let hello = self.hello.as_ref().ok_or(ExportError::Empty)?;
        let plan = Plan::from_bytes(&hello.plan)?;
        let (names, clocks, losses, end) = (&self.names, &self.clocks, &self.losses, self.end.as_ref());
        let mut out = Vec::new();
        let encoder = (format.begin)(&Parts { hello, plan: &plan, names, clocks, losses, end }, &mut out)?;
        Ok(Export {
            surveyed: self.reader.count(),
            reader: FrameReader::default(),
            decoder: EventDecoder::new(),
            encoder,
            carried: BTreeMap::new(),
            events: Vec::new(),
            written: 0,
            out,
        })
    }
}

/// The second reading: hands out the document.
pub struct Export {
    /// How many frames the first reading saw.
    surveyed: u32,
    reader: FrameReader,
    decoder: EventDecoder,
    encoder: Box<dyn Encoder>,
    /// What messages carry whose `Intended` is to come.
    carried: BTreeMap<u64, MessageRow>,
    /// The events of the frame pushed last; those before `written` are in the document.
    events: Vec<Event>,
    written: usize,
    /// What was not handed out yet.
    out: Vec<u8>,
}

impl Export {
    /// Takes the next frame, from the first one on again. Take the chunks after each frame; what is not taken is kept.
    ///
    /// # Errors
    /// [`ExportError::Read`]: the frame cannot be read, or is not the next one.
    pub fn push(&mut self, frame: &Frame<'_>) -> Result<(), ExportError> {
        if self.reader.count() >= self.surveyed {
            return Ok(());
        }
        match self.reader.read(frame)? {
            Payload::Events(events) => {
                self.write_events(usize::MAX);
                self.written = 0;
                self.decoder
                    .decode(events.batch, &mut self.events)
                    .map_err(|error| ReadError::Events { number: frame.header.number, error })?;
            }
            Payload::Messages(messages) => {
                self.carried.extend(messages.rows.into_iter().map(|row| (row.message, row)));
            }
            _ => {}
        }
        Ok(())
    }

    /// The next part of the document, about 64 KiB of it, or `None` until another frame is pushed.
    pub fn next_chunk(&mut self) -> Option<Vec<u8>> {
        self.write_events(CHUNK);
        if self.out.is_empty() {
            return None;
        }
        Some(std::mem::take(&mut self.out))
    }

    /// The last part of the document.
    ///
    /// # Errors
    /// [`ExportError::Shortened`] if not all frames of the first reading were pushed again; what was handed out is then
    /// not the whole document.
    pub fn finish(mut self) -> Result<Vec<u8>, ExportError> {
        if self.reader.count() < self.surveyed {
            return Err(ExportError::Shortened { expected: self.surveyed, found: self.reader.count() });
        }
        self.write_events(usize::MAX);
        self.encoder.end(&mut self.out);
        Ok(self.out)
    }

    /// Writes events until there are so many bytes.
    fn write_events(&mut self, until: usize) {
        while self.out.len() < until
            && let Some(event) = self.events.get(self.written)
        {
            let wanted = (event.kind == Kind::INTENDED).then(|| self.carried.remove(&event.message.message()));
            self.encoder.event(event, wanted.flatten().as_ref(), &mut self.out);
            self.written += 1;
        }
    }
}

/// The kinds that Hello names, without those whose name or number it gave before: so a name is one number.
fn distinct_kinds(hello: &Hello) -> impl Iterator<Item = (Kind, &str)> {
    let (mut kinds, mut names) = (BTreeSet::new(), BTreeSet::new());
    hello.kinds.iter().filter_map(move |(kind, name)| {
        let fresh = !kinds.contains(kind) && !names.contains(name);
        (fresh && kinds.insert(*kind) && names.insert(name)).then_some((*kind, name.as_str()))
    })
}
