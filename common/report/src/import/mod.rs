//! A recording from JSON (docs/recording-json.md): the document as the frames that it tells of, after which nothing
//! differs from a recording that was made here.
//!
//! Reads the document once, from front to back. Memory holds what stands before the events and one frame's worth of
//! events. Nothing is believed and nothing is filled in: what is not as the format has it is refused, with its path.
//! Where the frames of the original began and ended is not in the document; they are cut anew.

mod fault;
mod head;
mod line;
mod reader;

use std::io;

use hopscope_record::Event;
use hopscope_record::frame::{FrameWriter, MessageRow, WriteError, file_header};
use hopscope_scenario::issue::Issue;
use hopscope_scenario::plan::PlanError;
use serde_json::{Map, Value};

pub use fault::{Code, Fault};

use self::fault::below;
use self::head::Head;
use self::line::{Line, Tables};

/// Events in a frame.
const BATCH: usize = 8_192;

/// Most bytes that may stand before the events.
pub const MAX_HEAD_BYTES: u64 = 64 << 20;

/// Most values that may stand before the events, as [`Allowance`](hopscope_scenario::validate::Allowance) counts them: twice as
/// many as a run may have names, each of which is one.
pub const MAX_HEAD_VALUES: u64 = 1 << 21;

/// Most bytes that one event may have.
pub const MAX_EVENT_BYTES: u64 = 1 << 20;

/// What was imported.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Imported {
    /// The id that the run had where it was recorded.
    pub run_id: String,
    /// The scenario's name.
    pub scenario: String,
    /// Events in the recording.
    pub events: u64,
    /// Frames that were made of it.
    pub frames: u32,
}

/// Why a document was not imported. What was handed out of it by then is no recording.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is no recording as the format has it.
    #[error("{path}: {message} {remedy}", path = .0.path, message = .0.message(LANGUAGE), remedy = .0.remedy(LANGUAGE))]
    Refused(Box<Fault>),
    /// Its scenario is none; the paths start at the document.
    #[error("its scenario has {} faults", .0.len())]
    Scenario(Vec<Issue>),
    /// Its scenario makes no plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// It cannot be read.
    #[error("the document cannot be read: {0}")]
    Read(io::Error),
    /// The recording cannot be written.
    #[error("the recording cannot be written: {0}")]
    Put(io::Error),
}

/// Errors that no person reads are in English.
const LANGUAGE: hopscope_scenario::catalogue::Language = hopscope_scenario::catalogue::Language::English;

impl From<Fault> for ImportError {
    fn from(fault: Fault) -> Self {
        Self::Refused(Box::new(fault))
    }
}

/// Reads a document and hands over a recording's file, piece by piece: its header, then each frame.
///
/// # Errors
/// As [`ImportError`] says: what is no recording, or cannot be read or written.
pub fn import(document: impl io::Read, put: impl FnMut(&[u8]) -> io::Result<()>) -> Result<Imported, ImportError> {
    let mut importer =
        Importer { put, writer: FrameWriter::new(), head: Map::new(), open: None, line: Line::new(), count: 0 };
    reader::read(document, &mut importer)?;
    importer.finish()
}

/// Makes frames of what the reader finds.
struct Importer<P> {
    put: P,
    writer: FrameWriter,
    /// What stands before the events, until they begin.
    head: Map<String, Value>,
    open: Option<Open>,
    line: Line,
    count: u64,
}

/// What is needed from the first event on.
struct Open {
    head: Head,
    tables: Tables,
    batch: Vec<Event>,
    /// What the messages of the batch carry.
    carried: Vec<MessageRow>,
    /// How many rows were written.
    described: u64,
    last: i64,
}

impl<P: FnMut(&[u8]) -> io::Result<()>> Importer<P> {
    /// A field before the events.
    fn field(&mut self, name: String, value: Value) -> Result<(), ImportError> {
        if self.open.is_some() {
            return Err(Fault::new(Code::EventsNotLast, below("", &name), [("field", name.into())]).into());
        }
        if self.head.contains_key(&name) {
            return Err(Fault::new(Code::Twice, below("", &name), [("field", name.into())]).into());
        }
        self.head.insert(name, value);
        Ok(())
    }

    /// The list of events begins: everything else must have been there.
    fn begin(&mut self) -> Result<(), ImportError> {
        if self.open.is_some() {
            return Err(Fault::new(Code::Twice, "/events", [("field", "events".into())]).into());
        }
        let head = Head::read(std::mem::take(&mut self.head))?;
        (self.put)(&file_header()).map_err(ImportError::Put)?;
        for frame in head.frames(&mut self.writer).map_err(too_large("", MAX_HEAD_BYTES))? {
            (self.put)(&frame).map_err(ImportError::Put)?;
        }
        let (tables, batch, carried) = (head.tables(), Vec::with_capacity(BATCH), Vec::new());
        self.open = Some(Open { tables, head, batch, carried, described: 0, last: i64::MIN });
        Ok(())
    }

    /// An event, whose fields are in the line.
    fn event(&mut self) -> Result<(), ImportError> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let (event, carries) = open.tables.event(&mut self.line)?;
        if event.time < open.last {
            let args = [("time", event.time.to_string().into()), ("before", open.last.to_string().into())];
            return Err(Fault::new(Code::NotSorted, below(&self.line.path(), "time_ns"), args).into());
        }
        open.last = event.time;
        open.batch.push(event);
        open.carried.extend(carries);
        self.count += 1;
        self.line.index += 1;
        if open.batch.len() >= BATCH { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), ImportError> {
        let Some(open) = &mut self.open else { return Ok(()) };
        if open.batch.is_empty() {
            return Ok(());
        }
        if !open.carried.is_empty() {
            let frame = self.writer.messages(open.described, &open.carried);
            open.described += open.carried.len() as u64;
            open.carried.clear();
            (self.put)(&frame.map_err(too_large("/events", MAX_EVENT_BYTES))?).map_err(ImportError::Put)?;
        }
        let frame = self.writer.events(open.last, &open.batch).map_err(too_large("/events", MAX_EVENT_BYTES))?;
        open.batch.clear();
        (self.put)(&frame).map_err(ImportError::Put)
    }

    fn finish(mut self) -> Result<Imported, ImportError> {
        if self.open.is_none() {
            // Says what is missing; if nothing else is, the events are.
            Head::read(std::mem::take(&mut self.head))?;
            return Err(Fault::missing("", "events").into());
        }
        self.flush()?;
        let Some((run_id, scenario, end)) = self.open.take().map(|open| open.head.into_origin()) else {
            return Err(Fault::missing("", "events").into());
        };
        if let Some(end) = end {
            let frame = self.writer.end(&end).map_err(too_large("/run/end", MAX_HEAD_BYTES))?;
            (self.put)(&frame).map_err(ImportError::Put)?;
        }
        Ok(Imported { run_id, scenario, events: self.count, frames: self.writer.next_number() })
    }
}

/// A part does not fit a frame.
fn too_large(path: &'static str, max: u64) -> impl Fn(WriteError) -> ImportError {
    move |_| Fault::new(Code::TooLarge, path, [("max", (max >> 20).to_string().into())]).into()
}
