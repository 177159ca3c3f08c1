//! Made-up runs through queues: client -> queue -> service, replies through another queue, and a third one for dead letters,
//! with everything that may become of a publish, a copy and a delivery. Places: client 0, requests 1, consumers from 2 on,
//! then replies, then dead letters. Links: 0 publishes, 1 delivers, 2 carries replies to their queue, 3 to the client.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use hopscope_record::kind::{
    AWAITS_REPLY, Admission, DisconnectReason, LATE, NotSentReason, Outcome, QueueCause, QueueStep,
};
use hopscope_record::{Event, Kind, LinkIndex, MessageId, Minter, PlaceIndex, SourceId, TraceId};

/// What the made-up run looks like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queued {
    /// Messages that the schedule wants.
    pub(crate) messages: u64,
    /// Time between two of them, in ns.
    pub(crate) period: u64,
    /// Mean time of work, in ns.
    pub(crate) work: u64,
    /// Consumers, each with one worker.
    pub(crate) consumers: u32,
    /// Deliveries that a consumer may hold.
    pub(crate) prefetch: usize,
    /// Whether a consumer acknowledges when its work is done, or when the message has arrived.
    pub(crate) acks_after_work: bool,
    /// Whether the client waits for replies.
    pub(crate) replies: bool,
    /// Of a hundred messages, how many end in each of the unusual ways.
    pub(crate) unusual: u64,
    /// Start of the random numbers.
    pub(crate) seed: u64,
}

/// The events of the run, sorted by time.
pub(crate) fn run(shape: Queued) -> Vec<Event> {
    let mut maker = Maker {
        shape,
        random: shape.seed | 1,
        client: Minter::new(SourceId(1)),
        broker: Minter::new(SourceId(2)),
        services: Minter::new(SourceId(3)),
        agenda: BinaryHeap::new(),
        actions: Vec::new(),
        queues: [1, shape.consumers + 2, shape.consumers + 3].map(|place| Queue { place, ..Queue::default() }),
        consumers: (0..shape.consumers).map(|_| Consumer::default()).collect(),
        publishes: BTreeMap::new(),
        tags: BTreeMap::new(),
        events: vec![Event { a: 2, ..Event::new(0, Kind::PHASE_BEGAN) }],
    };
    (0..shape.messages).for_each(|n| maker.plan(n * shape.period, Action::Want));
    while let Some(Reverse((time, action))) = maker.agenda.pop() {
        let action = maker.actions[action];
        maker.act(time, action);
    }
    maker.events.sort_by_key(|event| event.time);
    let end = maker.events.last().map_or(0, |event| event.time) + 5_000;
    let closed = Event { a: DisconnectReason::Closed as u64, ..Event::new(end, Kind::DISCONNECTED) };
    maker.events.push(Event { place: CLIENT, link: PUBLISHING, ..closed });
    maker.events
}

const CLIENT: PlaceIndex = PlaceIndex(0);
const PUBLISHING: LinkIndex = LinkIndex(0);
const TAKING: LinkIndex = LinkIndex(1);
const REPLYING: LinkIndex = LinkIndex(2);
const ANSWERING: LinkIndex = LinkIndex(3);

const REQUESTS: usize = 0;
const REPLIES: usize = 1;
const DEAD: usize = 2;

/// One publish or delivery.
#[derive(Clone, Copy)]
struct Passage {
    trace: TraceId,
    message: MessageId,
    parent: MessageId,
    link: LinkIndex,
}

/// What is due at some time.
#[derive(Clone, Copy)]
enum Action {
    Want,
    Publish(Passage),
    Enqueue(usize, Passage),
    Confirm(Passage),
    GiveUp(Passage),
    Arrive(usize, Passage, Passage),
    Begin(usize),
    Finish(usize, Passage, Passage),
    Confirmed(Passage, Passage),
    Ack(MessageId),
    Requeue(MessageId),
    Answer(Passage, Passage),
    Complete(Passage),
}

#[derive(Default)]
struct Queue {
    place: u32,
    ordinal: u64,
    /// In the order of their first ordinal.
    ready: VecDeque<(u64, Passage)>,
    unacked: BTreeMap<MessageId, (u64, usize, Passage, Passage)>,
}

