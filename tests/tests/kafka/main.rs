//! Topics: whole runs on a broker of Kafka's protocol, and what is recorded of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed; clippy knows #[test] functions only")]

mod address;
mod gone;
mod guarded;
mod members;
mod outside;
mod tampered;
mod transactions;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use hopscope_record::frame::Counted;
use hopscope_record::kind::{LagReport, Position};
use hopscope_record::{Event, Kind};
use hopscope_report::laws::Law;
use hopscope_scenario::plan::{Broker, RunSettings};
use hopscope_scenario::quantity::Time;
use hopscope_server::broker::Brokers;
use hopscope_tests::recording::Recorded;
use hopscope_tests::runs::{Finished, Started, has_kafka, scenario, start_with};
use serde_json::{Value, json};

/// Records of the greater runs.
const MANY: u64 = 100_000;

/// From one look at a recording to the next.
pub(crate) const LOOK: Duration = Duration::from_millis(500);

/// A client, a topic, and two services that read it: `billing` with three members, `audit` with one.
pub(crate) fn document(count: u64, rate: &str, partitions: u16) -> Value {
    let service = |id: &str, name: &str, replicas: u32| {
        json!({"id": id, "name": name, "kind": "service", "replicas": replicas, "workers": 8,
            "work": {"distribution": "constant", "mean": "20 us"}})
    };
    json!({"format": "hopscope-scenario", "version": 1, "name": "Activity",
        "nodes": [
            {"id": "n1", "name": "shop", "kind": "client",
                "load": {"kind": "constant", "rate": rate, "in_flight": 2000, "count": count},
                "payload": {"bytes": "64 B", "content": "json", "key": {"distribution": "uniform", "keys": 50}}},
            {"id": "n2", "name": "activity", "kind": "topic", "partitions": partitions},
            service("n3", "billing", 3), service("n4", "audit", 1)],
        "links": [
            {"id": "l1", "from": "n1", "to": "n2", "protocol": "kafka"},
            {"id": "l2", "from": "n2", "to": "n3", "protocol": "kafka", "in_flight": 64},
            {"id": "l3", "from": "n2", "to": "n4", "protocol": "kafka", "in_flight": 64}],
        "checks": []})
}

pub(crate) async fn ran(document: &Value, brokers: &Brokers, kafka: &str) -> Result<Finished> {
    start(document, brokers, kafka).await?.finish().await
}

async fn start(document: &Value, brokers: &Brokers, kafka: &str) -> Result<Started> {
    let settings = RunSettings {
        kafka: Broker::of_topics(kafka).context("no such broker")?,
        // Their counts end these loads; a machine with much else to do takes its time.
        duration: Some(Time(600_000_000_000)),
        ..RunSettings::default()
    };
    start_with(scenario(document)?, brokers, settings).await
}

/// The same with as many records as `HOPSCOPE_RECORDS` says, from users who each wait for the confirm. A probe calls `audit`, so that
/// there is load until the run is stopped: a run whose load is over waits for its readers for ten seconds and no longer.
pub(crate) fn many() -> Result<(Value, u64)> {
    let count = std::env::var("HOPSCOPE_RECORDS").map_or(Ok(MANY), |text| text.parse())?;
    let mut document = document(count, "1/s", 6);
    document["nodes"][0]["load"] = json!({"kind": "closed", "users": 500, "count": count,
        "think": {"distribution": "constant", "mean": "0 s"}});
    // Short, so that all of a partition has room in the built-in broker where readers are far behind.
    document["nodes"][0]["payload"]["bytes"] = "40 B".into();
    // Else each record is a request of its own.
    document["links"][0]["linger"] = "5 ms".into();
    let probe = json!({"id": "n5", "name": "probe", "kind": "client", "load": {"kind": "constant", "rate": "1/s"}});
    document["nodes"].as_array_mut().context("no nodes")?.push(probe);
    let call = json!({"id": "l4", "from": "n5", "to": "n4", "protocol": "http1"});
    document["links"].as_array_mut().context("no links")?.push(call);
    Ok((document, count))
}

/// A run of many, stopped when both groups have read them.
async fn ran_many(brokers: &Brokers, kafka: &str) -> Result<(Finished, u64)> {
    let (document, count) = many()?;
    let started = start(&document, brokers, kafka).await?;
    let read = |recorded: &Recorded| recorded.events.iter().filter(|event| event.kind == Kind::FETCHED).count() as u64;
    while read(&started.so_far()?) < 2 * count {
        tokio::time::sleep(LOOK).await;
    }
    started.run.stop();
    Ok((started.finish().await?, count))
}

/// Where each publish was confirmed.
pub(crate) fn positions(run: &Finished) -> Result<BTreeMap<u64, Position>> {
    let position = |event: &Event| Position::from_value(event.b).context("a confirm without a position");
    run.of(Kind::CONFIRMED).iter().map(|event| Ok((event.message.0, position(event)?))).collect()
}

