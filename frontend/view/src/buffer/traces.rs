//! Traces: one row per request with all that it causes.

use hopscope_record::frame::MessageRow;
use hopscope_record::kind::Attempt;
use hopscope_record::{Event, Kind, TraceId};
use hopscope_report::numbered::Index;

use super::journey::{ABSENT, Ending};
use super::journeys::NO_ROW;

/// How a trace was answered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Outcome {
    /// It is under way.
    Open,
    /// By a good reply.
    Answered,
    /// By an error reply, or for want of a connection.
    Failed,
    /// Its last attempt ran out of time.
    TimedOut,
    /// It was turned away.
    Refused,
    /// It was given up.
    Cancelled,
    /// It was wanted and never sent.
    NotSent,
    /// It came from outside; its caller is not ours.
    Outside,
}

/// One trace. Times are ns on the run's clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trace {
    /// Its id.
    pub id: TraceId,
    /// When the schedule wanted it; from outside: its first event.
    pub began: i64,
    /// Its last event so far.
    pub last: i64,
    /// From `began` to the closing event of the root's last attempt; `None` until then.
    pub answered: Option<i64>,
    /// How.
    pub outcome: Outcome,
    /// Attempts that it made, over all links.
    pub hops: u32,
    /// What its root carries, where its sender tells it.
    pub carries: Option<MessageRow>,
    /// Its open attempts, its messages that wait for a worker or have one, and its copies that are ready in queues.
    pending: i32,
    /// The root message without its attempt; 0 where it came from outside.
    root: u64,
    /// The row of its first attempt, for [`super::Journeys::chain`]; no row's number while there is none.
    pub first_journey: u32,
    pub(super) last_journey: u32,
    pub(super) first_frame: u32,
    pub(super) last_frame: u32,
}

impl Trace {
    /// From `began` to its last event, once nothing of it is under way any more: no attempt is open, no worker has it and no
    /// copy of it is ready in a queue.
    #[must_use]
    pub fn finished(&self) -> Option<i64> {
        (self.pending <= 0 && self.outcome != Outcome::Open).then_some(self.last - self.began)
    }
}

/// All kept traces.
#[derive(Default)]
pub struct Traces {
    rows: Vec<Trace>,
    by_id: Index,
    last_event: i64,
}

impl Traces {
    pub(super) fn rows(&self) -> &[Trace] {
        &self.rows
    }

    pub(super) fn find(&self, trace: TraceId) -> Option<u32> {
        self.by_id.get(&trace.0).copied()
    }

    /// Time of the last event of any trace.
    pub(super) fn last_event(&self) -> i64 {
        self.last_event
    }

    /// Notes an attempt of a trace; gives the row of the one before it.
    pub(super) fn add_journey(&mut self, trace: u32, journey: u32) -> Option<u32> {
        let trace = self.rows.get_mut(trace as usize)?;
        let before = std::mem::replace(&mut trace.last_journey, journey);
        if before == NO_ROW {
            trace.first_journey = journey;
        }
        Some(before).filter(|before| *before != NO_ROW)
    }

    /// Notes what a trace's root carries.
    pub(super) fn carry(&mut self, trace: u32, row: MessageRow) {
        if let Some(trace) = self.rows.get_mut(trace as usize) {
            trace.carries = Some(row);
        }
    }

    /// The row of the event's trace, new if there is room.
    pub(super) fn apply(&mut self, event: &Event, frame: u32, room: bool) -> Option<u32> {
        let row = match self.by_id.get(&event.trace.0) {
            Some(row) => *row,
            None if room => self.begin(event, frame),
            None => return None,
        };
        self.last_event = self.last_event.max(event.time);
        let trace = self.rows.get_mut(row as usize)?;
        trace.last = trace.last.max(event.time);
        trace.last_frame = frame;
        let info = event.kind.info()?;
        let ending = Ending::of(event).filter(|_| !event.is_late());
        if info.attempt == Attempt::Opens {
            trace.hops += 1;
            trace.pending += 1;
        }
        trace.pending -= i32::from(ending.is_some());
        if info.steps.only_if_a.is_none_or(|a| a == event.a) {
            trace.pending += i32::from(info.steps.waiting + info.steps.busy + info.steps.ready);
        }
        if event.message.message() != trace.root {
            return Some(row);
        }
        if event.kind == Kind::NOT_SENT {
            trace.outcome = Outcome::NotSent;
        } else if info.attempt == Attempt::Opens {
            trace.outcome = Outcome::Open;
            trace.answered = None;
        } else if let Some(ending) = ending {
            trace.outcome = outcome(ending);
            trace.answered = Some(event.time - trace.began);
        }
        Some(row)
    }

    fn begin(&mut self, event: &Event, frame: u32) -> u32 {
        let row = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let intended = event.kind == Kind::INTENDED;
        self.rows.push(Trace {
            id: event.trace,
            began: if intended { event.a.cast_signed() } else { event.time },
            last: ABSENT,
            answered: None,
            outcome: if intended { Outcome::Open } else { Outcome::Outside },
            hops: 0,
            carries: None,
            pending: 0,
            root: if intended { event.message.message() } else { 0 },
            first_journey: NO_ROW,
            last_journey: NO_ROW,
            first_frame: frame,
            last_frame: frame,
        });
        self.by_id.insert(event.trace.0, row);
        row
    }
}

fn outcome(ending: Ending) -> Outcome {
    match ending {
        Ending::Open => Outcome::Open,
        Ending::Completed => Outcome::Answered,
        Ending::Failed => Outcome::Failed,
        Ending::TimedOut => Outcome::TimedOut,
        Ending::Refused => Outcome::Refused,
        Ending::Cancelled => Outcome::Cancelled,
        // Only a delivery goes back, and no trace's root is one.
        Ending::Requeued => Outcome::Open,
    }
}
