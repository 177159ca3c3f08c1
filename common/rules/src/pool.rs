//! The workers of one replica and its waiting room.

use std::collections::VecDeque;

/// Workers with a waiting room, first come first served. `T` stands for a request.
///
/// The room may have a bound. A request that something else bounds, such as a delivery that its queue's prefetch lets
/// through, waits in the same line and takes no place in the room.
///
/// A worker is held from [`Pool::arrive`] or [`Pool::finish`] handing out a request until the [`Pool::finish`] for it.
#[derive(Clone, Debug)]
pub struct Pool<T> {
    workers: u32,
    busy: u32,
    /// Whether workers take up nothing.
    paused: bool,
    /// Places of the room; none: without end.
    room: Option<u32>,
    /// How many of them are taken.
    taken: u32,
    waiting: VecDeque<Waiting<T>>,
}

#[derive(Clone, Debug)]
struct Waiting<T> {
    request: T,
    /// Whether it has a place of the room.
    placed: bool,
}

/// What becomes of a request that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival<T> {
    /// A worker takes it now.
    Start(T),
    /// It waits; some [`Pool::finish`] hands it out.
    Waits,
    /// It is turned away: every worker is busy and the room is full.
    Full(T),
}

impl<T> Pool<T> {
    /// A pool of so many workers, all free, with a room of so many places, or without end; a pool of no workers would never
    /// answer, so there is at least one.
    #[must_use]
    pub fn new(workers: u32, room: Option<u32>) -> Self {
        Self { workers: workers.max(1), busy: 0, paused: false, room, taken: 0, waiting: VecDeque::new() }
    }

    /// A request arrives that needs a place of the room if it has to wait.
    pub fn arrive(&mut self, request: T) -> Arrival<T> {
        self.enter(request, true)
    }

    /// A request arrives that something else bounds: it is never turned away, and takes no place of the room.
    pub fn arrive_outside(&mut self, request: T) -> Arrival<T> {
        self.enter(request, false)
    }

    fn enter(&mut self, request: T, placed: bool) -> Arrival<T> {
        if self.busy < self.workers && !self.paused {
            self.busy += 1;
            return Arrival::Start(request);
        }
        if placed && self.room.is_some_and(|room| self.taken >= room) {
            return Arrival::Full(request);
        }
        self.taken = self.taken.saturating_add(u32::from(placed));
        self.waiting.push_back(Waiting { request, placed });
        Arrival::Waits
    }

    /// A worker is done; it takes the request handed back, the one that waited longest. Without a busy worker nothing
    /// happens.
    pub fn finish(&mut self) -> Option<T> {
        if self.busy == 0 {
            return None;
        }
        let Some(request) = self.next() else {
            self.busy -= 1;
            return None;
        };
        Some(request)
    }

    /// From now on no worker takes up a request; those that are busy go on.
    pub fn pause(&mut self) {
        self.paused = true;
    }

    /// Whether no worker takes up a request.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Workers take up requests again: those that free workers take now are handed back, in their order.
    pub fn resume(&mut self) -> Vec<T> {
        self.paused = false;
        let mut taken = Vec::new();
        while self.busy < self.workers
            && let Some(request) = self.next()
        {
            self.busy += 1;
            taken.push(request);
        }
        taken
    }

    /// The request that waited longest, if any may be taken up.
    fn next(&mut self) -> Option<T> {
        if self.paused {
            return None;
        }
        let Waiting { request, placed } = self.waiting.pop_front()?;
        self.taken -= u32::from(placed);
        Some(request)
    }

    /// Busy workers.
    #[must_use]
    pub fn busy(&self) -> u32 {
        self.busy
    }

    /// Requests that wait, in the room or outside.
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
        let mut pool = Pool::new(1, None);
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
    fn a_paused_pool_takes_nothing_up_and_makes_good_for_it_later() {
        let mut pool = Pool::new(2, Some(3));
        assert_eq!(pool.arrive("a"), Arrival::Start("a"));
        pool.pause();
        assert_eq!(pool.arrive("b"), Arrival::Waits, "though a worker is free");
        assert_eq!((pool.arrive("c"), pool.arrive("d")), (Arrival::Waits, Arrival::Waits));
        assert_eq!(pool.arrive("e"), Arrival::Full("e"), "the room is as large as ever");
        assert_eq!(pool.finish(), None);
        assert_eq!((pool.busy(), pool.waiting()), (0, 3));
        assert_eq!(pool.resume(), ["b", "c"]);
        assert_eq!((pool.busy(), pool.waiting()), (2, 1));
        assert_eq!(pool.finish(), Some("d"));
        assert_eq!(pool.resume(), Vec::<&str>::new(), "resuming what is not paused changes nothing");
    }

    #[test]
    fn a_pool_has_a_worker() {
        assert_eq!(Pool::new(0, None).arrive(1), Arrival::Start(1));
    }

    #[test]
    fn a_full_room_turns_away_who_needs_a_place_in_it() {
        let mut pool = Pool::new(1, Some(1));
        assert_eq!(pool.arrive("a"), Arrival::Start("a"));
        assert_eq!(pool.arrive_outside("delivery"), Arrival::Waits);
        assert_eq!(pool.arrive("b"), Arrival::Waits, "a delivery takes no place");
        assert_eq!(pool.arrive("c"), Arrival::Full("c"));
        assert_eq!(pool.finish(), Some("delivery"));
        assert_eq!(pool.arrive("d"), Arrival::Full("d"));
        assert_eq!(pool.finish(), Some("b"));
        assert_eq!(pool.arrive("e"), Arrival::Waits);
        let mut none = Pool::new(1, Some(0));
        assert_eq!([none.arrive(1), none.arrive(2)], [Arrival::Start(1), Arrival::Full(2)]);
    }

    proptest! {
        /// Requests arrive, some outside of the room, and workers finish: whatever the order, requests start in order of
        /// arrival, none is lost, nobody waits beside a free worker, and none is turned away but from a full room.
        #[test]
        fn first_come_first_served_and_work_conserving(workers in 1..8_u32, room in prop::option::of(0..5_u32), steps in prop::collection::vec(0..4_u8, 0..200)) {
            let mut pool = Pool::new(workers, room);
            let (mut arrived, mut started, mut finished) = (0_u64, 0_u64, 0_u64);
            let mut placed = std::collections::VecDeque::new();
            for step in steps {
                let start = if step < 3 {
                    let (inside, free) = (step < 2, pool.busy() < workers);
                    let taken = placed.iter().filter(|inside| **inside).count();
                    let arrival = if inside { pool.arrive(arrived + 1) } else { pool.arrive_outside(arrived + 1) };
                    let full = inside && !free && room.is_some_and(|room| taken >= room as usize);
                    prop_assert_eq!(matches!(arrival, Arrival::Full(_)), full);
                    arrived += u64::from(!full);
                    match arrival {
                        Arrival::Start(request) => Some(request),
                        Arrival::Waits => {
                            placed.push_back(inside);
                            None
                        }
                        Arrival::Full(_) => None,
                    }
                } else {
                    finished += u64::from(pool.busy() > 0);
                    placed.pop_front();
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
