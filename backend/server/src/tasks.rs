//! A group of tasks that ends as one: nothing that a run starts may outlive it.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// A cheap clone in front of one group. A task that is spawned after the group's end is dropped before its first step.
#[derive(Clone, Debug)]
pub struct Tasks {
    tracker: TaskTracker,
    ended: CancellationToken,
    aborted: Arc<AtomicBool>,
    begun: Arc<AtomicU64>,
    runtime: Handle,
}

impl Tasks {
    /// A new group on `runtime`.
    #[must_use]
    pub fn new(runtime: Handle) -> Self {
        Self {
            tracker: TaskTracker::new(),
            ended: CancellationToken::new(),
            aborted: Arc::default(),
            begun: Arc::default(),
            runtime,
        }
    }

    /// Starts a task; the group's end drops it at its next await.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        // In a box: each layer around it would hold it once more, and move it.
        let (group, task) = (self.clone(), Box::pin(task));
        self.spawn_until_ended(async move {
            group.unless_ended(task).await;
        });
    }

    /// Resolves when the group was told to end, for a task that has to do something then.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// What `work` gives, or `None` once the group was told to end, even if `work` could go on or is done by then; `work`
    /// is dropped then.
    pub async fn unless_ended<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        // The end comes first: what ends with the group must not be taken by one of its tasks for the outcome of another.
        tokio::select! {
            biased;
            () = self.ended.cancelled() => None,
            outcome = work => Some(outcome),
        }
    }

    /// Counts as a task of the group while it lives: for work that another task carries.
    pub fn hold(&self) -> TaskTrackerToken {
        self.begun.fetch_add(1, Ordering::AcqRel);
        self.tracker.token()
    }

    /// Resolves when there is an instant without any task.
    pub async fn idle(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }

    /// Starts a task that looks at [`Tasks::ended`] itself, and ends soon after it.
    pub fn spawn_until_ended(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.begun.fetch_add(1, Ordering::AcqRel);
        self.tracker.spawn_on(task, &self.runtime);
    }

    /// How many tasks there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.tracker.len()
    }

    /// How many tasks there ever were: where that is the same at two looks between which there were none, there was none in
    /// between.
    #[must_use]
    pub fn begun(&self) -> u64 {
        self.begun.load(Ordering::Acquire)
    }

    /// Tells all tasks to end, without waiting.
    pub fn cancel(&self) {
        self.ended.cancel();
    }

    /// Tells all tasks to end, and that they end as by a crash: their connections are to be reset.
    pub fn abort(&self) {
        self.aborted.store(true, Ordering::Release);
        self.cancel();
    }

    /// Whether they were told so.
    #[must_use]
    pub fn aborted(&self) -> bool {
        self.aborted.load(Ordering::Acquire)
    }

    /// Tells all tasks to end and waits until the last has.
    pub async fn end(&self) {
        self.ended.cancel();
        self.idle().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_drops_what_runs_and_what_comes_later() {
        let tasks = Tasks::new(Handle::current());
        let (alive, gone) = tokio::sync::oneshot::channel::<()>();
        tasks.spawn(async move {
            let _alive = alive;
            std::future::pending::<()>().await;
        });
        assert_eq!(tasks.count(), 1);
        tasks.end().await;
        assert!(gone.await.is_err(), "the task was dropped");
        let (ran, runs) = tokio::sync::oneshot::channel::<()>();
        tasks.spawn(async move {
            let _ = ran.send(());
        });
        assert!(runs.await.is_err(), "it had no first step");
        tasks.end().await;
        assert_eq!(tasks.count(), 0);
    }
}
