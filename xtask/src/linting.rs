//! A compiler that also lints and documents what it compiles.
//!
//! `cargo clippy` and `cargo doc` check every dependency, which `cargo build` then compiles: half of the work twice. Instead, the
//! continuous integration lets cargo call this very program in rustc's place for the packages of the workspace
//! (`RUSTC_WORKSPACE_WRAPPER`). Libraries and programs are compiled by rustc, so that others can go on, and then read by rustdoc; they
//! are compiled once more with their tests, and that, as all tests, clippy does, which is a compiler too. So the compiler reads each
//! crate as often as without any lint. What one of them refuses fails the build. Benches are only read.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context, Result};

/// The name under which this program stands in for the compiler.
const NAME: &str = "linting-rustc";
/// Set where the compiler is not the workspace's own: then only the lints that the workspace names are refused.
pub(crate) const OTHER_COMPILER: &str = "HOPSCOPE_LINT_NAMED_ONLY";

/// Puts this program under its other name into `target`; gives the path.
///
/// # Errors
/// When it cannot be copied.
pub(crate) fn install() -> Result<PathBuf> {
    let own = std::env::current_exe().context("cannot tell where this program lies")?;
    let path = std::env::current_dir()?.join("target").join(NAME);
    std::fs::copy(&own, &path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Does a compiler's work where cargo called this program as one; `None` where a person called it.
pub(crate) fn as_compiler() -> Option<ExitCode> {
    let mut words = std::env::args_os();
    if Path::new(&words.next()?).file_name()? != NAME {
        return None;
    }
    let words: Vec<OsString> = words.collect();
    Some(compile(&words).unwrap_or_else(|error| {
        eprintln!("{NAME}: {error:#}");
        ExitCode::FAILURE
    }))
}

fn compile(words: &[OsString]) -> Result<ExitCode> {
    let (rustc, words) = words.split_first().context("cargo calls this with the compiler first")?;
    let warnings: &[&str] = if std::env::var_os(OTHER_COMPILER).is_none() { &["--deny", "warnings"] } else { &[] };
    match Role::of(words) {
        // Cargo also asks the compiler about itself.
        Role::None => run(Command::new(rustc).args(words)).map(code),
        // Nobody is given these: clippy compiles them itself, with no care for their speed, which is not what takes the time here.
        // So debug assertions and overflow checks are in them too.
        Role::Test => {
            run(Command::new("clippy-driver").args(words).args(warnings).args(["-C", "opt-level=0"])).map(code)
        }
        Role::Bench => in_scratch(|scratch| run(clippy(words, scratch).args(warnings))),
        Role::Given { tested } => {
            let compiled = run(Command::new(rustc).args(words).args(warnings))?;
            if !compiled.success() {
                return Ok(code(compiled));
            }
            in_scratch(|scratch| {
                // With its tests it is linted as a whole.
                let linted = if tested { compiled } else { run(clippy(words, scratch).args(warnings))? };
                if !linted.success() || warnings.is_empty() {
                    return Ok(linted);
                }
                let mut rustdoc = Command::new("rustdoc");
                rustdoc.args(reading(words)).arg("--out-dir").arg(scratch).arg("--document-private-items");
                run(rustdoc.args(warnings))
            })
        }
    }
}

/// Clippy, which reads a crate and compiles nothing.
fn clippy(words: &[OsString], scratch: &Path) -> Command {
    let mut clippy = Command::new("clippy-driver");
    clippy.args(reading(words)).arg("--emit=metadata").arg("--out-dir").arg(scratch);
    clippy
}

/// Calls `read` with a folder for what nobody wants.
fn in_scratch(read: impl FnOnce(&Path) -> Result<ExitStatus>) -> Result<ExitCode> {
    let scratch = std::env::temp_dir().join(format!("{NAME}-{}", std::process::id()));
    std::fs::create_dir(&scratch).with_context(|| format!("cannot make {}", scratch.display()))?;
    let ended = read(&scratch);
    // It is ours and temporary; a leftover does no harm.
    let _ = std::fs::remove_dir_all(&scratch);
    ended.map(code)
}

/// What a crate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// It is none: a question of cargo's.
    None,
    /// A library or a program.
    Given {
        /// Whether it is compiled with its tests as well.
        tested: bool,
    },
    /// Tests, or an example, or a script that builds.
    Test,
    /// A bench. Nobody runs one of these here, and to compile one takes as long as all that it measures.
    Bench,
}

impl Role {
    /// Of a crate, from the words that compile it.
    fn of(words: &[OsString]) -> Self {
        let after = |option: &str| words.iter().position(|word| word == option).and_then(|at| words.get(at + 1));
        let name = after("--crate-name").map(OsString::as_os_str);
        let source = words.iter().map(Path::new).find(|word| word.extension().is_some_and(|e| e == "rs"));
        let is_in = |folder: &str| source.is_some_and(|source| source.iter().any(|part| part == folder));
        let is = |option: &str, value: &str| after(option).is_some_and(|word| word == value);
        // The page's program only starts its library, and is compiled for browsers: its tests are those of the library.
        let tested = !(is("--crate-type", "bin") && is("--target", "wasm32-unknown-unknown"));
        match name {
            None => Self::None,
            Some(name) if name == "___" => Self::None,
            Some(_) if is_in("benches") => Self::Bench,
            Some(_) if is_in("src") && !words.iter().any(|word| word == "--test") => Self::Given { tested },
            Some(_) => Self::Test,
        }
    }
}

/// The words of a compilation without those that say what comes out and where. Cargo takes the news of an artifact for its own.
fn reading(words: &[OsString]) -> Vec<OsString> {
    let mut kept = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let text = word.to_string_lossy();
        if text == "--out-dir" {
            words.next();
        } else if let Some(json) = text.strip_prefix("--json=") {
            let wanted: Vec<&str> = json.split(',').filter(|part| *part != "artifacts").collect();
            kept.push(format!("--json={}", wanted.join(",")).into());
        } else if !text.starts_with("--emit=") {
            kept.push(word.clone());
        }
    }
    kept
}

