//! What becomes of a schedule that is disturbed: it stands still while its client is paused, and runs faster or slower where
//! its rate is changed.
//!
//! A schedule of one rate R whose time runs r / R times as fast is one of rate r, by the same draws (operational time: Çinlar,
//! "Introduction to Stochastic Processes", 1975, section 4.7). So what is wanted, in which order and carrying what, is the
//! same as ever; only when it is wanted changes.

use hopscope_scenario::quantity::Rate;

/// What is done to a schedule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// Nothing is wanted from now on.
    Pause,
    /// It goes on where it stood.
    Resume,
    /// It has this rate; `None`: its own again.
    Rate(Option<Rate>),
}

/// How a schedule's time runs beside the run's. All times are nanoseconds since the load began.
#[derive(Clone, Debug)]
pub struct Tempo {
    /// The schedule's own rate in millionths per second; 1 where it has not one rate, and can only be paused.
    own: u64,
    /// What is done to it, in the order of time.
    changes: Vec<(u64, Change)>,
}

/// A stretch in which a schedule's time runs evenly.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from_ns: u64,
    /// How far the schedule is then.
    schedule_ns: u64,
    /// In units of which its own rate has [`Tempo::own`]; 0: it stands.
    rate: u64,
}

impl Stretch {
    /// How far the schedule is at a time of this stretch, rounded up: what was wanted before then stays before.
    fn schedule_at(self, own: u64, ns: u64) -> u64 {
        let passed = (u128::from(ns.saturating_sub(self.from_ns)) * u128::from(self.rate)).div_ceil(u128::from(own));
        self.schedule_ns.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX))
    }
}

impl Tempo {
    /// Undisturbed. `own` is the schedule's rate, where it has one.
    #[must_use]
    pub fn new(own: Option<Rate>) -> Self {
        Self { own: own.map_or(1, |rate| rate.0.max(1)), changes: Vec::new() }
    }

    /// Does something to the schedule at a time; what is done at other times stays, before and after it.
    pub fn change(&mut self, at_ns: u64, change: Change) {
        let row = self.changes.partition_point(|(at, _)| *at <= at_ns);
        self.changes.insert(row, (at_ns, change));
    }

    /// When what the schedule wants at `schedule_ns` is wanted; `None` while it stands before that.
    #[must_use]
    pub fn at(&self, schedule_ns: u64) -> Option<u64> {
        let stretch = self.stretches().take_while(|stretch| stretch.schedule_ns <= schedule_ns).last()?;
        let left = u128::from(schedule_ns - stretch.schedule_ns) * u128::from(self.own);
        let left = left.checked_div(u128::from(stretch.rate))?;
        stretch.from_ns.checked_add(u64::try_from(left).ok()?)
    }

    /// Whether nothing is wanted at a time, and, where that is so, when it ends as far as it is known.
    #[must_use]
    pub fn paused(&self, ns: u64) -> Option<Option<u64>> {
        let mut paused = None;
        for stretch in self.stretches() {
            if stretch.from_ns <= ns {
                paused = (stretch.rate == 0).then_some(None);
            } else if paused.is_some() && stretch.rate > 0 {
                return Some(Some(stretch.from_ns));
            }
        }
        paused
    }

    fn stretches(&self) -> impl Iterator<Item = Stretch> + '_ {
        let first = Stretch { from_ns: 0, schedule_ns: 0, rate: self.own };
        let (mut last, mut rate, mut stands) = (first, self.own, false);
        let later = self.changes.iter().map(move |(at_ns, change)| {
            match change {
                Change::Pause => stands = true,
                Change::Resume => stands = false,
                Change::Rate(given) => rate = given.map_or(self.own, |given| given.0),
            }
            let schedule_ns = last.schedule_at(self.own, *at_ns);
            last = Stretch { from_ns: *at_ns, schedule_ns, rate: if stands { 0 } else { rate } };
            last
        });
        std::iter::once(first).chain(later)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn undisturbed_it_is_the_schedule() {
        let tempo = Tempo::new(Some(Rate(20_000_000)));
        assert_eq!([0, 1, SECOND, u64::MAX].map(|ns| tempo.at(ns)), [0, 1, SECOND, u64::MAX].map(Some));
    }

    #[test]
    fn a_pause_shifts_what_follows_and_a_rate_draws_it_together() {
        let mut tempo = Tempo::new(Some(Rate(100_000_000)));
        tempo.change(SECOND, Change::Pause);
        assert_eq!((tempo.at(SECOND - 1), tempo.at(SECOND)), (Some(SECOND - 1), None));
        assert_eq!(tempo.paused(3 * SECOND), Some(None));
        tempo.change(2 * SECOND, Change::Resume);
        assert_eq!(tempo.at(SECOND), Some(2 * SECOND));
        assert_eq!((tempo.paused(SECOND - 1), tempo.paused(2 * SECOND)), (None, None));
        assert_eq!(tempo.paused(SECOND), Some(Some(2 * SECOND)));
        tempo.change(3 * SECOND, Change::Rate(Some(Rate(400_000_000))));
        tempo.change(4 * SECOND, Change::Rate(None));
        let at = [2 * SECOND, 4 * SECOND, 6 * SECOND, 7 * SECOND].map(|ns| tempo.at(ns));
        assert_eq!(at, [3 * SECOND, 3 * SECOND + SECOND / 2, 4 * SECOND, 5 * SECOND].map(Some));
    }

    proptest! {
        #[test]
        fn what_comes_first_stays_first_and_what_was_wanted_stays_wanted_then(
            changes in prop::collection::vec((0..9 * SECOND, 0..5_u8, 1..500_000_000_u64), 0..8),
            times in prop::collection::vec(0..9 * SECOND, 2..20),
            now in 0..9 * SECOND,
        ) {
            let mut tempo = Tempo::new(Some(Rate(50_000_000)));
            for (at, which, rate) in changes {
                let rate = if which == 4 { None } else { Some(Rate(rate)) };
                tempo.change(at, match which { 0 => Change::Pause, 1 | 2 => Change::Resume, _ => Change::Rate(rate) });
            }
            let mut times = times;
            times.sort_unstable();
            let at = |tempo: &Tempo| times.iter().map(|ns| tempo.at(*ns).unwrap_or(u64::MAX)).collect::<Vec<_>>();
            let before = at(&tempo);
            prop_assert!(before.is_sorted(), "{:?}", before);
            tempo.change(now, Change::Pause);
            for (before, after) in before.iter().zip(at(&tempo)) {
                prop_assert!(*before >= now || after == *before, "{} {} {}", before, after, now);
            }
        }
    }
}
