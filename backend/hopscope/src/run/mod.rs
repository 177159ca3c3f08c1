//! `hopscope run`: a run in this process, kept in the folder of runs like any other, and the report on it.

mod progress;
mod settings;

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use hopscope_report::export::json::JSON;
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::issue::Issue;
use hopscope_scenario::model::Scenario;
use hopscope_scenario::plan::RunSettings;
use hopscope_scenario::text;
use hopscope_server::broker::{Brokers, not_allowed};
use hopscope_server::record::{Summary, new_run_key};
use hopscope_server::run::{RunOptions, start};
use hopscope_server::store::{RunId, Store, Tail};
use serde_json::{Map, Value};

use crate::brokers::Allow;
use crate::data::Data;
use crate::disturb;
use crate::exit::Exit;
use crate::export::{not_written, write};
use crate::limits::Limits;
use crate::report::{Report, document, junit, lines, markdown};
use crate::say::{answer, note, say, word};
use crate::scenario::{self, Read};
use crate::serve;
use crate::signals::Interrupts;

/// Arguments of `hopscope run`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The scenario's file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    settings: settings::Typed,

    /// Something that is done to the run beside what the scenario has, like "5s crash orders for 2s"; may be given again
    #[arg(long, value_name = "WHAT", value_parser = disturb::read)]
    disturb: Vec<Map<String, Value>>,

    /// File to write the recording to as JSON, too
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Print the report as JSON
    #[arg(long)]
    json: bool,

    /// Print the report in another form than text
    #[arg(long, value_name = "FORM", conflicts_with = "json")]
    summary: Option<Summarised>,

    /// File to write checks and laws to as JUnit XML, too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    #[command(flatten)]
    allow: Allow,

    #[command(flatten)]
    limits: Limits,

    #[command(flatten)]
    data: Data,
}

/// A form of the report for people that is no text for a terminal.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Summarised {
    /// Markdown, as the summary of a job takes it
    Md,
}

/// Runs a scenario and reports.
///
/// # Errors
/// When a file cannot be had or the run cannot be started; what a run came to is its exit code.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let faults = arguments.settings.faults();
    if !faults.is_empty() {
        faults.iter().for_each(|line| note(line));
        return Ok(Exit::Usage);
    }
    let valid = match scenario::read(&arguments.file, &arguments.disturb)? {
        Read::Valid(valid) => valid,
        Read::Invalid(lines) => {
            note(&lines.join("\n"));
            return Ok(Exit::Invalid);
        }
    };
    scenario::warn(&valid.warnings);
    let settings = match arguments.settings.of(&valid.scenario)? {
        Ok(settings) => settings,
        Err(issues) => {
            let of_scenario = |issue: &Issue| settings::fault(issue).map(|line| note(&line)).is_none();
            let of_scenario: Vec<_> = issues.into_iter().filter(of_scenario).collect();
            scenario::warn(&of_scenario);
            return Ok(if of_scenario.is_empty() { Exit::Usage } else { Exit::Invalid });
        }
    };
    let brokers = arguments.allow.brokers()?;
    if let Some(issue) = not_allowed(&settings, &brokers) {
        note(&settings::line(issue.path.trim_start_matches('/'), &issue));
        return Ok(Exit::Usage);
    }
    let missing = brokers.targets().missing(&valid.scenario);
    if !missing.is_empty() {
        scenario::warn(&missing);
        return Ok(Exit::Usage);
    }
    let store = arguments.data.store()?;
    // Now and not after the run, which may be long.
    let create = |path: &PathBuf| File::create(path).with_context(|| not_written(path));
    let out = match &arguments.out {
        Some(path) => Some((path, create(path)?)),
        None => None,
    };
    let junit = arguments.junit.as_ref().map(create).transpose()?;
    let runtime = tokio::runtime::Runtime::new().with_context(|| word(text!("cli.error.runtime")))?;
    let how = How { settings, brokers: brokers.clone(), limits: arguments.limits };
    let (scenario, warnings) = (valid.scenario, valid.warnings);
    let ran = runtime.block_on(async {
        let ran = Box::pin(watch(&store, scenario, how)).await;
        brokers.stop().await;
        ran
    });
    // A client of a Kafka that was killed waits for its answer, however long that is.
    runtime.shutdown_background();
    let Some(ran) = ran? else {
        return Ok(Exit::NotWhole);
    };
    let (file, bytes) = store.file(&ran.id)?;
    if let Some((path, out)) = out {
        write(&JSON, &ran.id, file.try_clone()?, bytes, || Ok(out), &not_written(path))?;
    }
    report(arguments, &warnings, &ran, (file, bytes), junit)
}