fn run(command: &mut Command) -> Result<ExitStatus> {
    command.status().with_context(|| format!("cannot start {}", command.get_program().display()))
}

fn code(status: ExitStatus) -> ExitCode {
    status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test fails by panicking")]

    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn readers_get_the_same_crate_but_write_elsewhere_and_announce_nothing() {
        let line = "--crate-name x --edition=2024 x/src/lib.rs --error-format=json --json=diagnostic-rendered-ansi,artifacts \
                    --crate-type lib --emit=dep-info,metadata,link --deny=clippy::panic --out-dir target --extern y=y.rmeta";
        let kept = "--crate-name x --edition=2024 x/src/lib.rs --error-format=json --json=diagnostic-rendered-ansi \
                    --crate-type lib --deny=clippy::panic --extern y=y.rmeta";
        assert_eq!(reading(&words(line)), words(kept));
    }

    #[test]
    fn a_crate_is_known_by_where_it_lies_and_what_it_is_compiled_for() {
        let role = |line: &str| Role::of(&words(line));
        let given = Role::Given { tested: true };
        assert_eq!(role("--crate-name x x/src/lib.rs --crate-type lib"), given);
        assert_eq!(role("--crate-name x x/src/main.rs --crate-type bin"), given);
        let page = "--crate-name x x/src/main.rs --crate-type bin --target wasm32-unknown-unknown";
        assert_eq!(role(page), Role::Given { tested: false });
        assert_eq!(role("--crate-name x x/src/lib.rs --test"), Role::Test);
        assert_eq!(role("--crate-name x x/tests/own_harness/main.rs --crate-type bin"), Role::Test);
        assert_eq!(role("--crate-name schema x/examples/schema.rs --crate-type bin"), Role::Test);
        assert_eq!(role("--crate-name build_script_build x/build.rs --crate-type bin"), Role::Test);
        assert_eq!(role("--crate-name codec x/benches/codec.rs --crate-type bin"), Role::Bench);
        assert_eq!(role("-vV"), Role::None, "cargo's question for the version");
        assert_eq!(role("--crate-name ___ - --print=cfg"), Role::None, "cargo's question for the target");
    }
}
