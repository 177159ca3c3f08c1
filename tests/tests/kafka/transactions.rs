//! Reading in transactions: what a member takes and what it publishes for it stand together or not at all.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use hopscope_record::kind::Position;
use hopscope_record::{Event, Kind};
use hopscope_report::laws::Law;
use hopscope_report::traces::TraceRow;
use hopscope_scenario::catalogue::{Language, plain};
use hopscope_server::broker::Brokers;
use hopscope_tests::command::hopscope;
use hopscope_tests::recording::{Recorded, recording_in};
use hopscope_tests::runs::{Finished, has_kafka};
use serde_json::{Value, json};

use crate::{positions, ran};

/// Records of a run: for three seconds.
const COUNT: u64 = 900;

/// Orders that `billing` turns into receipts, which `audit` reads. Work takes so long that `billing` always has a transaction open.
fn document(commit: &str, disturbance: &Value) -> Value {
    let topic = |id: &str, name: &str| json!({"id": id, "name": name, "kind": "topic", "partitions": 3});
    json!({"format": "hopscope-scenario", "version": 1, "name": "Receipts",
        "nodes": [
            {"id": "n1", "name": "shop", "kind": "client",
                "load": {"kind": "constant", "rate": "300/s", "in_flight": 2000, "count": COUNT},
                "payload": {"bytes": "64 B", "content": "json", "key": {"distribution": "uniform", "keys": 50}}},
            topic("n2", "orders"),
            {"id": "n3", "name": "billing", "kind": "service", "replicas": 2, "workers": 32,
                "work": {"distribution": "constant", "mean": "20 ms"}},
            topic("n4", "receipts"),
            {"id": "n5", "name": "audit", "kind": "service", "workers": 8,
                "work": {"distribution": "constant", "mean": "20 us"}}],
        "links": [
            {"id": "l1", "from": "n1", "to": "n2", "protocol": "kafka"},
            {"id": "l2", "from": "n2", "to": "n3", "protocol": "kafka", "commit": commit, "in_flight": 40},
            {"id": "l3", "from": "n3", "to": "n4", "protocol": "kafka"},
            {"id": "l4", "from": "n4", "to": "n5", "protocol": "kafka", "in_flight": 64}],
        "disturbances": [disturbance],
        "checks": []})
}

fn crash() -> Value {
    // Late enough that it is at work whatever else the machine does.
    json!({"at": "2 s", "do": "crash", "on": "billing", "for": "500 ms"})
}

/// How often `billing` took each order.
fn taken(run: &Finished) -> BTreeMap<u64, u64> {
    let mut times = BTreeMap::new();
    for event in run.at("billing", Kind::RECEIVED) {
        *times.entry(event.parent.0).or_default() += 1;
    }
    times
}

/// The receipts of each order that `audit` has read: how often it read one is its own affair, for it reads as usual.
fn receipts(run: &Finished) -> BTreeMap<u64, BTreeSet<u64>> {
    let mut read = BTreeMap::<_, BTreeSet<_>>::new();
    for event in run.at("audit", Kind::RECEIVED) {
        read.entry(event.trace.0).or_default().insert(event.parent.0);
    }
    read
}

/// Each order was billed once, as far as who reads the receipts can tell, though work on some was done twice.
fn each_has_one_receipt(run: &Finished) -> Result<()> {
    run.holds_the_laws()?;
    ensure!(taken(run).values().any(|times| *times > 1), "nothing was taken again: the run shows nothing");
    let read = receipts(run);
    let odd: Vec<_> = read.iter().filter(|(_, receipts)| receipts.len() != 1).collect();
    ensure!(odd.is_empty() && read.len() as u64 == COUNT, "{} of {COUNT}, and {odd:?}", read.len());
    let written = run.at("billing", Kind::PUBLISHED).len() as u64;
    ensure!(written > COUNT, "{written} receipts were written: none was given up");
    ensure!(!run.at("billing", Kind::TRANSACTION_COMMITTED).is_empty(), "no transaction was committed");
    // No trace waits for a receipt that nobody will read.
    let unfinished = run.recorded.stats()?.traces().count(TraceRow::is_unfinished);
    ensure!(unfinished == 0, "{unfinished} traces are told as unfinished");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_in_a_transaction_leaves_one_receipt_for_each_order() -> Result<()> {
    if !has_kafka("transactions") {
        return Ok(());
    }
    let brokers = Brokers::default();
    let (exactly, at_least) = (document("transaction", &crash()), document("after-work", &crash()));
    let (exactly, at_least) = tokio::join!(ran(&exactly, &brokers, "local"), ran(&at_least, &brokers, "local"));
    brokers.stop().await;
    let (exactly, at_least) = (exactly?, at_least?);
    each_has_one_receipt(&exactly)?;
    // Else some have two.
    at_least.holds_the_laws()?;
    ensure!(receipts(&at_least).values().any(|receipts| receipts.len() > 1), "a crash shows no difference");
    Ok(())
}

/// Of a run in which nobody crashes it is known how each transaction ended.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_passed_over_has_its_reason() -> Result<()> {
    if !has_kafka("transactions that all end") {
        return Ok(());
    }
    let mut document = document("transaction", &Value::Null);
    document["disturbances"] = json!([]);
    let brokers = Brokers::default();
    let run = ran(&document, &brokers, "local").await;
    brokers.stop().await;
    let run = run?;
    run.holds_the_laws()?;
    each_alteration_turns_its_laws_red(&run)
}

