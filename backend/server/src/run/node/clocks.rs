//! What the processes of a run say of their clocks and processors.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::child::Child;
use crate::timer::Timer;

/// How often the clocks of processes are asked: as often as the surroundings are sampled.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// How often each clock is asked in a row; the quickest answer says most.
const PROBES: usize = 5;

/// What the processes of a run say of their clocks and processors, as the samples of its surroundings tell it.
#[derive(Debug, Default)]
pub(in crate::run) struct Clocks {
    /// How far the farthest is ahead, and by how much that may be wrong; not known before any was asked.
    farthest: Mutex<Option<(i64, i64)>>,
    /// Time of processors that all have used, in ns.
    used: AtomicU64,
}

impl Clocks {
    /// Asks all of them.
    pub(in crate::run) async fn ask(&self, children: &[Arc<Child>]) {
        let mut farthest = None::<(i64, i64)>;
        for child in children {
            let mut best = None::<(i64, i64)>;
            for _ in 0..PROBES {
                let Some((offset, uncertainty, used)) = child.probe().await else { break };
                self.used.fetch_add(child.uses(used), Ordering::AcqRel);
                if best.is_none_or(|(_, best)| uncertainty < best) {
                    best = Some((offset, uncertainty));
                }
            }
            if best.map(|(offset, _)| offset.unsigned_abs()) > farthest.map(|(offset, _)| offset.unsigned_abs()) {
                farthest = best;
            }
        }
        *self.lock() = farthest;
    }

    /// The farthest, as it was last found.
    pub(in crate::run) fn farthest(&self) -> Option<(i64, i64)> {
        *self.lock()
    }

    /// Time of processors that all have used so far, in ns.
    pub(in crate::run) fn used_ns(&self) -> u64 {
        self.used.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, Option<(i64, i64)>> {
        // It is put whole.
        self.farthest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks the clocks of processes again and again.
pub(in crate::run) async fn ask(clocks: Arc<Clocks>, children: impl Fn() -> Vec<Arc<Child>>, timer: Timer) {
    loop {
        clocks.ask(&children()).await;
        timer.after(ASK_EVERY).await;
    }
}
