//! How much memory messages take, and who waits for some to be free.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// The broker's gauge.
#[derive(Debug)]
pub(crate) struct Memory {
    used: AtomicUsize,
    max: usize,
    freed: Notify,
}

impl Memory {
    /// `max`: bytes beyond which publishers wait.
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), max, freed: Notify::new() })
    }

    /// Counts bytes until the reservation drops.
    pub(crate) fn reserve(self: &Arc<Self>, bytes: usize) -> Reservation {
        self.used.fetch_add(bytes, Ordering::Relaxed);
        Reservation { memory: Arc::clone(self), bytes: AtomicUsize::new(bytes) }
    }

    /// Counts bytes until the reservation drops, if there is room for them.
    pub(crate) fn try_reserve(self: &Arc<Self>, bytes: usize) -> Option<Reservation> {
        let reservation = self.reserve(bytes);
        // Dropped again where it is too much.
        (!self.is_short()).then_some(reservation)
    }

    /// Bytes in use.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Whether publishers wait.
    pub(crate) fn is_short(&self) -> bool {
        self.used() > self.max
    }

    /// Resolves when publishers may go on.
    pub(crate) async fn room(&self) {
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            // Enabled before the look, so that what is freed in between is not missed.
            freed.as_mut().enable();
            if !self.is_short() {
                return;
            }
            freed.await;
        }
    }
}

/// Bytes that are in use.
#[derive(Debug)]
pub(crate) struct Reservation {
    memory: Arc<Memory>,
    bytes: AtomicUsize,
}

impl Reservation {
    /// Counts so many more.
    pub(crate) fn grow(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.memory.used.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let bytes = *self.bytes.get_mut();
        let before = self.memory.used.fetch_sub(bytes, Ordering::Relaxed);
        if before > self.memory.max && before - bytes <= self.memory.max {
            self.memory.freed.notify_waiters();
        }
    }
}
