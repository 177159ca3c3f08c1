//! The run buffer: all that the page knows of one run.
//!
//! Bytes go in as they come, from a socket, from a stored recording or from a range that was fetched; nothing after that
//! differs. The buffer keeps the encoded frames with an index, what the fold gives, one row per attempt ([`Journey`]) and
//! one per trace ([`Trace`]), one per step of a queue ([`QueueLog`]), and what the run's laws and figures are ([`Judge`]). Decoded events are not kept: a trace's
//! are decoded again from the few frames that hold them ([`RunBuffer::events_of`]). Each push costs what its new events
//! cost.
//!
//! What is not here is a *hole* ([`RunBuffer::first_hole`]) and no damage. Frames are folded in their order, so rows,
//! traces and laws end where the first hole begins and wait until it is filled; frames behind it are kept. A Keyframe
//! tells what the run has come to there, so the figures go on at the head meanwhile. Once every hole is filled nothing
//! differs from a run that was whole all the time.
//!
//! Bound: up to [`MAX_JOURNEYS`] attempts are kept; of a longer run the figures go on, the list, the dots and the frames
//! end there, and [`RunBuffer::kept_until`] says when. The buffer never fetches and reads no clock.

mod ahead;
mod controls;
mod error;
mod figures;
mod groups;
mod held;
mod journey;
mod journeys;
mod median;
mod queues;
mod read;
mod run;
mod tempo;
mod traces;

use hopscope_record::Event;
use hopscope_record::codec::EventDecoder;
use hopscope_record::decoder::{Decoder, Frame, Framing};
use hopscope_record::frame::{End, FrameType, Hello, Keyframe, Loss, Payload};
use hopscope_report::surroundings::Surroundings;
use hopscope_scenario::plan::Plan;

use ahead::Ahead;
pub use error::BufferError;
pub use figures::Figures;
use figures::Totals;
pub use groups::{GroupLog, Groups};
use held::Held;
pub use journey::{ABSENT, Ending, Journey, Leg};
pub use journeys::Journeys;
pub use median::Median;
pub use queues::{QueueLog, Queues, Transition, UNSEEN};
pub use read::Missing;
use run::Run;
pub use tempo::{Span, Tempo, Tempos};
pub use traces::{Outcome, Trace, Traces};

use crate::judge::Judge;

#[cfg(test)]
mod holes_tests;
#[cfg(test)]
mod queues_tests;
#[cfg(any(test, feature = "synthetic"))]
pub mod synthetic;
#[cfg(test)]
mod tests;

/// Most attempts that are kept: about 300 MB with their frames.
pub const MAX_JOURNEYS: usize = 2_000_000;

/// One Events frame, or the Keyframe that stands for those before it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct FrameRow {
    number: u32,
    /// Whether it is a Keyframe, whose totals are those of earlier frames too.
    stands_for_earlier: bool,
    /// All events stamped at or before this are here or earlier, ns on the run's clock.
    cut: i64,
    /// What the links came to after it.
    totals: Totals,
}

