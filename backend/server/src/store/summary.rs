//! What a list of runs shows of each, kept beside its recording and made again from it when missing.

use std::fs::File;
use std::io::Read;

use hopscope_record::codec::EventDecoder;
use hopscope_record::decoder::{DecodeError, Decoder, Frame, Framing};
use hopscope_record::frame::{EndReason, Payload};
use hopscope_scenario::plan::Plan;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::RunId;

/// A run in the list of runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct RunSummary {
    /// The run's id.
    #[schema(value_type = String, example = "20261123-141530-7f3a")]
    pub id: RunId,
    /// The name that a person gave it; the scenario's until then.
    pub name: String,
    /// The scenario's name.
    pub scenario: String,
    /// When it was made, as RFC 3339 in UTC, to the second.
    pub made_at: String,
    /// Where its draws started from.
    pub seed: u64,
    /// How long load was to be offered, like `5 s`; null: until it was stopped.
    pub duration: Option<String>,
    /// What the recording is.
    pub state: RecordingState,
    /// Of a recording that was imported, the id that the run had where it was made.
    #[serde(default)]
    pub imported_from: Option<String>,
    /// Why the run ended, where its End frame says so: `load-done`, `stopped`, `failed`, `event-limit`.
    pub reason: Option<String>,
    /// More about it, in words, where there is more to say: why the run ended before its time, or its recording before the
    /// run, which may go on still.
    #[serde(default)]
    pub detail: Option<String>,
    /// Events in the recording.
    pub events: u64,
    /// Events that were stamped and are not in it.
    pub lost: u64,
    /// Frames in it.
    pub frames: u32,
    /// Bytes of its file up to the end of the last whole frame.
    pub bytes: u64,
}

/// What a recording is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RecordingState {
    /// Being made, by this process or another.
    Recording,
    /// Whole: its End frame is there.
    Ended,
    /// Without End: whoever made it died, or could not store the rest.
    Cut,
}

/// How a run's reason of ending is called in summaries.
#[must_use]
pub fn reason_name(reason: EndReason) -> String {
    match reason {
        EndReason::LOAD_DONE => "load-done".to_owned(),
        EndReason::STOPPED => "stopped".to_owned(),
        EndReason::FAILED => "failed".to_owned(),
        EndReason::EVENT_LIMIT => "event-limit".to_owned(),
        EndReason(number) => format!("reason-{number}"),
    }
}

/// Bytes read at a time.
const CHUNK: usize = 256 * 1024;

/// Reads a recording from its first byte on and keeps what is in it, as far as it is good.
pub(super) struct Scan {
    decoder: Decoder,
    counter: Counter,
    chunk: Vec<u8>,
    /// What stopped the reading before the file's end.
    pub(super) damage: Option<DecodeError>,
}

impl Scan {
    /// Of a recording of which nothing is read yet.
    pub(super) fn new(id: &RunId) -> Self {
        let counter = Counter { events: EventDecoder::new(), batch: Vec::new(), names: Vec::new(), summary: empty(id) };
        Self { decoder: Decoder::new(Framing::File), counter, chunk: vec![0; CHUNK], damage: None }
    }

    /// Reads on to the file's end, or to what is damaged.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn read(&mut self, file: &mut impl Read) -> std::io::Result<()> {
        while self.damage.is_none() {
            let count = file.read(&mut self.chunk)?;
            if count == 0 {
                break;
            }
            self.decoder.push(self.chunk.get(..count).unwrap_or_default());
            self.damage = loop {
                match self.decoder.next_frame() {
                    Ok(Some(frame)) => self.counter.count(&frame),
                    Ok(None) => break None,
                    Err(error) => break Some(error),
                }
            };
        }
        self.counter.summary.bytes = self.decoder.good_offset();
        Ok(())
    }

    /// What was read, as a recording that goes on.
    pub(super) const fn so_far(&self) -> &RunSummary {
        &self.counter.summary
    }

    /// What was read, as a recording that nobody makes any more.
    pub(super) fn over(self) -> RunSummary {
        let state = if self.decoder.is_ended() { RecordingState::Ended } else { RecordingState::Cut };
        RunSummary { state, ..self.counter.summary }
    }

    /// Whether the file ends in the middle of a frame.
    pub(super) fn is_torn(&self) -> bool {
        self.decoder.is_mid_frame()
    }
}

/// Reads a recording from its first byte and says what is in it, as far as it is good.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn scan(id: &RunId, file: &mut File) -> std::io::Result<Scan> {
    let mut scan = Scan::new(id);
    scan.read(file)?;
    Ok(scan)
}

/// The summary of a run of which nothing but its id is known.
pub(super) fn empty(id: &RunId) -> RunSummary {
    RunSummary {
        id: id.clone(),
        name: String::new(),
        scenario: String::new(),
        made_at: id.made_at().to_string(),
        seed: 0,
        duration: Some(String::new()),
        state: RecordingState::Recording,
        imported_from: None,
        reason: None,
        detail: None,
        events: 0,
        lost: 0,
        frames: 0,
        bytes: 0,
    }
}

struct Counter {
    events: EventDecoder,
    batch: Vec<hopscope_record::Event>,
    names: Vec<String>,
    summary: RunSummary,
}

impl Counter {
    fn count(&mut self, frame: &Frame<'_>) {
        let summary = &mut self.summary;
        summary.frames += 1;
        match frame.read() {
            Ok(Payload::Hello(hello)) => {
                // What was recorded here bears the id that it has here.
                summary.imported_from = (hello.run_id != summary.id.as_str()).then_some(hello.run_id);
                // A plan of a newer build leaves the run without a name, and all else readable.
                let Ok(plan) = Plan::from_bytes(&hello.plan) else { return };
                summary.seed = plan.settings.seed;
                summary.duration = plan.settings.duration.map(|duration| duration.to_string());
                plan.name().clone_into(&mut summary.name);
                plan.name().clone_into(&mut summary.scenario);
            }
            Ok(Payload::Events(payload)) => {
                self.batch.clear();
                if self.events.decode(payload.batch, &mut self.batch).is_ok() {
                    summary.events += self.batch.len() as u64;
                }
            }
            Ok(Payload::Loss(losses)) => summary.lost += losses.iter().map(|loss| loss.count).sum::<u64>(),
            Ok(Payload::Names(mut payload)) => self.names.append(&mut payload.names),
            Ok(Payload::End(end)) => {
                summary.reason = Some(reason_name(end.reason));
                summary.detail = end.detail.and_then(|row| self.names.get(row.0 as usize).cloned());
            }
            Ok(Payload::Messages(_) | Payload::Clock(_) | Payload::Skipped(_)) | Err(_) => {}
        }
    }
}
