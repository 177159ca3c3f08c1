//! The tempo of a client's load: what is done to its schedule, shared by who does it and by who keeps to it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hopscope_rules::tempo::{Change, Tempo};
use tokio::sync::watch;

/// What is done to one client's load. All times are nanoseconds since the run's zero.
#[derive(Debug)]
pub(super) struct Pace {
    tempo: Mutex<Tempo>,
    changed: watch::Sender<()>,
}

impl Pace {
    /// Of a load to which the scenario does nothing more than what `tempo` has.
    pub(super) fn new(tempo: Tempo) -> Self {
        Self { tempo: Mutex::new(tempo), changed: watch::Sender::new(()) }
    }

    fn tempo(&self) -> MutexGuard<'_, Tempo> {
        // A list that grows by whole rows.
        self.tempo.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something to the load at a time that is `now` or to come: what was wanted before stays as it was.
    pub(super) fn change(&self, now: impl FnOnce() -> u64, change: Change) {
        let mut tempo = self.tempo();
        // Under the lock: who has looked already looks again before it wants anything.
        let now = now();
        tempo.change(now, change);
        drop(tempo);
        self.changed.send_replace(());
    }

    /// When what the schedule wants at a time of its own is wanted; `None` while it stands.
    pub(super) fn at(&self, schedule_ns: u64) -> Option<u64> {
        self.tempo().at(schedule_ns)
    }

    /// Whether nothing is wanted at a time, and when that ends, as far as it is known.
    pub(super) fn paused(&self, ns: u64) -> Option<Option<u64>> {
        self.tempo().paused(ns)
    }

    /// Tells of changes from now on.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// What is done as of now.
    pub(super) fn snapshot(&self) -> Tempo {
        self.tempo().clone()
    }
}
