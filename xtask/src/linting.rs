//! A compiler that also lints and documents what it compiles.
//!
//! `cargo clippy` and `cargo doc` check every dependency, which `cargo build` then compiles: half of the work twice. Instead, the
//! continuous integration lets cargo call this very program in rustc's place for the packages of the workspace
//! (`RUSTC_WORKSPACE_WRAPPER`). It compiles as it was told, so that others can go on, and then has clippy and rustdoc read the same
//! crate with the same dependencies. What they refuse fails the build. Benches are only read.

use std::ffi::{OsStr, OsString};
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
    let unit = Unit::of(words);
    if !unit.is_bench {
        let compiled = run(Command::new(rustc).args(words))?;
        // Cargo also asks the compiler about itself, with a crate of this name or with none.
        if !compiled.success() || unit.name.is_none_or(|name| name == "___") {
            return Ok(code(compiled));
        }
    }
    let scratch = std::env::temp_dir().join(format!("{NAME}-{}", std::process::id()));
    std::fs::create_dir(&scratch).with_context(|| format!("cannot make {}", scratch.display()))?;
    let read = read(&unit, words, &scratch);
    // It is ours and temporary; a leftover does no harm.
    let _ = std::fs::remove_dir_all(&scratch);
    read.map(code)
}

/// Has clippy read a crate, and rustdoc where it is one that is documented.
fn read(unit: &Unit<'_>, words: &[OsString], scratch: &Path) -> Result<ExitStatus> {
    let strict = std::env::var_os(OTHER_COMPILER).is_none();
    let warnings: &[&str] = if strict { &["--deny", "warnings"] } else { &[] };
    let shared = reading(words);
    let mut clippy = Command::new("clippy-driver");
    clippy.args(&shared).arg("--emit=metadata").arg("--out-dir").arg(scratch).args(warnings);
    let linted = run(&mut clippy)?;
    if !linted.success() || !strict || !unit.documented {
        return Ok(linted);
    }
    let mut rustdoc = Command::new("rustdoc");
    rustdoc.args(&shared).arg("--out-dir").arg(scratch).arg("--document-private-items").args(warnings);
    run(&mut rustdoc)
}

/// What is to be known of a crate from the words that compile it.
struct Unit<'a> {
    name: Option<&'a OsStr>,
    /// Whether it is a library or a program, and no test, bench, example or build script.
    documented: bool,
    /// Whether it is a bench. Nobody runs one of these here, and to compile one takes as long as all that it measures.
    is_bench: bool,
}

impl<'a> Unit<'a> {
    fn of(words: &'a [OsString]) -> Self {
        let after = |option: &str| words.iter().position(|word| word == option).and_then(|at| words.get(at + 1));
        let name = after("--crate-name").map(OsString::as_os_str);
        let source = words.iter().map(Path::new).find(|word| word.extension().is_some_and(|e| e == "rs"));
        let is_in = |folder: &str| source.is_some_and(|source| source.iter().any(|part| part == folder));
        let documented = is_in("src") && !words.iter().any(|word| word == "--test");
        Self { name, documented, is_bench: is_in("benches") }
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
    fn libraries_and_programs_are_documented_and_tests_examples_and_scripts_are_not() {
        let documented = |line: &str| Unit::of(&words(line)).documented;
        assert!(documented("--crate-name x x/src/lib.rs --crate-type lib"));
        assert!(documented("--crate-name x x/src/main.rs --crate-type bin"));
        assert!(!documented("--crate-name x x/src/lib.rs --test"));
        assert!(!documented("--crate-name x x/tests/own_harness/main.rs --crate-type bin"));
        assert!(!documented("--crate-name schema x/examples/schema.rs --crate-type bin"));
        assert!(!documented("--crate-name build_script_build x/build.rs --crate-type bin"));
        assert!(Unit::of(&words("--crate-name codec x/benches/codec.rs --crate-type bin")).is_bench);
        assert_eq!(Unit::of(&words("-vV")).name, None, "cargo's question for the version");
    }
}
