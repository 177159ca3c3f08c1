//! A Kafka that is killed in the middle of a run and started again: the run goes on, and every record that was confirmed comes to
//! each group.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use hopscope_record::decoder::Framing;
use hopscope_record::frame::Counted;
use hopscope_record::kind::{ControlAction, DisconnectReason};
use hopscope_record::{Event, Kind, MessageId, TraceId};
use hopscope_report::compare::Reading;
use hopscope_report::laws::Law;
use hopscope_report::verdict::{Disturbance, verdict};
use hopscope_scenario::disturb::{Action, KAFKA};
use hopscope_scenario::plan::{Broker, RunSettings};
use hopscope_scenario::quantity::Time;
use hopscope_server::broker::Brokers;
use hopscope_tests::command::Running;
use hopscope_tests::runs::{Finished, Started, has_kafka, scenario, start_with};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{LIMIT, disturbance, until};

const GROUPS: [&str; 2] = ["billing", "audit"];

/// 200 records in a second, which one group works on for a while and the other for no time.
fn document() -> Value {
    let service = |id: &str, name: &str, replicas: u32, mean: &str| {
        json!({"id": id, "name": name, "kind": "service", "replicas": replicas, "workers": 64,
            "work": {"distribution": "constant", "mean": mean}})
    };
    json!({"format": "hopscope-scenario", "version": 1, "name": "kept",
        "nodes": [
            {"id": "n1", "kind": "client", "name": "shop",
                "load": {"kind": "constant", "rate": "200/s", "in_flight": 10_000},
                "payload": {"bytes": "64 B", "key": {"distribution": "uniform", "keys": 50}}},
            {"id": "n2", "kind": "topic", "name": "orders", "partitions": 6},
            service("n3", "billing", 2, "300 ms"), service("n4", "audit", 1, "20 us")],
        "links": [
            {"id": "l1", "from": "n1", "to": "n2", "protocol": "kafka"},
            {"id": "l2", "from": "n2", "to": "n3", "protocol": "kafka", "in_flight": 64},
            {"id": "l3", "from": "n2", "to": "n4", "protocol": "kafka", "in_flight": 16}]})
}

async fn begin(brokers: &Brokers) -> Result<Started> {
    let kafka = Broker::of_topics("local").context("no such broker")?;
    let settings = RunSettings { kafka, duration: Some(Time(600_000_000_000)), ..RunSettings::default() };
    start_with(scenario(&document())?, brokers, settings).await
}

/// Kills the broker and has it started again after a second, does `meanwhile` when it is down, and goes on until records that were
/// published after that are committed.
async fn killed(
    brokers: &Brokers,
    meanwhile: impl AsyncFnOnce(&Started) -> Result<()>,
) -> Result<(Finished, i64, i64)> {
    let started = begin(brokers).await?;
    let now = || started.run.clock().now().context("it has not begun");
    until(&started, Kind::COMMITTED, 0, 100).await?;
    let killed = now()?;
    started.run.control(&disturbance(Action::Kill, KAFKA, Some(Time(1_000_000_000)))).await?;
    let down = now()?;
    meanwhile(&started).await?;
    until(&started, Kind::CONNECTED, down, 4).await?;
    let back = now()?;
    until(&started, Kind::CONFIRMED, back, 200).await?;
    until(&started, Kind::COMMITTED, back, 100).await?;
    started.run.stop();
    Ok((started.finish().await?, killed, back))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_when_its_kafka_was_killed_and_started_again() -> Result<()> {
    if !has_kafka("a Kafka that is killed and started again") {
        return Ok(());
    }
    let brokers = Brokers::default();
    let ended = async {
        let (run, at, back) = killed(&brokers, async |_| Ok(())).await?;
        went_on(&run, at)?;
        let told = came_to_each_group(&run)?;
        let away = Duration::from_nanos((back - at).unsigned_abs());
        std::io::stdout().write_all(format!("{told}; it was away for {away:.1?}\n").as_bytes())?;

        // Who had records at work, and cannot say that they are done, is not asked again.
        let crash = disturbance(Action::Crash, "billing", Some(Time(200_000_000)));
        let (run, ..) = killed(&brokers, async |started| Ok(started.run.control(&crash).await?)).await?;
        let told = came_to_each_group(&run)?;
        ensure!(repeated(&run, "billing").len() > 1, "nothing was repeated: {told}");
        std::io::stdout().write_all(format!("with its readers crashed meanwhile: {told}\n").as_bytes())?;
        Ok(())
    };
    let ended = ended.await;
    brokers.stop().await;
    ended
}

/// One that stays away is waited for by nobody: the run ends in its time, and what was sent after the kill is unknown, and not lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_ends_though_its_kafka_was_killed_for_good() -> Result<()> {
    if !has_kafka("a Kafka that is killed for good") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("scenario.json");
    std::fs::write(&file, document().to_string())?;
    let mut command = Command::new(hopscope_tests::variable("HOPSCOPE_BIN")?);
    command.arg("run").arg(&file).arg("--data").arg(folder.path().join("runs"));
    command.args(["--kafka", "local", "--duration", "4 s", "--disturb", "2s kill kafka"]);
    let ended = tokio::time::timeout(LIMIT, Running::start_by(command)?.end()).await.context("it does not end")??;
    ensure!(ended.code == 0 && !ended.stdout.contains("BROKEN"), "{ended:?}");
    ensure!(ended.stdout.contains("broker-killed kafka (until –)"), "{ended:?}");
    let told = ["Starting Kafka;", "Kafka is ready after "].map(|told| ended.stderr.contains(told));
    ensure!(told == [true, true] && !ended.stderr.contains("RabbitMQ"), "{ended:?}");
    Ok(())
}