/// The same where what crashes is a process, which is killed.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_in_a_transaction_leaves_one_receipt_for_each_order() -> Result<()> {
    if !has_kafka("transactions of processes") {
        return Ok(());
    }
    let data = tempfile::tempdir()?;
    let file = data.path().join("receipts.json");
    std::fs::write(&file, document("transaction", &crash()).to_string())?;
    let (file, folder) = (file.to_string_lossy(), data.path().to_string_lossy());
    let ended = hopscope([
        "run",
        &file,
        "--kafka",
        "local",
        "--placement",
        "processes",
        "--duration",
        "60 s",
        "--data",
        &folder,
    ])
    .await?;
    ensure!(ended.code == 0, "exit {}: {}{}", ended.code, ended.stdout, ended.stderr);
    each_has_one_receipt(&Finished::read(&std::fs::read(recording_in(data.path())?)?)?)
}

/// What is published while the broker is away for longer than a transaction may last has its transaction given up.
#[tokio::test(flavor = "multi_thread")]
async fn a_publish_that_fails_has_its_transaction_given_up() -> Result<()> {
    if !has_kafka("transactions that are given up") {
        return Ok(());
    }
    let mut document = document("transaction", &json!({"at": "1 s", "do": "kill", "on": "kafka", "for": "11 s"}));
    // There is always something at work, and load until the broker is back.
    document["nodes"][0]["load"]["rate"] = "30/s".into();
    document["nodes"][2]["work"]["mean"] = "200 ms".into();
    let brokers = Brokers::default();
    let run = ran(&document, &brokers, "local").await;
    brokers.stop().await;
    let run = run?;
    ensure!(!run.at("billing", Kind::TRANSACTION_ABORTED).is_empty(), "no transaction was given up");
    each_has_one_receipt(&run)
}

/// librdkafka's mock has no transactions that readers heed: a run there says so before it begins.
#[test]
fn the_built_in_broker_is_refused() -> Result<()> {
    let request = json!({"scenario": document("transaction", &crash()), "duration": "5 s"});
    let issues = hopscope_scenario::validate::request_issues(&request.to_string());
    let found: Vec<_> = issues.iter().map(|issue| (issue.code.name(), issue.path.as_str())).collect();
    ensure!(found == [("transaction-not-here", "/scenario/links/1/commit")], "{found:?}");
    Ok(())
}

/// Alters the events; gives whether it could.
type Tamper = fn(&mut Recorded, &Marks) -> Option<()>;

/// What of a run is altered.
struct Marks {
    /// Where receipts begin: places of their group, by partition.
    receipts: Vec<u32>,
    /// Publishes of `billing` that were read.
    read: Vec<u64>,
}

fn is_fetched(event: &Event, marks: &Marks) -> bool {
    event.kind == Kind::FETCHED && marks.receipts.contains(&event.place.0)
}

/// A receipt was not read that stands.
fn one_is_not_read(run: &mut Recorded, marks: &Marks) -> Option<()> {
    let at = (0..run.events.len()).filter(|at| is_fetched(&run.events[*at], marks)).nth(20)?;
    run.events.remove(at);
    Some(())
}

/// One offset more than transactions ended is passed over.
fn an_offset_is_left_out(run: &mut Recorded, marks: &Marks) -> Option<()> {
    // What the broker says of the group is as it was.
    run.events.retain(|event| event.kind != Kind::LAG_REPORTED);
    let ends = run.events.iter().filter(|event| event.kind == Kind::TRANSACTION_COMMITTED).count() as u64 + COUNT;
    let at = (0..run.events.len()).filter(|at| is_fetched(&run.events[*at], marks)).nth(20)?;
    let (place, from) = (run.events[at].place, run.events[at].a);
    let partition = u16::try_from(marks.receipts.iter().position(|receipts| *receipts == place.0)?).ok()?;
    let moved = |value: u64| {
        Position::from_value(value)
            .filter(|position| position.partition == partition && position.offset >= from)
            .map(|position| Position { offset: position.offset + ends, ..position }.to_value())
    };
    for event in &mut run.events {
        if is_fetched(event, marks) && event.place == place && event.a >= from {
            event.a += ends;
        } else if event.kind == Kind::CONFIRMED && marks.read.contains(&event.message.0) {
            event.b = moved(event.b).unwrap_or(event.b);
        }
    }
    Some(())
}

fn each_alteration_turns_its_laws_red(run: &Finished) -> Result<()> {
    let topic = run.plan.nodes.iter().position(|node| node.name == "receipts").context("no receipts")?;
    let topic = run.plan.topic_at(u32::try_from(topic)?).context("no topic")?;
    let receipts = (0..topic.partitions).map(|partition| topic.groups[0].place(partition)).collect();
    let all = positions(run)?;
    let read =
        run.at("audit", Kind::RECEIVED).into_iter().map(|event| event.parent.0).filter(|read| all.contains_key(read));
    let marks = Marks { receipts, read: read.collect() };
    let table: [(&str, Tamper, Law, &str); 2] = [
        ("a receipt that stands was not read", one_is_not_read, Law::TakeLowers, "not given up"),
        ("an offset was left out", an_offset_is_left_out, Law::TakeLowers, "that no record has"),
    ];
    for (what, tamper, law, words) in table {
        let mut altered = run.recorded.clone();
        tamper(&mut altered, &marks).with_context(|| format!("{what}: there is none"))?;
        let judged = altered.judged()?;
        let red = judged.iter().find(|report| report.law == law && report.broken > 0);
        let breaches = red.with_context(|| format!("{what}: nothing is broken"))?.breaches.iter();
        let told: Vec<_> = breaches.map(|breach| plain(Language::English, breach.text, &breach.args)).collect();
        ensure!(told.iter().any(|text| text.contains(words)), "{what}: {told:?}");
        ensure!(told.iter().all(|text| !text.contains(['{', '}'])), "{what}: {told:?}");
    }
    Ok(())
}