#[derive(Default)]
struct Consumer {
    held: usize,
    buffer: VecDeque<(Passage, Passage)>,
    busy: bool,
    arrived: u64,
}

/// What the client knows of an attempt of its own.
#[derive(Clone, Copy, Default)]
struct Publish {
    closed: bool,
    gave_up: bool,
    replied: bool,
}

struct Maker {
    shape: Queued,
    random: u64,
    client: Minter,
    broker: Minter,
    services: Minter,
    agenda: BinaryHeap<Reverse<(u64, usize)>>,
    actions: Vec<Action>,
    queues: [Queue; 3],
    consumers: Vec<Consumer>,
    publishes: BTreeMap<MessageId, Publish>,
    tags: BTreeMap<u16, u64>,
    events: Vec<Event>,
}

impl Maker {
    fn draw(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % below.max(1)
    }

    fn unusual(&mut self) -> bool {
        self.draw(100) < self.shape.unusual
    }

    fn plan(&mut self, time: u64, action: Action) {
        self.agenda.push(Reverse((time, self.actions.len())));
        self.actions.push(action);
    }

    fn stamp(&mut self, time: u64, kind: Kind, place: PlaceIndex, passage: Passage, a: u64, b: u64) {
        let Passage { trace, message, link, .. } = passage;
        let opens =
            matches!(kind, Kind::INTENDED | Kind::PUBLISHED | Kind::ENQUEUED | Kind::DELIVERED | Kind::RECEIVED);
        let parent = if opens { passage.parent } else { MessageId::NONE };
        self.events.push(Event { trace, message, parent, a, b, place, link, ..Event::new(time as i64, kind) });
    }

    fn act(&mut self, time: u64, action: Action) {
        match action {
            Action::Want => self.want(time),
            Action::Publish(publish) => self.publish(time, publish),
            Action::Enqueue(queue, publish) => self.enqueue(time, queue, publish, QueueCause::PUBLISHED),
            Action::Confirm(publish) => self.confirm(time, publish),
            Action::GiveUp(publish) => self.give_up(time, publish),
            Action::Arrive(consumer, publish, delivery) => self.arrive(time, consumer, publish, delivery),
            Action::Begin(consumer) => self.begin(time, consumer),
            Action::Finish(consumer, publish, delivery) => self.finish(time, consumer, publish, delivery),
            Action::Confirmed(reply, delivery) => {
                let place = self.place_of(delivery.message);
                self.stamp(time, Kind::CONFIRMED, place, reply, 0, 0);
                if self.shape.acks_after_work {
                    self.plan(time + 10_000, Action::Ack(delivery.message));
                }
            }
            Action::Ack(delivery) => self.settle(time, delivery, Kind::ACKED, QueueCause::ACK),
            Action::Requeue(delivery) => self.settle(time, delivery, Kind::REQUEUED, QueueCause::NACK),
            Action::Answer(reply, delivery) => {
                self.stamp(time, Kind::RECEIVED, CLIENT, delivery, Admission::Taken as u64, 64);
                // The reply's parent is the delivery, and that one's the publish: its id went along.
                let answered = Passage { message: reply.parent, link: PUBLISHING, ..reply };
                self.plan(time + 500, Action::Complete(answered));
            }
            Action::Complete(publish) => {
                let state = self.publishes.entry(publish.message).or_default();
                if !std::mem::replace(&mut state.replied, true) {
                    let late = if std::mem::replace(&mut state.closed, true) { LATE } else { 0 };
                    self.stamp(time, Kind::COMPLETED, CLIENT, publish, 200 | late, 64);
                }
            }
        }
    }

    fn want(&mut self, wanted: u64) {
        if self.unusual() {
            let (trace, message) = self.broker.root();
            let outside = Passage { trace, message, parent: MessageId::NONE, link: LinkIndex::NONE };
            self.plan(wanted, Action::Enqueue(REQUESTS, outside));
        }
        let (trace, message) = self.client.root();
        let publish = Passage { trace, message, parent: MessageId::NONE, link: PUBLISHING };
        let time = wanted + 1_000 + self.draw(20_000);
        self.stamp(time, Kind::INTENDED, CLIENT, publish, wanted, 0);
        if self.unusual() {
            self.stamp(time + 300, Kind::NOT_SENT, CLIENT, publish, NotSentReason::InFlightCap as u64, 0);
        } else {
            self.plan(time + 500, Action::Publish(publish));
        }
    }

