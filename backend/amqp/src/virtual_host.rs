//! A virtual host: queues, exchanges and connections that know nothing of those of another one, behind a lock of its own.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::broker::{QueueOptions, Refusal};
use crate::observer::Observer;
use crate::state::{QueueFlags, State};
use crate::status::{BindingStatus, ConnectionStatus, ExchangeStatus, QueueStatus};
use crate::wire::short;

/// The virtual host that is always there.
pub const DEFAULT_VIRTUAL_HOST: &str = "/";

/// What the virtual hosts of a broker share.
#[derive(Debug)]
pub(crate) struct Common {
    /// Told when the next expiry may have changed.
    pub(crate) expiry: Notify,
    /// Counts what is given an id, so that none is given twice in the broker.
    minted: AtomicU64,
    seats: AtomicUsize,
    seats_max: usize,
}

impl Common {
    /// `seats_max`: most connections at a time.
    pub(crate) fn new(seats_max: usize) -> Self {
        Self { expiry: Notify::new(), minted: AtomicU64::new(0), seats: AtomicUsize::new(0), seats_max }
    }

    /// A number that was not there before, from 1.
    pub(crate) fn mint(&self) -> u64 {
        self.minted.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A place for one more connection; `None` where all are taken.
    pub(crate) fn seat(self: &Arc<Self>) -> Option<Seat> {
        let taken = self.seats.fetch_add(1, Ordering::Relaxed);
        // Given back at once where it is one too many.
        let seat = Seat(Arc::clone(self));
        (taken < self.seats_max).then_some(seat)
    }

    /// How many connections are open.
    pub(crate) fn seats(&self) -> usize {
        self.seats.load(Ordering::Relaxed)
    }
}

/// The place of an open connection, until it drops.
#[derive(Debug)]
pub(crate) struct Seat(Arc<Common>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.seats.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A virtual host as connections see it.
pub(crate) struct Host<O: Observer> {
    name: Arc<str>,
    state: Mutex<State<O>>,
    common: Arc<Common>,
}

impl<O: Observer> Host<O> {
    pub(crate) fn new(name: &str, state: State<O>, common: Arc<Common>) -> Self {
        Self { name: name.into(), state: Mutex::new(state), common }
    }

    pub(crate) fn lock(&self) -> Lock<'_, O> {
        // An observer that panicked has told its own story; the queues are whole between any two of their steps.
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.next_expiry();
        Lock { state, expiry: &self.common.expiry, before }
    }
}

/// A virtual host's lock; what was done under it may change when the next message expires.
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

/// A virtual host as the broker's owner sees it; a cheap handle.
pub struct VirtualHost<O: Observer>(pub(crate) Arc<Host<O>>);

impl<O: Observer> Clone for VirtualHost<O> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<O: Observer> std::fmt::Debug for VirtualHost<O> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("VirtualHost").field("name", &self.0.name).finish_non_exhaustive()
    }
}

impl<O: Observer> VirtualHost<O> {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Every queue as it is now, by name.
    #[must_use]
    pub fn queues(&self) -> Vec<QueueStatus> {
        self.0.lock().queue_statuses()
    }

    /// One queue as it is now; `None` where there is none of this name.
    #[must_use]
    pub fn queue(&self, name: &str) -> Option<QueueStatus> {
        self.0.lock().queue_status(name)
    }

    /// Every exchange as it is now, by name; the default one first.
    #[must_use]
    pub fn exchanges(&self) -> Vec<ExchangeStatus> {
        self.0.lock().exchange_statuses()
    }

    /// Every binding as it is now, by source; those of the default exchange first.
    #[must_use]
    pub fn bindings(&self) -> Vec<BindingStatus> {
        self.0.lock().binding_statuses()
    }

    /// Every connection that is open here, in the order of their coming.
    #[must_use]
    pub fn connections(&self) -> Vec<ConnectionStatus> {
        self.0.lock().connection_statuses()
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
        let declared = self.0.lock().ensure_queue(&short(name), true, flags, None, None, &options.arguments);
        declared.map_err(|fault| Refusal { code: fault.code, text: fault.text })
    }

    /// Deletes a queue with all that is in it; `false` where there is none of this name.
    #[must_use]
    pub fn delete_queue(&self, name: &str) -> bool {
        self.0.lock().delete_named(&short(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_is_given_back() {
        let common = Arc::new(Common::new(1));
        let first = common.seat().unwrap();
        assert!(common.seat().is_none());
        assert_eq!(common.seats(), 1);
        drop(first);
        assert!(common.seat().is_some());
    }
}
