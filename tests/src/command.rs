//! The real binary as a command: its arguments, its two streams, its exit code.

use std::ffi::OsStr;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr, Command};

use crate::process::Process;

/// What a command came to.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error, as far as it was not read before.
    pub stderr: String,
}

/// A running `hopscope`, killed with its owner.
pub struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
}

impl Running {
    /// Starts it with these arguments, without standard input.
    ///
    /// # Errors
    /// When the binary is missing.
    pub fn start<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Result<Self> {
        let mut command = Command::new(crate::variable("HOPSCOPE_BIN")?);
        command.args(arguments);
        Self::start_by(command)
    }

    /// Starts it by a command that has all that it needs but its streams.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_by(mut command: Command) -> Result<Self> {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn()?;
        let stderr = BufReader::new(child.stderr.take().context("no standard error")?);
        Ok(Self { child, stderr })
    }

    /// Reads standard error up to a line that has this in it.
    ///
    /// # Errors
    /// When it ends before.
    pub async fn says(&mut self, words: &str) -> Result<()> {
        let mut read = String::new();
        loop {
            let before = read.len();
            if self.stderr.read_line(&mut read).await? == 0 {
                bail!("{words:?} was not said, but: {read}");
            }
            if read[before..].contains(words) {
                return Ok(());
            }
        }
    }

    /// Reads the next line of standard output.
    ///
    /// # Errors
    /// When it ends before, or is not told to be read.
    pub async fn answers(&mut self) -> Result<String> {
        let stdout = self.child.stdout.as_mut().context("no standard output")?;
        let mut line = Vec::new();
        loop {
            match stdout.read_u8().await {
                Ok(b'\n') => return Ok(String::from_utf8(line)?),
                Ok(byte) => line.push(byte),
                Err(error) => {
                    let mut said = String::new();
                    self.stderr.read_to_string(&mut said).await?;
                    return Err(error).context(said);
                }
            }
        }
    }

    /// Does what the system does that ends.
    ///
    /// # Errors
    /// When it has ended.
    pub fn terminate(&self) -> Result<()> {
        self.signal(Signal::TERM)
    }

    /// Does what Ctrl-C does.
    ///
    /// # Errors
    /// When it has ended.
    pub fn interrupt(&self) -> Result<()> {
        self.signal(Signal::INT)
    }

    /// Holds it for so long, as a machine does that sleeps.
    ///
    /// # Errors
    /// When it has ended.
    pub async fn hold(&self, time: Duration) -> Result<()> {
        self.signal(Signal::STOP)?;
        tokio::time::sleep(time).await;
        self.signal(Signal::CONT)
    }

    /// Its process, to be looked at.
    ///
    /// # Errors
    /// When it has ended.
    pub fn process(&self) -> Result<Process> {
        Ok(Process::new(self.child.id().context("it has ended")?))
    }

    /// Kills it as nothing but a crash would, and waits until it is gone.
    ///
    /// # Errors
    /// When its end cannot be waited for.
    pub async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let pid = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed())).context("it has ended")?;
        Ok(kill_process(pid, signal)?)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it was killed, or wrote what is no text.
    pub async fn end(mut self) -> Result<Ended> {
        let mut stderr = String::new();
        let (read, output) = tokio::join!(self.stderr.read_to_string(&mut stderr), self.child.wait_with_output());
        read?;
        let output = output?;
        let code = output.status.code().with_context(|| format!("killed: {}; it said {stderr}", output.status))?;
        Ok(Ended { code, stdout: String::from_utf8(output.stdout)?, stderr })
    }
}

/// Runs `hopscope` with these arguments to its end.
///
/// # Errors
/// As [`Running::start`] and [`Running::end`].
pub async fn hopscope<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Result<Ended> {
    Running::start(arguments)?.end().await
}
