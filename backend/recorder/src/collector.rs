//! The collector: the one thread that turns rings into frames.
//!
//! Owns the order of what is written: Hello first; Names and Messages before the Events that use them; one Events frame
//! per tick, complete up to its cut; Loss where a ring had no room; a sample of the surroundings each second; End last. It
//! never waits for a disk or a reader while the run goes on: as long as the sink has no room, events stay in the rings.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use hopscope_record::codec::MAX_EVENTS;
use hopscope_record::frame::{CODEC_VERSION, End, EndCount, FrameWriter, Hello, Loss, Measure, Sample, WriteError};
use hopscope_record::{Event, KINDS, NameIndex, RunKey};
use tokio::sync::{oneshot, watch};

use super::clock::{monotonic_ns, wall_ns};
use super::contents::Rows;
use super::recorder::Shared;
use super::recording::{EndInfo, FrameSink, RecordingOptions, Sampler, Summary, Taken};
use super::ring::OWN_SOURCE;
use super::rings::{Lost, Rings};

/// Longest time between two cuts.
const TICK: Duration = Duration::from_millis(50);

/// A run in which nothing happens still shows that its time goes on: an empty Events frame after so many ns.
const QUIET_NS: i64 = 250_000_000;

/// Time between two samples of the surroundings.
const SAMPLE_NS: i64 = 1_000_000_000;

/// Most events that wait for zero to be known; beyond it they stay in the rings.
const MOST_HELD: usize = 1 << 20;

/// The order to end, and where to tell what became of the recording.
pub(super) struct Finish {
    pub(super) end: EndInfo,
    pub(super) done: oneshot::Sender<Summary>,
}

/// The collector's own state; nothing else touches it.
pub(super) struct Collector {
    shared: Arc<Shared>,
    sink: Box<dyn FrameSink>,
    rings: Rings,
    frames: FrameWriter,
    /// What Hello says but for the time, until it is written.
    opening: Option<Opening>,
    /// Taken from the rings and in no frame yet, in the order of time, in raw ns.
    events: Vec<Event>,
    /// What the messages of those events carry.
    rows: Rows,
    /// Rows in the frames so far.
    described: u64,
    losses: Vec<Lost>,
    homeless: u64,
    lost: u64,
    /// Raw time of the cut of the last Events frame.
    last_cut: i64,
    sampling: Option<Sampling>,
    failure: Option<String>,
    taken: watch::Sender<Taken>,
}

/// What samples the surroundings, and the raw time of its last look.
struct Sampling {
    sampler: Sampler,
    looked: i64,
}

struct Opening {
    run: String,
    key: RunKey,
    plan: Vec<u8>,
}

impl Collector {
    pub(super) fn new(shared: Arc<Shared>, options: RecordingOptions, taken: watch::Sender<Taken>) -> Self {
        let RecordingOptions { run, key, plan, sink } = options;
        Self {
            shared,
            sink,
            rings: Rings::default(),
            frames: FrameWriter::new(),
            opening: Some(Opening { run, key, plan }),
            events: Vec::new(),
            rows: Rows::default(),
            described: 0,
            losses: Vec::new(),
            homeless: 0,
            lost: 0,
            last_cut: i64::MIN,
            sampling: None,
            failure: None,
            taken,
        }
    }

    /// Collects until it is told to finish or the recording is dropped.
    pub(super) fn run(mut self, commands: &Receiver<Finish>) {
        let finish = loop {
            std::thread::park_timeout(TICK);
            match commands.try_recv() {
                Ok(finish) => break Some(finish),
                Err(TryRecvError::Disconnected) => break None,
                Err(TryRecvError::Empty) => self.tick(),
            }
        };
        let (end, done) = finish.map(|Finish { end, done }| (end, done)).unzip();
        let summary = self.close(end.as_ref());
        if let Some(done) = done {
            // Nobody may be waiting any more.
            let _ = done.send(summary);
        }
    }

