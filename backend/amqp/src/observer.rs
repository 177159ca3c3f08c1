//! Who hears what the broker does.
//!
//! Every call comes under the lock of its virtual host, in the order in which things happen: a transition before a byte of the
//! delivery it tells of can leave, a publish's transitions before its confirm. So an observer must be quick, must not
//! wait, and must not call the broker.

use std::net::SocketAddr;

use amq_protocol::protocol::BasicProperties;
use amq_protocol::types::{AMQPValue, FieldTable};
use hopscope_rules::queue::Transition;

use crate::wire;

/// A connection; never given out again by the same broker.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConnectionId(pub(crate) u64);

impl ConnectionId {
    /// Its number, from 1 in the order of their coming.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

/// Hears what the broker does. What it answers is kept with what it was told of and handed back with every later call,
/// so that nothing has to be looked up.
pub trait Observer: Send + Sync + 'static {
    /// What it knows of a publish; kept with each copy, dead-lettered ones included.
    type Mark: Clone + Send + Sync + 'static;
    /// What it knows of a queue.
    type Queue: Send + Sync + 'static;
    /// What it knows of a consumer.
    type Consumer: Send + Sync + 'static;

    /// A publish has come whole, is allowed and takes effect, on a transactional channel at its commit; before it is in
    /// any queue. It may write headers.
    fn published(&self, publish: &mut Incoming<'_>) -> Self::Mark;

    /// Where it went; once per publish, before its confirm. Where copies are made, after their `Enqueued`.
    fn routed(&self, mark: &Self::Mark, routing: Routing);

    /// One step of one copy in one queue. `delivery` is there on Delivered, Acked, Nacked and Requeued.
    fn transition(
        &self,
        queue: &Self::Queue,
        transition: &Transition,
        mark: &Self::Mark,
        delivery: Option<Delivery<'_, Self::Consumer>>,
    );

    /// What `queue` left for dead has gone on, after the `Enqueued` of each copy that was made of it; once for each
    /// `DeadLettered`.
    fn buried(&self, queue: &Self::Queue);

    /// A queue is there, empty.
    fn queue_declared(&self, queue: &QueueInfo<'_>) -> Self::Queue;

    /// A queue has gone; its copies were purged, its deliveries nacked.
    fn queue_deleted(&self, queue: &Self::Queue);

    /// A consumer is there; before its first delivery.
    fn consumer_added(&self, queue: &Self::Queue, consumer: &ConsumerInfo<'_>) -> Self::Consumer;

    /// A consumer gets nothing more. What it has may still be settled.
    fn consumer_gone(&self, queue: &Self::Queue, consumer: &Self::Consumer);

    /// A client's connection is open.
    fn connection_opened(&self, connection: &ConnectionInfo<'_>);

    /// A client's connection has ended; after its deliveries were requeued.
    fn connection_closed(&self, connection: ConnectionId);
}

/// A publish on its way in.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// The publisher's connection.
    pub connection: ConnectionId,
    /// The publisher's channel.
    pub channel: u16,
    /// Its number on a channel with confirms, from 1: the delivery tag of its confirm.
    pub confirm: Option<u64>,
    /// Where it goes; empty is the default exchange.
    pub exchange: &'a str,
    /// By which key.
    pub routing_key: &'a str,
    /// Whether the publisher wants it back where no queue takes it.
    pub mandatory: bool,
    /// The body.
    pub body: &'a [u8],
    pub(crate) properties: &'a mut BasicProperties,
    pub(crate) changed: bool,
}

impl Incoming<'_> {
    /// Its properties.
    #[must_use]
    pub fn properties(&self) -> &BasicProperties {
        self.properties
    }

    /// A header; `None` where it has none of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&AMQPValue> {
        self.properties.headers().as_ref().and_then(|headers| headers.inner().get(name))
    }

    /// Writes a header, in place of one of the same name. A name is cut at 255 bytes.
    pub fn set_header(&mut self, name: &str, value: AMQPValue) {
        let mut headers: FieldTable = self.properties.headers().clone().unwrap_or_default();
        headers.insert(wire::short(name), value);
        *self.properties = std::mem::take(self.properties).with_headers(headers);
        self.changed = true;
    }
}

/// Where a publish went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Routing {
    /// So many queues took a copy.
    Routed(u32),
    /// Straight to a consumer that asked by direct reply-to; no queue saw it.
    Direct,
    /// No queue took it and the publisher wanted it back.
    Returned,
    /// No queue took it: it was dropped at its exchange.
    Unroutable,
    /// A full queue refused it; so many others took a copy.
    Refused(u32),
}

/// Which delivery: connection, channel, consumer tag and delivery tag together name it, at both ends.
#[derive(Debug)]
pub struct Delivery<'a, C> {
    /// The consumer's connection.
    pub connection: ConnectionId,
    /// The consumer's channel.
    pub channel: u16,
    /// The consumer's tag; empty where one copy was asked for by `basic.get`.
    pub consumer_tag: &'a str,
    /// The channel's number for it, from 1.
    pub delivery_tag: u64,
    /// What the observer knows of the consumer; `None` on `basic.get`.
    pub consumer: Option<&'a C>,
}

// By hand: a derive would ask the same of `C`, of which only a reference is here.
impl<C> Clone for Delivery<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Delivery<'_, C> {}

/// A queue that is declared.
#[derive(Clone, Copy, Debug)]
pub struct QueueInfo<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its virtual host.
    pub vhost: &'a str,
    /// The connection that alone may use it.
    pub exclusive_to: Option<ConnectionId>,
    /// Whether it goes with its last consumer.
    pub auto_delete: bool,
}

/// A consumer that is added.
#[derive(Clone, Copy, Debug)]
pub struct ConsumerInfo<'a> {
    /// Its connection.
    pub connection: ConnectionId,
    /// Its channel.
    pub channel: u16,
    /// Its tag.
    pub tag: &'a str,
    /// Most unacked deliveries at a time; 0 is no limit.
    pub prefetch: u32,
    /// Whether its deliveries count as acked at once.
    pub automatic_ack: bool,
}

/// A connection that is open.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionInfo<'a> {
    /// Its id.
    pub id: ConnectionId,
    /// The client's address.
    pub peer: SocketAddr,
    /// What the client calls itself, by `connection_name` of its properties; empty where it does not.
    pub name: &'a str,
    /// Who the client is.
    pub user: &'a str,
    /// Where it is open.
    pub vhost: &'a str,
}

/// Hears nothing.
impl Observer for () {
    type Mark = ();
    type Queue = ();
    type Consumer = ();

    fn published(&self, _: &mut Incoming<'_>) {}
    fn routed(&self, (): &(), _: Routing) {}
    fn transition(&self, (): &(), _: &Transition, (): &(), _: Option<Delivery<'_, ()>>) {}
    fn buried(&self, (): &()) {}
    fn queue_declared(&self, _: &QueueInfo<'_>) {}
    fn queue_deleted(&self, (): &()) {}
    fn consumer_added(&self, (): &(), _: &ConsumerInfo<'_>) {}
    fn consumer_gone(&self, (): &(), (): &()) {}
    fn connection_opened(&self, _: &ConnectionInfo<'_>) {}
    fn connection_closed(&self, _: ConnectionId) {}
}
