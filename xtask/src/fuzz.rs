//! `cargo xtask fuzz`: made up bytes for each target of `fuzz/`, for some minutes, and what they found.
//!
//! libFuzzer keeps what reaches something new in `target/fuzz/corpus/TARGET`; the corpus that is checked in is read and not
//! changed. No sanitizer: that needs a nightly compiler, and this project has no memory that Rust does not check.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::browser::on_path;
use crate::step::{run as run_command, say, step};
use crate::tools::{Purpose, Tools};

/// The folder of the targets, its corpora and what made one fail.
const FOLDER: &str = "fuzz";
/// Where what is found goes, beside everything else that is made.
const FOUND: &str = "target/fuzz";
/// Seconds after which one input counts as one that never ends.
const TIMEOUT: u64 = 20;
/// MiB that a target may take.
const MEMORY: u64 = 2_048;

/// What came of a target.
#[derive(Debug, Default)]
struct Outcome {
    executions: u64,
    new: usize,
    /// The input that made it fail.
    crash: Option<PathBuf>,
}

/// Fuzzes one target or all, for so many minutes together.
///
/// # Errors
/// When there is no such target, no compiler for C++, it does not compile, or a target failed.
pub(crate) fn run(tools: &Tools, target: Option<&str>, minutes: u64) -> Result<()> {
    let targets = targets(target)?;
    if !["c++", "g++", "clang++"].into_iter().any(|program| on_path(program).is_some()) {
        bail!("libFuzzer is written in C++ and there is no compiler for that here; on Debian: apt install g++");
    }
    tools.ensure(&[Purpose::Fuzzing])?;
    step("compile the targets", || run_command(fuzz(tools, "build").args(["--sanitizer", "none"])))?;
    let seconds = (minutes * 60 / targets.len() as u64).max(1);
    let mut failed = Vec::new();
    for name in &targets {
        let outcome = step(&format!("fuzz {name} for {seconds} s"), || one(tools, name, seconds))?;
        say(format!("{} executions, {} new inputs in {FOUND}/corpus/{name}", outcome.executions, outcome.new));
        if let Some(crash) = outcome.crash {
            say(format!("FAILED by {}", crash.display()));
            say(format!(
                "again: cargo xtask fuzz {name}, or cargo fuzz run --sanitizer none {name} {}",
                crash.display()
            ));
            say(format!("once repaired, keep it: cp {} {FOLDER}/corpus/{name}/", crash.display()));
            failed.push(name.as_str());
        }
    }
    if !failed.is_empty() {
        bail!("made up bytes made these fail: {}", failed.join(", "));
    }
    Ok(())
}

/// The names of the targets that are meant.
fn targets(wanted: Option<&str>) -> Result<Vec<String>> {
    let folder = Path::new(FOLDER).join("fuzz_targets");
    let mut known = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        known.extend(entry?.path().file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    known.sort_unstable();
    match wanted {
        None => Ok(known),
        Some(name) if known.iter().any(|known| known == name) => Ok(vec![name.to_owned()]),
        Some(name) => bail!("there is no target {name}; there are: {}", known.join(", ")),
    }
}

/// `cargo fuzz`, with what it makes beside everything else that is made.
fn fuzz(tools: &Tools, verb: &str) -> Command {
    let mut command = tools.command("cargo");
    command.args(["fuzz", verb, "--fuzz-dir", FOLDER, "--target-dir", FOUND]);
    command
}

fn one(tools: &Tools, name: &str, seconds: u64) -> Result<Outcome> {
    let corpus = Path::new(FOUND).join("corpus").join(name);
    let crashes = Path::new(FOUND).join("crashes").join(name);
    for folder in [&corpus, &crashes] {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let before = count(&corpus)?;
    let mut command = fuzz(tools, "run");
    command.args(["--sanitizer", "none", name]).arg(&corpus).arg(Path::new(FOLDER).join("corpus").join(name));
    // Absolute: cargo-fuzz runs the target elsewhere.
    let crashes = std::path::absolute(&crashes)?;
    command.args(["--", "-print_final_stats=1"]).args([
        format!("-max_total_time={seconds}"),
        format!("-timeout={TIMEOUT}"),
        format!("-rss_limit_mb={MEMORY}"),
        format!("-artifact_prefix={}/", crashes.display()),
    ]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().context("cannot start cargo fuzz")?;
    let stderr = child.stderr.take().context("cargo fuzz has no standard error")?;
    let (mut outcome, mut said) = (Outcome::default(), Vec::new());
    for line in BufReader::new(stderr).split(b'\n') {
        let line = String::from_utf8_lossy(&line.context("cannot read what cargo fuzz says")?).into_owned();
        if let Some(number) = line.strip_prefix("stat::number_of_executed_units:") {
            outcome.executions = number.trim().parse().unwrap_or_default();
        }
        if let Some((_, path)) = line.split_once("Test unit written to ") {
            outcome.crash = Some(PathBuf::from(path.trim()));
        }
        // What it does is said line by line; why it ended, at its end.
        if !line.starts_with('#') && !line.starts_with("INFO:") && !line.starts_with("stat::") {
            said.push(line);
        }
    }
    let fine = child.wait().context("cannot wait for cargo fuzz")?.success();
    if !fine {
        said.iter().rev().take(60).rev().for_each(say);
        if outcome.crash.is_none() {
            bail!("cargo fuzz ended without an input that made {name} fail; what it said stands above");
        }
    }
    outcome.new = count(&corpus)?.saturating_sub(before);
    Ok(outcome)
}

fn count(folder: &Path) -> Result<usize> {
    Ok(std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?.count())
}
