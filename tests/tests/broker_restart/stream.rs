//! A RabbitMQ that is killed while two services read a stream of it: both go on where they were, and what was confirmed is there.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use hopscope_record::{Event, Kind};
use hopscope_report::laws::Law;
use hopscope_scenario::quantity::Time;
use hopscope_server::broker::Brokers;
use hopscope_tests::runs::{Finished, has_rabbitmq, scenario, start};
use serde_json::{Value, json};

use crate::{durable, kill, until};

/// The scenario of a durable queue, with a stream in its place that another service reads too.
fn streamed() -> Result<Value> {
    let mut streamed = durable();
    let queue = streamed.pointer_mut("/nodes/1").context("no queue")?;
    queue["durability"] = json!("stream");
    let nodes = streamed["nodes"].as_array_mut().context("no nodes")?;
    nodes.push(json!({"id": "n4", "kind": "service", "name": "audit", "workers": 4,
        "work": {"distribution": "constant", "mean": "1 ms"}}));
    let links = streamed["links"].as_array_mut().context("no links")?;
    links.push(json!({"id": "l3", "from": "n2", "to": "n4", "protocol": "amqp"}));
    Ok(streamed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_read_on_when_its_rabbitmq_was_killed_and_started_again() -> Result<()> {
    if !has_rabbitmq("a RabbitMQ that is killed while a stream is read") {
        return Ok(());
    }
    let brokers = Brokers::default();
    let started = start(scenario(&streamed()?)?, &brokers, "local", 600).await?;
    until(&started, Kind::FETCHED, 0, 200).await?;
    started.run.control(&kill(Some(Time(1_000_000_000)))).await?;
    let down = started.run.clock().now().context("it has not begun")?;
    until(&started, Kind::CONNECTED, down, 3).await?;
    let back = started.run.clock().now().context("it has not begun")?;
    until(&started, Kind::FETCHED, back, 400).await?;
    started.run.stop();
    let run = started.finish().await;
    brokers.stop().await;
    let run = run?;
    run.holds_the_laws()?;
    let judged = run.laws.iter().filter(|report| [Law::TakeLowers, Law::Conservation].contains(&report.law));
    ensure!(
        judged.clone().count() == 2 && judged.clone().all(|report| report.held > 0),
        "{:?}",
        judged.collect::<Vec<_>>()
    );
    let confirmed = run.of(Kind::CONFIRMED);
    for service in ["shop", "audit"] {
        let read = run.at(service, Kind::RECEIVED);
        let messages: BTreeSet<_> = read.iter().map(|event| event.parent).collect();
        let lost: Vec<_> = confirmed.iter().filter(|event| !messages.contains(&event.message)).collect();
        ensure!(lost.is_empty(), "{service} has not read {} of {} confirmed: {lost:?}", lost.len(), confirmed.len());
    }
    goes_on(&run, down)
}

/// After the kill each reader goes on at a record that it has read or at the next, and reads no further back than what it had in hand.
fn goes_on(run: &Finished, down: i64) -> Result<()> {
    let mut reads: BTreeMap<_, Vec<Event>> = BTreeMap::new();
    for event in run.of(Kind::FETCHED) {
        reads.entry(event.link).or_default().push(event);
    }
    ensure!(reads.len() == 2, "{} links read", reads.len());
    for (link, reads) in reads {
        let (before, after): (Vec<_>, Vec<_>) = reads.into_iter().partition(|event| event.time < down);
        let last = before.iter().map(|event| event.a).max().context("nothing was read before")?;
        let first = after.iter().map(|event| event.a).min().context("nothing was read after")?;
        // The queue's prefetch is 16, and what it has not settled is all that a reader may have in hand.
        ensure!(first <= last + 1 && first + 16 > last, "{link:?} goes on at {first} after {last}");
    }
    Ok(())
}
