//! A thread that sleeps to its deadlines itself.

use std::cell::RefCell;
use std::collections::BinaryHeap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use super::early::{Allowance, Early};
use super::{Alarm, Shared, exact_sleeps, take_due};
use crate::record::clock::monotonic_ns;

thread_local! {
    /// The deadlines of this thread, while it sleeps to them itself.
    static OWN: RefCell<Option<BinaryHeap<Alarm>>> = const { RefCell::new(None) };
}

/// Takes an alarm of this thread's; gives it back where another has to wake it.
pub(super) fn add(alarm: Alarm) -> Result<(), Alarm> {
    OWN.with_borrow_mut(|own| match own {
        Some(heap) => {
            heap.push(alarm);
            Ok(())
        }
        None => Err(alarm),
    })
}

/// Takes the alarms off the thread, however its work ends.
struct Owning;

impl Owning {
    fn begin() -> Self {
        OWN.set(Some(BinaryHeap::new()));
        Self
    }
}

impl Drop for Owning {
    fn drop(&mut self) {
        // Nobody waits for them any more: they were the work's.
        OWN.take();
    }
}

/// Wakes the thread, by another thread or by one of its own alarms.
struct Parked {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// See [`super::Timer::block_on`].
pub(super) fn block_on<T>(timer: &Shared, work: impl Future<Output = T>) -> T {
    exact_sleeps();
    let _owning = Owning::begin();
    let parked = Arc::new(Parked { thread: std::thread::current(), woken: AtomicBool::new(false) });
    let waker = Waker::from(Arc::clone(&parked));
    let mut sleeper = Sleeper::new(timer, &parked);
    let mut work = pin!(work);
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(&waker)) {
            return done;
        }
        while !parked.woken.swap(false, Ordering::AcqRel) {
            sleeper.sleep();
        }
    }
}

/// What puts the thread to sleep.
struct Sleeper<'a> {
    timer: &'a Shared,
    parked: &'a Parked,
    due: Vec<Alarm>,
    early: Early,
    allowance: Allowance,
}

impl<'a> Sleeper<'a> {
    fn new(timer: &'a Shared, parked: &'a Parked) -> Self {
        Self { timer, parked, due: Vec::new(), early: Early::default(), allowance: Allowance::from(monotonic_ns()) }
    }

    /// Wakes what is due; waits, where nothing is, for the next deadline or until the thread is woken.
    fn sleep(&mut self) {
        let now = monotonic_ns();
        let next = OWN.with_borrow_mut(|own| {
            let heap = own.as_mut()?;
            take_due(heap, now, &mut self.due);
            heap.peek().map(|next| next.deadline)
        });
        if !self.due.is_empty() {
            self.timer.wake(&mut self.due, now);
            return;
        }
        let Some(deadline) = next else { return std::thread::park() };
        let early = if self.allowance.at(now) >= self.early.ns() { self.early.ns() } else { 0 };
        let wanted = deadline.saturating_sub(early);
        if now < wanted {
            std::thread::park_timeout(Duration::from_nanos((wanted - now).unsigned_abs()));
            let woken = monotonic_ns();
            if woken >= wanted {
                self.early.learn(woken - wanted);
            }
        } else {
            let until = self.spin(deadline);
            self.allowance.spend(until - now);
        }
    }

    /// Spins until a moment has come, or the thread is woken; gives when that was.
    fn spin(&self, deadline: i64) -> i64 {
        loop {
            let now = monotonic_ns();
            if now >= deadline || self.parked.woken.load(Ordering::Acquire) {
                return now;
            }
            std::hint::spin_loop();
        }
    }
}
