//! The one precise timer: whatever stands for work, think time, pacing or a limit in a run waits here.
//!
//! It owns one operating system thread that sleeps to the nanosecond deadline of CLOCK_MONOTONIC (the runtime's own wheel
//! turns once a millisecond, which is longer than many a body of work). It wakes tasks and must never run them: a task
//! that ran here would delay everyone else's deadline.
//!
//! A thread that does nothing but wait for deadlines and act on them need not be woken by another: within
//! [`Timer::block_on`] it sleeps to them itself, which saves one of the two wake-ups.
//!
//! [`Timer`] and its [`Sleep`]s share the thread; it ends when the last of them is dropped, so that there is no
//! "timer that has ended" for a caller to handle.

use std::collections::BinaryHeap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use hopscope_report::stats::Latency;
use tokio::sync::oneshot;

pub(crate) use early::Early;

use crate::record::clock::monotonic_ns;

mod early;
mod own;

#[cfg(test)]
mod tests;

/// Below this many given-up sleeps nothing is swept: they cost less than the sweep.
const SWEEP_FROM: usize = 64;

/// A handle on the timer's thread; cloning is cheap.
#[derive(Clone, Debug)]
pub struct Timer {
    thread: Arc<Guard>,
}

impl Timer {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start() -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("hopscope-timer".to_owned()).spawn(move || theirs.run())?;
        Ok(Self { thread: Arc::new(Guard { shared, thread: Some(thread) }) })
    }

    /// Resolves at `deadline`, raw nanoseconds of CLOCK_MONOTONIC, and never before it; at once if it has passed.
    pub fn until(&self, deadline: i64) -> Sleep {
        Sleep { thread: Arc::clone(&self.thread), deadline, state: State::New }
    }

    /// How late the thread ended the waits since this was asked before.
    #[must_use]
    pub fn take_late(&self) -> Latency {
        std::mem::take(&mut self.thread.shared.late())
    }

    /// Runs `work` on the calling thread. What it waits for by any timer, this thread sleeps to by itself, more exactly than the
    /// timer's own thread does: it wakes a little before, and spins the rest, for a small share of its time.
    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        own::block_on(&self.thread.shared, work)
    }

    /// Resolves once `duration` has passed from now.
    pub fn after(&self, duration: Duration) -> Sleep {
        self.until(monotonic_ns().saturating_add(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)))
    }
}

/// A wait for one deadline. Dropping it gives the wait up, at the cost of one addition.
#[derive(Debug)]
#[must_use = "a sleep that is not awaited does not wait"]
pub struct Sleep {
    thread: Arc<Guard>,
    deadline: i64,
    state: State,
}

#[derive(Debug)]
enum State {
    New,
    Waiting(oneshot::Receiver<()>),
    Over,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if let State::New = self.state {
            if monotonic_ns() >= self.deadline {
                self.state = State::Over;
            } else {
                let (wake, woken) = oneshot::channel();
                if let Err(alarm) = own::add(Alarm { deadline: self.deadline, wake }) {
                    self.thread.shared.add(alarm);
                }
                self.state = State::Waiting(woken);
            }
        }
        match &mut self.state {
            State::Waiting(woken) => {
                // The thread lives as long as this does, so its end cannot be what resolves this.
                std::task::ready!(Pin::new(woken).poll(context)).ok();
                self.state = State::Over;
                Poll::Ready(())
            }
            State::New | State::Over => Poll::Ready(()),
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let State::Waiting(_) = self.state {
            self.thread.shared.given_up.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Ends the thread with the last handle.
#[derive(Debug)]
struct Guard {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take()
            // A task that ends as it is woken can drop the last handle on the timer's own thread, which cannot wait
            // for itself; it ends right after.
            && thread.thread().id() != std::thread::current().id()
        {
            // An error would be the thread's panic, which has been reported already.
            let _ = thread.join();
        }
    }
}

#[derive(Debug, Default)]
struct Shared {
    alarms: Mutex<Alarms>,
    changed: Condvar,
    /// Sleeps dropped while their alarm was still set; an upper bound of what a sweep would remove.
    given_up: AtomicUsize,
    /// How late waits were ended, until someone takes it.
    late: Mutex<Latency>,
}

#[derive(Debug, Default)]
struct Alarms {
    heap: BinaryHeap<Alarm>,
    ended: bool,
}

/// Moves what is due at `now` to `due`, the earliest deadline first.
fn take_due(heap: &mut BinaryHeap<Alarm>, now: i64, due: &mut Vec<Alarm>) {
    while let Some(alarm) = heap.peek()
        && alarm.deadline <= now
    {
        due.extend(heap.pop());
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Alarms> {
        // Nothing that holds the lock can leave the heap half changed.
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn late(&self) -> MutexGuard<'_, Latency> {
        // A histogram that was left half changed is off by one.
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, alarm: Alarm) {
        let mut alarms = self.lock();
        self.sweep(&mut alarms);
        let first = alarms.heap.peek().is_none_or(|next| alarm.deadline < next.deadline);
        alarms.heap.push(alarm);
        drop(alarms);
        if first {
            self.changed.notify_one();
        }
    }

    /// Removes given-up alarms once they are half of all: constant cost per alarm, whatever their deadlines.
    fn sweep(&self, alarms: &mut Alarms) {
        let given_up = self.given_up.load(Ordering::Relaxed);
        if given_up >= SWEEP_FROM && given_up * 2 >= alarms.heap.len() {
            alarms.heap.retain(|alarm| !alarm.wake.is_closed());
            self.given_up.fetch_sub(given_up, Ordering::Relaxed);
        }
    }

    /// Ends the waits that are due, and notes how late it is.
    fn wake(&self, due: &mut Vec<Alarm>, now: i64) {
        {
            let mut late = self.late();
            due.iter().for_each(|alarm| late.record(now - alarm.deadline));
        }
        for alarm in due.drain(..) {
            // An error says that the sleeper is gone.
            let _ = alarm.wake.send(());
        }
    }

    fn run(&self) {
        exact_sleeps();
        let mut due = Vec::new();
        let mut alarms = self.lock();
        while !alarms.ended {
            let now = monotonic_ns();
            take_due(&mut alarms.heap, now, &mut due);
            if !due.is_empty() {
                // Waking takes the runtime's locks: never under ours.
                drop(alarms);
                self.wake(&mut due, now);
                alarms = self.lock();
                continue;
            }
            alarms = match alarms.heap.peek().map(|next| next.deadline - now) {
                None => self.changed.wait(alarms).unwrap_or_else(PoisonError::into_inner),
                Some(left) => {
                    let left = Duration::from_nanos(left.unsigned_abs());
                    self.changed.wait_timeout(alarms, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

/// Asks the system not to group this thread's wake-ups with others, by default within 50 us.
fn exact_sleeps() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1)) {
        tracing::warn!("timer slack cannot be set, waits will end up to 50 us late: {error}");
    }
}

/// One set deadline. The order is the heap's: the earliest is the greatest.
#[derive(Debug)]
struct Alarm {
    deadline: i64,
    wake: oneshot::Sender<()>,
}

impl Ord for Alarm {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.deadline.cmp(&self.deadline)
    }
}

impl PartialOrd for Alarm {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Alarm {
    fn eq(&self, other: &Self) -> bool {
        self.deadline == other.deadline
    }
}

impl Eq for Alarm {}
