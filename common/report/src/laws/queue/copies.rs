//! The copies in a queue: put, taken, given back, gone. What waits, how long, and in which order it leaves.

use hopscope_record::kind::{Attempt, QueueCause, QueueStep};
use hopscope_record::{Event, Kind, LinkIndex, MessageId, SourceId, TraceId};
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::text;

use super::{Step, Suspects};
use crate::laws::tally::Book;
use crate::laws::{Breach, Law, MOST_BREACHES};
use crate::numbered::Numbered;

/// The copies that are in the queue or with a consumer; one that is settled is forgotten.
#[derive(Default)]
pub(super) struct Copies {
    /// Ready, by the publish.
    ready: Numbered<Copy>,
    /// With a consumer, by the delivery.
    out: Numbered<(MessageId, Copy)>,
    /// The sum of all waits that are over, in ns.
    waits: i128,
    /// Takes of a copy that was there.
    held: u64,
    /// Takes of a copy that was not, after a gap: it may have been put there.
    doubtful: u64,
    doubts: Vec<Breach>,
    order: Order,
}

/// One copy.
#[derive(Clone, Copy)]
struct Copy {
    trace: TraceId,
    /// The ordinal of its Enqueued.
    put: u64,
    /// Since when it is ready.
    since: i64,
    /// The link that it came over.
    link: LinkIndex,
    /// Whether it was never delivered.
    fresh: bool,
}

/// In which order first deliveries leave.
#[derive(Default)]
struct Order {
    /// For each link, the ordinal of the last one delivered.
    last: Numbered<u64>,
    consumer: Option<SourceId>,
    /// Why the queue promises no order.
    free: Option<Key>,
    held: u64,
    broken: u64,
    breaches: Vec<Breach>,
}

impl Copies {
    /// None yet; `unordered`: why the queue promises no order.
    pub(super) fn new(unordered: Option<Key>) -> Self {
        Self { order: Order { free: unordered, ..Order::default() }, ..Self::default() }
    }

    /// Takes the next step.
    pub(super) fn follow(&mut self, step: &Step<'_>, suspects: &mut Suspects, book: &mut Book) {
        let event = step.event;
        match event.kind {
            Kind::ENQUEUED => self.put(step, suspects, book),
            Kind::REQUEUED => match self.out.remove(event.message.0) {
                Some((publish, copy)) => {
                    self.order.frees(text!("law.not-applicable.requeued"));
                    self.ready.insert(publish.0, Copy { since: event.time, fresh: false, ..copy });
                }
                None => suspects.add(event),
            },
            _ if step.info.steps.ready < 0 => self.leave(step, suspects, book),
            _ if step.info.attempt == Attempt::Closes && self.out.remove(event.message.0).is_none() => {
                suspects.add(event);
            }
            _ => {}
        }
    }

    /// The sum of all waits, with those that last until `end`.
    pub(super) fn waits(&self, end: i64) -> i128 {
        let lasting = self.ready.values().map(|copy| i128::from(end) - i128::from(copy.since));
        self.waits + lasting.sum::<i128>()
    }

    /// A copy that should be gone, where more are ready or with a consumer than there should be: the oldest.
    pub(super) fn left_over(&self, ready: u64, unacked: u64) -> Option<(TraceId, MessageId)> {
        let ready = self.ready.iter().filter(|_| self.ready.len() as u64 > ready);
        let out = self.out.values().filter(|_| self.out.len() as u64 > unacked);
        let oldest = ready.map(|(publish, copy)| (MessageId(publish), copy)).min_by_key(|(_, copy)| copy.put);
        let oldest = oldest.or_else(|| out.map(|(publish, copy)| (*publish, copy)).min_by_key(|(_, copy)| copy.put));
        oldest.map(|(publish, copy)| (copy.trace, publish))
    }

    /// Judges the takes and their order; `complete`: nothing more can come.
    pub(super) fn judge(&self, complete: bool, book: &mut Book) {
        book.held(Law::Steps, self.held);
        if complete {
            self.doubts.iter().for_each(|breach| book.broken(Law::Steps, || breach.clone()));
            book.more_broken(Law::Steps, self.doubtful - self.doubts.len() as u64);
        } else {
            book.undecided(Law::Steps, self.doubtful);
        }
        let order = &self.order;
        if let Some(reason) = order.free {
            return book.free(Law::Order, reason);
        }
        book.held(Law::Order, order.held);
        order.breaches.iter().for_each(|breach| book.broken(Law::Order, || breach.clone()));
        book.more_broken(Law::Order, order.broken - order.breaches.len() as u64);
    }

    fn put(&mut self, step: &Step<'_>, suspects: &mut Suspects, book: &mut Book) {
        let event = step.event;
        let copy = Copy { trace: event.trace, put: event.a, since: event.time, link: event.link, fresh: true };
        if self.ready.insert(event.message.0, copy).is_some() {
            suspects.add(event);
            book.broken(Law::Steps, || step.breach(text!("law.breach.copy-twice"), &[]));
        }
    }

    /// A copy is taken by a consumer, or leaves by itself.
    fn leave(&mut self, step: &Step<'_>, suspects: &mut Suspects, book: &mut Book) {
        let event = step.event;
        let delivered = event.kind == Kind::DELIVERED;
        let publish = if delivered { event.parent } else { event.message };
        let Some(copy) = self.ready.remove(publish.0) else {
            suspects.add(event);
            return self.doubt(step, book);
        };
        self.held += 1;
        self.waits += i128::from(event.time) - i128::from(copy.since);
        if delivered {
            self.order.take(step, &copy);
            self.out.insert(event.message.0, (publish, copy));
        }
    }

    /// What left was never put.
    fn doubt(&mut self, step: &Step<'_>, book: &mut Book) {
        let names = [("event", step.info.name.to_owned())];
        let breach = || step.breach(text!("law.breach.no-copy"), &names);
        if step.unbroken {
            return book.broken(Law::Steps, breach);
        }
        self.doubtful += 1;
        if self.doubts.len() < MOST_BREACHES {
            self.doubts.push(breach());
        }
    }
}

impl Order {
    fn frees(&mut self, reason: Key) {
        self.free.get_or_insert(reason);
    }

    /// A delivery of a copy.
    fn take(&mut self, step: &Step<'_>, copy: &Copy) {
        let event = step.event;
        if *self.consumer.get_or_insert(event.message.source()) != event.message.source() || asked_for(event) {
            self.frees(text!("law.not-applicable.consumers"));
        }
        if !copy.fresh || self.free.is_some() {
            return;
        }
        let last = self.last.get_or_insert_with(u64::from(copy.link.0), || 0);
        if copy.put > *last {
            *last = copy.put;
            self.held += 1;
            return;
        }
        self.broken += 1;
        if self.breaches.len() < MOST_BREACHES {
            let names = [("put", copy.put.to_string()), ("later", last.to_string())];
            self.breaches.push(step.breach(text!("law.breach.overtaken"), &names));
        }
    }
}

/// Whether someone asked for this one copy, as no consumer does.
fn asked_for(event: &Event) -> bool {
    QueueStep::from_value(event.b).is_some_and(|step| step.cause == QueueCause::GET)
}