/// That each group has every message once, that a key's are in one partition in their order, and that nothing is left.
pub(crate) fn is_whole(run: &Finished, count: u64) -> Result<()> {
    run.holds_the_laws()?;
    let positions = positions(run)?;
    ensure!(positions.len() as u64 == count, "{} of {count} confirmed", positions.len());
    let records: BTreeSet<u64> = run.of(Kind::FETCHED).iter().map(|event| event.message.0).collect();
    for group in ["billing", "audit"] {
        let received = run.at(group, Kind::RECEIVED).into_iter().filter(|event| records.contains(&event.message.0));
        let received: Vec<u64> = received.map(|event| event.parent.0).collect();
        let once: BTreeSet<u64> = received.iter().copied().collect();
        ensure!(received.len() as u64 == count && once.len() as u64 == count, "{group}: {} received", received.len());
        ensure!(once.iter().all(|message| positions.contains_key(message)), "{group} has what was never confirmed");
    }
    keys_keep_their_order(run, &positions)?;
    let ready = run.recorded.end.as_ref().context("no End")?.counts.iter().filter(|row| row.counted == Counted::READY);
    let ready: Vec<u64> = ready.map(|row| row.count).collect();
    ensure!(ready.iter().all(|lag| *lag == 0) && !ready.is_empty(), "lags at the end: {ready:?}");
    Ok(())
}

/// Messages of one key are in one partition, and lie there as they were published: one that was published when another had been
/// confirmed lies behind it.
fn keys_keep_their_order(run: &Finished, positions: &BTreeMap<u64, Position>) -> Result<()> {
    let mut of_key: BTreeMap<u32, Vec<(Position, i64, i64)>> = BTreeMap::new();
    let keys: BTreeMap<u64, u32> =
        run.recorded.messages.iter().filter_map(|row| Some((row.message, row.key?.0))).collect();
    let confirmed: BTreeMap<u64, i64> = run.of(Kind::CONFIRMED).iter().map(|at| (at.message.0, at.time)).collect();
    for published in run.of(Kind::PUBLISHED) {
        let message = published.message.0;
        let position = positions.get(&message).context("not confirmed")?;
        let key = *keys.get(&published.message.message()).context("a message without a key")?;
        of_key.entry(key).or_default().push((*position, published.time, confirmed[&message]));
    }
    ensure!(of_key.len() > 10, "{} keys", of_key.len());
    for (key, mut rows) in of_key {
        rows.sort_by_key(|(position, ..)| position.offset);
        ensure!(rows.iter().all(|(at, ..)| at.partition == rows[0].0.partition), "key {key} is in two partitions");
        // Behind each there is none that was confirmed before it was published.
        let mut least = i64::MAX;
        for (position, published, confirmed) in rows.iter().rev() {
            ensure!(*published <= least, "key {key}: {position:?} was published when one behind it was confirmed");
            least = least.min(*confirmed);
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_groups_read_a_topic_each_at_its_own_pace() -> Result<()> {
    let (run, count) = ran_many(&Brokers::default(), "built-in").await?;
    is_whole(&run, count)?;
    let broker = run.plan.kafka.as_ref().context("no broker of topics")?;
    assert_eq!((broker.product(), broker.prefix()), ("librdkafka mock", ""), "it is called what it is");
    let partitions: BTreeSet<u16> = positions(&run)?.values().map(|position| position.partition).collect();
    assert_eq!(partitions, (0..6).collect());
    // Before anything was sent, each partition had its member, and each member its share.
    let shared: Vec<Event> = run.at("activity", Kind::REBALANCE_ENDED);
    assert!(shared.iter().any(|event| event.a == 3), "the third member has some: {shared:?}");
    let lags = run.at("activity", Kind::LAG_REPORTED);
    assert!(lags.iter().any(|event| LagReport::from_value(event.a).lag() > 0), "it was behind at some time");
    let takes = run.laws.iter().find(|report| report.law == Law::TakeLowers).context("no law")?;
    assert!(takes.held > 2 * count, "{} steps", takes.held);
    Ok(())
}

/// The same on a real Kafka: what keeps the topics is no part of a scenario.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_runs_on_a_real_kafka() -> Result<()> {
    if !has_kafka("topics on a real Kafka") {
        return Ok(());
    }
    let brokers = Brokers::default();
    let runs = async {
        let (run, count) = ran_many(&brokers, "local").await?;
        is_whole(&run, count)?;
        let broker = run.plan.kafka.as_ref().context("no broker of topics")?;
        ensure!(broker.product() == "Kafka" && broker.version().starts_with("4."), "{broker:?}");
        let mut idempotent = document(200, "400/s", 3);
        idempotent["links"][0]["idempotence"] = "on".into();
        is_whole(&ran(&idempotent, &brokers, "local").await?, 200)
    };
    let ended = runs.await;
    brokers.stop().await;
    ended
}

#[tokio::test(flavor = "multi_thread")]
async fn each_record_goes_to_the_partition_whose_turn_it_is() -> Result<()> {
    let mut document = document(30, "200/s", 3);
    document["links"][0]["partitioner"] = "round-robin".into();
    document["links"][0]["acks"] = "leader".into();
    document["links"][0]["compression"] = "lz4".into();
    document["links"][0]["linger"] = "2 ms".into();
    document["links"][1]["commit"] = "automatic".into();
    let run = ran(&document, &Brokers::default(), "built-in").await?;
    run.holds_the_laws()?;
    let mut counts = BTreeMap::<u16, u64>::new();
    positions(&run)?.values().for_each(|position| *counts.entry(position.partition).or_default() += 1);
    assert_eq!(counts, BTreeMap::from([(0, 10), (1, 10), (2, 10)]));
    assert_eq!(run.at("billing", Kind::RECEIVED).len(), 30);
    Ok(())
}
