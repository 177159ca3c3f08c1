//! The workers of one replica and its waiting room.

use std::collections::VecDeque;

/// Workers with an unlimited waiting room, first come first served. `T` stands for a request.
///
/// A worker is held from [`Pool::arrive`] or [`Pool::finish`] handing out a request until the [`Pool::finish`] for it.
#[derive(Clone, Debug)]
pub struct Pool<T> {
    workers: u32,
    busy: u32,
    waiting: VecDeque<T>,
}

/// What becomes of a request that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival<T> {
    /// A worker takes it now.
    Start(T),
    /// It waits; some [`Pool::finish`] hands it out.
    Waits,
}

impl<T> Pool<T> {
    /// A pool of so many workers, all free; a pool of none would never answer, so there is at least one.
    #[must_use]
    pub fn new(workers: u32) -> Self {
        Self { workers: workers.max(1), busy: 0, waiting: VecDeque::new() }
    }

    /// A request arrives.
    pub fn arrive(&mut self, request: T) -> Arrival<T> {
        if self.busy < self.workers {
            self.busy += 1;
            return Arrival::Start(request);
        }
        self.waiting.push_back(request);
        Arrival::Waits
    }

    /// A worker is done; it takes the request handed back, the one that waited longest. Without a busy worker nothing
    /// happens.
    pub fn finish(&mut self) -> Option<T> {
        if self.busy == 0 {
            return None;
        }
        let next = self.waiting.pop_front();
        if next.is_none() {
            self.busy -= 1;
        }
        next
    }

    /// Busy workers.
    #[must_use]
    pub fn busy(&self) -> u32 {
        self.busy
    }

    /// Requests that wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_worker_takes_requests_in_order() {
        let mut pool = Pool::new(1);
        assert_eq!(pool.arrive("a"), Arrival::Start("a"));
        assert_eq!(pool.arrive("b"), Arrival::Waits);
        assert_eq!(pool.arrive("c"), Arrival::Waits);
        assert_eq!((pool.busy(), pool.waiting()), (1, 2));
        assert_eq!(pool.finish(), Some("b"));
        assert_eq!(pool.finish(), Some("c"));
        assert_eq!(pool.finish(), None);
        assert_eq!(pool.finish(), None, "finishing an idle pool changes nothing");
        assert_eq!((pool.busy(), pool.waiting()), (0, 0));
        assert_eq!(pool.arrive("d"), Arrival::Start("d"));
    }

    #[test]
    fn a_pool_has_a_worker() {
        assert_eq!(Pool::new(0).arrive(1), Arrival::Start(1));
    }

    proptest! {
        /// `true` arrives, `false` finishes: whatever the order, requests start in order of arrival, none is lost, and
        /// nobody waits beside a free worker.
        #[test]
        fn first_come_first_served_and_work_conserving(workers in 1..8_u32, steps in prop::collection::vec(any::<bool>(), 0..200)) {
            let mut pool = Pool::new(workers);
            let (mut arrived, mut started, mut finished) = (0_u64, 0_u64, 0_u64);
            for step in steps {
                let start = if step {
                    arrived += 1;
                    match pool.arrive(arrived) {
                        Arrival::Start(request) => Some(request),
                        Arrival::Waits => None,
                    }
                } else {
                    finished += u64::from(pool.busy() > 0);
                    pool.finish()
                };
                if let Some(request) = start {
                    started += 1;
                    prop_assert_eq!(request, started);
                }
                prop_assert_eq!(u64::from(pool.busy()), started - finished);
                prop_assert_eq!(pool.waiting() as u64, arrived - started);
                prop_assert!(pool.busy() <= workers);
                prop_assert!(pool.waiting() == 0 || pool.busy() == workers);
            }
        }
    }
}
