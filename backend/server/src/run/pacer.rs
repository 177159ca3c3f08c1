//! The pacer: turns a schedule into instants. It knows no transport and sends nothing.

use std::sync::Arc;

use hopscope_rules::schedule::{Intended, Schedule};
use hopscope_scenario::quantity::Time;
use tokio::sync::watch;

use super::pace::Pace;
use crate::timer::Timer;

/// Intended sends drawn at once.
pub(super) const CHUNK: usize = 64;

/// Gives each intended send when its instant has come, at the pace that the load is given. One that is behind gives those that
/// are due without waiting: the schedule does not move for a slow generator.
pub(super) struct Pacer {
    schedule: Schedule,
    pace: Arc<Pace>,
    changes: watch::Receiver<()>,
    end_ns: u64,
    timer: Timer,
    zero: i64,
    /// The next ones by the schedule's own time, the nearest last.
    chunk: Vec<Intended>,
}

impl Pacer {
    /// A pacer whose schedule counts from `zero`, in raw ns. Nothing is wanted at `end` or after it.
    pub(super) fn new(schedule: Schedule, pace: Arc<Pace>, end: Time, timer: Timer, zero: i64) -> Self {
        let changes = pace.changes();
        Self { schedule, pace, changes, end_ns: end.0, timer, zero, chunk: Vec::with_capacity(CHUNK) }
    }

    /// Waits for the instant of the next intended send; `None` after the last.
    pub(super) async fn next(&mut self) -> Option<Intended> {
        if self.chunk.is_empty() {
            // One that is behind never waits below, and must not keep the other clients' pacers from theirs.
            tokio::task::yield_now().await;
            self.schedule.fill(CHUNK, &mut self.chunk);
            self.chunk.reverse();
        }
        let Intended { n, at_ns } = *self.chunk.last()?;
        loop {
            let at = self.pace.at(at_ns).filter(|at| *at < self.end_ns);
            let until = self.zero.saturating_add_unsigned(at.unwrap_or(self.end_ns));
            tokio::select! {
                biased;
                () = self.timer.until(until) => match at {
                    // It may have been given another instant meanwhile.
                    Some(_) if self.pace.at(at_ns) != at => {}
                    Some(at_ns) => {
                        self.chunk.pop();
                        return Some(Intended { n, at_ns });
                    }
                    None => return None,
                },
                // An error is the end of who changes anything.
                Ok(()) = self.changes.changed() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use hopscope_rules::draw::{Draws, Purpose};
    use hopscope_rules::tempo::{Change, Tempo};
    use hopscope_scenario::model::{Load, OpenLoad};
    use hopscope_scenario::quantity::Rate;

    use super::*;
    use crate::record::clock::monotonic_ns;

    fn schedule(count: u64) -> Schedule {
        let load = OpenLoad { rate: Rate(20_000_000_000), in_flight: 1, count: Some(count) };
        Schedule::new(&Load::Constant(load), Time(3_600_000_000_000), Draws::new(1, "n1", Purpose::Arrivals))
    }

    fn pacer(count: u64, zero: i64) -> Pacer {
        let pace = Arc::new(Pace::new(Tempo::new(Some(Rate(20_000_000_000)))));
        Pacer::new(schedule(count), pace, Time(3_600_000_000_000), Timer::start().unwrap(), zero)
    }

    /// What is wanted in a pause is wanted after it, as far apart as ever.
    #[tokio::test]
    async fn a_pause_moves_what_follows() {
        let zero = monotonic_ns() + 1_000_000;
        let mut pacer = pacer(4, zero);
        pacer.pace.change(|| 60_000, Change::Pause);
        pacer.pace.change(|| 5_000_000, Change::Resume);
        let mut given = Vec::new();
        while let Some(Intended { n, at_ns }) = pacer.next().await {
            assert!(monotonic_ns() >= zero + i64::try_from(at_ns).unwrap());
            given.push((n, at_ns));
        }
        assert_eq!(given, [(0, 0), (1, 50_000), (2, 5_040_000), (3, 5_090_000)]);
    }

    #[tokio::test]
    async fn gives_the_whole_schedule_in_order_and_nothing_before_its_instant() {
        let zero = monotonic_ns() + 1_000_000;
        let mut pacer = pacer(200, zero);
        for expected in schedule(200) {
            assert_eq!(pacer.next().await, Some(expected));
            assert!(monotonic_ns() >= zero + i64::try_from(expected.at_ns).unwrap());
        }
        assert_eq!(pacer.next().await, None);
    }

    #[tokio::test]
    async fn one_that_is_behind_leaves_nothing_out() {
        let mut pacer = pacer(1_000, 0);
        let mut given = 0;
        while pacer.next().await.is_some() {
            given += 1;
        }
        assert_eq!(given, 1_000);
    }

    /// A dropped wait loses no intended send: the next one waits for it again.
    #[tokio::test]
    async fn giving_up_a_wait_keeps_its_intended_send() {
        let mut pacer = pacer(1, monotonic_ns() + 3_600_000_000_000);
        assert!(futures_util::poll!(Box::pin(pacer.next())).is_pending());
        assert!(futures_util::poll!(Box::pin(pacer.next())).is_pending());
        pacer.zero = 0;
        assert_eq!(pacer.next().await.map(|intended| intended.n), Some(0));
    }
}
