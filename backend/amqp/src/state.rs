//! All that a virtual host knows, behind one lock: queues, exchanges, connections with their channels.
//!
//! Every method does one whole step: queues are driven, observers told, replies and deliveries put into outboxes, before
//! the lock is let go. Nothing here waits or reads from a socket; whoever holds a [`State`] holds the lock.

mod arguments;
mod bindings;
mod channels;
mod consumers;
mod dead;
mod declaration;
mod deliver;
mod dispatch;
mod exchanges;
mod publish;
mod queues;
mod reply_to;
mod routing;
mod settle;
mod status;
mod tx;
mod unused;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use amq_protocol::protocol::AMQPClass;
use amq_protocol::types::{FieldTable, ShortString};
use hopscope_rules::queue::{ConsumerId, Queue};

use crate::config::Config;
use crate::exchange::{Exchange, ExchangeKind};
use crate::fault::Fault;
use crate::memory::Memory;
use crate::message::Message;
use crate::observer::{ConnectionId, ConnectionInfo, Observer};
use crate::outbox::Outbox;
use crate::virtual_host::{Common, Seat};
use dead::Dead;
use declaration::Declaration;
use tx::Transaction;

pub(crate) use declaration::QueueFlags;
pub(crate) use publish::Content;

/// A queue; never given out again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct QueueId(u64);

/// A copy's item: the message that all copies share.
type Item<O> = Arc<Message<<O as Observer>::Mark>>;

/// All that a virtual host knows.
pub(crate) struct State<O: Observer> {
    /// Its name.
    vhost: Arc<str>,
    observer: Arc<O>,
    config: Arc<Config>,
    memory: Arc<Memory>,
    began: Instant,
    queues: HashMap<QueueId, BrokerQueue<O>>,
    names: BTreeMap<ShortString, QueueId>,
    exchanges: HashMap<ShortString, Exchange<QueueId>>,
    connections: HashMap<ConnectionId, Connection<O>>,
    /// What dead-lettering still has to route; empty between two steps.
    dead: Vec<Dead<O>>,
    /// When the heads of queues will have had their time, or the queues themselves.
    expiries: BTreeSet<(i64, QueueId)>,
    /// Consumers by direct reply-to, by the token in their reply address.
    reply_to: HashMap<u64, (ConnectionId, u16)>,
    common: Arc<Common>,
}

/// A queue with its consumers.
struct BrokerQueue<O: Observer> {
    name: ShortString,
    declaration: Declaration,
    /// Its arguments as they came.
    table: FieldTable,
    machine: Queue<Item<O>, Label<O::Consumer>>,
    takers: BTreeMap<ConsumerId, Arc<Taker<O::Consumer>>>,
    handle: O::Queue,
    /// Whether one consumer has it for itself.
    consumed_exclusively: bool,
    had_consumers: bool,
    /// Under which time it stands in the expiries.
    expiry: Option<i64>,
    /// When it will have been unused for as long as it may be, if it has no consumer.
    unused_until: Option<i64>,
}

/// A consumer, at its queue and with each of its deliveries.
struct Taker<C> {
    connection: ConnectionId,
    channel: u16,
    tag: ShortString,
    automatic: bool,
    handle: C,
}

/// How a delivery is named.
struct Label<C> {
    connection: ConnectionId,
    channel: u16,
    delivery_tag: u64,
    /// `None`: someone asked for one copy.
    taker: Option<Arc<Taker<C>>>,
}

struct Connection<O: Observer> {
    peer: SocketAddr,
    /// What its client calls itself.
    name: Box<str>,
    /// Who its client is.
    user: Arc<str>,
    /// Given back with it.
    _seat: Seat,
    outbox: Arc<Outbox>,
    channels: HashMap<u16, Channel<O>>,
    /// Whether it wants to be told that a queue has taken its consumer away.
    cancel_notify: bool,
    /// Whether nothing is read from it now, since memory is short.
    blocked: bool,
}

struct Channel<O: Observer> {
    /// The number of the last publish, on a channel with confirms.
    confirms: Option<u64>,
    /// What waits for its commit, on a transactional channel.
    tx: Option<Transaction<O>>,
    delivery_tag: u64,
    unacked: BTreeMap<u64, Out>,
    consumers: BTreeMap<ShortString, Consumer<O>>,
    /// Prefetch of consumers to come.
    prefetch: u32,
    /// Most unacked deliveries to all consumers together; 0 is no limit.
    prefetch_all: u32,
    /// Unacked deliveries to consumers.
    held: u32,
    last_queue: Option<ShortString>,
    /// Its consumer by direct reply-to: tag and token.
    reply_to: Option<(ShortString, u64)>,
    tags_minted: u64,
}