    fn tick(&mut self) {
        if self.failure.is_some() {
            return;
        }
        let zero = self.shared.clock.zero();
        if !self.sink.has_room() || (zero.is_none() && self.events.len() >= MOST_HELD) {
            return;
        }
        let cut = self.take();
        if let Some(zero) = zero {
            let quiet = cut.saturating_sub(self.last_cut) >= QUIET_NS;
            let written = self.write(zero, cut, quiet).and_then(|()| self.sample(zero, cut, SAMPLE_NS));
            self.note(written);
        }
    }

    fn take(&mut self) -> i64 {
        let before = self.events.len();
        let cut = self.rings.take(&self.shared.registry, &self.shared.names, &mut self.events, &mut self.losses);
        let more = self.events.len().saturating_sub(before) as u64;
        self.taken.send_if_modified(|taken| {
            taken.events += more;
            more > 0
        });
        // After the events: who recorded one of them had told before what its message carries.
        self.rows.add(&mut self.shared.registry.new_rows());
        self.rows.take(&self.shared.names);
        let homeless = self.shared.homeless.load(Ordering::Relaxed);
        if homeless > self.homeless {
            let count = homeless - self.homeless;
            self.homeless = homeless;
            self.losses.push(Lost { source: OWN_SOURCE, count, from: cut, to: cut });
        }
        cut
    }

    /// Puts everything taken into frames.
    fn write(&mut self, zero: i64, cut: i64, even_empty: bool) -> Result<(), WriteError> {
        self.write_opening(zero)?;
        // After the events were taken: whoever stamped one of them had its texts interned before.
        self.write_names()?;
        self.write_messages()?;
        self.write_losses(zero)?;
        self.write_events(zero, cut, even_empty)
    }

    fn write_opening(&mut self, zero: i64) -> Result<(), WriteError> {
        let Some(Opening { run, key, plan }) = self.opening.take() else { return Ok(()) };
        let frame = self.frames.hello(&Hello {
            codec_version: CODEC_VERSION,
            build: concat!("hopscope ", env!("CARGO_PKG_VERSION")).to_owned(),
            run_id: run,
            run_key: key,
            unix_ns_at_zero: wall_ns() + (zero - monotonic_ns()),
            kinds: KINDS.iter().map(|info| (info.kind, info.name.to_owned())).collect(),
            plan,
        })?;
        self.sink.put(frame);
        Ok(())
    }

    fn write_names(&mut self) -> Result<(), WriteError> {
        let (first, names) = self.shared.names.take_fresh();
        if !names.is_empty() {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            self.sink.put(self.frames.names(first, &names)?);
        }
        Ok(())
    }

    fn write_messages(&mut self) -> Result<(), WriteError> {
        for rows in self.rows.taken().chunks(MAX_EVENTS) {
            self.sink.put(self.frames.messages(self.described, rows)?);
            self.described += rows.len() as u64;
        }
        self.rows.taken().clear();
        Ok(())
    }

    fn write_losses(&mut self, zero: i64) -> Result<(), WriteError> {
        if self.losses.is_empty() {
            return Ok(());
        }
        let losses: Vec<Loss> = self
            .losses
            .drain(..)
            .map(|Lost { source, count, from, to }| Loss { source, count, from: from - zero, to: to - zero })
            .collect();
        self.lost += losses.iter().map(|loss| loss.count).sum::<u64>();
        self.sink.put(self.frames.losses(&losses)?);
        Ok(())
    }