    fn publish(&mut self, time: u64, publish: Passage) {
        self.stamp(time, Kind::PUBLISHED, CLIENT, publish, 0, 256);
        let mark = if self.shape.replies { AWAITS_REPLY } else { 0 };
        self.publishes.insert(publish.message, Publish::default());
        if self.unusual() {
            self.close(time + 2_000, Kind::FAILED, publish, 0);
        } else if self.unusual() {
            self.close(time + 60_000, Kind::CONFIRM_REFUSED, publish, 0);
        } else if self.unusual() {
            self.stamp(time + 50_000, Kind::RETURNED, CLIENT, publish, 312, 0);
            self.stamp(time + 60_000, Kind::CONFIRMED, CLIENT, publish, mark, 0);
            if self.shape.replies {
                self.close(time + 90_000, Kind::CANCELLED, publish, 0);
            }
        } else {
            let put = time + 30_000 + self.draw(30_000);
            self.plan(put, Action::Enqueue(REQUESTS, publish));
            if self.unusual() {
                let lost =
                    Event { a: DisconnectReason::Broken as u64, ..Event::new(put as i64 + 1, Kind::DISCONNECTED) };
                self.events.push(Event { place: CLIENT, link: PUBLISHING, ..lost });
                self.plan(put + 2_000, Action::GiveUp(publish));
                return;
            }
            let confirmed = put + 20_000 + self.draw(20_000);
            self.plan(confirmed, Action::Confirm(publish));
            if self.unusual() {
                let limit = self.draw(120_000);
                self.plan(time + 1 + limit, Action::GiveUp(publish));
            }
        }
    }

    fn close(&mut self, time: u64, kind: Kind, publish: Passage, a: u64) {
        self.publishes.entry(publish.message).or_default().closed = true;
        self.stamp(time, kind, CLIENT, publish, a, 0);
    }

    fn confirm(&mut self, time: u64, publish: Passage) {
        let state = self.publishes.entry(publish.message).or_default();
        let late = if state.gave_up { LATE } else { 0 };
        let awaits = if self.shape.replies { AWAITS_REPLY } else { 0 };
        state.closed |= !self.shape.replies;
        self.stamp(time, Kind::CONFIRMED, CLIENT, publish, awaits | late, 0);
    }

    fn give_up(&mut self, time: u64, publish: Passage) {
        let state = self.publishes.entry(publish.message).or_default();
        if std::mem::replace(&mut state.closed, true) {
            return;
        }
        state.gave_up = true;
        self.stamp(time, Kind::TIMED_OUT, CLIENT, publish, 100_000, 0);
        let attempt = publish.message.attempt() + 1;
        if attempt <= 3 {
            self.stamp(time + 100, Kind::RETRIED, CLIENT, publish, 5_000, u64::from(attempt));
            let again = Passage { message: publish.message.with_attempt(attempt), ..publish };
            self.plan(time + 5_100, Action::Publish(again));
        }
    }

    /// One step of a queue; `change`: of its ready copies.
    fn step(&mut self, time: u64, queue: usize, kind: Kind, passage: Passage, change: i32, cause: QueueCause) -> u64 {
        let queue = &mut self.queues[queue];
        queue.ordinal += 1;
        let after = queue.ready.len() as u32;
        let before = after.wrapping_sub(change as u32);
        let (ordinal, place) = (queue.ordinal, PlaceIndex(queue.place));
        self.stamp(time, kind, place, passage, ordinal, QueueStep { before, after, cause }.to_value());
        ordinal
    }

