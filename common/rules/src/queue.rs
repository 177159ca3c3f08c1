//! One queue of messages: which copies wait, who takes the next, what is out with whom, and every step told as a value.
//!
//! The built-in broker drives it with real messages, the simulator with its own. It owns the ready copies, the unacked
//! ones and the consumers' turns and credit. It never reads a clock (times come in, ns), never routes (a copy that goes
//! to a dead-letter exchange is handed out), and knows no connection: whoever drives it labels each delivery with `D`.
//!
//! One round of the driver, under whatever lock it holds: [`Queue::enqueue`] (or a settlement), then deliver while
//! [`Queue::next_consumer`] names one, then [`Queue::expire`] and [`Queue::trim`]. So a copy that a consumer could take at
//! once is neither expired nor dropped, as RabbitMQ has it (TTL 0, max-length 0).

mod consumers;
mod transition;

use std::collections::{BTreeMap, VecDeque};

use consumers::Consumers;
pub use consumers::{ConsumerId, ConsumerSettings};
pub use transition::{Cause, Sink, Transition, TransitionKind};

/// What the queue's declaration said.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Settings {
    /// Most ready copies; `None` is no limit.
    pub max_length: Option<u32>,
    /// Most bytes of ready copies; `None` is no limit.
    pub max_bytes: Option<u64>,
    /// What happens beyond either.
    pub overflow: Overflow,
    /// How long a copy may be in the queue, ns; `None` is forever.
    pub ttl: Option<i64>,
    /// Whether copies that are rejected, expire or are dropped go on to a dead-letter exchange.
    pub dead_letters: bool,
    /// The highest priority that is told from others; `None`: all copies are alike.
    pub max_priority: Option<u8>,
    /// Whether only one consumer takes, the first that came, until it goes. Then the first that came of those that are
    /// left and have the highest priority takes; one that comes later waits, whatever its priority.
    pub single_active_consumer: bool,
}

/// What a full queue does.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Overflow {
    /// It takes the new copy and drops the one at the head.
    #[default]
    DropHead,
    /// It refuses the new copy.
    RejectPublish,
}

/// What comes with a copy that arrives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrival {
    /// Size that counts against [`Settings::max_bytes`].
    pub bytes: u64,
    /// The message's own limit, ns from now; the nearer of it and the queue's holds.
    pub ttl: Option<i64>,
    /// The message's priority; one above [`Settings::max_priority`] counts as that.
    pub priority: u8,
    /// [`Cause::Published`] or [`Cause::DeadLettered`].
    pub cause: Cause,
}

/// A copy that was taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken<T> {
    /// What it carries.
    pub item: T,
    /// Its number in this queue: the ordinal of its `Enqueued`.
    pub copy: u64,
    /// Whether it was delivered before.
    pub redelivered: bool,
}

/// One queue. `T` is what a copy carries, `D` how the driver names a delivery.
#[derive(Debug)]
pub struct Queue<T, D> {
    settings: Settings,
    /// The highest priority first, and each in the order of their numbers, so that what comes back finds its old place.
    ready: VecDeque<Held<T>>,
    ready_bytes: u64,
    unacked: BTreeMap<u64, Unacked<T, D>>,
    consumers: Consumers,
    ordinal: u64,
}

#[derive(Debug)]
struct Held<T> {
    item: T,
    copy: u64,
    /// 0 where the queue tells none apart.
    priority: u8,
    bytes: u64,
    expires: Option<(i64, Cause)>,
    redelivered: bool,
}

#[derive(Debug)]
struct Unacked<T, D> {
    held: Held<T>,
    consumer: Option<ConsumerId>,
    delivery: D,
}

impl<T> Held<T> {
    /// What a queue has its copies in order by.
    const fn rank(&self) -> (std::cmp::Reverse<u8>, u64) {
        (std::cmp::Reverse(self.priority), self.copy)
    }
}