    fn write_events(&mut self, zero: i64, cut: i64, even_empty: bool) -> Result<(), WriteError> {
        if self.events.is_empty() && !even_empty {
            return Ok(());
        }
        for event in &mut self.events {
            event.time -= zero;
        }
        let (mut rest, cut_time) = (self.events.as_slice(), cut - zero);
        loop {
            let (part, part_cut, after) = split(rest, cut_time);
            self.sink.put(self.frames.events(part_cut, part)?);
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        self.events.clear();
        self.last_cut = cut;
        Ok(())
    }

    /// Writes what surrounded the run since the last look, if that is so long ago.
    fn sample(&mut self, zero: i64, cut: i64, after_ns: i64) -> Result<(), WriteError> {
        let Some(Sampling { sampler, looked }) = &mut self.sampling else {
            if cut >= zero {
                self.begin_sampling(cut);
            }
            return Ok(());
        };
        let span = cut.saturating_sub(*looked);
        if span < after_ns {
            return Ok(());
        }
        *looked = cut;
        let mut values = vec![(Measure::SPAN_NS, span)];
        values.append(&mut sampler());
        self.sink.put(self.frames.clock(&Sample { time: cut - zero, values })?);
        Ok(())
    }

    fn begin_sampling(&mut self, cut: i64) {
        let sampler = self.shared.sampler.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.sampling = sampler.map(|mut sampler| {
            // What was before is not the run's.
            sampler();
            Sampling { sampler, looked: cut }
        });
    }

    /// The last cut, End, and the wait for the sink.
    fn close(mut self, end: Option<&EndInfo>) -> Summary {
        // Whether there is room or not: no more can come than the rings hold.
        let cut = self.take();
        self.shared.clock.set_zero(cut);
        let zero = self.shared.clock.zero().unwrap_or(cut);
        let detail = end.and_then(|end| end.detail.as_deref()).map(|detail| self.shared.names.intern(detail));
        if self.failure.is_none() {
            let written = self
                .write(zero, cut, false)
                .and_then(|()| self.sample(zero, cut, 1))
                .and_then(|()| self.write_end(zero, cut, end, detail));
            self.note(written);
        }
        let mut summary = Summary {
            accepted: self.rings.accepted(),
            lost: self.lost + self.events.len() as u64,
            frames: u64::from(self.frames.next_number()),
            reason: end.map(|end| end.reason),
            detail: end.and_then(|end| end.detail.clone()),
            failure: self.failure,
        };
        if let Err(error) = self.sink.finish(&summary) {
            summary.failure.get_or_insert_with(|| error.to_string());
        }
        summary
    }

    fn write_end(&mut self, zero: i64, cut: i64, end: Option<&EndInfo>, detail: Option<u64>) -> Result<(), WriteError> {
        let Some(end) = end else { return Ok(()) };
        let accepted = self.rings.accepted();
        let events = accepted.iter().map(|(source, count)| EndCount::events(*source, *count));
        let frame = self.frames.end(&End {
            time: cut - zero,
            reason: end.reason,
            detail: detail.and_then(NameIndex::from_value),
            counts: events.chain(end.counts.iter().copied()).collect(),
        })?;
        self.sink.put(frame);
        Ok(())
    }

    /// A frame that cannot be made ends what is recorded: later ones would not follow it.
    fn note(&mut self, written: Result<(), WriteError>) {
        if let Err(error) = written {
            tracing::error!("the recording cannot go on: {error}");
            self.failure.get_or_insert_with(|| error.to_string());
        }
    }
}

/// The first part of `events` that fits a frame, its cut, and the rest. Events of one instant stay together, so that a
/// part is complete up to its cut too.
fn split(events: &[Event], cut: i64) -> (&[Event], i64, &[Event]) {
    if events.len() <= MAX_EVENTS {
        return (events, cut, &[]);
    }
    let next = events.get(MAX_EVENTS).map_or(cut, |event| event.time);
    let together = events.partition_point(|event| event.time < next);
    // More events of one nanosecond than a frame holds cannot stay together.
    let at = if together == 0 || together > MAX_EVENTS { MAX_EVENTS } else { together };
    let (part, rest) = events.split_at(at);
    let part_cut = if at == together { next - 1 } else { next };
    (part, part_cut, rest)
}

#[cfg(test)]
mod tests;
