//! A child process with all that it starts, ended when its owner drops.

use std::process::Stdio;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// A running child in a process group of its own.
pub(crate) struct Group {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Group {
    /// Starts the command with its standard output readable line by line.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {:?}", command.as_std().get_program()))?;
        let stdout = child.stdout.take().context("the child has no standard output")?;
        Ok(Self { child, lines: BufReader::new(stdout).lines() })
    }

    /// The child's number, as long as it is there.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Reads lines until `find` makes something of one.
    pub(crate) async fn read_until<T>(&mut self, find: impl Fn(&str) -> Option<T>) -> Result<T> {
        while let Some(line) = self.lines.next_line().await? {
            if let Some(found) = find(&line) {
                return Ok(found);
            }
        }
        bail!("the child ended without the line that was waited for: {:?}", self.child.wait().await)
    }

    /// Kills all of it at once and waits until the child is gone.
    pub(crate) async fn kill(mut self) -> Result<()> {
        self.signal(Signal::KILL);
        self.child.wait().await?;
        Ok(())
    }

    /// Asks all of it to end, and waits until the child has.
    pub(crate) async fn end(mut self) -> Result<()> {
        self.signal(Signal::TERM);
        let status = self.child.wait().await?;
        if status.success() { Ok(()) } else { bail!("told to end, the child ended with {status}") }
    }

    fn signal(&self, signal: Signal) {
        let group = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        if let Some(group) = group {
            // A group that is gone already is what is wanted.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}