impl<T, D> Queue<T, D> {
    /// An empty queue without consumers.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            ready: VecDeque::new(),
            ready_bytes: 0,
            unacked: BTreeMap::new(),
            consumers: Consumers::new(settings.single_active_consumer),
            ordinal: 0,
        }
    }

    /// What it was declared with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Ready copies: neither out with a consumer nor gone.
    #[must_use]
    pub fn ready(&self) -> u32 {
        count(self.ready.len())
    }

    /// Copies that are out with a consumer and not yet settled.
    #[must_use]
    pub fn unacked(&self) -> u32 {
        count(self.unacked.len())
    }

    /// Consumers, with or without credit.
    #[must_use]
    pub fn consumers(&self) -> u32 {
        count(self.consumers.len())
    }

    /// Adds a consumer; its first turn comes after those of all others of its priority.
    pub fn add_consumer(&mut self, settings: ConsumerSettings) -> ConsumerId {
        self.consumers.add(settings)
    }

    /// Takes a consumer out. What it has stays unacked until it is settled. `false`: there is none of this id. Where it was
    /// the single active one, another may take now what is ready.
    pub fn remove_consumer(&mut self, consumer: ConsumerId) -> bool {
        self.consumers.remove(consumer)
    }

    /// A copy arrives at the end of the queue, or of those of its priority.
    ///
    /// # Errors
    /// The item comes back where the queue is full and refuses: nothing has happened then.
    pub fn enqueue(
        &mut self,
        item: T,
        arrival: Arrival,
        now: i64,
        sink: &mut (impl Sink<T, D> + ?Sized),
    ) -> Result<u64, T> {
        if self.settings.overflow == Overflow::RejectPublish && self.over(1, arrival.bytes) {
            return Err(item);
        }
        let own = arrival.ttl.map(|ttl| (now.saturating_add(ttl), Cause::MessageTtl));
        let queues = self.settings.ttl.map(|ttl| (now.saturating_add(ttl), Cause::QueueTtl));
        let expires = match (own, queues) {
            (Some(own), Some(queues)) => Some(if own.0 <= queues.0 { own } else { queues }),
            (own, queues) => own.or(queues),
        };
        let copy = self.ordinal + 1;
        let before = self.ready();
        let priority = arrival.priority.min(self.settings.max_priority.unwrap_or(0));
        let at = self.put(Held { item, copy, priority, bytes: arrival.bytes, expires, redelivered: false });
        let transition = self.step(TransitionKind::Enqueued, copy, before, arrival.cause);
        if let Some(held) = self.ready.get(at) {
            sink.transition(&transition, &held.item, None);
        }
        Ok(copy)
    }

    /// The consumer whose turn it is: of those that have credit and that `may` take now, the next in the round of the
    /// highest priority, or the single active one. `None` where nothing is ready or nobody may. Nothing changes until
    /// [`Queue::deliver`].
    pub fn next_consumer(&self, may: impl FnMut(ConsumerId) -> bool) -> Option<ConsumerId> {
        if self.ready.is_empty() { None } else { self.consumers.next(may) }
    }

    /// Whether this consumer's deliveries count as acked at once; `None` where there is none of this id.
    #[must_use]
    pub fn is_automatic(&self, consumer: ConsumerId) -> Option<bool> {
        self.consumers.settings(consumer).map(|settings| settings.automatic)
    }

    /// Ready copies to the end, unacked ones with everyone: all gone, nothing dead-lettered. The queue is empty then.
    pub fn clear(&mut self, sink: &mut (impl Sink<T, D> + ?Sized)) {
        while let Some((_, unacked)) = self.unacked.pop_first() {
            let transition = self.step(TransitionKind::Nacked, unacked.held.copy, self.ready(), Cause::Deleted);
            self.consumers.settled(unacked.consumer);
            sink.transition(&transition, &unacked.held.item, Some(&unacked.delivery));
        }
        self.remove_all(Cause::Deleted, sink);
    }

    /// Removes every ready copy, and says how many. Unacked ones stay.
    pub fn purge(&mut self, sink: &mut (impl Sink<T, D> + ?Sized)) -> u32 {
        self.remove_all(Cause::Purge, sink)
    }

    /// Removes the copies at the head that have had their time, and says how many. A copy that has expired behind one
    /// that has not waits its turn, as RabbitMQ has it: where priorities differ, that may be long.
    pub fn expire(&mut self, now: i64, sink: &mut (impl Sink<T, D> + ?Sized)) -> u32 {
        let mut expired = 0;
        while let Some((at, cause)) = self.ready.front().and_then(|held| held.expires) {
            if at > now {
                break;
            }
            expired += self.lose(TransitionKind::Expired, cause, sink);
        }
        expired
    }

    /// When the copy at the head will have had its time, ns; `None` where it has no limit.
    #[must_use]
    pub fn next_expiry(&self) -> Option<i64> {
        self.ready.front().and_then(|held| held.expires).map(|(at, _)| at)
    }

    /// Drops the ready copies at the head until the limits hold, and says how many: the oldest, and where priorities differ the
    /// oldest of the highest, as RabbitMQ has it.
    pub fn trim(&mut self, sink: &mut (impl Sink<T, D> + ?Sized)) -> u32 {
        let mut dropped = 0;
        while self.settings.overflow == Overflow::DropHead && self.over(0, 0) && !self.ready.is_empty() {
            dropped += self.lose(TransitionKind::Dropped, Cause::MaxLength, sink);
        }
        dropped
    }

    /// A delivery is done: the copy is gone. `false`: it is not out.
    pub fn ack(&mut self, copy: u64, sink: &mut (impl Sink<T, D> + ?Sized)) -> bool {
        let Some(unacked) = self.settle(copy) else { return false };
        let transition = self.step(TransitionKind::Acked, copy, self.ready(), Cause::Ack);
        sink.transition(&transition, &unacked.held.item, Some(&unacked.delivery));
        true
    }

    /// A delivery is rejected for good: the copy is gone, to the dead-letter exchange where there is one. `false`: it is
    /// not out.
    pub fn reject(&mut self, copy: u64, sink: &mut (impl Sink<T, D> + ?Sized)) -> bool {
        let Some(unacked) = self.settle(copy) else { return false };
        let transition = self.step(TransitionKind::Nacked, copy, self.ready(), Cause::Rejected);
        sink.transition(&transition, &unacked.held.item, Some(&unacked.delivery));
        self.bury(unacked.held, Cause::Rejected, sink);
        true
    }

    /// A delivery comes back to its old place among the ready, marked as redelivered. `false`: it is not out.
    ///
    /// `cause` is [`Cause::Nack`], [`Cause::Recover`] or [`Cause::ChannelLost`].
    pub fn requeue(&mut self, copy: u64, cause: Cause, sink: &mut (impl Sink<T, D> + ?Sized)) -> bool {
        let Some(Unacked { mut held, delivery, .. }) = self.settle(copy) else { return false };
        held.redelivered = true;
        let before = self.ready();
        let at = self.put(held);
        let transition = self.step(TransitionKind::Requeued, copy, before, cause);
        if let Some(held) = self.ready.get(at) {
            sink.transition(&transition, &held.item, Some(&delivery));
        }
        true
    }

    /// Whether the limits would be passed with so much more.
    fn over(&self, more: usize, bytes: u64) -> bool {
        let length = u64::from(count(self.ready.len().saturating_add(more)));
        self.settings.max_length.is_some_and(|max| length > u64::from(max))
            || self.settings.max_bytes.is_some_and(|max| self.ready_bytes.saturating_add(bytes) > max)
    }

    /// Puts a copy where its priority and its number belong and says where that is.
    fn put(&mut self, held: Held<T>) -> usize {
        let at = self.ready.partition_point(|other| other.rank() < held.rank());
        self.ready_bytes = self.ready_bytes.saturating_add(held.bytes);
        self.ready.insert(at, held);
        at
    }

    fn pop(&mut self) -> Option<Held<T>> {
        let held = self.ready.pop_front()?;
        self.ready_bytes = self.ready_bytes.saturating_sub(held.bytes);
        Some(held)
    }

    /// Takes a delivery out of the unacked and gives its consumer the credit back.
    fn settle(&mut self, copy: u64) -> Option<Unacked<T, D>> {
        let unacked = self.unacked.remove(&copy)?;
        self.consumers.settled(unacked.consumer);
        Some(unacked)
    }

    /// Numbers a transition; the length after is counted now.
    fn step(&mut self, kind: TransitionKind, copy: u64, before: u32, cause: Cause) -> Transition {
        self.ordinal += 1;
        Transition { kind, ordinal: self.ordinal, copy, before, after: self.ready(), cause }
    }

    /// The head goes by itself; 1 where there was one.
    fn lose(&mut self, kind: TransitionKind, cause: Cause, sink: &mut (impl Sink<T, D> + ?Sized)) -> u32 {
        let before = self.ready();
        let Some(held) = self.pop() else { return 0 };
        let transition = self.step(kind, held.copy, before, cause);
        sink.transition(&transition, &held.item, None);
        self.bury(held, cause, sink);
        1
    }

    /// What has left for good goes on to the dead-letter exchange, where there is one.
    fn bury(&mut self, held: Held<T>, cause: Cause, sink: &mut (impl Sink<T, D> + ?Sized)) {
        if self.settings.dead_letters {
            let transition = self.step(TransitionKind::DeadLettered, held.copy, self.ready(), cause);
            sink.transition(&transition, &held.item, None);
            sink.dead_letter(held.item, cause);
        }
    }

    fn remove_all(&mut self, cause: Cause, sink: &mut (impl Sink<T, D> + ?Sized)) -> u32 {
        let mut removed = 0;
        loop {
            let before = self.ready();
            let Some(held) = self.pop() else { return removed };
            let transition = self.step(TransitionKind::Purged, held.copy, before, cause);
            sink.transition(&transition, &held.item, None);
            removed += 1;
        }
    }
}

