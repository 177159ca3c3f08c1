//! Journeys: one row per attempt, with the stamps of its life.

use hopscope_record::kind::{Admission, Attempt};
use hopscope_record::{Event, Kind, MessageId, PlaceIndex};
use hopscope_report::numbered::Index;
use hopscope_scenario::plan::Passage;

use super::journey::{ABSENT, Ending, Journey};

/// A row that is not there.
pub(super) const NO_ROW: u32 = u32::MAX;

/// A worker's number that is not there.
const NO_WORKER: u16 = u16::MAX;

/// Rows that one summary covers.
const BLOCK: usize = 256;

/// What a link does, and where it puts what is sent over it.
pub(super) struct Ends {
    pub(super) passage: Passage,
    /// The places of what keeps messages at its end: several where it leads to an exchange.
    pub(super) keepers: Vec<PlaceIndex>,
    /// Whether these stamp nothing, so that only the ends of links tell of a copy.
    pub(super) silent: bool,
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
    /// How many rows after it were too: those of the other queues that an exchange hands its message on to.
    pub(super) copies: u32,
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
    by_message: Index,
    /// By place: which workers are held.
    workers: Vec<Vec<bool>>,
    /// The rows of the deliveries whose copies went back and are ready, by the row of the publish and the queue.
    requeued: Index,
    /// The rows of copies in other queues than their publish's own, by its row and the queue.
    copies: Index,
}

