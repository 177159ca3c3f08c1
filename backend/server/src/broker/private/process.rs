//! The processes of a node: children of one thread that lives as long as they do.
//!
//! All are killed by the system when that thread ends, however it ends: nothing outlives a Hopscope that was killed.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// How often a thread looks whether something has come about.
pub(in crate::broker) const LOOK: Duration = Duration::from_millis(20);

/// A node's processes.
pub(in crate::broker) struct Children {
    /// The one whose end is the node's.
    pub(in crate::broker) node: Child,
    /// Those that it needs beside it, killed when it has ended.
    pub(in crate::broker) beside: Vec<Child>,
}

/// A running node's process.
#[derive(Debug)]
pub(super) struct Process {
    shared: Arc<Shared>,
    ended: CancellationToken,
}

/// What its thread and its owner know of it.
#[derive(Debug, Default)]
struct Shared {
    /// The process, while it is surely that.
    process: Mutex<Option<Pid>>,
    /// How it ended, once it has.
    status: Mutex<Option<ExitStatus>>,
}

impl Process {
    /// Has a thread of that name start it and wait for its end; `owned` is dropped then.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) async fn start<T: Send + 'static>(
        name: &str,
        owned: T,
        begin: impl FnOnce(&T) -> io::Result<Children> + Send + 'static,
    ) -> io::Result<Self> {
        let (shared, ended) = (Arc::<Shared>::default(), CancellationToken::new());
        let (tell, told) = oneshot::channel();
        let (state, at_end) = (Arc::clone(&shared), ended.clone().drop_guard());
        std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            // Dropped in this order, last to first: who hears of the end finds nothing left.
            let (_at_end, owned) = (at_end, owned);
            let began = begin(&owned).inspect(|children| {
                *lock(&state.process) = Pid::from_raw(children.node.id().cast_signed());
            });
            let (children, told) = match began {
                Ok(children) => (Some(children), Ok(())),
                Err(error) => (None, Err(error)),
            };
            // Who asked may have gone; the node then is killed below.
            let wanted = tell.send(told).is_ok();
            if let Some(children) = children {
                if !wanted {
                    state.signal(Signal::KILL);
                }
                children.wait(&state);
            }
        })?;
        let gone = |_| io::Error::other("the thread that was to start it has gone");
        told.await.map_err(gone)??;
        Ok(Self { shared, ended })
    }

    /// Cancelled when it is no more, nor what it needed beside it.
    pub(super) fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    /// How it ended, once it has.
    pub(super) fn status(&self) -> Option<ExitStatus> {
        *lock(&self.shared.status)
    }

    /// Its number, while it runs.
    pub(super) fn id(&self) -> Option<Pid> {
        *lock(&self.shared.process)
    }

    /// Has it stop in its own way, and kills it if that takes longer than `patience`; resolves when it is gone.
    pub(super) async fn stop(&self, patience: Duration) {
        self.shared.signal(Signal::TERM);
        if tokio::time::timeout(patience, self.ended.cancelled()).await.is_err() {
            self.kill().await;
        }
    }

    /// Kills it as nothing can catch; resolves when it is gone.
    pub(super) async fn kill(&self) {
        self.shared.signal(Signal::KILL);
        self.ended.cancelled().await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.shared.signal(Signal::KILL);
    }
}

impl Children {
    /// Waits for the node's end, and ends the others then.
    fn wait(mut self, shared: &Shared) {
        loop {
            {
                // Looked at under the lock: nobody signals a process that was waited for.
                let mut process = lock(&shared.process);
                if let Ok(Some(status)) = self.node.try_wait() {
                    *process = None;
                    *lock(&shared.status) = Some(status);
                    break;
                }
            }
            std::thread::sleep(LOOK);
        }
        self.beside.iter_mut().for_each(end);
    }
}

impl Shared {
    fn signal(&self, signal: Signal) {
        if let Some(process) = *lock(&self.process) {
            // One that has ended is what is wanted.
            let _ = kill_process(process, signal);
        }
    }
}

/// Kills a child that has nothing to lose, and waits for its end.
pub(in crate::broker) fn end(child: &mut Child) {
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
}

/// Starts a child that the system kills when the thread that calls this ends.
///
/// # Errors
/// When it cannot be started.
pub(in crate::broker) fn spawn(command: &mut Command) -> io::Result<Child> {
    let command = command.stdin(Stdio::null());
    #[cfg(target_os = "linux")]
    {
        let parent = rustix::process::getpid();
        let with_parent = move || {
            rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
            // It may have gone before that was said.
            if rustix::process::getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
        };
        #[expect(unsafe_code, reason = "said between fork and exec, by two system calls and nothing else")]
        // SAFETY: the closure makes system calls that are safe after a fork; it takes no lock and allocates nothing.
        unsafe {
            command.pre_exec(with_parent);
        }
    }
    command.spawn()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A value that cannot be left half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