impl<T: Clone, D> Queue<T, D> {
    /// Hands the head to this consumer and moves the turn on. `None`: nothing is ready, there is no such consumer, it has
    /// no credit, or another one is the single active one.
    pub fn deliver(
        &mut self,
        consumer: ConsumerId,
        delivery: D,
        sink: &mut (impl Sink<T, D> + ?Sized),
    ) -> Option<Taken<T>> {
        let automatic = self.consumers.settings(consumer)?.automatic;
        if self.ready.is_empty() || !self.consumers.take_turn(consumer) {
            return None;
        }
        self.take(Some(consumer), automatic, delivery, Cause::Consumer, sink)
    }

    /// Hands the head to someone who asked for one; `automatic`: it counts as acked at once. `None`: nothing is ready.
    pub fn get(&mut self, automatic: bool, delivery: D, sink: &mut (impl Sink<T, D> + ?Sized)) -> Option<Taken<T>> {
        self.take(None, automatic, delivery, Cause::Get, sink)
    }

    fn take(
        &mut self,
        consumer: Option<ConsumerId>,
        automatic: bool,
        delivery: D,
        cause: Cause,
        sink: &mut (impl Sink<T, D> + ?Sized),
    ) -> Option<Taken<T>> {
        let before = self.ready();
        let held = self.pop()?;
        let taken = Taken { item: held.item.clone(), copy: held.copy, redelivered: held.redelivered };
        let transition = self.step(TransitionKind::Delivered, held.copy, before, cause);
        sink.transition(&transition, &held.item, Some(&delivery));
        if automatic {
            let transition = self.step(TransitionKind::Acked, held.copy, self.ready(), Cause::Automatic);
            sink.transition(&transition, &held.item, Some(&delivery));
        } else {
            self.unacked.insert(held.copy, Unacked { held, consumer, delivery });
        }
        Some(taken)
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
