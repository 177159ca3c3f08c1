//! Streams of a RabbitMQ: what is published stays there, and each service reads all of it at its own pace.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use hopscope_record::Kind;
use hopscope_report::laws::Law;
use hopscope_report::traces::TraceRow;
use hopscope_scenario::catalogue::{Language, plain};
use hopscope_scenario::validate::request_issues;
use hopscope_server::broker::Brokers;
use hopscope_tests::recording::Recorded;
use hopscope_tests::runs::{Finished, finish, has_rabbitmq};
use serde_json::{Value, json};

/// Messages of a run: for two seconds.
const COUNT: u64 = 400;

/// A client that publishes to a stream, by itself or through an exchange, and two services that read it.
fn document(exchange: bool) -> Value {
    let service = |id: &str, name: &str, work: &str| {
        json!({"id": id, "name": name, "kind": "service", "workers": 4,
            "work": {"distribution": "constant", "mean": work}})
    };
    let link = |id: &str, from: &str, to: &str| json!({"id": id, "from": from, "to": to, "protocol": "amqp"});
    let mut nodes = vec![
        json!({"id": "n1", "name": "shop", "kind": "client",
            "load": {"kind": "constant", "rate": "200/s", "in_flight": 500, "count": COUNT}}),
        json!({"id": "n2", "name": "orders", "kind": "queue", "durability": "stream", "prefetch": 20}),
        service("n3", "billing", "10 ms"),
        service("n4", "audit", "1 ms"),
    ];
    let mut links = vec![link("l2", "n2", "n3"), link("l3", "n2", "n4")];
    if exchange {
        nodes.push(json!({"id": "n5", "name": "events", "kind": "exchange", "type": "fanout"}));
        links.extend([link("l1", "n1", "n5"), link("l4", "n5", "n2")]);
    } else {
        links.push(link("l1", "n1", "n2"));
    }
    json!({"format": "hopscope-scenario", "version": 1, "name": "Streamed", "nodes": nodes, "links": links, "checks": []})
}

/// How often a service read each message.
fn read(run: &Finished, service: &str) -> BTreeMap<u64, u64> {
    let mut times = BTreeMap::new();
    for event in run.at(service, Kind::RECEIVED) {
        *times.entry(event.parent.0).or_default() += 1;
    }
    times
}

/// Each has read all, and nothing is told as lost.
fn each_has_all(run: &Finished) -> Result<()> {
    run.holds_the_laws()?;
    for service in ["billing", "audit"] {
        let read = read(run, service);
        ensure!(read.len() as u64 == COUNT, "{service} has read {} of {COUNT}", read.len());
    }
    let unfinished = run.recorded.stats()?.traces().count(TraceRow::is_unfinished);
    ensure!(unfinished == 0, "{unfinished} traces are told as unfinished");
    let queues = run.recorded.queues()?;
    let orders = queues.iter().find(|queue| queue.name == "orders").context("no stream")?;
    ensure!(orders.log && orders.checked() >= 2 * COUNT, "{orders:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_service_reads_all_of_a_stream() -> Result<()> {
    if !has_rabbitmq("streams") {
        return Ok(());
    }
    let brokers = Brokers::default();
    let mut crashed = document(false);
    crashed["disturbances"] = json!([{"at": "1 s", "do": "crash", "on": "billing", "for": "300 ms"}]);
    let (plain, routed) = (document(false), document(true));
    let runs = async {
        Ok::<_, anyhow::Error>([
            finish(&plain, &brokers, "local").await?,
            finish(&routed, &brokers, "local").await?,
            finish(&crashed, &brokers, "local").await?,
        ])
    };
    let runs = runs.await;
    brokers.stop().await;
    let [plain, routed, crashed] = runs?;
    for run in [&plain, &routed] {
        each_has_all(run)?;
        ensure!(
            ["billing", "audit"].iter().all(|service| read(run, service).values().all(|times| *times == 1)),
            "twice"
        );
    }
    // One that is started again knows nothing of how far it was.
    each_has_all(&crashed)?;
    ensure!(read(&crashed, "billing").values().any(|times| *times > 1), "nothing was read again");
    ensure!(read(&crashed, "audit").values().all(|times| *times == 1), "the crash of one is another's");
    alterations_are_found(&plain)
}

/// A reader leaves one out; or it has not come to one, though it read to the end.
fn alterations_are_found(run: &Finished) -> Result<()> {
    let fetched = |run: &Recorded, nth: usize| {
        run.events.iter().enumerate().filter(|(_, event)| event.kind == Kind::FETCHED).map(|(at, _)| at).nth(nth)
    };
    let told = |altered: &Recorded, law: Law| -> Result<String> {
        let judged = altered.judged()?;
        let red = judged.iter().find(|report| report.law == law && report.broken > 0).context("nothing is broken")?;
        let words = red.breaches.iter().map(|breach| plain(Language::English, breach.text, &breach.args));
        Ok(words.collect::<Vec<_>>().join(" "))
    };
    let mut altered = run.recorded.clone();
    altered.events.remove(fetched(&altered, 20).context("none was read")?);
    let words = told(&altered, Law::TakeLowers)?;
    ensure!(words.contains("was due") && !words.contains('{'), "{words}");

    let mut altered = run.recorded.clone();
    let message = altered.events[fetched(&altered, 20).context("none was read")?].message;
    let at = altered.events.iter().position(|event| event.kind == Kind::RECEIVED && event.message == message);
    altered.events.remove(at.context("it was not received")?);
    let words = told(&altered, Law::Conservation)?;
    ensure!(words.contains("has not read a message") && !words.contains('{'), "{words}");
    Ok(())
}

#[test]
fn the_built_in_broker_has_no_streams() -> Result<()> {
    let request = json!({"scenario": document(false), "duration": "5 s"});
    let issues = request_issues(&request.to_string());
    let found: Vec<_> = issues.iter().map(|issue| (issue.code.name(), issue.path.as_str())).collect();
    ensure!(found == [("stream-not-here", "/scenario/nodes/1/durability")], "{found:?}");
    Ok(())
}
