//! The real binary, serving on a free port with a data folder of its own, ended with its owner.

use std::path::Path;

use anyhow::Result;
use tokio::process::Command;

use crate::child::Group;

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
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data.path());
        let mut process = Group::start(&mut command)?;
        let url = process
            .read_until(|line| {
                let at = line.find("http://")?;
                line[at..].split_whitespace().next().map(str::to_owned)
            })
            .await?;
        Ok(Self { url, process, data })
    }

    /// Kills it as nothing but a crash would, and waits until it is gone; gives what it leaves.
    ///
    /// # Errors
    /// When its end cannot be waited for.
    pub async fn kill(self) -> Result<tempfile::TempDir> {
        self.process.kill().await?;
        Ok(self.data)
    }

    /// Its address, like `http://127.0.0.1:40321`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its folder of runs, gone with it.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.data.path()
    }
}
