//! Waking a little before a moment, and spinning the rest.

use std::cell::Cell;
use std::rc::Rc;

/// How long before a moment the thread has itself woken: about as long as waking takes here, so that what is left to spin is
/// short. A cheap clone in front of one number.
#[derive(Clone, Default, Debug)]
pub(crate) struct Early(Rc<Cell<i64>>);

impl Early {
    /// More than this is never spun.
    const MOST_NS: i64 = 100_000;
    /// How far one waking moves it: towards the median of them.
    const STEP_NS: i64 = 1_000;

    /// How long before the moment, ns.
    pub(crate) fn ns(&self) -> i64 {
        self.0.get()
    }

    /// Takes how much later than it wanted the thread was woken, ns.
    pub(crate) fn learn(&self, late: i64) {
        let step = if late > self.ns() { Self::STEP_NS } else { -Self::STEP_NS };
        self.0.set((self.ns() + step).clamp(0, Self::MOST_NS));
    }
}

/// How long a thread may spin: a share of the time that passes. What it has not spun it may spin later, up to a bound.
#[derive(Debug)]
pub(super) struct Allowance {
    left: i64,
    at: i64,
}

impl Allowance {
    /// One part in so many of the time.
    const SHARE: i64 = 32;
    /// Most that is saved up, ns.
    const MOST_NS: i64 = 1_000_000;

    /// Nothing yet, from `now` on.
    pub(super) const fn from(now: i64) -> Self {
        Self { left: 0, at: now }
    }

    /// What may be spun at `now`, ns.
    pub(super) fn at(&mut self, now: i64) -> i64 {
        self.left = (self.left + (now - self.at) / Self::SHARE).min(Self::MOST_NS);
        self.at = now;
        self.left
    }

    /// So many ns were spun.
    pub(super) const fn spend(&mut self, ns: i64) {
        self.left -= ns;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_early_goes_to_the_median_of_how_late_and_no_further_than_may_be_spun() {
        let early = Early::default();
        for turn in 0..1_000 {
            early.learn([20_000, 40_000, 900_000][turn % 3]);
        }
        assert!((38_000..=42_000).contains(&early.ns()), "{}", early.ns());
        (0..1_000).for_each(|_| early.learn(5_000_000));
        assert_eq!(early.ns(), Early::MOST_NS);
        (0..1_000).for_each(|_| early.learn(0));
        assert_eq!(early.ns(), 0);
    }

    #[test]
    fn a_thread_spins_for_no_more_than_its_share() {
        let mut allowance = Allowance::from(0);
        let (mut spun, turns, turn) = (0, 10_000, 20_000);
        for now in (1..=turns).map(|number| number * turn) {
            if allowance.at(now) >= 15_000 {
                allowance.spend(15_000);
                spun += 15_000;
            }
        }
        let share = turns * turn / Allowance::SHARE;
        assert!((share - 15_000..=share).contains(&spun), "{spun} of {share}");
        assert_eq!(allowance.at(i64::MAX / 2), Allowance::MOST_NS, "a rest does not let it spin for long");
    }
}