impl Journeys {
    pub(super) fn new(places: usize) -> Self {
        Self {
            rows: Vec::new(),
            blocks: Vec::new(),
            by_message: Index::default(),
            workers: vec![Vec::new(); places],
            requeued: Index::default(),
            copies: Index::default(),
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
        self.by_message.get(&message.0).copied()
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

    /// Takes an event; `ends` says what its link does and at which queues.
    pub(super) fn apply(&mut self, event: &Event, trace: u32, room: bool, ends: Option<&Ends>) -> Option<Change> {
        let info = event.kind.info()?;
        let seen = ends.filter(|ends| ends.silent);
        let opened = seen.map_or_else(Change::default, |seen| self.seen(event, trace, room, seen));
        if event.kind == Kind::DELIVERED {
            let publish = self.take_copy(event.parent, event.place, event.time);
            let change = if room { self.open(event, trace) } else { Change::default() };
            if let Some(journey) = change.opened.and_then(|row| self.rows.get_mut(row as usize)) {
                journey.copy_of = publish.unwrap_or(journey.copy_of);
            }
            return Some(change);
        }
        if info.attempt == Attempt::Opens {
            return room.then(|| {
                let change = self.open(event, trace);
                let keepers =
                    ends.filter(|_| event.kind == Kind::PUBLISHED).map_or(&[][..], |ends| ends.keepers.as_slice());
                Change { copies: self.open_copies(keepers), ..change }
            });
        }
        if matches!(event.kind, Kind::EXPIRED | Kind::DROPPED | Kind::PURGED) {
            self.take_copy(event.message, event.place, event.time);
            return Some(Change::default());
        }
        let publish = *self.by_message.get(&event.message.0)?;
        let row = if event.kind == Kind::ENQUEUED { self.row_at(publish, event.place) } else { publish };
        if row != publish {
            self.put_copy(row, event.time, ABSENT);
            return Some(Change::default());
        }
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
                if journey.passage == Passage::Deliver && seen.is_none() {
                    change.flight = Some(event.time - journey.sent);
                }
                if event.a != Admission::Admitted as u64 {
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
                if event.kind == Kind::HANDED_OVER {
                    // Only this tells that nobody answers it.
                    journey.passage = Passage::Send;
                }
                if journey.closed == ABSENT && !event.is_late() {
                    journey.ending = ending;
                    journey.closed = event.time;
                    // A message that its consumer acknowledges before it has it is on its way yet.
                    let flying = if journey.ends_by_closing() { land(journey) } else { 0 };
                    change = Change { open: -1, flying, closed: Some(row), ..Change::default() };
                    if ending == Ending::Requeued {
                        let queue = seen.and_then(|ends| ends.keepers.first().copied()).unwrap_or(event.place);
                        (journey.queued, journey.queue) = (event.time, queue);
                        self.requeued.insert(at(journey.copy_of, queue), row);
                    }
                }
            }
        }
        let (now_alive, gone) = (journey.is_alive(), journey.ends_badly());
        self.note_in_block(row, alive, now_alive, event.time);
        if gone && change.closed.is_some() {
            self.lose_copies(row, event.time);
        }
        change.open += opened.open;
        change.flying += opened.flying;
        change.opened = opened.opened;
        Some(change)
    }

    /// What the ends of a link tell of a copy in a queue that stamps nothing: it is there when its publish is confirmed, at
    /// the latest when it is received, which begins its delivery.
    fn seen(&mut self, event: &Event, trace: u32, room: bool, ends: &Ends) -> Change {
        let queue = ends.keepers.first().copied().unwrap_or(PlaceIndex::NONE);
        let put = |journeys: &mut Self, publish: MessageId, left: i64| {
            let row = journeys.by_message.get(&publish.0).and_then(|row| journeys.rows.get_mut(*row as usize));
            let Some(journey) = row.filter(|row| row.queued == ABSENT) else { return 0 };
            (journey.queued, journey.left, journey.queue) = (event.time, left, queue);
            land(journey)
        };
        match event.kind {
            Kind::CONFIRMED => {
                let publish = self.find(event.message);
                for other in ends.keepers.iter().skip(1) {
                    if let Some(row) = publish.map(|publish| self.row_at(publish, *other)) {
                        self.put_copy(row, event.time, ABSENT);
                    }
                }
                Change { flying: put(self, event.message, ABSENT), ..Change::default() }
            }
            // It comes back: no queue has it.
            Kind::RETURNED => Change { flying: put(self, event.message, event.time), ..Change::default() },
            Kind::RECEIVED if ends.passage == Passage::Deliver => {
                let own = self.find(event.parent).is_none_or(|publish| {
                    let row = self.row_at(publish, queue);
                    self.put_copy(row, event.time, event.time);
                    row == publish
                });
                let landed = if own { put(self, event.parent, event.time) } else { 0 };
                let publish = self.take_copy(event.parent, queue, event.time);
                if !room {
                    return Change { flying: landed, ..Change::default() };
                }
                let change = self.open(&Event { place: queue, kind: Kind::DELIVERED, ..*event }, trace);
                if let Some(journey) = change.opened.and_then(|row| self.rows.get_mut(row as usize)) {
                    journey.copy_of = publish.unwrap_or(journey.copy_of);
                }
                Change { flying: change.flying + landed, ..change }
            }
            _ => Change::default(),
        }
    }

    /// Opens the rows of the copies of the publish that was opened last, but for the first.
    fn open_copies(&mut self, queues: &[PlaceIndex]) -> u32 {
        let Some((publish, first)) = self.rows.len().checked_sub(1).zip(queues.first().filter(|_| queues.len() > 1))
        else {
            return 0;
        };
        let row = |row: usize| u32::try_from(row).unwrap_or(NO_ROW);
        let Some(journey) = self.rows.get_mut(publish) else { return 0 };
        journey.queue = *first;
        let copy = Journey { flying: false, copy_of: row(publish), ..*journey };
        for queue in queues.iter().skip(1) {
            self.copies.insert(at(row(publish), *queue), row(self.rows.len()));
            self.push(Journey { queue: *queue, ..copy });
        }
        row(queues.len() - 1)
    }

    /// The row of a publish's copy in a queue.
    fn row_at(&self, publish: u32, queue: PlaceIndex) -> u32 {
        self.copies.get(&at(publish, queue)).copied().unwrap_or(publish)
    }

    /// A copy of a publish is in its queue, and nothing more comes of the publish there.
    fn put_copy(&mut self, row: u32, time: i64, left: i64) {
        let Some(journey) = self.rows.get_mut(row as usize).filter(|row| row.queued == ABSENT) else { return };
        if journey.copy_of == row {
            return;
        }
        let alive = journey.is_alive();
        (journey.queued, journey.left, journey.closed, journey.ending) = (time, left, time, Ending::Completed);
        let now_alive = journey.is_alive();
        self.note_in_block(row, alive, now_alive, time);
    }

    /// No queue gets a copy of a publish that had a bad end.
    fn lose_copies(&mut self, publish: u32, time: i64) {
        let Some(Journey { message, ending, .. }) = self.get(publish).copied() else { return };
        for row in publish.saturating_add(1).. {
            let of_it = |copy: &&mut Journey| copy.message == message && copy.copy_of == publish;
            let Some(copy) = self.rows.get_mut(row as usize).filter(of_it) else { return };
            if copy.queued == ABSENT {
                (copy.closed, copy.ending) = (time, ending);
                self.note_in_block(row, true, false, time);
            }
        }
    }

    /// Takes the copy of a publish out of the queue that it is ready in; gives the publish's row.
    fn take_copy(&mut self, publish: MessageId, queue: PlaceIndex, time: i64) -> Option<u32> {
        let publish = self.by_message.get(&publish.0).copied()?;
        let row = self.requeued.remove(&at(publish, queue)).unwrap_or_else(|| self.row_at(publish, queue));
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
        self.push(Journey {
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
        self.by_message.insert(event.message.0, row);
        Change { open: 1, flying: 1, opened: Some(row), ..Change::default() }
    }

    fn push(&mut self, journey: Journey) {
        if self.rows.len().is_multiple_of(BLOCK) {
            self.blocks.push(Block { alive: 0, last_over: ABSENT });
        }
        if let Some(block) = self.blocks.last_mut() {
            block.alive += 1;
        }
        self.rows.push(journey);
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

/// A publish's row at a queue, as one number.
fn at(publish: u32, queue: PlaceIndex) -> u64 {
    u64::from(publish) << 32 | u64::from(queue.0)
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