    fn enqueue(&mut self, time: u64, queue: usize, publish: Passage, cause: QueueCause) {
        let put = self.queues[queue].ordinal + 1;
        self.queues[queue].ready.push_back((put, publish));
        self.step(time, queue, Kind::ENQUEUED, publish, 1, cause);
        match queue {
            REQUESTS => {
                for (kind, cause) in [
                    (Kind::EXPIRED, QueueCause::MESSAGE_TTL),
                    (Kind::DROPPED, QueueCause::MAX_LENGTH),
                    (Kind::PURGED, QueueCause::PURGE),
                ] {
                    if self.unusual() {
                        self.lose(time, kind, cause);
                    }
                }
            }
            REPLIES => {}
            _ => self.look(time),
        }
        self.pump(time, queue);
    }

    /// The head leaves by itself.
    fn lose(&mut self, time: u64, kind: Kind, cause: QueueCause) {
        let Some((_, publish)) = self.queues[REQUESTS].ready.pop_front() else { return };
        self.step(time, REQUESTS, kind, publish, -1, cause);
        if kind != Kind::PURGED {
            self.bury(time, publish, cause);
        }
    }

    fn bury(&mut self, time: u64, publish: Passage, cause: QueueCause) {
        self.step(time, REQUESTS, Kind::DEAD_LETTERED, publish, 0, cause);
        self.enqueue(time, DEAD, publish, QueueCause::DEAD_LETTERED);
    }

    /// A program of someone else looks at every second dead letter, and settles every second one that it has.
    fn look(&mut self, time: u64) {
        if self.draw(2) == 0 {
            return;
        }
        let Some((_, publish)) = self.queues[DEAD].ready.pop_front() else { return };
        let message = self.broker.message();
        let delivery = Passage { message, parent: publish.message, link: LinkIndex::NONE, ..publish };
        self.step(time, DEAD, Kind::DELIVERED, delivery, -1, QueueCause::GET);
        if self.draw(2) == 0 {
            self.step(time, DEAD, Kind::ACKED, delivery, 0, QueueCause::ACK);
        }
    }

    /// Delivers while there is a consumer with credit.
    fn pump(&mut self, time: u64, queue: usize) {
        while !self.queues[queue].ready.is_empty() {
            match queue {
                REPLIES => self.answer(time),
                REQUESTS => {
                    let free =
                        (0..self.consumers.len()).filter(|each| self.consumers[*each].held < self.shape.prefetch);
                    let Some(consumer) = free.min_by_key(|each| self.consumers[*each].held) else { return };
                    self.deliver(time, consumer);
                }
                _ => return,
            }
        }
    }

    fn delivery(&mut self, source: u16, publish: Passage, link: LinkIndex) -> Passage {
        let tag = self.tags.entry(source).or_insert(0);
        *tag += 1;
        let message = MessageId::new(SourceId(source), *tag, 1);
        Passage { message, parent: publish.message, link, ..publish }
    }

    fn deliver(&mut self, time: u64, consumer: usize) {
        let Some((put, publish)) = self.queues[REQUESTS].ready.pop_front() else { return };
        let delivery = self.delivery(100 + consumer as u16, publish, TAKING);
        self.step(time, REQUESTS, Kind::DELIVERED, delivery, -1, QueueCause::CONSUMER);
        self.queues[REQUESTS].unacked.insert(delivery.message, (put, consumer, publish, delivery));
        let arrives = (time + 20_000 + self.draw(10_000)).max(self.consumers[consumer].arrived + 1);
        self.consumers[consumer].arrived = arrives;
        self.consumers[consumer].held += 1;
        self.plan(arrives, Action::Arrive(consumer, publish, delivery));
    }

    fn answer(&mut self, time: u64) {
        let Some((_, reply)) = self.queues[REPLIES].ready.pop_front() else { return };
        let delivery = self.delivery(200, reply, ANSWERING);
        self.step(time, REPLIES, Kind::DELIVERED, delivery, -1, QueueCause::CONSUMER);
        self.step(time, REPLIES, Kind::ACKED, delivery, 0, QueueCause::AUTOMATIC);
        let arrives = time + 20_000 + self.draw(10_000);
        let publish = Passage { parent: self.publish_of(reply), ..reply };
        self.plan(arrives, Action::Answer(publish, delivery));
    }