impl<O: Observer> Channel<O> {
    fn new() -> Self {
        Self {
            confirms: None,
            tx: None,
            delivery_tag: 0,
            unacked: BTreeMap::new(),
            consumers: BTreeMap::new(),
            prefetch: 0,
            prefetch_all: 0,
            held: 0,
            last_queue: None,
            reply_to: None,
            tags_minted: 0,
        }
    }

    fn next_delivery_tag(&mut self) -> u64 {
        self.delivery_tag += 1;
        self.delivery_tag
    }

    /// Whether one more unacked delivery is within the channel's prefetch.
    fn has_credit(&self) -> bool {
        self.prefetch_all == 0 || self.held < self.prefetch_all
    }
}

/// A consumer as its channel knows it.
struct Consumer<O: Observer> {
    queue: QueueId,
    id: ConsumerId,
    taker: Arc<Taker<O::Consumer>>,
}

/// A delivery that is out.
#[derive(Clone, Copy)]
struct Out {
    queue: QueueId,
    copy: u64,
    /// Whether it counts against the channel's prefetch: a `basic.get` does not.
    counts: bool,
}

impl<O: Observer> State<O> {
    pub(crate) fn new(
        vhost: &str,
        observer: Arc<O>,
        config: Arc<Config>,
        memory: Arc<Memory>,
        common: Arc<Common>,
    ) -> Self {
        let predeclared = [
            ("amq.direct", ExchangeKind::Direct),
            ("amq.fanout", ExchangeKind::Fanout),
            ("amq.topic", ExchangeKind::Topic),
            ("amq.headers", ExchangeKind::Headers),
            ("amq.match", ExchangeKind::Headers),
        ];
        let predeclared =
            predeclared.into_iter().map(|(name, kind)| (crate::wire::short(name), Exchange::new(kind, true)));
        let mut exchanges: HashMap<_, _> = predeclared.collect();
        let mut trace = Exchange::new(ExchangeKind::Topic, true);
        trace.internal = true;
        exchanges.insert(crate::wire::short("amq.rabbitmq.trace"), trace);
        Self {
            vhost: vhost.into(),
            observer,
            config,
            memory,
            began: Instant::now(),
            queues: HashMap::new(),
            names: BTreeMap::new(),
            exchanges,
            connections: HashMap::new(),
            dead: Vec::new(),
            expiries: BTreeSet::new(),
            reply_to: HashMap::new(),
            common,
        }
    }

    /// ns since the broker began.
    fn now(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_nanos()).unwrap_or(i64::MAX)
    }

    fn mint(&mut self) -> u64 {
        self.common.mint()
    }

    /// A connection is open.
    pub(crate) fn connect(&mut self, info: &ConnectionInfo<'_>, seat: Seat, outbox: &Arc<Outbox>, cancel_notify: bool) {
        let connection = Connection {
            peer: info.peer,
            name: info.name.into(),
            user: info.user.into(),
            _seat: seat,
            outbox: Arc::clone(outbox),
            channels: HashMap::new(),
            cancel_notify,
            blocked: false,
        };
        self.connections.insert(info.id, connection);
        self.observer.connection_opened(info);
    }

    /// A connection has ended: its channels close, its exclusive queues go.
    pub(crate) fn disconnect(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get(&id) else { return };
        let mut channels: Vec<u16> = connection.channels.keys().copied().collect();
        channels.sort_unstable();
        for channel in channels {
            self.close_channel(id, channel);
        }
        self.delete_exclusive(id);
        self.connections.remove(&id);
        self.observer.connection_closed(id);
    }

    /// The connection has room for deliveries again.
    pub(crate) fn resume(&mut self, id: ConnectionId) {
        for queue in self.consumed_by(id, None) {
            self.pump(queue);
        }
        self.bury();
    }

    /// The queues that consumers of a connection, or of one of its channels, take from.
    fn consumed_by(&self, id: ConnectionId, channel: Option<u16>) -> BTreeSet<QueueId> {
        let channels = self.connections.get(&id).into_iter().flat_map(|connection| &connection.channels);
        let wanted = channels.filter(|(number, _)| channel.is_none_or(|channel| channel == **number));
        wanted.flat_map(|(_, channel)| channel.consumers.values().map(|consumer| consumer.queue)).collect()
    }

    fn channel(&mut self, id: ConnectionId, channel: u16) -> Result<&mut Channel<O>, Fault> {
        self.connections
            .get_mut(&id)
            .and_then(|connection| connection.channels.get_mut(&channel))
            .ok_or_else(|| Fault::channel_error("expected 'channel.open'"))
    }

    /// Puts a method into a connection's outbox.
    fn send(&self, id: ConnectionId, channel: u16, method: &AMQPClass) {
        if let Some(connection) = self.connections.get(&id) {
            connection.outbox.method(channel, method);
        }
    }
}
