//! Work that burns CPU: a replica's own threads, on which a work passes by computing for so much of their CPU time.
//!
//! Never the runtime's threads: those carry every message of the run. CPU time and not wall time: on a machine that has
//! fewer free processors than works under way, each then takes longer, as real work does.

use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

#[cfg(test)]
mod tests;

/// Most threads of one replica. More than a machine has processors compute no faster, and threads are not free.
const MOST_THREADS: usize = 64;

/// Steps of computing between two looks at the clock: a few microseconds.
const STEPS: u32 = 2_000;

/// The threads of one replica. Dropping it ends them, and waits until they have.
pub(super) struct Cpu {
    shared: Arc<Shared>,
    most: usize,
}

impl Cpu {
    /// The threads of a replica of so many workers: one now, more when works are under way at once, never more than workers
    /// or [`MOST_THREADS`]. Works beyond wait for a thread, first come first served.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(workers: u32) -> std::io::Result<Self> {
        let most = usize::try_from(workers).unwrap_or(MOST_THREADS).clamp(1, MOST_THREADS);
        let cpu = Self { shared: Arc::default(), most };
        let mut state = cpu.shared.lock();
        cpu.shared.start_thread(&mut state)?;
        drop(state);
        Ok(cpu)
    }

    /// Resolves when a thread has spent so much CPU time on this. Dropping it ends the computing.
    pub(super) async fn burn(&self, length: Duration) {
        let (done, burnt) = oneshot::channel();
        self.push(Job { length, done });
        // The threads outlive this, and drop no job before it is done.
        let _ = burnt.await;
    }

    fn push(&self, job: Job) {
        let mut state = self.shared.lock();
        state.jobs.push_back(job);
        let free = state.threads.len().saturating_sub(state.busy);
        if state.jobs.len() > free
            && state.threads.len() < self.most
            && let Err(error) = self.shared.start_thread(&mut state)
        {
            tracing::debug!("work waits for one of {} threads, there is no other: {error}", state.threads.len());
        }
        drop(state);
        self.shared.changed.notify_one();
    }
}

impl Drop for Cpu {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.ended = true;
        let threads = std::mem::take(&mut state.threads);
        drop(state);
        self.shared.changed.notify_all();
        // A task that ends as its work is done can drop this on one of the threads, which cannot wait for itself.
        let ours = std::thread::current().id();
        for thread in threads.into_iter().filter(|thread| thread.thread().id() != ours) {
            // An error would be the thread's panic, which has been reported already.
            let _ = thread.join();
        }
    }
}

/// One work.
struct Job {
    length: Duration,
    done: oneshot::Sender<()>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: Vec<JoinHandle<()>>,
    /// Threads that have a job; one that has just been started is free.
    busy: usize,
    ended: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start_thread(self: &Arc<Self>, state: &mut State) -> std::io::Result<()> {
        let shared = Arc::clone(self);
        let thread = std::thread::Builder::new().name("hs-cpu".to_owned()).spawn(move || shared.run())?;
        state.threads.push(thread);
        Ok(())
    }

    fn run(&self) {
        let mut state = self.lock();
        while !state.ended {
            state = match state.jobs.pop_front() {
                Some(job) => {
                    state.busy += 1;
                    drop(state);
                    burn(job.length, || job.done.is_closed());
                    // Before anybody hears of it: what comes next finds this thread free.
                    self.lock().busy -= 1;
                    // Never under the lock: who hears of it may be the last to hold these threads, and drop them here. An
                    // error says that nobody waits any more.
                    let _ = job.done.send(());
                    self.lock()
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

/// Computes until this thread has spent so much CPU time here, or sooner once it is given up.
fn burn(length: Duration, given_up: impl Fn() -> bool) {
    let end = thread_cpu().saturating_add(length);
    let mut value = 1;
    while thread_cpu() < end && !given_up() {
        for step in 0..STEPS {
            value = black_box(value ^ u64::from(step)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }
    black_box(value);
}

/// The CPU time that this thread has spent.
fn thread_cpu() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    // A time that was spent is not negative.
    Duration::new(spent.tv_sec.unsigned_abs(), u32::try_from(spent.tv_nsec).unwrap_or_default())
}
