//! The broker as its owner sees it: a handle to what all connections share.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use amq_protocol::types::FieldTable;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::connection;
use crate::memory::Memory;
use crate::observer::{ConnectionId, Observer};
use crate::state::State;
use crate::status::{BindingStatus, ConnectionStatus, ExchangeStatus, QueueStatus};
use crate::virtual_host::{Common, DEFAULT_VIRTUAL_HOST, Host, VirtualHost};

/// What all connections share.
pub(crate) struct Shared<O: Observer> {
    pub(crate) config: Arc<Config>,
    pub(crate) memory: Arc<Memory>,
    /// Counts bodies that have not come whole.
    pub(crate) unfinished: Arc<Memory>,
    pub(crate) common: Arc<Common>,
    hosts: BTreeMap<String, Arc<Host<O>>>,
    default: Arc<Host<O>>,
    observer: Arc<O>,
    next_connection: AtomicU64,
}

impl<O: Observer> Shared<O> {
    pub(crate) fn new(config: Config, observer: O) -> Self {
        let (config, observer) = (Arc::new(config), Arc::new(observer));
        let memory = Memory::new(config.memory_max);
        let common = Arc::new(Common::new(config.connections_max));
        let host = |name: &str| {
            let (observer, config) = (Arc::clone(&observer), Arc::clone(&config));
            let state = State::new(name, observer, config, Arc::clone(&memory), Arc::clone(&common));
            Arc::new(Host::new(name, state, Arc::clone(&common)))
        };
        let default = host(DEFAULT_VIRTUAL_HOST);
        let others = config.virtual_hosts.iter().filter(|name| *name != DEFAULT_VIRTUAL_HOST);
        let mut hosts: BTreeMap<_, _> = others.map(|name| (name.clone(), host(name))).collect();
        hosts.insert(DEFAULT_VIRTUAL_HOST.to_owned(), Arc::clone(&default));
        Self {
            unfinished: Memory::new(config.memory_max),
            config,
            memory,
            common,
            hosts,
            default,
            observer,
            next_connection: AtomicU64::new(1),
        }
    }

    /// The virtual host of this name.
    pub(crate) fn host(&self, name: &str) -> Option<&Arc<Host<O>>> {
        self.hosts.get(name)
    }

    pub(crate) fn next_connection(&self) -> ConnectionId {
        ConnectionId(self.next_connection.fetch_add(1, Ordering::Relaxed))
    }

    /// Lets messages expire when their time has come, until `stop`.
    pub(crate) async fn expire(&self, stop: &CancellationToken) {
        loop {
            let waits = self.hosts.values().filter_map(|host| host.lock().expire());
            let next = waits.min().map(|ns| Instant::now() + Duration::from_nanos(ns));
            let due = async {
                match next {
                    Some(next) => tokio::time::sleep_until(next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => (),
                () = self.common.expiry.notified() => (),
                () = stop.cancelled() => return,
            }
        }
    }
}

/// Why the broker did not do what its owner asked: what a client would have been told.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{text} ({code})")]
pub struct Refusal {
    /// The protocol's reply code.
    pub code: u16,
    /// What was wrong.
    pub text: String,
}

/// How an owner declares a queue.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct QueueOptions {
    /// Accepted and remembered, so that clients may declare the queue as durable; it lives as long as the broker.
    pub durable: bool,
    /// Whether it goes with its last consumer.
    pub auto_delete: bool,
    /// `x-message-ttl` and the others, as a client would send them.
    pub arguments: FieldTable,
}

/// A running broker; a cheap handle. What it tells and does of queues is about the virtual host `/`;
/// [`Broker::virtual_host`] gives another one.
pub struct Broker<O: Observer> {
    shared: Arc<Shared<O>>,
    address: SocketAddr,
}

impl<O: Observer> Clone for Broker<O> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), address: self.address }
    }
}

impl<O: Observer> std::fmt::Debug for Broker<O> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Broker").field("address", &self.address).finish_non_exhaustive()
    }
}

impl<O: Observer> Broker<O> {
    pub(crate) fn new(shared: Arc<Shared<O>>, address: SocketAddr) -> Self {
        Self { shared, address }
    }

    /// A broker that listens nowhere: its clients come by [`Broker::attend`], and no message of it expires.
    #[must_use]
    pub fn unlistened(config: Config, observer: O) -> Self {
        Self::new(Arc::new(Shared::new(config, observer)), (Ipv4Addr::LOCALHOST, 0).into())
    }

    /// Serves one client over the halves of a stream that is no socket of this broker's listener, until it ends.
    pub async fn attend(&self, reader: impl AsyncRead + Unpin, writer: impl AsyncWrite + Unpin) {
        let (id, shared) = (self.shared.next_connection(), Arc::clone(&self.shared));
        connection::converse(reader, writer, self.address, id, shared, CancellationToken::new()).await;
    }

    /// Where clients reach it.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Who hears what it does.
    #[must_use]
    pub fn observer(&self) -> &O {
        &self.shared.observer
    }

    /// The virtual host of this name; `None` where there is none.
    #[must_use]
    pub fn virtual_host(&self, name: &str) -> Option<VirtualHost<O>> {
        self.shared.host(name).cloned().map(VirtualHost)
    }

    /// Every virtual host, by name.
    #[must_use]
    pub fn virtual_hosts(&self) -> Vec<VirtualHost<O>> {
        self.shared.hosts.values().cloned().map(VirtualHost).collect()
    }

    fn default(&self) -> VirtualHost<O> {
        VirtualHost(Arc::clone(&self.shared.default))
    }

    /// Every queue as it is now, by name.
    #[must_use]
    pub fn queues(&self) -> Vec<QueueStatus> {
        self.default().queues()
    }

    /// One queue as it is now; `None` where there is none of this name.
    #[must_use]
    pub fn queue(&self, name: &str) -> Option<QueueStatus> {
        self.default().queue(name)
    }

    /// Every exchange as it is now, by name; the default one first.
    #[must_use]
    pub fn exchanges(&self) -> Vec<ExchangeStatus> {
        self.default().exchanges()
    }

    /// Every binding as it is now; those of the default exchange first.
    #[must_use]
    pub fn bindings(&self) -> Vec<BindingStatus> {
        self.default().bindings()
    }

    /// Every open connection as it is now, of all virtual hosts, in the order of their coming.
    #[must_use]
    pub fn connection_statuses(&self) -> Vec<ConnectionStatus> {
        let mut statuses: Vec<_> = self.virtual_hosts().iter().flat_map(VirtualHost::connections).collect();
        statuses.sort_unstable_by_key(|status| status.id);
        statuses
    }

    /// Open connections, of all virtual hosts.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.common.seats()
    }

    /// Bytes that messages take, as [`Config::memory_max`] counts them.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.shared.memory.used()
    }

    /// Makes sure that a queue is there; as [`VirtualHost::declare_queue`].
    ///
    /// # Errors
    /// As there.
    pub fn declare_queue(&self, name: &str, options: &QueueOptions) -> Result<(), Refusal> {
        self.default().declare_queue(name, options)
    }

    /// Deletes a queue with all that is in it; `false` where there is none of this name.
    #[must_use]
    pub fn delete_queue(&self, name: &str) -> bool {
        self.default().delete_queue(name)
    }
}
