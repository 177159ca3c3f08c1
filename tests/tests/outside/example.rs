//! The programs of `examples/`, started as they say of themselves, and ended.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// How long a program may be silent of which a line is awaited; far more than any takes.
const LIMIT: Duration = Duration::from_secs(120);

/// Whether the language of programs is here; where it is not, says that `test` says nothing.
fn is_here(variable: &str, test: &str, language: &str, package: &str) -> bool {
    let here = std::env::var_os(variable).is_some();
    if !here {
        not_here(test, language, &format!("on Debian: apt install {package}"));
    }
    here
}

/// Says that `test` says nothing, for want of a program, and how to have that.
pub(crate) fn not_here(test: &str, program: &str, remedy: &str) {
    let line = format!("not applicable: {test}: {program} is not installed here; {remedy}\n");
    // Straight to the output, which the harness does not capture. One that cannot be written needs no word.
    let _ = std::io::stdout().write_all(line.as_bytes());
}

/// Whether there are programs in Go.
pub(crate) fn has_go(test: &str) -> bool {
    is_here("HOPSCOPE_GO_PEER", test, "Go", "golang-go")
}

/// Whether there are programs in Node.
pub(crate) fn has_node(test: &str) -> bool {
    is_here("HOPSCOPE_NODE", test, "Node", "nodejs npm")
}

/// The folder of the examples.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

/// A running example; dropped, it is gone.
pub(crate) struct Example {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Example {
    /// Starts the one of this folder, whose name is its language and what its program is called; gives it with the first line that it
    /// says, by which it is ready.
    ///
    /// # Errors
    /// When it ends before.
    pub(crate) async fn start(name: &str, arguments: &[&str]) -> Result<(Self, String)> {
        let (language, program) = name.split_once('-').context("no language")?;
        let ready = || hopscope_tests::variable("HOPSCOPE_EXAMPLES").map(|folder| Path::new(&folder).join(name));
        let mut command = match language {
            "go" => Command::new(ready()?.join(program)),
            "node" => {
                let mut command = Command::new(hopscope_tests::variable("HOPSCOPE_NODE")?);
                command.arg(ready()?.join(format!("{program}.js")));
                command
            }
            _ => {
                let mut command = Command::new(hopscope_tests::variable("HOPSCOPE_PYTHON")?);
                command.arg(folder().join(name).join(format!("{program}.py")));
                command
            }
        };
        let mut child = command
            .args(arguments)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let said = BufReader::new(child.stdout.take().context("no output")?).lines();
        let mut example = Self { child, said };
        let first = example.line().await?.with_context(|| format!("{name} ended before it was ready"))?;
        Ok((example, first))
    }

    async fn line(&mut self) -> Result<Option<String>> {
        Ok(tokio::time::timeout(LIMIT, self.said.next_line()).await.context("it says nothing")??)
    }

    /// The documents of its next lines.
    ///
    /// # Errors
    /// When it ends before, or says what is none.
    pub(crate) async fn tells(&mut self, count: usize) -> Result<Vec<Value>> {
        let mut told = Vec::new();
        while told.len() < count {
            let line = self.line().await?.context("it ended")?;
            told.push(serde_json::from_str(&line).with_context(|| line.clone())?);
        }
        Ok(told)
    }

    /// Ends it as Ctrl-C does; gives what it told until then.
    ///
    /// # Errors
    /// When it ends otherwise than asked for.
    pub(crate) async fn end(self) -> Result<Vec<Value>> {
        let process = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed())).context("it has ended")?;
        kill_process(process, Signal::INT)?;
        self.rest().await
    }

    /// Waits for its end; gives what it told until then.
    ///
    /// # Errors
    /// When it ends badly.
    pub(crate) async fn rest(mut self) -> Result<Vec<Value>> {
        let told = self.last_words().await?;
        let status = self.child.wait().await?;
        ensure!(status.success(), "it ended with {status}");
        Ok(told)
    }

    /// Waits until it ends for want of its broker; gives what it told until then.
    ///
    /// # Errors
    /// When it says what is none, or takes that for a good end.
    pub(crate) async fn loses_its_broker(mut self) -> Result<Vec<Value>> {
        let told = self.last_words().await?;
        let status = self.child.wait().await?;
        ensure!(status.code() == Some(1), "it ended with {status}");
        Ok(told)
    }

    async fn last_words(&mut self) -> Result<Vec<Value>> {
        let mut told = Vec::new();
        while let Some(line) = self.line().await? {
            told.push(serde_json::from_str(&line).with_context(|| line.clone())?);
        }
        Ok(told)
    }
}

/// Each folder is an example with its lock file, which names no registry, and with a row in the list of them; the packages of one in
/// Python are those that it is tested with.
#[test]
fn each_has_its_lock_file_and_its_row() -> Result<()> {
    let rows = std::fs::read_to_string(folder().join("README.md"))?;
    let tested = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("outside/requirements.txt"))?;
    for entry in std::fs::read_dir(folder())? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        ensure!(rows.contains(&format!("| [{name}]({name}/")), "{name} is not in the list");
        let lock = match name.split_once('-') {
            Some(("go", _)) => "go.sum",
            Some(("node", _)) => "package-lock.json",
            _ => "requirements.txt",
        };
        let lock = std::fs::read_to_string(entry.path().join(lock)).with_context(|| format!("{name} has no {lock}"))?;
        ensure!(!lock.contains("\"resolved\""), "{name}: its lock file names a registry");
        for pinned in lock.lines().filter(|line| name.starts_with("python-") && !line.starts_with('#')) {
            ensure!(tested.lines().any(|line| line == pinned), "{name}: {pinned} is not what it is tested with");
        }
    }
    Ok(())
}
