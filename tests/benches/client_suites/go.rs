//! The suite of the Go client.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::{Results, Suite, succeed};

/// The client, at one version.
const CLIENT: &str = "github.com/rabbitmq/amqp091-go";
const VERSION: &str = "v1.16.0";

/// Tests that ask RabbitMQ's management plugin for connections to close, which is no part of the protocol.
const OF_MANAGEMENT: &str = "^TestConnectionRecovery";

const REMEDY: &str = "install Go 1.21 or later (on Debian: apt install golang-go)";

/// The client in a module of ours.
pub(crate) struct Client {
    folder: PathBuf,
}

impl Client {
    /// Makes a module with the client in it.
    ///
    /// # Errors
    /// When there is no Go, or the client cannot be had.
    pub(crate) fn fetch(folder: &Path) -> Result<Self> {
        std::fs::create_dir(folder)?;
        let client = format!("{CLIENT}@{VERSION}");
        for arguments in [["mod", "init", "suites"], ["get", "-t", client.as_str()]] {
            succeed(Command::new("go").args(arguments).current_dir(folder), REMEDY)?;
        }
        Ok(Self { folder: folder.to_owned() })
    }
}

impl Suite for Client {
    fn title(&self) -> String {
        format!("{CLIENT} {VERSION}, its tests of integration without {OF_MANAGEMENT}")
    }

    fn run(&self, broker: SocketAddr) -> Result<Results> {
        let mut command = Command::new("go");
        command.args(["test", "-json", "-count=1", "-tags", "integration", "-skip", OF_MANAGEMENT, CLIENT]);
        command.env("AMQP_URL", format!("amqp://guest:guest@{broker}/")).current_dir(&self.folder);
        let ended = command.stderr(Stdio::inherit()).output().context("cannot run go")?;
        let lines = String::from_utf8_lossy(&ended.stdout).into_owned();
        let events = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let results = events.filter_map(|event| {
            let action = event["Action"].as_str().filter(|action| matches!(*action, "pass" | "fail" | "skip"))?;
            Some((event["Test"].as_str()?.to_owned(), action.to_owned()))
        });
        let results: Results = results.collect();
        ensure!(!results.is_empty(), "the suite did not run: {lines}");
        Ok(results)
    }
}