/// A run that has ended.
struct Ran {
    id: RunId,
    summary: Summary,
}

/// How a scenario is run.
struct How {
    settings: RunSettings,
    brokers: Brokers,
    limits: Limits,
}

/// Starts the run and follows it to its end; `None` if it was cut by a second interrupt.
async fn watch(store: &Store, scenario: Scenario, how: How) -> Result<Option<Ran>> {
    let How { settings, brokers, limits } = how;
    let mut interrupts = Interrupts::listen()?;
    let key = new_run_key().with_context(|| word(text!("cli.error.not-started")))?;
    let offered = settings.duration.map(|_| settings.offered());
    let sink = store.create(&scenario.name, &settings)?;
    let id = sink.id().clone();
    // Taken while the run is surely live: a folder that others use may be looked at by them at any time.
    let tail = store.tail(&id, 0)?;
    let (sink, most_events) = (Box::new(sink), limits.max_events);
    let options =
        RunOptions { id: id.to_string(), key, scenario, settings, brokers: brokers.clone(), sink, most_events };
    let run = match Box::pin(progress::starting(start(options), brokers.own())).await {
        Ok(run) => run,
        Err(error) => {
            forget(store, &id, tail).await;
            return Err(anyhow!(error).context(word(text!("cli.error.not-started"))));
        }
    };
    let followed = async {
        progress::follow(tail, run.plan(), offered).await;
        if let Some(reason) = store.failure(&id) {
            progress::interject(&say(text!("cli.progress.unkept"), [("reason", reason)]));
        }
    };
    let ended = async { tokio::join!(followed, run.join()).1 };
    tokio::pin!(ended);
    let mut stopped = false;
    loop {
        tokio::select! {
            summary = &mut ended => return Ok(Some(Ran { id: id.clone(), summary })),
            () = interrupts.next() => {
                if stopped {
                    progress::interject(&say(text!("cli.progress.cut"), [("id", id.to_string())]));
                    return Ok(None);
                }
                stopped = true;
                run.stop();
                progress::interject(&word(text!("cli.progress.again")));
            }
        }
    }
}

/// Deletes what is left of a run that did not start.
async fn forget(store: &Store, id: &RunId, mut tail: Tail) {
    // Its file is let go on another thread, which this process must not outrun.
    while tail.grown().await {
        let _ = tail.read().await;
    }
    while store.progress(id).is_some() {
        tokio::task::yield_now().await;
    }
    store.discard(id);
}

/// Tells what the run came to.
fn report(
    arguments: &Arguments,
    warnings: &[Issue],
    ran: &Ran,
    (mut file, bytes): (File, u64),
    xml: Option<File>,
) -> Result<Exit> {
    let failed = |key: Key| say(key, [("id", ran.id.to_string())]);
    let report = Report::read(&mut file, bytes).with_context(|| failed(text!("cli.error.not-reported")))?;
    let mut apply = report.exits();
    if let Some(reason) = &ran.summary.failure {
        let args = [("id", ran.id.to_string()), ("reason", reason.clone())];
        note(&say(text!("cli.error"), [("reason", say(text!("cli.error.not-stored"), args))]));
        apply.push(Exit::Environment);
    }
    let exit = Exit::first_of(&apply);
    if let (Some(mut xml), Some(path)) = (xml, &arguments.junit) {
        xml.write_all(junit(&report)?.as_bytes()).with_context(|| not_written(path))?;
    }
    let open = how_to_open(arguments, &ran.id);
    if arguments.json {
        answer(&document(&report, warnings, exit).to_string())?;
    } else if arguments.summary.is_some() {
        answer(&format!("{}\n{open}", markdown(&report)))?;
    } else {
        answer(&lines(&report).into_iter().chain([open]).collect::<Vec<_>>().join("\n"))?;
    }
    Ok(exit)
}

fn how_to_open(arguments: &Arguments, id: &RunId) -> String {
    let mut command = "hopscope serve".to_owned();
    if let Some(folder) = &arguments.data.data {
        command.push_str(&format!(" --data {}", quoted(&folder.display().to_string())));
    }
    let address = format!("http://{}/#run={id}", serve::ADDRESS);
    say(text!("cli.report.open"), [("command", command), ("address", address)])
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_one_in_a_shell() {
        assert_eq!(quoted("/tmp/a-b_c.d"), "/tmp/a-b_c.d");
        assert_eq!(quoted("my runs"), "'my runs'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
