//! A broker that is killed in the middle of a run and started again: the run goes on, nothing that was confirmed is lost, and what
//! was repeated is named. Here a RabbitMQ, its streams and a Kafka beside it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed; clippy knows #[test] functions only")]

mod kafka;
mod stream;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use hopscope_record::kind::{ControlAction, DisconnectReason};
use hopscope_record::{Kind, MessageId, TraceId};
use hopscope_report::laws::Law;
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::disturb::{Action, BROKER};
use hopscope_scenario::model::Disturbance;
use hopscope_scenario::quantity::Time;
use hopscope_scenario::validate::validate_request;
use hopscope_server::broker::Brokers;
use hopscope_server::run::ControlError;
use hopscope_tests::runs::{Finished, Started, has_rabbitmq, scenario, start};
use serde_json::{Value, json};

/// How long anything here may take: a broker on a busy machine needs most of it to start.
const LIMIT: Duration = Duration::from_secs(150);

/// Waits until so many events of a kind are recorded that are later than `after`, in ns of the run.
async fn until(started: &Started, kind: Kind, after: i64, count: usize) -> Result<()> {
    let since = Instant::now();
    loop {
        let recorded = started.so_far()?;
        let found = recorded.events.iter().filter(|event| event.kind == kind && event.time > after).count();
        if found >= count {
            return Ok(());
        }
        ensure!(since.elapsed() < LIMIT, "{found} of {count} events {kind:?} after {after}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn durable() -> Value {
    json!({
        "format": "hopscope-scenario", "version": 1, "name": "durable",
        "nodes": [
            {"id": "n1", "kind": "client", "name": "buyers", "load": {"kind": "constant", "rate": "100/s", "in_flight": 10_000}},
            {"id": "n2", "kind": "queue", "name": "orders", "durability": "durable", "prefetch": 16},
            {"id": "n3", "kind": "service", "name": "shop", "workers": 16, "work": {"distribution": "constant", "mean": "60 ms"}},
        ],
        "links": [
            {"id": "l1", "from": "n1", "to": "n2", "protocol": "amqp",
             "retry": {"policy": "fixed-delay", "attempts": 200, "delay": "500 ms"}},
            {"id": "l2", "from": "n2", "to": "n3", "protocol": "amqp"},
        ],
    })
}

fn disturbance(action: Action, on: &str, lasts: Option<Time>) -> Disturbance {
    Disturbance { action, at: Time(0), on: on.to_owned(), rate: None, by: None, to: None, lasts }
}

fn kill(lasts: Option<Time>) -> Disturbance {
    disturbance(Action::Kill, BROKER, lasts)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_hopscope_did_not_start_is_not_killed() -> Result<()> {
    let started = start(scenario(&durable())?, &Brokers::default(), "built-in", 600).await?;
    let refused = started.run.control(&kill(None)).await;
    ensure!(matches!(refused, Err(ControlError::NotLocal)), "{refused:?}");
    started.run.stop();
    started.finish().await?.holds_the_laws()?;
    let mut scheduled = durable();
    scheduled["disturbances"] = json!([{"do": "kill", "at": "1 s", "on": "broker", "for": "3 s"}]);
    for (broker, expected) in [("built-in", 1), ("amqp://broker.lab", 1), ("local", 0)] {
        let request = json!({"scenario": scheduled, "broker": broker}).to_string();
        let issues = validate_request(&request).err().unwrap_or_default();
        let found: Vec<_> = issues.iter().map(|issue| (issue.code.name(), issue.path.as_str())).collect();
        ensure!(found == [("broker-not-local", "/scenario/disturbances/0/on")][..expected], "{broker}: {found:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_durable_run_goes_on_when_its_rabbitmq_was_killed_and_started_again() -> Result<()> {
    if !has_rabbitmq("a RabbitMQ that is killed and started again") {
        return Ok(());
    }
    let brokers = Brokers::default();
    let started = start(scenario(&durable())?, &brokers, "local", 600).await?;
    until(&started, Kind::ACKED, 0, 100).await?;
    let killed = started.run.clock().now().context("it has not begun")?;
    started.run.control(&kill(Some(Time(1_000_000_000)))).await?;
    let down = started.run.clock().now().context("it has not begun")?;
    until(&started, Kind::CONNECTED, down, 2).await?;
    let back = started.run.clock().now().context("it has not begun")?;
    until(&started, Kind::ACKED, back, 200).await?;
    started.run.stop();
    let run = started.finish().await;
    brokers.local().stop().await;
    let run = run?;
    went_on(&run, killed, back)?;
    let told = lost_and_repeated(&run)?;
    let away = Duration::from_nanos((back - killed).unsigned_abs());
    std::io::stdout().write_all(format!("{told}; it was away for {away:.1?}\n").as_bytes())?;
    Ok(())
}

/// Both ends lost their connections when it was killed, and had others when it was back; no law is broken.
fn went_on(run: &Finished, killed: i64, back: i64) -> Result<()> {
    let broke = run.of(Kind::DISCONNECTED).into_iter().filter(|event| event.a == DisconnectReason::Broken as u64);
    let broke: Vec<_> = broke.collect();
    ensure!(broke.len() == 2 && broke.iter().all(|event| event.time > killed), "{broke:?}");
    let controls: Vec<_> = run.of(Kind::CONTROL).iter().map(|event| event.a).collect();
    ensure!(controls == [ControlAction::BrokerKilled as u64, ControlAction::BrokerStarted as u64], "{controls:?}");
    let connected: Vec<_> = run.of(Kind::CONNECTED).into_iter().filter(|event| event.time > killed).collect();
    let ends: BTreeSet<_> = connected.iter().map(|event| (event.place, event.link)).collect();
    ensure!(ends == broke.iter().map(|event| (event.place, event.link)).collect(), "{connected:?}");
    let confirmed = run.of(Kind::CONFIRMED);
    ensure!(confirmed.iter().any(|event| event.time < killed) && confirmed.iter().any(|event| event.time > back));
    run.holds_the_laws()?;
    for law in [Law::TakeLowers, Law::Conservation] {
        let report = run.laws.iter().find(|report| report.law == law).context("no such law")?;
        let reason = Key::find("law.not-applicable.broker-restarted");
        ensure!(law == Law::Conservation || report.not_applicable == reason, "{report:?}");
    }
    Ok(())
}

/// Every message that the broker confirmed was worked on, and settled; those worked on twice are told.
fn lost_and_repeated(run: &Finished) -> Result<String> {
    let (acked, received) = (run.of(Kind::ACKED), run.of(Kind::RECEIVED));
    let publish: BTreeMap<MessageId, MessageId> = received.iter().map(|event| (event.message, event.parent)).collect();
    let done: BTreeSet<_> = acked.iter().filter_map(|event| publish.get(&event.message)).collect();
    let confirmed = run.of(Kind::CONFIRMED);
    let lost: Vec<_> = confirmed.iter().filter(|event| !done.contains(&event.message)).collect();
    ensure!(lost.is_empty(), "{} of {} confirmed messages are lost: {lost:?}", lost.len(), confirmed.len());
    let mut works: BTreeMap<TraceId, u32> = BTreeMap::new();
    for started in run.of(Kind::STARTED) {
        *works.entry(started.trace).or_default() += 1;
    }
    let twice: Vec<_> = works.iter().filter(|(_, works)| **works > 1).map(|(trace, _)| *trace).collect();
    let redelivered = run.of(Kind::REDELIVERED);
    // Sixteen are worked on at any time: what was, when it was killed, is handed out again.
    ensure!(!twice.is_empty(), "nothing was repeated");
    let traces: Vec<_> = twice.iter().map(|trace| format!("{:016x}", trace.0)).collect();
    Ok(format!(
        "{} confirmed, 0 lost, {} redelivered by the broker's word, {} traces worked on twice: {}",
        confirmed.len(),
        redelivered.len(),
        twice.len(),
        traces.join(" ")
    ))
}