    /// The publish that a reply answers.
    fn publish_of(&self, reply: Passage) -> MessageId {
        let request =
            self.events.iter().rev().find(|event| event.kind == Kind::DELIVERED && event.message == reply.parent);
        request.map_or(MessageId::NONE, |event| event.parent)
    }

    fn place_of(&self, delivery: MessageId) -> PlaceIndex {
        PlaceIndex(u32::from(delivery.source().0) - 98)
    }

    fn arrive(&mut self, time: u64, consumer: usize, publish: Passage, delivery: Passage) {
        if !self.queues[REQUESTS].unacked.contains_key(&delivery.message) {
            return;
        }
        let place = self.place_of(delivery.message);
        self.stamp(time, Kind::RECEIVED, place, delivery, Admission::Admitted as u64, 256);
        if self.unusual() {
            return self.plan(time + 10_000, Action::Requeue(delivery.message));
        }
        if self.unusual() {
            return self.settle(time, delivery.message, Kind::NACKED, QueueCause::REJECTED);
        }
        if !self.shape.acks_after_work {
            self.plan(time + 10_000, Action::Ack(delivery.message));
        }
        self.consumers[consumer].buffer.push_back((publish, delivery));
        if !std::mem::replace(&mut self.consumers[consumer].busy, true) {
            self.plan(time + 2_000, Action::Begin(consumer));
        }
        if self.unusual() {
            self.lose_channel(time, consumer);
        }
    }

    /// What a consumer has goes back; what it works on, it ends.
    fn lose_channel(&mut self, time: u64, consumer: usize) {
        let held: Vec<_> = self.queues[REQUESTS].unacked.iter().filter(|(_, held)| held.1 == consumer).collect();
        let held: Vec<_> = held.into_iter().map(|(delivery, _)| *delivery).collect();
        self.consumers[consumer].buffer.clear();
        for delivery in held {
            self.settle(time, delivery, Kind::REQUEUED, QueueCause::CHANNEL_LOST);
        }
    }

    fn begin(&mut self, time: u64, consumer: usize) {
        let Some((publish, delivery)) = self.consumers[consumer].buffer.pop_front() else {
            self.consumers[consumer].busy = false;
            return;
        };
        let place = self.place_of(delivery.message);
        self.stamp(time, Kind::STARTED, place, delivery, 0, 0);
        let done = time + self.shape.work / 2 + self.draw(self.shape.work);
        self.plan(done, Action::Finish(consumer, publish, delivery));
    }

    fn finish(&mut self, time: u64, consumer: usize, publish: Passage, delivery: Passage) {
        let place = self.place_of(delivery.message);
        self.stamp(time, Kind::FINISHED, place, delivery, Outcome::Done as u64, 0);
        self.plan(time + 1_000, Action::Begin(consumer));
        if self.shape.replies && !publish.link.is_none() {
            let message = self.services.message();
            let reply = Passage { message, parent: delivery.message, link: REPLYING, ..delivery };
            self.stamp(time + 500, Kind::PUBLISHED, place, reply, 0, 64);
            let put = time + 25_000 + self.draw(5_000);
            self.plan(put, Action::Enqueue(REPLIES, reply));
            self.plan(put + 20_000, Action::Confirmed(reply, delivery));
        } else if self.shape.acks_after_work {
            self.plan(time + 10_000, Action::Ack(delivery.message));
        }
    }

    /// The end of a delivery that its consumer still has.
    fn settle(&mut self, time: u64, delivery: MessageId, kind: Kind, cause: QueueCause) {
        let Some((put, consumer, publish, delivery)) = self.queues[REQUESTS].unacked.remove(&delivery) else { return };
        self.consumers[consumer].held -= 1;
        let requeued = kind == Kind::REQUEUED;
        if requeued {
            let ready = &mut self.queues[REQUESTS].ready;
            let at = ready.partition_point(|(other, _)| *other < put);
            ready.insert(at, (put, publish));
        }
        self.step(time, REQUESTS, kind, delivery, i32::from(requeued), cause);
        if kind == Kind::NACKED {
            self.bury(time, publish, cause);
        }
        self.pump(time, REQUESTS);
    }
}
