//! What a buffer tells.

use std::ops::Range;

use hopscope_record::codec::EventDecoder;
use hopscope_record::frame::{End, Hello};
use hopscope_record::kind::Phase;
use hopscope_record::state::State;
use hopscope_record::{Event, Kind, NameIndex, TraceId};
use hopscope_report::surroundings::Surroundings;
use hopscope_scenario::plan::Plan;

use super::figures::Offered;
use super::{Figures, GroupLog, Journeys, QueueLog, Run, RunBuffer, Tempos, Trace, figures};
use crate::judge::Judge;

/// Frames that are not here yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Missing {
    /// How many are here.
    pub here: u32,
    /// Of how many.
    pub of: u32,
}

impl RunBuffer {
    /// The number of the frame that comes next at the head: where a lost stream goes on.
    #[must_use]
    pub fn next_frame(&self) -> u32 {
        self.held.known()
    }

    /// The numbers of the first frames that are missing; `None` if none is.
    #[must_use]
    pub fn first_hole(&self) -> Option<Range<u32>> {
        self.held.first_hole()
    }

    /// How many frames are here, where some are missing.
    #[must_use]
    pub fn missing(&self) -> Option<Missing> {
        let (of, holes) = (self.held.known(), self.held.holes());
        (holes > 0).then_some(Missing { here: of - holes, of })
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

    /// The traces that the figures are of: those that began in the measured phase.
    #[must_use]
    pub fn measured_traces(&self) -> &[Trace] {
        let Some(Run { measured: (Some(first), end), traces, .. }) = &self.run else { return &[] };
        let rows = traces.rows();
        rows.get(*first..end.unwrap_or(rows.len())).unwrap_or(&[])
    }

    /// The row of a trace.
    #[must_use]
    pub fn find_trace(&self, trace: TraceId) -> Option<u32> {
        self.run.as_ref()?.traces.find(trace)
    }

    /// The steps of the plan's queues, in their order.
    #[must_use]
    pub fn queues(&self) -> &[QueueLog] {
        self.run.as_ref().map_or(&[], |run| run.queues.logs())
    }

    /// The groups that read the plan's topics, in their order, and then the readers of its streams.
    #[must_use]
    pub fn groups(&self) -> &[GroupLog] {
        self.run.as_ref().map_or(&[], |run| run.groups.logs())
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

    /// How the run ended; `None` while it goes on or when its recording was cut. It may be known before every frame is.
    #[must_use]
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref().or_else(|| self.ahead.as_ref()?.end.as_ref())
    }

    /// The laws and the figures, over all frames so far. While there is a hole they tell nothing, since every count would
    /// be too small.
    #[must_use]
    pub const fn judge(&self) -> &Judge {
        if self.held.holes() == 0 { &self.judge } else { &self.unjudged }
    }

    /// What surrounded the run, at its worst, over all frames so far.
    #[must_use]
    pub const fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// How many events were stamped and not kept by the recorder.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.ahead.as_ref().map_or_else(|| self.losses.iter().map(|loss| loss.count).sum(), |ahead| ahead.lost)
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

    /// The key of a trace's root.
    #[must_use]
    pub fn key_of(&self, trace: &Trace) -> Option<&str> {
        self.name(NameIndex::to_value(trace.carries?.key))
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

    /// The time that everything is known up to, on the run's clock in ns: up to the first hole, if there is one.
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

    /// From when to when the player's track goes: [`RunBuffer::extent`], and on to the head where frames before it are
    /// missing.
    #[must_use]
    pub fn span(&self) -> Option<(i64, i64)> {
        let Some(ahead) = &self.ahead else { return self.extent() };
        let (from, to) = self.extent().unwrap_or((0, 0));
        Some((from, to.max(ahead.time())))
    }

    /// From when to when frames are missing before the head, ns on the run's clock.
    #[must_use]
    pub fn hole(&self) -> Option<(i64, i64)> {
        let keyframe = self.ahead.as_ref()?.rows.first()?;
        let from = self.head().max(0);
        Some((from, keyframe.cut.max(from)))
    }

    /// The figures of the run bar, at the head, also where frames before it are missing.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let Some(run) = &self.run else { return Figures::default() };
        match &self.ahead {
            Some(ahead) => {
                // The phases that began before the first hole, and those since the Keyframe.
                let phases: Vec<_> = run.phases.iter().chain(&ahead.phases).copied().collect();
                let offered = Offered { phases: &phases, before: ahead.before_measured.or(run.before_measured) };
                figures::figures(&ahead.state, &ahead.rows, &offered, ahead.time(), ahead.end.is_some())
            }
            None => {
                let offered = Offered { phases: &run.phases, before: run.before_measured };
                figures::figures(&run.state, &self.frames, &offered, self.head(), self.end.is_some())
            }
        }
    }

    /// Events per column over [`RunBuffer::span`], for the player's track; none where frames are missing.
    #[must_use]
    pub fn density(&self, columns: usize) -> Vec<u64> {
        let Some(span) = self.span() else { return vec![0; columns] };
        let ahead = self.ahead.as_ref().map_or(&[][..], |ahead| &ahead.rows);
        figures::density([&self.frames, ahead], span, columns)
    }

    /// Every kept event of a trace, in the order of time; decoded anew at each call.
    #[must_use]
    pub fn events_of(&self, row: u32) -> Vec<Event> {
        let mut found = Vec::new();
        let Some(trace) = self.traces().get(row as usize) else { return found };
        let (mut decoder, mut batch) = (EventDecoder::new(), Vec::new());
        let frames = self.frames.get(trace.first_frame as usize..=trace.last_frame as usize).unwrap_or(&[]);
        for bytes in frames.iter().filter_map(|frame| self.held.batch(frame.number)) {
            // It was decoded once already, when it was folded.
            if decoder.decode(bytes, &mut batch).is_ok() {
                found.extend(batch.iter().filter(|event| event.trace == trace.id));
            }
        }
        found
    }
}
