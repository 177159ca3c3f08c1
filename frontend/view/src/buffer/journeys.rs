//! Journeys: one row per attempt, with the stamps of its life.

use std::collections::HashMap;

use hopscope_record::kind::{AWAITS_REPLY, Admission, Attempt, Count, LinkCount, ValueMeaning};
use hopscope_record::{Event, Kind, LinkIndex, MessageId, PlaceIndex};
use hopscope_scenario::plan::Passage;

/// A stamp that is not there (yet).
pub const ABSENT: i64 = i64::MIN;

/// A row that is not there.
pub(super) const NO_ROW: u32 = u32::MAX;

/// A worker's number that is not there.
const NO_WORKER: u16 = u16::MAX;

/// Rows that one summary covers.
const BLOCK: usize = 256;

/// How an attempt ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It has not.
    Open,
    /// By a good reply, by the broker's confirm where no reply is awaited, or because its consumer was done with it.
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
            Count::Link(LinkCount::Completed | LinkCount::Confirmed | LinkCount::Acked) => Self::Completed,
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
    /// The row of its trace's next attempt, or [`NO_ROW`].
    next: u32,
    /// Whether request or reply is on the link at the head.
    flying: bool,
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
            Passage::Deliver if self.finished != ABSENT => self.finished,
            _ if self.ends_by_closing() => self.closed,
            _ => ABSENT,
        };
        Some(gone).filter(|gone| *gone != ABSENT)
    }

    /// Whether its closing is the end of it. A consumer may acknowledge a delivery before it has it, or worked on it.
    const fn ends_by_closing(&self) -> bool {
        !matches!(self.passage, Passage::Deliver) || self.ending.is_bad() || matches!(self.ending, Ending::Requeued)
    }

    /// Whether its end is to be seen as a bad one. What a queue has goes its way, whatever its publisher made of it.
    #[must_use]
    pub const fn ends_badly(&self) -> bool {
        self.ending.is_bad() && self.queued == ABSENT
    }

    /// Whether its caller waits for it, its receiver has it, or it is under way, as far as is known.
    fn is_alive(&self) -> bool {
        let held = self.received != ABSENT && self.finished == ABSENT && self.replied == ABSENT;
        self.closed == ABSENT || (held && self.ending != Ending::Requeued) || self.gone_at().is_none()
    }

    /// When neither its caller nor its receiver had it any more; `None` if one of them has.
    fn over_at(&self) -> Option<i64> {
        let left = [self.finished, self.replied].into_iter().filter(|stamp| *stamp != ABSENT).min();
        let last = self.closed.max(left.unwrap_or(ABSENT)).max(self.gone_at().unwrap_or(ABSENT));
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

/// What an event did to the journeys.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Change {
    /// Attempts opened less attempts closed.
    pub(super) open: i32,
    /// Change of the number of messages on links.
    pub(super) flying: i32,
    /// The row that was opened.
    pub(super) opened: Option<u32>,
    /// The row that was closed.
    pub(super) closed: Option<u32>,
    /// How long a message to or from a queue was on its link, in ns.
    pub(super) flight: Option<i64>,
    /// How long its consumer had such a message, in ns.
    pub(super) hold: Option<i64>,
}

/// A stretch of rows, so that those of one instant are found without looking at all.
#[derive(Clone, Copy, Debug)]
struct Block {
    /// Rows that are alive.
    alive: u32,
    /// When the last one of the others was over.
    last_over: i64,
}

/// All kept journeys.
pub struct Journeys {
    rows: Vec<Journey>,
    blocks: Vec<Block>,
    by_message: HashMap<MessageId, u32>,
    /// By place: which workers are held.
    workers: Vec<Vec<bool>>,
    /// The rows of the deliveries whose copies went back and are ready, by the row of the publish.
    requeued: HashMap<u32, u32>,
}

