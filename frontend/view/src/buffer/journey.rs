//! One journey: an attempt with the stamps of its life, and where these say that it is.

use hopscope_record::kind::{AWAITS_REPLY, Attempt, Count, LinkCount, ValueMeaning};
use hopscope_record::{Event, LinkIndex, MessageId, PlaceIndex};
use hopscope_scenario::plan::Passage;

/// A stamp that is not there (yet).
pub const ABSENT: i64 = i64::MIN;

/// How an attempt ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It has not.
    Open,
    /// By a good reply, by the broker's confirm or by being handed over where no reply is awaited, or because its consumer was
    /// done with it.
    Completed,
    /// By an error reply, for want of a connection, or because its consumer rejected it for good.
    Failed,
    /// By the caller's time limit.
    TimedOut,
    /// By a reply that says "not now".
    Refused,
    /// Nobody waited for the reply any more.
    Cancelled,
    /// The delivery went back to its queue.
    Requeued,
}

impl Ending {
    /// How an event ends an attempt, late or not; `None` if it does not.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        let info = event.kind.info().filter(|info| info.attempt == Attempt::Closes)?;
        if info.a.meaning == ValueMeaning::Marks && event.a & AWAITS_REPLY != 0 {
            return None;
        }
        Some(match info.counts {
            Count::Link(LinkCount::Completed | LinkCount::Confirmed | LinkCount::HandedOver | LinkCount::Acked) => {
                Self::Completed
            }
            Count::Link(LinkCount::TimedOut) => Self::TimedOut,
            Count::Link(LinkCount::Refused) => Self::Refused,
            Count::Link(LinkCount::Cancelled) => Self::Cancelled,
            Count::Link(LinkCount::Requeued) => Self::Requeued,
            _ => Self::Failed,
        })
    }

    /// Whether it ended otherwise than it was meant to. What went back to its queue is on its way yet.
    #[must_use]
    pub const fn is_bad(self) -> bool {
        !matches!(self, Self::Open | Self::Completed | Self::Requeued)
    }
}

/// Where a message is on its journey.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Leg {
    /// The request, or the message to or from a queue, is on the link, `t` of the way.
    Request(f64),
    /// It stands in its queue.
    Queued,
    /// It waits for a worker.
    Waiting,
    /// A worker has it.
    Working,
    /// The reply is on the link, `t` of the way.
    Reply(f64),
    /// It is over.
    Over,
}

/// One attempt: when what happened to it, ns on the run's clock; [`ABSENT`] where it did not (yet).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Journey {
    /// The message and its attempt.
    pub message: MessageId,
    /// What its link does: it is a call, a publish or a delivery.
    pub passage: Passage,
    /// T1; of a delivery, when the queue gave it away.
    pub sent: i64,
    /// It arrived.
    pub received: i64,
    /// A worker took it.
    pub started: i64,
    /// The worker was freed.
    pub finished: i64,
    /// The reply was sent.
    pub replied: i64,
    /// It ended; T2 if by a reply.
    pub closed: i64,
    /// Its copy became ready in a queue: it was put there, or went back there.
    pub queued: i64,
    /// That copy left the queue.
    pub left: i64,
    /// The row of its trace.
    pub trace: u32,
    /// Who sent it.
    pub from: PlaceIndex,
    /// Who received it; [`PlaceIndex::NONE`] before that. A publish is received by nobody.
    pub to: PlaceIndex,
    /// The queue that its copy is ready in, or was; [`PlaceIndex::NONE`] if none.
    pub queue: PlaceIndex,
    /// The link.
    pub link: LinkIndex,
    /// Which of the receiver's workers had it, from 0.
    pub worker: u16,
    /// How it ended.
    pub ending: Ending,
    /// The row of the publish that it is a copy of: its own, unless it is a delivery whose publish is known.
    pub copy_of: u32,
    /// The row of its trace's next attempt, or no row's number.
    pub(super) next: u32,
    /// Whether request or reply is on the link at the head.
    pub(super) flying: bool,
}

impl Journey {
    /// Whether it closed by a reply and its stamps are all there.
    #[must_use]
    pub const fn has_reply(&self) -> bool {
        self.closed != ABSENT && self.replied != ABSENT && self.received != ABSENT && self.closed >= self.replied
    }

