//! What became of each trace: whether it was answered, whether all that it began came to its end, what was done twice.
//!
//! Owns one row for each trace, folded from events. The figures of whole traces (*finished*, *stale*, *lost*, *repeated*), what
//! became of effects and the verdict on a disturbed run read these rows. Memory grows with the traces of a recording.

mod named;
mod open;
#[cfg(test)]
pub(crate) mod tests;

use hopscope_record::kind::{AWAITS_REPLY, Attempt, Count, LinkCount, Phase, ValueMeaning};
use hopscope_record::{Event, Kind, KindInfo, LinkIndex, MessageId, TraceId};
use hopscope_scenario::plan::Plan;

pub use self::named::Named;
use self::open::Open;
use crate::numbered::{Index, Numbered};
use crate::stats::Latency;

/// What became of one trace, as far as its recording goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TraceRow {
    /// Which.
    pub trace: TraceId,
    /// The intended send of its root, ns on the run's clock; of one from outside, its first event.
    pub began: i64,
    /// The link that its root goes over; none of one from outside.
    pub link: LinkIndex,
    /// Whether a schedule wanted it in the measured phase: only these count in figures.
    pub measured: bool,
    /// When the root's last attempt was closed; `None` while it is open, and of one that was never sent.
    pub answered: Option<i64>,
    /// Whether what closed it is a good reply, or a confirm where none is awaited.
    pub good: bool,
    /// Whether its generator gave it up before the first attempt.
    pub not_sent: bool,
    /// Its last event.
    pub last: i64,
    /// How often a message of it was taken up by a worker after one had taken it up before.
    pub repeats: u32,
    /// Copies of it that left a queue without being worked on: expired, dropped, purged, or rejected. What went on to a
    /// dead-letter queue is none.
    pub discarded: i32,
    /// What of it is under way: open attempts, messages at workers, copies in queues that someone takes from.
    under_way: i32,
    /// Its root message without the attempt; none of one from outside.
    root: Option<u64>,
}

impl TraceRow {
    /// Whether the sender has a good answer.
    #[must_use]
    pub const fn is_answered_well(&self) -> bool {
        self.good && self.answered.is_some()
    }

    /// Whether the sender has no good answer, though it sent.
    #[must_use]
    pub const fn is_unanswered(&self) -> bool {
        !(self.not_sent || self.is_answered_well())
    }

    /// Whether something of it never came to its end, though its sender was told that all is well.
    #[must_use]
    pub const fn is_unfinished(&self) -> bool {
        !self.not_sent && !self.is_unanswered() && (self.under_way > 0 || self.discarded > 0)
    }

    /// Whether it is lost: not answered, or not finished.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        self.is_unanswered() || self.is_unfinished()
    }

    /// Whether some message of it was worked on more than once.
    #[must_use]
    pub const fn is_repeated(&self) -> bool {
        self.repeats > 0
    }

    /// From the intended send to the answer, whatever it was.
    #[must_use]
    pub fn took(&self) -> Option<i64> {
        Some(self.answered? - self.began)
    }

    /// Whether nothing of it is under way any more.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.under_way <= 0 && (self.root.is_none() || self.answered.is_some())
    }

    /// From the intended send to its last event, once it is finished; `None` where nothing was sent.
    #[must_use]
    pub fn finished(&self) -> Option<i64> {
        self.answered.filter(|_| self.is_finished()).map(|_| self.last - self.began)
    }

    /// From the answer to its last event, once it is finished.
    #[must_use]
    pub fn stale(&self) -> Option<i64> {
        self.answered.filter(|_| self.is_finished()).map(|answered| self.last - answered)
    }
}

/// The traces of a recording.
#[derive(Default)]
pub struct Traces {
    rows: Vec<TraceRow>,
    by_id: Index,
    open: Open,
    /// What was taken up by a worker: by the message or the publish, without its attempt, the links that it came over.
    worked: Numbered<Worked>,
    phase: Option<Phase>,
}

impl Traces {
    /// Learns which queues stamp nothing, and which nobody takes from.
    pub(crate) fn plan(&mut self, plan: &Plan) {
        self.open = Open::of(plan);
    }

