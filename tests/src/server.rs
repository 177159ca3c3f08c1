//! The real binary, serving on a free port with a data folder of its own, ended with its owner.

use std::path::Path;

use anyhow::Result;
use tokio::process::Command;

use crate::child::Group;

/// A running `hopscope serve`.
pub struct Server {
    url: String,
    // Dropped in this order: first the process, then what it wrote.
    _process: Group,
    data: tempfile::TempDir,
}

impl Server {
    /// Starts it and waits until it says where it listens.
    ///
    /// # Errors
    /// When the binary is missing or ends early.
    pub async fn start() -> Result<Self> {
        let data = tempfile::tempdir()?;
        let mut command = Command::new(crate::variable("HOPSCOPE_BIN")?);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data.path());
        let mut process = Group::start(&mut command)?;
        let url = process
            .read_until(|line| {
                let at = line.find("http://")?;
                line[at..].split_whitespace().next().map(str::to_owned)
            })
            .await?;
        Ok(Self { url, _process: process, data })
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
