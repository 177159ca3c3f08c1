//! `hopscope import`.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use hopscope_report::import::{Fault, ImportError};
use hopscope_scenario::issue::Issue;
use hopscope_scenario::text;
use hopscope_server::store::{StoreError, StoreImportError};

use crate::data::Data;
use crate::exit::Exit;
use crate::figures::whole;
use crate::say::{LANGUAGE, answer, note, say, word};
use crate::scenario;

/// Arguments of `hopscope import`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The recording's file, as exported as JSON; - is the standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// What to call the run [default: as its scenario]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    #[command(flatten)]
    data: Data,
}

/// Puts the recording into the folder of runs and tells its id there.
///
/// # Errors
/// When the file cannot be read or the folder cannot take it; what is no recording is told by the exit code.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let file = arguments.file.display().to_string();
    let not_read = || say(text!("cli.error.not-read.recording"), [("file", file.clone())]);
    let document: Box<dyn Read> = if arguments.file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(&arguments.file).with_context(not_read)?)
    };
    match arguments.data.store()?.import(document, arguments.name.as_deref()) {
        Ok(run) => {
            let args = [
                ("id", run.id.to_string()),
                ("name", run.name),
                ("from", run.imported_from.unwrap_or_default()),
                ("events", whole(run.events)),
            ];
            answer(&say(text!("cli.imported"), args))?;
            Ok(Exit::Fine)
        }
        Err(StoreImportError::Import(ImportError::Refused(fault))) => Ok(refused(&file, &[line(&fault)])),
        Err(StoreImportError::Import(ImportError::Scenario(issues))) => Ok(refused(&file, &lines(&issues))),
        Err(StoreImportError::Import(ImportError::Read(error))) => Err(error).with_context(not_read),
        Err(StoreImportError::Store(StoreError::BadName)) => {
            note(&word(text!("cli.error.bad-name")));
            Ok(Exit::Usage)
        }
        Err(error) => Err(error.into()),
    }
}

fn refused(file: &str, lines: &[String]) -> Exit {
    let last = say(text!("cli.import.refused"), [("file", file.to_owned())]);
    note(&format!("{}\n{last}", lines.join("\n")));
    Exit::Invalid
}

fn lines(issues: &[Issue]) -> Vec<String> {
    issues.iter().map(scenario::line).collect()
}

fn line(fault: &Fault) -> String {
    let path = if fault.path.is_empty() { word(text!("cli.issue.root")) } else { fault.path.clone() };
    let args = [("path", path), ("message", fault.message(LANGUAGE)), ("remedy", fault.remedy(LANGUAGE))];
    say(text!("cli.issue.error"), args)
}
