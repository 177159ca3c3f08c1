//! A scenario's file, checked; and `hopscope validate`.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use hopscope_scenario::issue::{Issue, Severity};
use hopscope_scenario::shape::MAX_DOCUMENT_BYTES;
use hopscope_scenario::text;
use hopscope_scenario::validate::{Valid, parse, too_long, validate_value, with_disturbances};
use serde_json::{Map, Value};

use crate::exit::Exit;
use crate::figures::whole;
use crate::say::{LANGUAGE, answer, note, say, word};

/// Arguments of `hopscope validate`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The scenario's file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Tells every Issue of a scenario.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let file = &arguments.file;
    let (exit, lines) = match read(file, &[])? {
        Read::Valid(valid) => (Exit::Fine, told(file, &valid.warnings)),
        Read::Invalid(lines) => (Exit::Invalid, lines),
    };
    answer(&lines.join("\n"))?;
    Ok(exit)
}

/// What a scenario's file holds.
pub(crate) enum Read {
    /// A scenario that may run.
    Valid(Box<Valid>),
    /// None; the lines tell why.
    Invalid(Vec<String>),
}

/// Reads and checks a scenario's file, with more disturbances than it has itself.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn read(file: &Path, more: &[Map<String, Value>]) -> Result<Read> {
    let name = || file.display().to_string();
    let (bytes, length) = load(file).with_context(|| say(text!("cli.error.not-read"), [("file", name())]))?;
    if let Some(issue) = too_long(length) {
        return Ok(Read::Invalid(told(file, &[issue])));
    }
    let Ok(document) = str::from_utf8(&bytes) else {
        return Ok(Read::Invalid(vec![say(text!("cli.issues.not-text"), [("file", name())])]));
    };
    let valid = parse(document).and_then(|document| validate_value(&with_disturbances(document, more)));
    Ok(match valid {
        Ok(valid) => Read::Valid(Box::new(valid)),
        Err(issues) => Read::Invalid(told(file, &issues)),
    })
}

/// A file's bytes, no more of them than tell that it is too long, and how many it has as far as that is known.
fn load(file: &Path) -> std::io::Result<(Vec<u8>, u64)> {
    let file = File::open(file)?;
    let told = file.metadata()?.len();
    let mut bytes = Vec::new();
    file.take(MAX_DOCUMENT_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    let length = told.max(bytes.len() as u64);
    Ok((bytes, length))
}

/// Tells of warnings, a line each.
pub(crate) fn warn(warnings: &[Issue]) {
    warnings.iter().for_each(|issue| note(&line(issue)));
}

/// Every Issue, a line each, and then what that means.
fn told(file: &Path, issues: &[Issue]) -> Vec<String> {
    let errors = issues.iter().filter(|issue| issue.is_error()).count();
    let warnings = issues.len() - errors;
    let key = if errors > 0 { text!("cli.issues.invalid") } else { text!("cli.issues.valid") };
    let args =
        [("file", file.display().to_string()), ("errors", whole(errors as u64)), ("warnings", whole(warnings as u64))];
    issues.iter().map(line).chain([say(key, args)]).collect()
}

/// An Issue as a line.
pub(crate) fn line(issue: &Issue) -> String {
    let key = match issue.severity {
        Severity::Error => text!("cli.issue.error"),
        Severity::Warning => text!("cli.issue.warning"),
    };
    let path = if issue.path.is_empty() { word(text!("cli.issue.root")) } else { issue.path.clone() };
    say(key, [("path", path), ("message", issue.message(LANGUAGE)), ("remedy", issue.remedy(LANGUAGE))])
}
