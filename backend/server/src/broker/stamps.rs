//! The built-in broker's observer: stamps what each queue of the plan does, under the broker's lock.
//!
//! It knows a publish by its headers and its connection, a queue by its name, and a delivery by what its consumer knows too: the
//! source in the consumer's tag and the delivery tag. What has no identity of ours gets one here: a publish of a program that is
//! no part of the run, and deliveries to such a program.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hopscope_amqp::{ConnectionId, ConnectionInfo, ConsumerInfo, Delivery, Incoming, Observer, QueueInfo, Routing};
use hopscope_record::kind::{QueueCause, QueueStep};
use hopscope_record::trace_context::{
    Arrival, Identity, TRACEPARENT, TRACESTATE, TraceParent, arriving, parse_tracestate,
};
use hopscope_record::{Kind, LinkIndex, MessageId, PlaceIndex, SourceId, TraceId};
use hopscope_rules::queue::{Cause, Transition, TransitionKind};
use lapin::types::AMQPValue;
use tokio::sync::Notify;

use super::declared::Declared;
use super::exchanges::ExchangeSite;
use crate::record::Recorder;
use crate::transport::{served_by, source_of};

/// A queue of the plan, as the broker's observer has to know it.
#[derive(Clone, Debug)]
pub struct QueueSite {
    /// Its name at the broker.
    pub name: Arc<str>,
    /// Where it stamps.
    pub place: PlaceIndex,
    /// What it is declared with.
    pub declared: Declared,
    /// The links that publish into it.
    pub publishing: Vec<LinkIndex>,
    /// Whether the run itself takes what is in it, there or where it goes when it has had its time: it is then in flight.
    pub taken: bool,
    /// How many consumers of the run take from it.
    pub consumers: u32,
}

/// Stamps what the queues of a run do.
pub(super) struct Stamps {
    recorder: Recorder,
    sites: BTreeMap<Arc<str>, QueueSite>,
    /// The links that publish to each exchange of the plan, by its name.
    exchanges: BTreeMap<Arc<str>, Vec<LinkIndex>>,
    shared: Arc<Shared>,
    /// The link that each connection of the run serves.
    serving: Mutex<HashMap<ConnectionId, LinkIndex>>,
    /// The ids of deliveries that no source stands for, until they are settled: those that were asked for one by one.
    minted: Mutex<HashMap<DeliveryKey, MessageId>>,
}

/// Connection, channel and delivery tag.
type DeliveryKey = (ConnectionId, u16, u64);

/// What the run tells the observer and asks it.
#[derive(Default)]
pub(super) struct Shared {
    /// The link of each source of deliveries that the run has handed out.
    links: Mutex<HashMap<SourceId, LinkIndex>>,
    /// Copies in queues that the run takes from, ready or with a consumer.
    in_flight: AtomicI64,
    empty: Notify,
}

impl Shared {
    /// Says over which link the deliveries of a source go.
    pub(super) fn delivers(&self, source: SourceId, link: LinkIndex) {
        lock(&self.links).insert(source, link);
    }

    fn link_of(&self, source: SourceId) -> LinkIndex {
        lock(&self.links).get(&source).copied().unwrap_or(LinkIndex::NONE)
    }

    /// Whether the queues that the run takes from are empty, and nothing of them is with a consumer.
    pub(super) fn is_empty(&self) -> bool {
        self.in_flight.load(Ordering::Acquire) == 0
    }

    /// Resolves at an instant in which they are.
    pub(super) async fn empty(&self) {
        loop {
            let emptied = self.empty.notified();
            tokio::pin!(emptied);
            // Before the look, so that an emptying between look and wait is not missed.
            emptied.as_mut().enable();
            if self.is_empty() {
                return;
            }
            emptied.await;
        }
    }

    fn step(&self, step: i64) {
        if step != 0 && self.in_flight.fetch_add(step, Ordering::AcqRel) + step == 0 {
            self.empty.notify_waiters();
        }
    }
}

/// What is known of a publish.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    trace: TraceId,
    message: MessageId,
    /// Set where the message begins at the queue, for its `Enqueued`.
    parent: MessageId,
    link: LinkIndex,
}

/// What is known of a declared queue: nothing, if it is none of the plan's.
pub(super) struct Queue(Option<Site>);

struct Site {
    recorder: Recorder,
    taken: bool,
    /// Whether its dead letters go on.
    buries: bool,
}

/// What is known of a consumer.
pub(super) struct Consumer {
    /// The source of its deliveries; none where the run has used up its sources.
    source: Option<SourceId>,
    link: LinkIndex,
}

