//! The run buffer: all that the page knows of one run.
//!
//! Bytes go in as they come, from a socket or from a stored recording; nothing after that differs. The buffer keeps
//! the encoded frames with an index, what the fold gives, one row per attempt ([`Journey`]) and one per trace
//! ([`Trace`]), and what the run's laws and figures are ([`Judge`]). Decoded events are not kept: a trace's are decoded again from the few frames that hold them
//! ([`RunBuffer::events_of`]). Each push costs what its new events cost.
//!
//! Bound: up to [`MAX_JOURNEYS`] attempts are kept; of a longer run the figures go on, the list, the dots and the frames
//! end there, and [`RunBuffer::kept_until`] says when. The buffer never fetches and reads no clock.

mod figures;
mod journeys;
mod median;
mod tempo;
mod traces;

use hopscope_record::codec::{EventDecoder, EventsError};
use hopscope_record::decoder::{DecodeError, Decoder, Framing};
use hopscope_record::frame::{End, Hello, Loss, Payload, PayloadError};
use hopscope_record::kind::Phase;
use hopscope_record::state::State;
use hopscope_record::{Event, Kind, NameIndex, TraceId};
use hopscope_report::frames::ReadError;
use hopscope_scenario::plan::{Plan, PlanError};

pub use figures::Figures;
use figures::Totals;
pub use journeys::{ABSENT, Ending, Journey, Journeys, Leg};
pub use median::Median;
pub use tempo::{Span, Tempo, Tempos};
pub use traces::{Outcome, Trace, Traces};

use crate::judge::Judge;

#[cfg(test)]
pub(crate) mod synthetic;
#[cfg(test)]
mod tests;

/// Most attempts that are kept: about 300 MB with their frames.
pub const MAX_JOURNEYS: usize = 2_000_000;

/// Why a buffer takes no more bytes. What it holds stays good.
#[derive(Debug, thiserror::Error)]
pub enum BufferError {
    /// The bytes are no frames.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A frame cannot be read.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// A batch of events cannot be read.
    #[error(transparent)]
    Events(#[from] EventsError),
    /// The plan cannot be read.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The frames are not those of a recording.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The stream is of another run than the one before it.
    #[error("the stream is of the run {0}, and the buffer of another")]
    OtherRun(String),
    /// A frame came before the one that says what the run is.
    #[error("frame {0} came before the one that says what the run is")]
    NoHello(u32),
    /// Frames are missing before this one.
    #[error("frame {got} came where frame {expected} belongs")]
    Hole {
        /// The number that was due.
        expected: u32,
        /// The number that came.
        got: u32,
    },
}

/// One Events frame.
#[derive(Clone, PartialEq, Eq, Debug)]
struct FrameRow {
    /// All events stamped at or before this are here or earlier, ns on the run's clock.
    cut: i64,
    /// What the links came to after it.
    totals: Totals,
    /// The batch, encoded; empty past the bound.
    batch: Box<[u8]>,
}

/// What is known once Hello was read.
struct Run {
    hello: Hello,
    plan: Plan,
    state: State,
    journeys: Journeys,
    traces: Traces,
    tempos: Tempos,
    medians: Medians,
    phases: Vec<(Phase, i64)>,
    kept_until: Option<i64>,
}

/// Medians over the attempts that were closed by a reply.
#[derive(Default)]
struct Medians {
    passages: Median,
    flights: Median,
    holds: Median,
}

/// The buffer of one run.
pub struct RunBuffer {
    framing: Framing,
    limit: usize,
    decoder: Decoder,
    next_frame: u32,
    events: EventDecoder,
    batch: Vec<Event>,
    run: Option<Run>,
    frames: Vec<FrameRow>,
    names: Vec<String>,
    losses: Vec<Loss>,
    end: Option<End>,
    judge: Judge,
}

impl RunBuffer {
    /// An empty buffer for a stream of frames or for a file.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        Self::with_limit(framing, MAX_JOURNEYS)
    }

    /// An empty buffer that keeps at most so many attempts.
    #[must_use]
    pub fn with_limit(framing: Framing, limit: usize) -> Self {
        Self {
            framing,
            limit,
            decoder: Decoder::new(framing),
            next_frame: 0,
            events: EventDecoder::new(),
            batch: Vec::new(),
            run: None,
            frames: Vec::new(),
            names: Vec::new(),
            losses: Vec::new(),
            end: None,
            judge: Judge::default(),
        }
    }

