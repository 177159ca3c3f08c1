//! A node of a private broker: its process, and where it lives.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::folder::Folder;
use super::process::{Children, Process, spawn};

/// What the node says, in its folder.
const OUTPUT: &str = "output";

/// How many lines its last words are.
const LAST: usize = 3;

/// Where a node lives: its folder, with its data, and its ports. A node that is started on one that another left is the same
/// node again.
#[derive(Clone, Debug)]
pub(in crate::broker) struct Home<P> {
    folder: Arc<Folder>,
    ports: P,
}

impl<P: Copy> Home<P> {
    /// A new one, of that kind of broker.
    ///
    /// # Errors
    /// When the system gives no folder.
    pub(in crate::broker) fn new(kind: &str, ports: P) -> io::Result<Self> {
        Ok(Self { folder: Arc::new(Folder::new(kind)?), ports })
    }

    /// Where it keeps everything.
    pub(in crate::broker) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The loopback ports that it takes.
    pub(in crate::broker) fn ports(&self) -> P {
        self.ports
    }

    /// Starts a child that says what it says into the folder; what another said there before is gone.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(in crate::broker) fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        let output = File::create(self.folder().join(OUTPUT))?;
        spawn(command.stdout(output.try_clone()?).stderr(output))
    }

    /// All that the last child said that was started here.
    pub(in crate::broker) fn said(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.folder().join(OUTPUT)).unwrap_or_default()).into_owned()
    }

    /// What it said last, for people.
    pub(in crate::broker) fn last_words(&self) -> String {
        last_of(&self.said())
    }
}

/// A running node. Dropping it kills it.
#[derive(Debug)]
pub(in crate::broker) struct Node<P> {
    home: Home<P>,
    process: Process,
}

impl<P: Copy + Send + 'static> Node<P> {
    /// Starts its processes, as `begin` says; they are not ready by then.
    ///
    /// # Errors
    /// When one cannot be started.
    pub(in crate::broker) async fn start(
        kind: &str,
        home: Home<P>,
        begin: impl FnOnce(&Home<P>) -> io::Result<Children> + Send + 'static,
    ) -> io::Result<Self> {
        let process = Process::start(kind, home.clone(), begin).await?;
        Ok(Self { home, process })
    }

    /// Where it lives.
    pub(in crate::broker) fn home(&self) -> &Home<P> {
        &self.home
    }

    /// The loopback ports that it takes.
    pub(in crate::broker) fn ports(&self) -> P {
        self.home.ports
    }

    /// Cancelled when its processes are no more.
    pub(in crate::broker) fn ended(&self) -> &CancellationToken {
        self.process.ended()
    }

    /// How it ended and what it said last, for people.
    pub(in crate::broker) fn last_words(&self) -> String {
        let status = self.process.status().map_or_else(String::new, |status| format!("{status}: "));
        format!("{status}{}", self.home.last_words())
    }

    /// The memory that it has now, bytes; `None` where the system does not tell.
    pub(in crate::broker) fn resident(&self) -> Option<u64> {
        let id = self.process.id()?.as_raw_nonzero();
        resident_in(&std::fs::read_to_string(format!("/proc/{id}/status")).ok()?)
    }

    /// The number of its process.
    #[cfg(test)]
    pub(in crate::broker) fn process(&self) -> Option<u32> {
        Some(self.process.id()?.as_raw_nonzero().get().cast_unsigned())
    }

    /// Has it stop in its own way, and kills it if that takes longer than `patience`; resolves when it is gone, and tells how
    /// it ended.
    pub(in crate::broker) async fn stop(self, patience: Duration) -> Option<ExitStatus> {
        self.process.stop(patience).await;
        self.process.status()
    }

    /// Kills it as nothing can catch; resolves when it is gone, and gives where it lived.
    pub(in crate::broker) async fn kill(self) -> Home<P> {
        self.process.kill().await;
        self.home
    }
}

/// The last lines that say something; where a program in Java was is of no help to who reads them.
fn last_of(said: &str) -> String {
    let lines = said.lines().rev().map(str::trim);
    let telling = |line: &&str| !line.is_empty() && !line.starts_with("at ") && !line.starts_with("... ");
    let lines: Vec<_> = lines.filter(telling).take(LAST).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" / ")
}

/// What Linux tells of a process's resident memory, bytes.
fn resident_in(status: &str) -> Option<u64> {
    let told = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    told.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_are_for_people() {
        let said = "one\ntwo\n\njava.net.BindException: Address already in use\n\tat java.base/Net.bind(Net.java)\n\t... 3 more\nend\n";
        assert_eq!(last_of(said), "two / java.net.BindException: Address already in use / end");
        assert_eq!(last_of(""), "");
    }

    #[test]
    fn the_resident_memory_is_in_bytes() {
        assert_eq!(resident_in("Name:\tjava\nVmRSS:\t  145140 kB\nThreads:\t9\n"), Some(148_623_360));
        assert_eq!(resident_in("Name:\tkthreadd\n"), None);
    }
}