impl Stamps {
    /// The observer of a run; `recorder` stamps in its recording.
    pub(super) fn new(recorder: Recorder, sites: Vec<QueueSite>, exchanges: &[ExchangeSite]) -> (Self, Arc<Shared>) {
        let shared = Arc::<Shared>::default();
        let sites = sites.into_iter().map(|site| (Arc::clone(&site.name), site)).collect();
        let exchanges = exchanges.iter().map(|site| (Arc::clone(&site.name), site.publishing.clone())).collect();
        let (serving, minted) = (Mutex::default(), Mutex::default());
        (Self { recorder, sites, exchanges, shared: Arc::clone(&shared), serving, minted }, shared)
    }

    /// The id of a delivery, which its consumer makes alike where it is ours, and the link that it goes over.
    fn delivery(&self, delivery: &Delivery<'_, Consumer>, kind: TransitionKind) -> (MessageId, LinkIndex) {
        let consumer = delivery.consumer;
        let link = consumer.map_or(LinkIndex::NONE, |consumer| consumer.link);
        if let Some(source) = consumer.and_then(|consumer| consumer.source) {
            return (MessageId::new(source, delivery.delivery_tag, 1), link);
        }
        let key = (delivery.connection, delivery.channel, delivery.delivery_tag);
        let mut minted = lock(&self.minted);
        let message = *minted.entry(key).or_insert_with(|| self.recorder.mint_message());
        if kind != TransitionKind::Delivered {
            minted.remove(&key);
        }
        (message, link)
    }

    /// Writes the identity of a message that was minted here, so that its consumers can carry it on.
    fn introduce(&self, publish: &mut Incoming<'_>, identity: &Identity) {
        let traceparent = identity.traceparent(self.recorder.run_key());
        publish.set_header(TRACEPARENT, AMQPValue::LongString(traceparent.as_slice().into()));
        // What it copied from another message of ours would be taken for its identity.
        let others = publish.header(TRACESTATE).and_then(bytes_of).map(without_hs);
        if let Some(others) = others {
            publish.set_header(TRACESTATE, AMQPValue::LongString(others.as_slice().into()));
        }
    }
}

impl Observer for Stamps {
    type Mark = Mark;
    type Queue = Queue;
    type Consumer = Consumer;

    fn published(&self, publish: &mut Incoming<'_>) -> Mark {
        let traceparent = publish.header(TRACEPARENT).and_then(bytes_of).and_then(TraceParent::parse);
        let hs = publish.header(TRACESTATE).and_then(bytes_of).and_then(parse_tracestate);
        let publishing = if publish.exchange.is_empty() {
            self.sites.get(publish.routing_key).map(|site| &site.publishing)
        } else {
            self.exchanges.get(publish.exchange)
        };
        // A program that took a message from here may put it here again with the headers that it had: that is another one.
        let serves = |link| lock(&self.serving).get(&publish.connection) == Some(&link);
        let ends_here = |link| publishing.is_some_and(|publishing| publishing.contains(&link)) && serves(link);
        let recorder = &self.recorder;
        let (trace, message, parent) = match arriving(recorder.run_key(), traceparent, hs, ends_here) {
            Arrival::Itself(Identity { trace, message, link }) => {
                return Mark { trace, message, parent: MessageId::NONE, link };
            }
            Arrival::Child { trace, parent } => (trace, recorder.mint_message(), parent),
            Arrival::Root => {
                let (trace, message) = recorder.mint_root();
                (trace, message, MessageId::NONE)
            }
        };
        let link = LinkIndex::NONE;
        self.introduce(publish, &Identity { trace, message, link });
        Mark { trace, message, parent, link }
    }

    fn routed(&self, _: &Mark, _: Routing) {}

    fn transition(
        &self,
        queue: &Queue,
        transition: &Transition,
        mark: &Mark,
        delivery: Option<Delivery<'_, Consumer>>,
    ) {
        let Some(Site { recorder, taken, buries }) = &queue.0 else { return };
        let (message, link) = match &delivery {
            Some(delivery) => self.delivery(delivery, transition.kind),
            None => (mark.message, mark.link),
        };
        let parent = match transition.kind {
            TransitionKind::Delivered => mark.message,
            TransitionKind::Enqueued => mark.parent,
            _ => MessageId::NONE,
        };
        let step = QueueStep { before: transition.before, after: transition.after, cause: cause(transition) };
        let at = recorder.at(recorder.place(), link);
        at.record(kind(transition.kind), mark.trace, message, parent, transition.ordinal, step.to_value());
        // What is dead-lettered is in flight until it is where it goes.
        if *taken && !(*buries && dies(transition)) {
            self.shared.step(in_flight(transition.kind));
        }
    }

    fn buried(&self, queue: &Queue) {
        if queue.0.as_ref().is_some_and(|site| site.taken) {
            self.shared.step(-1);
        }
    }

