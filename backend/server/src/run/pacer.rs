//! The pacer: turns a schedule into instants. It knows no transport and sends nothing.

use hopscope_rules::schedule::{Intended, Schedule};

use crate::timer::Timer;

/// Intended sends drawn at once.
pub(super) const CHUNK: usize = 64;

/// Gives each intended send when its instant has come. One that is behind gives those that are due without waiting: the
/// schedule does not move for a slow generator.
pub(super) struct Pacer {
    schedule: Schedule,
    timer: Timer,
    zero: i64,
    /// The next ones, the nearest last.
    chunk: Vec<Intended>,
}

impl Pacer {
    /// A pacer whose schedule counts from `zero`, in raw ns.
    pub(super) fn new(schedule: Schedule, timer: Timer, zero: i64) -> Self {
        Self { schedule, timer, zero, chunk: Vec::with_capacity(CHUNK) }
    }

    /// Waits for the instant of the next intended send; `None` after the last.
    pub(super) async fn next(&mut self) -> Option<Intended> {
        if self.chunk.is_empty() {
            // One that is behind never waits below, and must not keep the other clients' pacers from theirs.
            tokio::task::yield_now().await;
            self.schedule.fill(CHUNK, &mut self.chunk);
            self.chunk.reverse();
        }
        let next = *self.chunk.last()?;
        self.timer.until(self.zero.saturating_add_unsigned(next.at_ns)).await;
        self.chunk.pop()
    }
}

#[cfg(test)]
mod tests {
    use hopscope_rules::draw::{Draws, Purpose};
    use hopscope_scenario::model::{Load, OpenLoad};
    use hopscope_scenario::quantity::{Rate, Time};

    use super::*;
    use crate::record::clock::monotonic_ns;

    fn schedule(count: u64) -> Schedule {
        let load = OpenLoad { rate: Rate(20_000_000_000), in_flight: 1, count: Some(count) };
        Schedule::new(&Load::Constant(load), Time(3_600_000_000_000), Draws::new(1, "n1", Purpose::Arrivals))
    }

    #[tokio::test]
    async fn gives_the_whole_schedule_in_order_and_nothing_before_its_instant() {
        let zero = monotonic_ns() + 1_000_000;
        let mut pacer = Pacer::new(schedule(200), Timer::start().unwrap(), zero);
        for expected in schedule(200) {
            assert_eq!(pacer.next().await, Some(expected));
            assert!(monotonic_ns() >= zero + i64::try_from(expected.at_ns).unwrap());
        }
        assert_eq!(pacer.next().await, None);
    }

    #[tokio::test]
    async fn one_that_is_behind_leaves_nothing_out() {
        let mut pacer = Pacer::new(schedule(1_000), Timer::start().unwrap(), 0);
        let mut given = 0;
        while pacer.next().await.is_some() {
            given += 1;
        }
        assert_eq!(given, 1_000);
    }

    /// A dropped wait loses no intended send: the next one waits for it again.
    #[tokio::test]
    async fn giving_up_a_wait_keeps_its_intended_send() {
        let mut pacer = Pacer::new(schedule(1), Timer::start().unwrap(), monotonic_ns() + 3_600_000_000_000);
        assert!(futures_util::poll!(Box::pin(pacer.next())).is_pending());
        assert!(futures_util::poll!(Box::pin(pacer.next())).is_pending());
        pacer.zero = 0;
        assert_eq!(pacer.next().await.map(|intended| intended.n), Some(0));
    }
}