/// Every end lost its connection when it was killed, and had another when it was back.
fn went_on(run: &Finished, killed: i64) -> Result<()> {
    let end = |event: &Event| (event.place, event.link);
    let broke = run.of(Kind::DISCONNECTED).into_iter().filter(|event| event.a == DisconnectReason::Broken as u64);
    let broke: Vec<_> = broke.collect();
    ensure!(broke.len() == 4 && broke.iter().all(|event| event.time > killed), "{broke:?}");
    let connected: BTreeSet<_> = run.of(Kind::CONNECTED).iter().filter(|event| event.time > killed).map(end).collect();
    ensure!(connected == broke.iter().map(end).collect(), "{connected:?}");
    let controls: Vec<_> = run.at("orders", Kind::CONTROL).iter().map(|event| event.a).collect();
    ensure!(controls == [ControlAction::BrokerKilled as u64, ControlAction::BrokerStarted as u64], "{controls:?}");
    Ok(())
}

/// The traces with a message that was worked on more than once at a node.
fn repeated(run: &Finished, node: &str) -> BTreeSet<TraceId> {
    let publish: BTreeMap<MessageId, MessageId> =
        run.at(node, Kind::RECEIVED).iter().map(|event| (event.message, event.parent)).collect();
    let mut works = BTreeMap::<(TraceId, Option<MessageId>), u32>::new();
    for started in run.at(node, Kind::STARTED) {
        *works.entry((started.trace, publish.get(&started.message).copied())).or_default() += 1;
    }
    works.into_iter().filter(|(_, times)| *times > 1).map(|((trace, _), _)| trace).collect()
}

/// Every record that was confirmed was worked on by each group and passed by its commit; those worked on twice are named by the
/// verdict, and no others.
fn came_to_each_group(run: &Finished) -> Result<String> {
    run.holds_the_laws()?;
    for law in [Law::TakeLowers, Law::Conservation] {
        let report = run.laws.iter().find(|report| report.law == law).context("no such law")?;
        ensure!(report.held > 0 && report.not_applicable.is_none(), "{report:?}");
    }
    let confirmed: BTreeSet<MessageId> = run.of(Kind::CONFIRMED).iter().map(|event| event.message).collect();
    let mut again = BTreeSet::new();
    for group in GROUPS {
        let worked: BTreeSet<_> = run.at(group, Kind::FINISHED).iter().map(|event| event.message).collect();
        let received = run.at(group, Kind::RECEIVED);
        let done: BTreeSet<_> =
            received.iter().filter(|event| worked.contains(&event.message)).map(|event| event.parent).collect();
        let lost: Vec<_> = confirmed.difference(&done).collect();
        ensure!(lost.is_empty(), "{group}: {} of {} confirmed are lost: {lost:?}", lost.len(), confirmed.len());
        again.append(&mut repeated(run, group));
    }
    let end = run.recorded.end.as_ref().context("no End")?;
    let lags: Vec<_> = end.counts.iter().filter(|row| row.counted == Counted::READY).collect();
    ensure!(lags.len() == 12 && lags.iter().all(|row| row.count == 0), "{lags:?}");

    let mut reading = Reading::new(Framing::Stream);
    reading.push(&run.bytes)?;
    let figures = reading.figures().context("no figures")?.1;
    let verdict =
        verdict(figures.controls(), figures.traces()).context("no verdict on a run whose broker was killed")?;
    ensure!(verdict.disturbances.first().is_some_and(|one| one.control.kafka && one.until.is_some()), "{verdict:?}");
    let unfinished: u64 = verdict.disturbances.iter().map(|one| one.found.unfinished.count).sum();
    ensure!(unfinished == 0, "{unfinished} are told as not finished, and all are");
    let found = |one: &Disturbance| one.found.repeated.traces.clone();
    let named: BTreeSet<TraceId> = verdict.disturbances.iter().flat_map(found).collect();
    ensure!(named == again, "the verdict names {named:?}, and {again:?} were worked on again");
    Ok(format!("{} confirmed, 0 lost, {} worked on twice", confirmed.len(), again.len()))
}