    /// Where it is at a time from [`Journey::sent`] on.
    #[must_use]
    pub fn leg_at(&self, time: i64) -> Leg {
        if self.is_queued_at(time) {
            return Leg::Queued;
        }
        // At the very instant of its end it still stands where it ended.
        if self.gone_at().is_some_and(|gone| time > gone || (gone == self.left && time == gone)) {
            return Leg::Over;
        }
        let passed = |stamp: i64| stamp != ABSENT && time >= stamp;
        if passed(self.replied) {
            return Leg::Reply(fraction(self.replied, time, self.closed));
        }
        if passed(self.started) {
            return Leg::Working;
        }
        if passed(self.received) {
            return Leg::Waiting;
        }
        let landed = if self.passage == Passage::Publish { self.queued } else { self.received };
        // One that never arrived is shown up to the middle of its way: nobody knows where it was lost.
        let lost = landed == ABSENT && self.closed != ABSENT && self.ends_by_closing();
        let t = if lost { fraction(self.sent, time, self.closed) / 2.0 } else { fraction(self.sent, time, landed) };
        // What was answered by a program that stamps nothing was there: half of its time stands for each way.
        if lost && self.ending == Ending::Completed {
            return if t < 0.25 { Leg::Request(t * 4.0) } else { Leg::Reply(t * 4.0 - 1.0) };
        }
        Leg::Request(t)
    }

    /// Whether it waits or is worked on at its receiver at a time; that may go on after its caller has given it up.
    #[must_use]
    pub fn held_at(&self, time: i64) -> Option<Leg> {
        let passed = |stamp: i64| stamp != ABSENT && time >= stamp;
        if !passed(self.received) || passed(self.finished) || passed(self.replied) {
            return None;
        }
        Some(if passed(self.started) { Leg::Working } else { Leg::Waiting })
    }

    /// Whether its copy is ready in a queue at a time.
    #[must_use]
    pub const fn is_queued_at(&self, time: i64) -> bool {
        self.queued != ABSENT && time >= self.queued && (self.left == ABSENT || time < self.left)
    }

    /// When there was nothing more of it to be seen: the end of a call, the next step of what leaves a queue, the end of a
    /// delivery's work. `None` if there is, as far as is known.
    #[must_use]
    pub fn gone_at(&self) -> Option<i64> {
        let gone = match self.passage {
            _ if self.queued != ABSENT => self.left,
            Passage::Deliver | Passage::Send if self.finished != ABSENT => self.finished,
            _ if self.ends_by_closing() => self.closed,
            _ => ABSENT,
        };
        Some(gone).filter(|gone| *gone != ABSENT)
    }

    /// Whether its closing is the end of it. A consumer may acknowledge a delivery before it has it, or worked on it; who hands a
    /// message over that nobody answers has done so before it arrives.
    pub(super) const fn ends_by_closing(&self) -> bool {
        !matches!(self.passage, Passage::Deliver | Passage::Send)
            || self.ending.is_bad()
            || matches!(self.ending, Ending::Requeued)
    }

    /// Whether its end is to be seen as a bad one. What a queue has goes its way, whatever its publisher made of it.
    #[must_use]
    pub const fn ends_badly(&self) -> bool {
        self.ending.is_bad() && self.queued == ABSENT
    }

    /// Whether its caller waits for it, its receiver has it, or it is under way, as far as is known.
    pub(super) fn is_alive(&self) -> bool {
        let held = self.received != ABSENT && self.finished == ABSENT && self.replied == ABSENT;
        self.closed == ABSENT || (held && self.ending != Ending::Requeued) || self.gone_at().is_none()
    }

    /// When neither its caller nor its receiver had it any more; `None` if one of them has.
    pub(super) fn over_at(&self) -> Option<i64> {
        let left = match (self.finished, self.replied) {
            (ABSENT, only) | (only, ABSENT) => only,
            (finished, replied) => finished.min(replied),
        };
        let last = self.closed.max(left).max(self.gone_at().unwrap_or(ABSENT));
        (!self.is_alive()).then_some(last)
    }
}

/// How far `time` is from `from` to `to`, 0 to 1; 0 where the other end is not known, so that nothing seems to have got
/// anywhere that has not.
fn fraction(from: i64, time: i64, to: i64) -> f64 {
    if to == ABSENT {
        return 0.0;
    }
    ((time - from) as f64 / (to - from).max(1) as f64).clamp(0.0, 1.0)
}
