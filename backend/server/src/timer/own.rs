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
    let (mut work, mut due) = (pin!(work), Vec::new());
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(&waker)) {
            return done;
        }
        while !parked.woken.swap(false, Ordering::AcqRel) {
            sleep(timer, &mut due);
        }
    }
}

/// Wakes what is due; sleeps, where nothing is, to the next deadline or until the thread is woken.
fn sleep(timer: &Shared, due: &mut Vec<Alarm>) {
    let now = monotonic_ns();
    let next = OWN.with_borrow_mut(|own| {
        let heap = own.as_mut()?;
        take_due(heap, now, due);
        heap.peek().map(|next| next.deadline - now)
    });
    if !due.is_empty() {
        timer.wake(due, now);
        return;
    }
    match next {
        None => std::thread::park(),
        Some(left) => std::thread::park_timeout(Duration::from_nanos(left.unsigned_abs())),
    }
}