impl Journeys {
    pub(super) fn new(places: usize) -> Self {
        Self {
            rows: Vec::new(),
            blocks: Vec::new(),
            by_message: HashMap::new(),
            workers: vec![Vec::new(); places],
            requeued: HashMap::new(),
        }
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows, in the order of their sending.
    #[must_use]
    pub fn rows(&self) -> &[Journey] {
        &self.rows
    }

    /// A row.
    #[must_use]
    pub fn get(&self, row: u32) -> Option<&Journey> {
        self.rows.get(row as usize)
    }

    /// The row of an attempt.
    #[must_use]
    pub fn find(&self, message: MessageId) -> Option<u32> {
        self.by_message.get(&message).copied()
    }

    /// The rows that begin with `first`, of one trace.
    pub fn chain(&self, first: u32) -> impl Iterator<Item = (u32, &Journey)> {
        let row = |at: u32| Some((at, self.get(at)?));
        std::iter::successors(row(first), move |(_, journey)| row(journey.next))
    }

    /// Says that `next` is the attempt after `row` in their trace.
    pub(super) fn link(&mut self, row: u32, next: u32) {
        if let Some(journey) = self.rows.get_mut(row as usize) {
            journey.next = next;
        }
    }

    /// The rows that their caller waited for, or their receiver had, at some time between `from` and `to` (both included).
    pub fn alive_between(&self, from: i64, to: i64) -> impl Iterator<Item = (u32, &Journey)> {
        let end = self.rows.partition_point(|row| row.sent <= to);
        let blocks = self.blocks.iter().enumerate().take(end.div_ceil(BLOCK));
        let alive = blocks.filter(move |(_, block)| block.alive > 0 || block.last_over >= from);
        alive
            .flat_map(move |(block, _)| block * BLOCK..((block + 1) * BLOCK).min(end))
            .filter_map(|row| Some((u32::try_from(row).ok()?, self.rows.get(row)?)))
            .filter(move |(_, row)| row.over_at().is_none_or(|over| over >= from))
    }

    pub(super) fn apply(&mut self, event: &Event, trace: u32, room: bool) -> Option<Change> {
        let info = event.kind.info()?;
        if event.kind == Kind::DELIVERED {
            let publish = self.take_copy(event.parent, event.time);
            let change = if room { self.open(event, trace) } else { Change::default() };
            if let Some(journey) = change.opened.and_then(|row| self.rows.get_mut(row as usize)) {
                journey.copy_of = publish.unwrap_or(journey.copy_of);
            }
            return Some(change);
        }
        if info.attempt == Attempt::Opens {
            return room.then(|| self.open(event, trace));
        }
        if matches!(event.kind, Kind::EXPIRED | Kind::DROPPED | Kind::PURGED) {
            self.take_copy(event.message, event.time);
            return Some(Change::default());
        }
        let row = *self.by_message.get(&event.message)?;
        let journey = self.rows.get_mut(row as usize)?;
        let (mut change, alive) = (Change::default(), journey.is_alive());
        match event.kind {
            Kind::ENQUEUED => {
                (journey.queued, journey.left, journey.queue) = (event.time, ABSENT, event.place);
                change.flying = land(journey);
                change.flight = Some(event.time - journey.sent);
            }
            Kind::RECEIVED => {
                journey.received = event.time;
                journey.to = event.place;
                change.flying = land(journey);
                if journey.passage == Passage::Deliver {
                    change.flight = Some(event.time - journey.sent);
                }
                if event.a == Admission::Taken as u64 {
                    journey.finished = event.time;
                }
            }
            Kind::STARTED => {
                journey.started = event.time;
                journey.worker = hold(&mut self.workers, event.place);
            }
            Kind::FINISHED => {
                journey.finished = event.time;
                release(&mut self.workers, event.place, journey.worker);
                if journey.passage == Passage::Deliver && journey.received != ABSENT {
                    change.hold = Some(event.time - journey.received);
                }
            }
            Kind::REPLIED => {
                journey.replied = event.time;
                if journey.closed == ABSENT && !journey.flying {
                    journey.flying = true;
                    change.flying = 1;
                }
            }
            _ => {
                let ending = Ending::of(event)?;
                if journey.closed == ABSENT && !event.is_late() {
                    journey.ending = ending;
                    journey.closed = event.time;
                    // A message that its consumer acknowledges before it has it is on its way yet.
                    let flying = if journey.ends_by_closing() { land(journey) } else { 0 };
                    change = Change { open: -1, flying, closed: Some(row), ..Change::default() };
                    if ending == Ending::Requeued {
                        (journey.queued, journey.queue) = (event.time, event.place);
                        self.requeued.insert(journey.copy_of, row);
                    }
                }
            }
        }
        let now_alive = journey.is_alive();
        self.note_in_block(row, alive, now_alive, event.time);
        Some(change)
    }

    /// Takes the copy of a publish out of the queue that it is ready in; gives the publish's row.
    fn take_copy(&mut self, publish: MessageId, time: i64) -> Option<u32> {
        let publish = self.by_message.get(&publish).copied()?;
        let row = self.requeued.remove(&publish).unwrap_or(publish);
        let ready = |row: &&mut Journey| row.queued != ABSENT && row.left == ABSENT;
        if let Some(journey) = self.rows.get_mut(row as usize).filter(ready) {
            let alive = journey.is_alive();
            journey.left = time;
            let now_alive = journey.is_alive();
            self.note_in_block(row, alive, now_alive, time);
        }
        Some(publish)
    }

    fn open(&mut self, event: &Event, trace: u32) -> Change {
        let row = u32::try_from(self.rows.len()).unwrap_or(NO_ROW);
        let passage = match event.kind {
            Kind::PUBLISHED => Passage::Publish,
            Kind::DELIVERED => Passage::Deliver,
            _ => Passage::Call,
        };
        self.rows.push(Journey {
            message: event.message,
            passage,
            sent: event.time,
            received: ABSENT,
            started: ABSENT,
            finished: ABSENT,
            replied: ABSENT,
            closed: ABSENT,
            queued: ABSENT,
            left: ABSENT,
            trace,
            from: event.place,
            to: PlaceIndex::NONE,
            queue: PlaceIndex::NONE,
            copy_of: row,
            link: event.link,
            worker: NO_WORKER,
            ending: Ending::Open,
            next: NO_ROW,
            flying: true,
        });
        if (row as usize).is_multiple_of(BLOCK) {
            self.blocks.push(Block { alive: 0, last_over: ABSENT });
        }
        if let Some(block) = self.blocks.last_mut() {
            block.alive += 1;
        }
        self.by_message.insert(event.message, row);
        Change { open: 1, flying: 1, opened: Some(row), ..Change::default() }
    }

    /// Notes whether a row is alive; one that was over is so again when its request arrives after it was given up.
    fn note_in_block(&mut self, row: u32, before: bool, now: bool, time: i64) {
        let Some(block) = self.blocks.get_mut(row as usize / BLOCK) else { return };
        match (before, now) {
            (true, false) => {
                block.alive = block.alive.saturating_sub(1);
                block.last_over = block.last_over.max(time);
            }
            (false, true) => block.alive += 1,
            _ => {}
        }
    }
}

/// Takes the message off the link.
fn land(journey: &mut Journey) -> i32 {
    if std::mem::take(&mut journey.flying) { -1 } else { 0 }
}

/// Takes the first free worker of a place.
fn hold(workers: &mut [Vec<bool>], place: PlaceIndex) -> u16 {
    let Some(workers) = workers.get_mut(place.0 as usize) else { return NO_WORKER };
    let free = workers.iter().position(|held| !held).unwrap_or(workers.len());
    match workers.get_mut(free) {
        Some(held) => *held = true,
        None => workers.push(true),
    }
    u16::try_from(free).unwrap_or(NO_WORKER)
}

fn release(workers: &mut [Vec<bool>], place: PlaceIndex, worker: u16) {
    let held = workers.get_mut(place.0 as usize).and_then(|workers| workers.get_mut(usize::from(worker)));
    if let Some(held) = held {
        *held = false;
    }
}
