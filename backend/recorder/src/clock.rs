//! The one clock of a host, and the instant of it that a run counts from.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Now, in nanoseconds of CLOCK_MONOTONIC. The same clock in every thread and process of this machine; it never goes
/// back. Called *raw* wherever it is told apart from a run's own time.
#[must_use]
pub fn monotonic_ns() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

/// Nanoseconds since 1970 by the wall clock, for the one anchor that a recording keeps.
#[must_use]
pub(crate) fn wall_ns() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

const UNKNOWN: i64 = i64::MIN;

/// Where a run's time begins. Clones share it.
///
/// Zero is set once, when everything is bound and connected, and may lie in the future; what is stamped before it is
/// setup and has a negative time.
#[derive(Clone, Debug)]
pub struct RunClock {
    zero: Arc<AtomicI64>,
}

impl Default for RunClock {
    fn default() -> Self {
        Self { zero: Arc::new(AtomicI64::new(UNKNOWN)) }
    }
}

impl RunClock {
    /// Fixes zero at `raw` ns of [`monotonic_ns`]. The first call counts; `false` says that it was set already.
    pub fn set_zero(&self, raw: i64) -> bool {
        self.zero.compare_exchange(UNKNOWN, raw, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Zero in raw ns, once it is known.
    #[must_use]
    pub fn zero(&self) -> Option<i64> {
        Some(self.zero.load(Ordering::Acquire)).filter(|zero| *zero != UNKNOWN)
    }

    /// The run's time now, in ns; negative during setup, `None` before zero is known.
    #[must_use]
    pub fn now(&self) -> Option<i64> {
        self.zero().map(|zero| monotonic_ns() - zero)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_fixed_once_and_may_lie_ahead() {
        let clock = RunClock::default();
        assert_eq!((clock.zero(), clock.now()), (None, None));
        let ahead = monotonic_ns() + 3_600_000_000_000;
        assert!(clock.clone().set_zero(ahead));
        assert!(!clock.set_zero(1));
        assert_eq!(clock.zero(), Some(ahead));
        assert!(clock.now().is_some_and(|time| time < 0));
    }
}