/// The buffer of one run.
pub struct RunBuffer {
    framing: Framing,
    limit: usize,
    decoder: Decoder,
    held: Held,
    events: EventDecoder,
    batch: Vec<Event>,
    run: Option<Run>,
    /// The Events frames that were folded.
    frames: Vec<FrameRow>,
    names: Vec<String>,
    losses: Vec<Loss>,
    surroundings: Surroundings,
    end: Option<End>,
    judge: Judge,
    /// What is told of the laws while frames are missing: nothing.
    unjudged: Judge,
    /// The head, while frames before it are missing.
    ahead: Option<Ahead>,
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
            held: Held::default(),
            events: EventDecoder::new(),
            batch: Vec::new(),
            run: None,
            frames: Vec::new(),
            names: Vec::new(),
            losses: Vec::new(),
            surroundings: Surroundings::default(),
            end: None,
            judge: Judge::default(),
            unjudged: Judge::default(),
            ahead: None,
        }
    }

    /// Takes more bytes of the file or the stream, split anywhere.
    ///
    /// # Errors
    /// As [`BufferError`] says; the frames before the bad one are in.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), BufferError> {
        // The decoder lends its frames, so it stands aside while they are taken in.
        let mut decoder = std::mem::replace(&mut self.decoder, Decoder::new(self.framing));
        decoder.push(bytes);
        let result = self.take_all(&mut decoder);
        self.decoder = decoder;
        result
    }

    /// Takes whole frames that were fetched by their numbers, whatever the stream is doing.
    ///
    /// # Errors
    /// As [`BufferError`] says; the frames before the bad one are in.
    pub fn fill(&mut self, frames: &[u8]) -> Result<(), BufferError> {
        let mut decoder = Decoder::new(Framing::Stream);
        decoder.push(frames);
        self.take_all(&mut decoder)
    }

    /// Makes ready for a new stream of the same run, which goes on at [`RunBuffer::next_frame`]: half a frame that the
    /// old one left is forgotten.
    pub fn resume(&mut self) {
        self.decoder = Decoder::new(self.framing);
    }

    /// Discards all frames from number `frames` on: the recording has no more, for what came after them was lost
    /// before it was stored for good. What was folded of them is folded anew without them.
    ///
    /// # Errors
    /// As [`BufferError`] says.
    pub fn truncate(&mut self, frames: u32) -> Result<(), BufferError> {
        self.resume();
        if self.ahead.as_ref().is_some_and(|ahead| ahead.next > frames) {
            self.ahead = None;
        }
        if frames >= self.held.next() {
            self.held.cut(frames);
            return Ok(());
        }
        let shorter = Self::with_limit(self.framing, self.limit);
        let held = std::mem::replace(self, shorter).held;
        // What a full buffer did not keep is a hole again.
        self.held.extend(frames.min(held.known()));
        for bytes in held.into_frames() {
            match held::frame(&bytes) {
                Some(frame) if frame.header.number < frames => self.take(&frame)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Calls the plan's nodes, in their order, by names of a reader's language. What was recorded stays as it is.
    pub fn name_nodes(&mut self, names: impl IntoIterator<Item = String>) {
        if let Some(run) = &mut self.run {
            run.plan.nodes.iter_mut().zip(names).for_each(|(node, name)| node.name = name);
        }
    }

    fn take_all(&mut self, decoder: &mut Decoder) -> Result<(), BufferError> {
        while let Some(frame) = decoder.next_frame()? {
            self.take(&frame)?;
        }
        Ok(())
    }

    fn take(&mut self, frame: &Frame<'_>) -> Result<(), BufferError> {
        let number = frame.header.number;
        if frame.header.frame_type == FrameType::HELLO {
            // A stream that goes on may say again what the run is.
            if let Some(run) = &self.run {
                return run.check(frame);
            }
        } else if self.run.is_none() {
            return Err(BufferError::NoHello(number));
        }
        if frame.header.frame_type == FrameType::KEYFRAME {
            self.take_keyframe(frame);
            return Ok(());
        }
        if let Some(ahead) = &mut self.ahead {
            ahead.push(frame, &mut self.events, &mut self.batch)?;
        }
        if number > self.held.next() {
            self.held.keep_ahead(number, frame.bytes);
        } else if number == self.held.next() {
            self.fold(frame)?;
            let kept = self.is_kept().then(|| frame.bytes.into());
            self.held.folded(kept);
            self.fold_waiting()?;
        }
        Ok(())
    }

    /// Goes to the head, if it is further on. A Keyframe of another build is passed over: its frames come by range.
    fn take_keyframe(&mut self, frame: &Frame<'_>) {
        let (Ok(keyframe), Some(run)) = (Keyframe::read(frame), &self.run) else { return };
        let sizes = (keyframe.state.places().len(), keyframe.state.links().len());
        let next = keyframe.frame.saturating_add(1);
        let news = next > self.held.next() && self.ahead.as_ref().is_none_or(|ahead| next > ahead.next);
        if news && sizes == (run.plan.places.len(), run.plan.links.len()) {
            self.held.extend(next);
            self.ahead = Some(Ahead::new(keyframe));
        }
    }

    /// Folds the frames that waited for the one before them.
    fn fold_waiting(&mut self) -> Result<(), BufferError> {
        while let Some(bytes) = self.held.take_next() {
            let Some(frame) = held::frame(&bytes) else { break };
            self.fold(&frame)?;
            let kept = self.is_kept().then_some(bytes);
            self.held.folded(kept);
        }
        if self.ahead.as_ref().is_some_and(|ahead| ahead.next <= self.held.next()) {
            self.ahead = None;
        }
        Ok(())
    }

    fn is_kept(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.kept_until.is_none())
    }

    /// Takes the next frame into everything that needs them in their order.
    fn fold(&mut self, frame: &Frame<'_>) -> Result<(), BufferError> {
        self.batch.clear();
        match frame.read()? {
            Payload::Hello(hello) => self.begin(hello)?,
            Payload::Events(events) => {
                self.events.decode(events.batch, &mut self.batch)?;
                let row = u32::try_from(self.frames.len()).unwrap_or(u32::MAX);
                let Some(run) = &mut self.run else { return Ok(()) };
                for event in &self.batch {
                    run.apply(event, row, self.limit);
                }
                let (number, totals) = (frame.header.number, Totals::of(&run.state));
                self.frames.push(FrameRow { number, stands_for_earlier: false, cut: events.cut, totals });
            }
            Payload::Names(names) => {
                self.names.truncate(names.first.0 as usize);
                self.names.extend(names.names);
            }
            Payload::Messages(messages) => {
                if let Some(run) = &mut self.run {
                    run.carry(messages.rows);
                }
            }
            Payload::Loss(losses) => self.losses.extend(losses),
            Payload::Clock(sample) => self.surroundings.push(&sample),
            Payload::End(end) => self.end = Some(end),
            Payload::Skipped(_) => {}
        }
        Ok(self.judge.push(frame, &self.batch)?)
    }

    fn begin(&mut self, hello: Hello) -> Result<(), BufferError> {
        let plan = Plan::from_bytes(&hello.plan)?;
        self.run = Some(Run::new(hello, plan));
        Ok(())
    }
}
