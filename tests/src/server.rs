//! The real binary, serving on a free port with a data folder of its own, ended with its owner.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result};
use tokio::process::Command;

use crate::child::Group;
use crate::process::Process;

/// A running `hopscope serve`.
pub struct Server {
    url: String,
    // Dropped in this order: first the process, then what it wrote.
    process: Group,
    data: tempfile::TempDir,
}

impl Server {
    /// Starts it and waits until it says where it listens.
    ///
    /// # Errors
    /// When the binary is missing or ends early.
    pub async fn start() -> Result<Self> {
        Self::start_on(tempfile::tempdir()?).await
    }

    /// Starts it on a folder that another one left.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_on(data: tempfile::TempDir) -> Result<Self> {
        let mut command = Command::new(crate::variable("HOPSCOPE_BIN")?);
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        Self::start_by(command, data).await
    }

    /// Starts it by a command to which only the folder is missing.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_by(mut command: Command, data: tempfile::TempDir) -> Result<Self> {
        command.arg("--data").arg(data.path());
        let mut process = Group::start(&mut command)?;
        let url = process
            .read_until(|line| {
                let at = line.find("http://")?;
                line[at..].split_whitespace().next().map(str::to_owned)
            })
            .await?;
        Ok(Self { url, process, data })
    }

    /// Ends it as Ctrl-C and the system do, and waits until it has; gives what it leaves.
    ///
    /// # Errors
    /// When it ends otherwise than asked for.
    pub async fn end(self) -> Result<tempfile::TempDir> {
        self.process.end().await?;
        Ok(self.data)
    }

    /// Kills it as nothing but a crash would, and waits until it is gone; gives what it leaves.
    ///
    /// # Errors
    /// When its end cannot be waited for.
    pub async fn kill(self) -> Result<tempfile::TempDir> {
        self.process.kill().await?;
        Ok(self.data)
    }

    /// What it said is to be opened, like `http://127.0.0.1:40321`; with its token where it asks for one.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it is reached.
    ///
    /// # Errors
    /// When it said something else than an address of numbers.
    pub fn address(&self) -> Result<SocketAddr> {
        let rest = self.url.strip_prefix("http://").context("no address")?;
        Ok(rest.split('/').next().unwrap_or_default().parse()?)
    }

    /// Its process, to be looked at.
    ///
    /// # Errors
    /// When it has ended.
    pub fn process(&self) -> Result<Process> {
        Ok(Process::new(self.process.id().context("the server has ended")?))
    }

    /// Its folder of runs, gone with it.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.data.path()
    }
}