    /// Takes the next event.
    pub(crate) fn take(&mut self, event: &Event, info: &KindInfo) {
        if info.a.meaning == ValueMeaning::Phase {
            self.phase = Phase::from_value(event.a);
            return;
        }
        if info.steps.empties {
            for row in self.open.exit(event.place) {
                self.rows[row as usize].under_way -= 1;
            }
        }
        if event.kind == Kind::TRANSACTION_COMMITTED || event.kind == Kind::TRANSACTION_ABORTED {
            for row in self.open.transaction_ended(event.place, event.kind == Kind::TRANSACTION_COMMITTED) {
                self.rows[row as usize].under_way -= 1;
            }
        }
        let Some(number) = self.row(event) else { return };
        let by = self.open.apply(number, event, info);
        let again = event.kind == Kind::STARTED && self.works_again(event);
        let row = &mut self.rows[number as usize];
        row.last = row.last.max(event.time);
        row.under_way += by;
        row.repeats += u32::from(again);
        row.discarded += match event.kind {
            Kind::EXPIRED | Kind::DROPPED | Kind::PURGED | Kind::NACKED => 1,
            Kind::DEAD_LETTERED => -1,
            _ => 0,
        };
        if Some(event.message.message()) != row.root || event.is_late() {
            return;
        }
        if info.counts == Count::Link(LinkCount::NotSent) {
            row.not_sent = true;
        } else if info.attempt == Attempt::Opens {
            row.answered = None;
        } else if info.attempt == Attempt::Closes && !awaits(event, info) {
            row.answered = Some(event.time);
            row.good = matches!(event.kind, Kind::COMPLETED | Kind::CONFIRMED | Kind::HANDED_OVER);
        }
    }

    /// Those that schedules wanted in the measured phase, in that order.
    pub fn rows(&self) -> impl Iterator<Item = &TraceRow> {
        self.rows.iter().filter(|row| row.measured)
    }

    /// Those of every phase and from outside too, in the order of their ids.
    pub(crate) fn all(&self) -> impl Iterator<Item = &TraceRow> {
        let mut rows: Vec<&TraceRow> = self.rows.iter().collect();
        rows.sort_unstable_by_key(|row| row.trace.0);
        rows.into_iter()
    }

    /// From the intended send to the last event, of traces that came to their end.
    #[must_use]
    pub fn finished(&self) -> Latency {
        self.lengths(TraceRow::finished)
    }

    /// From the answer to the last event, of traces that came to their end.
    #[must_use]
    pub fn stale(&self) -> Latency {
        self.lengths(TraceRow::stale)
    }

    /// How many are so.
    #[must_use]
    pub fn count(&self, is: fn(&TraceRow) -> bool) -> u64 {
        self.rows().filter(|row| is(row)).count() as u64
    }

    fn lengths(&self, length: fn(&TraceRow) -> Option<i64>) -> Latency {
        let mut all = Latency::default();
        self.rows().filter_map(length).for_each(|took| all.record(took));
        all
    }

    /// Notes what a worker takes up; whether one has taken it up before.
    fn works_again(&mut self, event: &Event) -> bool {
        let publish = self.open.publish_of(event.message);
        let Some(worked) = self.worked.get_mut(publish) else {
            self.worked.set(publish, Worked { first: event.link, others: Vec::new() });
            return false;
        };
        let again = worked.first == event.link || worked.others.contains(&event.link);
        if !again {
            worked.others.push(event.link);
        }
        again
    }

    fn row(&mut self, event: &Event) -> Option<u32> {
        if event.trace.is_none() {
            return None;
        }
        if let Some(row) = self.by_id.get(&event.trace.0) {
            return Some(*row);
        }
        let row = u32::try_from(self.rows.len()).ok()?;
        let intended = event.kind == Kind::INTENDED;
        self.rows.push(TraceRow {
            trace: event.trace,
            began: if intended { event.a.cast_signed() } else { event.time },
            link: if intended { event.link } else { LinkIndex::NONE },
            measured: intended && self.phase == Some(Phase::Measured),
            answered: None,
            good: false,
            not_sent: false,
            last: event.time,
            repeats: 0,
            discarded: 0,
            under_way: 0,
            root: intended.then(|| event.message.message()),
        });
        self.by_id.insert(event.trace.0, row);
        Some(row)
    }
}

/// The links that something came over to be worked on: hardly ever more than one.
struct Worked {
    first: LinkIndex,
    others: Vec<LinkIndex>,
}

/// Whether the attempt goes on until its reply comes.
fn awaits(event: &Event, info: &KindInfo) -> bool {
    info.a.meaning == ValueMeaning::Marks && event.a & AWAITS_REPLY != 0
}

/// A message without its attempt.
const fn whole(message: MessageId) -> u64 {
    message.message()
}