    fn queue_declared(&self, queue: &QueueInfo<'_>) -> Queue {
        let site = self.sites.get(queue.name);
        Queue(site.map(|site| Site {
            recorder: self.recorder.at(site.place, LinkIndex::NONE),
            taken: site.taken,
            buries: site.declared.buries(),
        }))
    }

    fn queue_deleted(&self, _: &Queue) {}

    fn consumer_added(&self, _: &Queue, consumer: &ConsumerInfo<'_>) -> Consumer {
        let ours = source_of(consumer.tag);
        let link = ours.map_or(LinkIndex::NONE, |source| self.shared.link_of(source));
        // A source is one consumer's: a program that takes the tag of one of ours gets a source of its own.
        let source = if link.is_none() { self.recorder.new_source() } else { ours };
        Consumer { source, link }
    }

    fn consumer_gone(&self, _: &Queue, _: &Consumer) {}

    fn connection_opened(&self, connection: &ConnectionInfo<'_>) {
        if let Some(link) = served_by(connection.name, self.recorder.run_key()) {
            lock(&self.serving).insert(connection.id, link);
        }
    }

    fn connection_closed(&self, connection: ConnectionId) {
        lock(&self.serving).remove(&connection);
    }
}

/// The kind that tells of a transition.
const fn kind(transition: TransitionKind) -> Kind {
    match transition {
        TransitionKind::Enqueued => Kind::ENQUEUED,
        TransitionKind::Delivered => Kind::DELIVERED,
        TransitionKind::Acked => Kind::ACKED,
        TransitionKind::Nacked => Kind::NACKED,
        TransitionKind::Requeued => Kind::REQUEUED,
        TransitionKind::Expired => Kind::EXPIRED,
        TransitionKind::Dropped => Kind::DROPPED,
        TransitionKind::Purged => Kind::PURGED,
        TransitionKind::DeadLettered => Kind::DEAD_LETTERED,
    }
}

/// What a transition does to the number of copies that a queue answers for.
const fn in_flight(transition: TransitionKind) -> i64 {
    match transition {
        TransitionKind::Enqueued => 1,
        TransitionKind::Acked
        | TransitionKind::Nacked
        | TransitionKind::Expired
        | TransitionKind::Dropped
        | TransitionKind::Purged => -1,
        TransitionKind::Delivered | TransitionKind::Requeued | TransitionKind::DeadLettered => 0,
    }
}

/// Whether a copy that leaves so goes on to where dead letters go, if they go anywhere.
fn dies(transition: &Transition) -> bool {
    match transition.kind {
        TransitionKind::Nacked => transition.cause == Cause::Rejected,
        kind => matches!(kind, TransitionKind::Expired | TransitionKind::Dropped),
    }
}

/// The numbers of causes are the same there and here.
const fn cause(transition: &Transition) -> QueueCause {
    QueueCause(transition.cause as u8)
}

fn bytes_of(value: &AMQPValue) -> Option<&[u8]> {
    match value {
        AMQPValue::LongString(text) => Some(text.as_bytes()),
        AMQPValue::ShortString(text) => Some(text.as_str().as_bytes()),
        _ => None,
    }
}

/// A `tracestate` without the member that is ours.
fn without_hs(value: &[u8]) -> Vec<u8> {
    let others = value.split(|byte| *byte == b',').filter(|member| !member.trim_ascii().starts_with(b"hs="));
    others.collect::<Vec<_>>().join(&b","[..])
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Maps that cannot be left half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_member_of_a_tracestate_is_dropped() {
        assert_eq!(without_hs(b"a=1, hs=00.11.2,b=2"), b"a=1,b=2");
        assert_eq!(without_hs(b"hs=00.11.2"), b"");
    }

    #[test]
    fn the_recordings_causes_are_the_queues() {
        for (theirs, ours) in [
            (Cause::Published, QueueCause::PUBLISHED),
            (Cause::Consumer, QueueCause::CONSUMER),
            (Cause::Automatic, QueueCause::AUTOMATIC),
            (Cause::Rejected, QueueCause::REJECTED),
            (Cause::ChannelLost, QueueCause::CHANNEL_LOST),
            (Cause::MaxLength, QueueCause::MAX_LENGTH),
            (Cause::Deleted, QueueCause::DELETED),
        ] {
            assert_eq!(QueueCause(theirs as u8), ours);
        }
    }

    #[tokio::test]
    async fn queues_are_empty_when_the_last_copy_is_settled() {
        let shared = Arc::<Shared>::default();
        shared.empty().await;
        shared.step(1);
        assert!(!shared.is_empty());
        let waits = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move { shared.empty().await }
        });
        shared.step(-1);
        waits.await.unwrap();
    }
}
