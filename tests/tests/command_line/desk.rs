//! What the tests of the command line work with: a folder of files and runs, and what a run printed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use hopscope_tests::command::{Ended, hopscope};
use serde_json::Value;

const HELLO: &str = include_str!("../../../scenarios/hello-sync.json");

/// A folder of files and one of runs, gone with the test.
pub(crate) struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { folder: tempfile::tempdir()? })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a scenario: the template, changed.
    pub(crate) fn scenario(&self, change: impl FnOnce(&mut Value)) -> Result<PathBuf> {
        let mut scenario: Value = serde_json::from_str(HELLO)?;
        change(&mut scenario);
        let path = self.path("scenario.json");
        std::fs::write(&path, scenario.to_string())?;
        Ok(path)
    }

    /// The arguments with the folder of runs behind them.
    pub(crate) fn arguments(&self, arguments: &[&dyn AsRef<Path>]) -> Vec<OsString> {
        let given = arguments.iter().map(|argument| argument.as_ref().as_os_str().to_owned());
        given.chain(["--data".into(), self.path("runs").into_os_string()]).collect()
    }

    pub(crate) async fn hopscope(&self, arguments: &[&dyn AsRef<Path>]) -> Result<Ended> {
        hopscope(self.arguments(arguments)).await
    }
}

pub(crate) fn ensure_code(ended: &Ended, code: i32) -> Result<()> {
    ensure!(ended.code == code, "exit code {} instead of {code}:\n{}\n{}", ended.code, ended.stdout, ended.stderr);
    Ok(())
}

/// The id in the report's first line.
pub(crate) fn id_of(report: &str) -> Result<&str> {
    let rest = report.strip_prefix("Run ").context("no report")?;
    Ok(rest.split_once(':').context("no id")?.0)
}

/// Ten requests at 100/s, fewer than the duration has room for.
pub(crate) fn ten(scenario: &mut Value) {
    scenario["nodes"][0]["load"] = serde_json::json!({"kind": "constant", "rate": "100/s", "count": 10});
    scenario["nodes"][1]["work"]["mean"] = "1 ms".into();
}
