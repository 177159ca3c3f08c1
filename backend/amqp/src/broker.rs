//! The broker as its owner sees it: a handle to what all connections share.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use amq_protocol::types::FieldTable;
use tokio::sync::Notify;
use tokio::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::memory::Memory;
use crate::observer::{ConnectionId, Observer};
use crate::state::{QueueFlags, State};
use crate::wire::short;

/// What all connections share.
pub(crate) struct Shared<O: Observer> {
    pub(crate) config: Arc<Config>,
    pub(crate) memory: Arc<Memory>,
    /// Counts bodies that have not come whole.
    pub(crate) unfinished: Arc<Memory>,
    state: Mutex<State<O>>,
    observer: Arc<O>,
    /// Told when the next expiry may have changed.
    expiry: Notify,
    next_connection: AtomicU64,
}

/// The broker's lock; what was done under it may change when the next message expires.
pub(crate) struct Lock<'a, O: Observer> {
    state: MutexGuard<'a, State<O>>,
    expiry: &'a Notify,
    before: Option<i64>,
}

impl<O: Observer> std::ops::Deref for Lock<'_, O> {
    type Target = State<O>;

    fn deref(&self) -> &State<O> {
        &self.state
    }
}

impl<O: Observer> std::ops::DerefMut for Lock<'_, O> {
    fn deref_mut(&mut self) -> &mut State<O> {
        &mut self.state
    }
}

impl<O: Observer> Drop for Lock<'_, O> {
    fn drop(&mut self) {
        if self.state.next_expiry() != self.before {
            self.expiry.notify_one();
        }
    }
}

impl<O: Observer> Shared<O> {
    pub(crate) fn new(config: Config, observer: O) -> Self {
        let (config, observer) = (Arc::new(config), Arc::new(observer));
        let memory = Memory::new(config.memory_max);
        let state = State::new(Arc::clone(&observer), Arc::clone(&config), Arc::clone(&memory));
        Self {
            unfinished: Memory::new(config.memory_max),
            config,
            memory,
            state: Mutex::new(state),
            observer,
            expiry: Notify::new(),
            next_connection: AtomicU64::new(1),
        }
    }

    pub(crate) fn lock(&self) -> Lock<'_, O> {
        // An observer that panicked has told its own story; the queues are whole between any two of their steps.
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.next_expiry();
        Lock { state, expiry: &self.expiry, before }
    }

    pub(crate) fn next_connection(&self) -> ConnectionId {
        ConnectionId(self.next_connection.fetch_add(1, Ordering::Relaxed))
    }

    /// Lets messages expire when their time has come, until `stop`.
    pub(crate) async fn expire(&self, stop: &CancellationToken) {
        loop {
            let next = self.lock().expire().map(|ns| Instant::now() + Duration::from_nanos(ns));
            let due = async {
                match next {
                    Some(next) => tokio::time::sleep_until(next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => (),
                () = self.expiry.notified() => (),
                () = stop.cancelled() => return,
            }
        }
    }
}

/// A queue as it is now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueStatus {
    /// Its name.
    pub name: String,
    /// Copies that wait.
    pub ready: u32,
    /// Copies that are out with consumers and not settled.
    pub unacked: u32,
    /// Consumers.
    pub consumers: u32,
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

/// A running broker; a cheap handle.
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

    /// Every queue as it is now, by name.
    #[must_use]
    pub fn queues(&self) -> Vec<QueueStatus> {
        self.shared.lock().queue_statuses()
    }

    /// One queue as it is now; `None` where there is none of this name.
    #[must_use]
    pub fn queue(&self, name: &str) -> Option<QueueStatus> {
        self.shared.lock().queue_status(name)
    }

    /// Open connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.lock().connection_count()
    }

    /// Bytes that messages take, as [`Config::memory_max`] counts them.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.shared.memory.used()
    }

    /// Makes sure that a queue is there. Once more with the same options is the same.
    ///
    /// # Errors
    /// What a client would be told: another queue of this name with other options (406), a bad argument (406), a reserved
    /// name (403), too many queues (406). An empty name is refused (403).
    pub fn declare_queue(&self, name: &str, options: &QueueOptions) -> Result<(), Refusal> {
        if name.is_empty() || name.len() > 255 {
            return Err(Refusal { code: 403, text: format!("a queue's name has 1 to 255 bytes, not {}", name.len()) });
        }
        let flags = QueueFlags { durable: options.durable, auto_delete: options.auto_delete };
        let declared = self.shared.lock().ensure_queue(&short(name), true, flags, None, None, &options.arguments);
        declared.map_err(|fault| Refusal { code: fault.code, text: fault.text })
    }

    /// Deletes a queue with all that is in it; `false` where there is none of this name.
    #[must_use]
    pub fn delete_queue(&self, name: &str) -> bool {
        self.shared.lock().delete_named(&short(name))
    }
}
