//! Whole runs within the test's own process, on a broker of the test's choice.

use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use hopscope_record::decoder::Framing;
use hopscope_record::{Event, Kind};
use hopscope_report::laws::LawReport;
use hopscope_scenario::model::Scenario;
use hopscope_scenario::plan::{Broker, Plan, RunSettings};
use hopscope_scenario::quantity::Time;
use hopscope_scenario::validate::validate;
use hopscope_server::broker::{Brokers, KafkaLocal, Local};
use hopscope_server::record::{Memory, new_run_key};
use hopscope_server::run::{self, LiveRun, MOST_EVENTS, RunOptions};
use serde_json::Value;

use crate::recording::Recorded;

/// The scenario of a document.
///
/// # Errors
/// When it is not valid; a warning is none.
pub fn scenario(document: &Value) -> Result<Scenario> {
    Ok(validate(&document.to_string()).map_err(|issues| anyhow::anyhow!("{issues:?}"))?.scenario)
}

/// Whether RabbitMQ is on this machine; where it is not, says that `test` says nothing.
#[must_use]
pub fn has_rabbitmq(test: &str) -> bool {
    let installed = Local::default().is_installed();
    if !installed {
        // Straight to the output, which the harness does not capture. One that cannot be written needs no word.
        let line =
            format!("not applicable: {test}: RabbitMQ is not installed here; on Debian: apt install rabbitmq-server\n");
        let _ = std::io::stdout().write_all(line.as_bytes());
    }
    installed
}

/// Whether Kafka is on this machine; where it is not, says that `test` says nothing.
#[must_use]
pub fn has_kafka(test: &str) -> bool {
    match KafkaLocal::default().installed() {
        Ok(_) => true,
        Err(reason) => {
            let line = format!("not applicable: {test}: {reason}\n");
            let _ = std::io::stdout().write_all(line.as_bytes());
            false
        }
    }
}

/// A run and what it has recorded so far.
pub struct Started {
    /// The run.
    pub run: Arc<LiveRun>,
    memory: Memory,
}

/// Starts a run of a scenario on one of the brokers; its load lasts `seconds`, or until its counts end it.
///
/// # Errors
/// When it does not start.
pub async fn start(scenario: Scenario, brokers: &Brokers, broker: &str, seconds: u64) -> Result<Started> {
    let settings = RunSettings {
        broker: Broker::parse(broker)?,
        duration: Some(Time(seconds * 1_000_000_000)),
        ..RunSettings::default()
    };
    start_with(scenario, brokers, settings).await
}

/// Starts a run of a scenario with settings of one's own.
///
/// # Errors
/// When it does not start.
pub async fn start_with(scenario: Scenario, brokers: &Brokers, settings: RunSettings) -> Result<Started> {
    let memory = Memory::default();
    let key = new_run_key()?;
    let options = RunOptions {
        id: format!("t{:016x}", key.0),
        key,
        scenario,
        settings,
        brokers: brokers.clone(),
        sink: Box::new(memory.clone()),
        most_events: MOST_EVENTS,
    };
    Ok(Started { run: run::start(options).await?, memory })
}

/// Runs a scenario to its end.
///
/// # Errors
/// When it does not start, or its recording is not whole.
pub async fn finish(document: &Value, brokers: &Brokers, broker: &str) -> Result<Finished> {
    start(scenario(document)?, brokers, broker, 30).await?.finish().await
}

impl Started {
    /// What is recorded so far.
    ///
    /// # Errors
    /// When it is not whole frames.
    pub fn so_far(&self) -> Result<Recorded> {
        Recorded::read(&self.memory.bytes(), Framing::Stream)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When its recording is not whole.
    pub async fn finish(self) -> Result<Finished> {
        let summary = self.run.join().await;
        ensure!(summary.lost == 0 && summary.failure.is_none(), "{summary:?}");
        let recorded = self.so_far()?;
        let laws = recorded.judged()?;
        let hello = recorded.hello.as_ref().context("no Hello")?;
        Ok(Finished { plan: Plan::from_bytes(&hello.plan)?, bytes: self.memory.bytes(), recorded, laws })
    }
}

/// A run that is over.
pub struct Finished {
    /// What it recorded.
    pub recorded: Recorded,
    /// Its plan.
    pub plan: Plan,
    /// Its frames, as a stream has them.
    pub bytes: Vec<u8>,
    /// What came of the laws.
    pub laws: Vec<LawReport>,
}

impl Finished {
    /// What a recording's file holds.
    ///
    /// # Errors
    /// When it is not whole.
    pub fn read(file: &[u8]) -> Result<Self> {
        let recorded = Recorded::read(file, Framing::File)?;
        let plan = Plan::from_bytes(&recorded.hello.as_ref().context("no Hello")?.plan)?;
        Ok(Self { laws: recorded.judged()?, plan, bytes: file.to_vec(), recorded })
    }

    /// The events of a kind, in the order of time.
    #[must_use]
    pub fn of(&self, kind: Kind) -> Vec<Event> {
        let mut found: Vec<_> = self.recorded.events.iter().filter(|event| event.kind == kind).copied().collect();
        found.sort_by_key(|event| event.time);
        found
    }

    /// Those of them at the places of a node.
    #[must_use]
    pub fn at(&self, node: &str, kind: Kind) -> Vec<Event> {
        let here = |event: &Event| self.plan.node_of(event.place.0).is_some_and(|found| found.name == node);
        self.of(kind).into_iter().filter(here).collect()
    }

    /// The text that a value names.
    #[must_use]
    pub fn name(&self, value: u64) -> &str {
        let row = usize::try_from(value).ok().and_then(|row| row.checked_sub(1));
        row.and_then(|row| self.recorded.names.get(row)).map_or("", String::as_str)
    }

    /// That no law is broken, and none undecided.
    ///
    /// # Errors
    /// The law that is.
    pub fn holds_the_laws(&self) -> Result<()> {
        let wrong = self.laws.iter().find(|report| (report.broken, report.undecided) != (0, 0));
        ensure!(wrong.is_none(), "{wrong:?}");
        Ok(())
    }
}
