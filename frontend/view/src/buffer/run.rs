//! What the frames that were folded come to, row by row.

use std::collections::VecDeque;

use hopscope_record::decoder::Frame;
use hopscope_record::frame::{Hello, MessageRow, Payload};
use hopscope_record::kind::Phase;
use hopscope_record::state::State;
use hopscope_record::{Event, Kind, PlaceIndex};
use hopscope_scenario::plan::{Passage, Plan, PlanLink};

use super::controls::Controls;
use super::figures::Totals;
use super::journeys::Ends;
use super::{BufferError, Ending, Groups, Journeys, Median, Queues, Tempos, Traces};

/// Most rows of messages that wait for their first event: more wait only where events were lost.
const MOST_WAITING: usize = 1 << 16;

/// What is known once Hello was read.
pub(super) struct Run {
    pub(super) hello: Hello,
    pub(super) plan: Plan,
    pub(super) state: State,
    pub(super) journeys: Journeys,
    pub(super) traces: Traces,
    /// What messages carry whose first event is to come.
    carried: VecDeque<MessageRow>,
    pub(super) queues: Queues,
    pub(super) groups: Groups,
    pub(super) controls: Controls,
    /// By link what it does and at which queue or topic, where that stamps nothing; else no place.
    ends: Vec<Ends>,
    pub(super) tempos: Tempos,
    pub(super) medians: Medians,
    pub(super) phases: Vec<(Phase, i64)>,
    /// What the links had come to when the measured phase began.
    pub(super) before_measured: Option<Totals>,
    /// How many traces there were when the measured phase began, and when the next one did.
    pub(super) measured: (Option<usize>, Option<usize>),
    pub(super) kept_until: Option<i64>,
}

/// Medians over the attempts that were closed by a reply.
#[derive(Default)]
pub(super) struct Medians {
    pub(super) passages: Median,
    pub(super) flights: Median,
    pub(super) holds: Median,
}

/// What a link does, and what keeps messages at its end, where that stamps nothing or is more than one.
fn ends(plan: &Plan, link: &PlanLink) -> Ends {
    let passage = plan.passage(link);
    let nodes = if passage == Passage::Deliver { vec![link.from] } else { plan.reached(link) };
    let silent = plan.broker.is_some() || nodes.iter().any(|node| plan.topic_at(*node).is_some());
    let keepers = nodes.iter().filter_map(|node| plan.keeper_at(*node)).map(PlaceIndex).collect();
    Ends { passage, keepers, silent }
}

/// The phase that begins with an event, if one does.
pub(super) fn begun(event: &Event) -> Option<Phase> {
    (event.kind == Kind::PHASE_BEGAN).then(|| Phase::from_value(event.a)).flatten()
}

impl Run {
    pub(super) fn new(hello: Hello, plan: Plan) -> Self {
        Self {
            state: State::new(plan.places.len(), plan.links.len()),
            journeys: Journeys::new(plan.places.len()),
            traces: Traces::default(),
            carried: VecDeque::new(),
            queues: Queues::new(&plan),
            groups: Groups::new(&plan),
            controls: Controls::default(),
            ends: plan.links.iter().map(|link| ends(&plan, link)).collect(),
            tempos: Tempos::default(),
            medians: Medians::default(),
            phases: Vec::new(),
            before_measured: None,
            measured: (None, None),
            kept_until: None,
            hello,
            plan,
        }
    }

    /// Whether a Hello that comes again is this run's.
    pub(super) fn check(&self, frame: &Frame<'_>) -> Result<(), BufferError> {
        match frame.read()? {
            Payload::Hello(hello) if (&hello.run_id, hello.run_key) != (&self.hello.run_id, self.hello.run_key) => {
                Err(BufferError::OtherRun(hello.run_id))
            }
            _ => Ok(()),
        }
    }

    /// Takes what messages carry, ahead of their first events.
    pub(super) fn carry(&mut self, rows: Vec<MessageRow>) {
        self.carried.extend(rows);
        while self.carried.len() > MOST_WAITING {
            self.carried.pop_front();
        }
    }

    /// What a message carries, at its first event; mostly it is the row that has waited longest.
    fn carried(&mut self, event: &Event) -> Option<MessageRow> {
        if event.kind != Kind::INTENDED {
            return None;
        }
        let message = event.message.message();
        let at = self.carried.iter().position(|row| row.message == message)?;
        self.carried.remove(at)
    }

    fn enter(&mut self, phase: Phase, time: i64) {
        self.phases.push((phase, time));
        let traces = self.traces.rows().len();
        match (phase, &mut self.measured) {
            (Phase::Measured, (first, _)) => {
                *first = Some(traces);
                self.before_measured = Some(Totals::of(&self.state));
            }
            (_, (Some(_), end)) => *end = end.or(Some(traces)),
            _ => {}
        }
    }

    pub(super) fn apply(&mut self, event: &Event, frame: u32, limit: usize) {
        self.state.apply(event);
        if let Some(phase) = begun(event) {
            self.enter(phase, event.time);
        }
        if self.kept_until.is_none() {
            self.queues.apply(event);
            self.groups.apply(event);
        }
        self.controls.apply(event);
        if event.trace.is_none() {
            return;
        }
        let carries = self.carried(event);
        if self.journeys.len() >= limit && self.kept_until.is_none() {
            self.kept_until = Some(event.time);
        }
        let room = self.kept_until.is_none();
        let Some(trace) = self.traces.apply(event, frame, room) else { return };
        if let Some(row) = carries {
            self.traces.carry(trace, row);
        }
        let ends = self.ends.get(usize::from(event.link.0)).filter(|ends| !ends.keepers.is_empty());
        let Some(change) = self.journeys.apply(event, trace, room, ends) else { return };
        self.tempos.apply(event.time, change);
        for opened in change.opened.into_iter().flat_map(|first| first..=first.saturating_add(change.copies)) {
            if let Some(before) = self.traces.add_journey(trace, opened) {
                self.journeys.link(before, opened);
            }
        }
        change.flight.into_iter().for_each(|flight| self.medians.flights.add(flight));
        change.hold.into_iter().for_each(|hold| self.medians.holds.add(hold));
        let Some(journey) = change.closed.and_then(|row| self.journeys.get(row)) else { return };
        if journey.passage == Passage::Publish && journey.ending == Ending::Completed {
            self.medians.passages.add(journey.closed - journey.sent);
        }
        if journey.has_reply() {
            self.medians.passages.add(journey.closed - journey.sent);
            self.medians.flights.add(journey.received - journey.sent);
            self.medians.flights.add(journey.closed - journey.replied);
            self.medians.holds.add(journey.replied - journey.received);
        }
    }
}