    /// Takes more bytes, split anywhere.
    ///
    /// # Errors
    /// As [`BufferError`] says; the frames before the bad one are in.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), BufferError> {
        // The decoder lends its frames, so it stands aside while they are taken in.
        let mut decoder = std::mem::replace(&mut self.decoder, Decoder::new(self.framing));
        decoder.push(bytes);
        let result = self.take(&mut decoder);
        self.decoder = decoder;
        result
    }

    /// Makes ready for a new stream of the same run, which goes on at [`RunBuffer::next_frame`]: half a frame that the
    /// old one left is forgotten.
    pub fn resume(&mut self) {
        self.decoder = Decoder::new(self.framing);
    }

    fn take(&mut self, decoder: &mut Decoder) -> Result<(), BufferError> {
        while let Some(frame) = decoder.next_frame()? {
            let number = frame.header.number;
            let payload = frame.read()?;
            if let Payload::Hello(hello) = payload {
                // A stream that goes on says again what the run is.
                let first = self.run.is_none();
                self.take_hello(hello)?;
                if first {
                    self.judge.push(&frame)?;
                }
                self.next_frame = self.next_frame.max(number.saturating_add(1));
                continue;
            }
            if number < self.next_frame {
                continue; // a stream that overlaps the one before it
            }
            if self.run.is_none() {
                return Err(BufferError::NoHello(number));
            }
            if number > self.next_frame {
                return Err(BufferError::Hole { expected: self.next_frame, got: number });
            }
            self.take_payload(payload)?;
            self.judge.push(&frame)?;
            self.next_frame = number.saturating_add(1);
        }
        Ok(())
    }

    fn take_hello(&mut self, hello: Hello) -> Result<(), BufferError> {
        if let Some(run) = &self.run {
            let same = run.hello.run_id == hello.run_id && run.hello.run_key == hello.run_key;
            return if same { Ok(()) } else { Err(BufferError::OtherRun(hello.run_id)) };
        }
        let plan = Plan::from_bytes(&hello.plan)?;
        self.run = Some(Run {
            state: State::new(plan.places.len(), plan.links.len()),
            journeys: Journeys::new(plan.places.len()),
            traces: Traces::default(),
            tempos: Tempos::default(),
            medians: Medians::default(),
            phases: Vec::new(),
            kept_until: None,
            hello,
            plan,
        });
        Ok(())
    }

    fn take_payload(&mut self, payload: Payload<'_>) -> Result<(), BufferError> {
        match payload {
            Payload::Events(events) => {
                self.events.decode(events.batch, &mut self.batch)?;
                let frame = u32::try_from(self.frames.len()).unwrap_or(u32::MAX);
                let Some(run) = &mut self.run else { return Ok(()) };
                for event in &self.batch {
                    run.apply(event, frame, self.limit);
                }
                let batch = if run.kept_until.is_none() { events.batch.into() } else { Box::default() };
                self.frames.push(FrameRow { cut: events.cut, totals: Totals::of(&run.state), batch });
            }
            Payload::Names(names) => {
                self.names.truncate(names.first.0 as usize);
                self.names.extend(names.names);
            }
            Payload::Loss(losses) => self.losses.extend(losses),
            Payload::End(end) => self.end = Some(end),
            Payload::Hello(_) | Payload::Skipped(_) => {}
        }
        Ok(())
    }

    /// The number of the frame that comes next: where a lost stream goes on.
    #[must_use]
    pub const fn next_frame(&self) -> u32 {
        self.next_frame
    }

    /// What the run is, once its first frame is in.
    #[must_use]
    pub fn hello(&self) -> Option<&Hello> {
        self.run.as_ref().map(|run| &run.hello)
    }

    /// The run's plan.
    #[must_use]
    pub fn plan(&self) -> Option<&Plan> {
        self.run.as_ref().map(|run| &run.plan)
    }

    /// The fold of all events so far.
    #[must_use]
    pub fn state(&self) -> Option<&State> {
        self.run.as_ref().map(|run| &run.state)
    }

    /// The attempts, in the order of their sending.
    #[must_use]
    pub fn journeys(&self) -> Option<&Journeys> {
        self.run.as_ref().map(|run| &run.journeys)
    }

    /// The traces, in the order of their beginning.
    #[must_use]
    pub fn traces(&self) -> &[Trace] {
        self.run.as_ref().map_or(&[], |run| run.traces.rows())
    }

    /// The row of a trace.
    #[must_use]
    pub fn find_trace(&self, trace: TraceId) -> Option<u32> {
        self.run.as_ref()?.traces.find(trace)
    }

    /// When messages travelled, were held, or nothing was under way.
    #[must_use]
    pub fn tempos(&self) -> Option<&Tempos> {
        self.run.as_ref().map(|run| &run.tempos)
    }

    /// How long the middle one of the attempts took from its sending to its reply, in ns.
    #[must_use]
    pub fn median_passage(&self) -> Option<i64> {
        self.run.as_ref()?.medians.passages.value()
    }

    /// How long the middle one of the ways over a link took, there or back, in ns.
    #[must_use]
    pub fn median_flight(&self) -> Option<i64> {
        self.run.as_ref()?.medians.flights.value()
    }

    /// How long a request stayed at its receiver in the middle case, in ns.
    #[must_use]
    pub fn median_hold(&self) -> Option<i64> {
        self.run.as_ref()?.medians.holds.value()
    }

    /// The phases in the order they began, with their times.
    #[must_use]
    pub fn phases(&self) -> &[(Phase, i64)] {
        self.run.as_ref().map_or(&[], |run| &run.phases)
    }

    /// How the run ended; `None` while it goes on or when its recording was cut.
    #[must_use]
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// The laws and the figures, over all frames so far.
    #[must_use]
    pub const fn judge(&self) -> &Judge {
        &self.judge
    }

    /// How many events were stamped and not kept by the recorder.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.losses.iter().map(|loss| loss.count).sum()
    }

    /// From when on the buffer was full, on the run's clock; `None` if it holds everything.
    #[must_use]
    pub fn kept_until(&self) -> Option<i64> {
        self.run.as_ref()?.kept_until
    }

    /// A string of the run, as an event's value names it.
    #[must_use]
    pub fn name(&self, value: u64) -> Option<&str> {
        let index = NameIndex::from_value(value)?;
        self.names.get(index.0 as usize).map(String::as_str)
    }

    /// A kind's name: of this build's table, or as the recording gives it.
    #[must_use]
    pub fn kind_name(&self, kind: Kind) -> Option<&str> {
        if let Some(info) = kind.info() {
            return Some(info.name);
        }
        let kinds = &self.hello()?.kinds;
        kinds.iter().find(|(known, _)| *known == kind).map(|(_, name)| name.as_str())
    }

    /// The time that everything is known up to, on the run's clock in ns.
    #[must_use]
    pub fn head(&self) -> i64 {
        let cut = self.frames.last().map_or(0, |frame| frame.cut);
        self.end.as_ref().map_or(cut, |end| end.time.max(cut))
    }

    /// From when to when something was sent, worked or replied; `None` before the first message.
    #[must_use]
    pub fn extent(&self) -> Option<(i64, i64)> {
        let first = self.traces().first()?.began;
        let last = self.run.as_ref()?.traces.last_event();
        Some((first, last.max(first)))
    }

    /// The figures of the run bar, at the head.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let Some(run) = &self.run else { return Figures::default() };
        figures::figures(&run.state, &self.frames, &run.phases, self.head(), self.end.is_some())
    }

    /// Events per column over `extent`, for the player's track.
    #[must_use]
    pub fn density(&self, columns: usize) -> Vec<u64> {
        let Some((from, to)) = self.extent() else { return vec![0; columns] };
        figures::density(&self.frames, from, to, columns)
    }

    /// Every kept event of a trace, in the order of time; decoded anew at each call.
    #[must_use]
    pub fn events_of(&self, row: u32) -> Vec<Event> {
        let mut found = Vec::new();
        let Some(trace) = self.traces().get(row as usize) else { return found };
        let (mut decoder, mut batch) = (EventDecoder::new(), Vec::new());
        let frames = self.frames.get(trace.first_frame as usize..=trace.last_frame as usize).unwrap_or(&[]);
        for frame in frames.iter().filter(|frame| !frame.batch.is_empty()) {
            // It was decoded once already, when it came in.
            if decoder.decode(&frame.batch, &mut batch).is_ok() {
                found.extend(batch.iter().filter(|event| event.trace == trace.id));
            }
        }
        found
    }
}

impl Run {
    fn apply(&mut self, event: &Event, frame: u32, limit: usize) {
        self.state.apply(event);
        if event.kind == Kind::PHASE_BEGAN {
            self.phases.extend(Phase::from_value(event.a).map(|phase| (phase, event.time)));
        }
        if event.trace.is_none() {
            return;
        }
        if self.journeys.len() >= limit && self.kept_until.is_none() {
            self.kept_until = Some(event.time);
        }
        let room = self.kept_until.is_none();
        let Some(trace) = self.traces.apply(event, frame, room) else { return };
        let Some(change) = self.journeys.apply(event, trace, room) else { return };
        self.tempos.apply(event.time, change);
        if let Some(opened) = change.opened
            && let Some(before) = self.traces.add_journey(trace, opened)
        {
            self.journeys.link(before, opened);
        }
        if let Some(journey) = change.closed.and_then(|row| self.journeys.get(row)).filter(|row| row.has_reply()) {
            self.medians.passages.add(journey.closed - journey.sent);
            self.medians.flights.add(journey.received - journey.sent);
            self.medians.flights.add(journey.closed - journey.replied);
            self.medians.holds.add(journey.replied - journey.received);
        }
    }
}
