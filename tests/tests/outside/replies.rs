//! A worker in Python beside the run's own consumers of a queue, or in place of any: its replies come to the client as theirs do, on the
//! built-in broker and on RabbitMQ.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use hopscope_record::kind::Admission;
use hopscope_record::{Event, Kind, LinkIndex, MessageId};
use hopscope_server::broker::Brokers;
use hopscope_tests::runs::{Finished, has_rabbitmq};
use serde_json::{Value, json};

use crate::example::Example;
use crate::exchanges::{named, until_stopped};

/// How many calls the worker has to have answered.
const ANSWERED: usize = 10;
/// The bytes of a call.
const BYTES: usize = 64;
/// The bytes that the worker puts before what it was asked.
const BEFORE: usize = "worked on ".len();

/// A client that awaits replies, and a service that takes from the same queue as the worker does.
fn document() -> Value {
    let work = json!({"distribution": "constant", "mean": "1 ms"});
    json!({"format": "hopscope-scenario", "version": 1, "name": "answered", "checks": [], "nodes": [
        {"id": "n1", "name": "buyers", "kind": "client", "payload": {"bytes": format!("{BYTES} B"), "content": "text"},
         "load": {"kind": "constant", "rate": "50/s", "in_flight": 100}},
        {"id": "n2", "name": "orders", "kind": "queue"},
        {"id": "n3", "name": "shop", "kind": "service", "work": work},
        {"id": "n4", "name": "answers", "kind": "queue"}],
        "links": [
            {"id": "l1", "from": "n1", "to": "n2", "protocol": "amqp", "replies": "n4"},
            {"id": "l2", "from": "n2", "to": "n3", "protocol": "amqp"}]})
}

async fn at(brokers: &Brokers, broker: &str) -> Result<()> {
    let (started, address, prefix) = until_stopped(&document(), brokers, broker).await?;
    let arguments = ["--address", &address, "--queue", &format!("{prefix}orders")];
    let (mut worker, _) = Example::start("python-worker", &arguments).await?;
    let mut told = worker.tells(ANSWERED).await?;
    told.extend(worker.end().await?);
    started.run.stop();
    let run = started.finish().await?;
    run.holds_the_laws()?;
    answered(&run, &told, &format!("{prefix}answers"))?;
    if broker == "built-in" { stamped(&run, &told) } else { Ok(()) }
}

/// The events of a kind over the link that calls, by the call.
fn calls(run: &Finished, kind: Kind) -> BTreeMap<MessageId, Event> {
    let over = run.of(kind).into_iter().filter(|event| event.link == LinkIndex(0));
    over.map(|event| (event.message, event)).collect()
}

/// Every call has its reply, in its trace: those that the worker told of have the worker's, the others the service's.
fn answered(run: &Finished, told: &[Value], answers: &str) -> Result<()> {
    let (published, completed) = (calls(run, Kind::PUBLISHED), calls(run, Kind::COMPLETED));
    ensure!(published.keys().eq(completed.keys()), "{} of {} have a reply", completed.len(), published.len());
    let mut by_worker = BTreeMap::new();
    for one in told {
        ensure!(one["bytes"] == BYTES && one["replied"] == answers, "{one}");
        let message = named(one).filter(|message| published.contains_key(message)).context("it took no call")?;
        ensure!(by_worker.insert(message, one).is_none(), "{one} was answered twice");
    }
    let received = run.at("buyers", Kind::RECEIVED);
    ensure!(received.len() == published.len(), "{} replies to {} calls", received.len(), published.len());
    for (message, call) in &published {
        // A service's reply through a queue has no body.
        let bytes = if by_worker.contains_key(message) { BYTES + BEFORE } else { 0 };
        let reply = received.iter().find(|event| event.trace == call.trace).context("no reply is in its trace")?;
        ensure!((reply.a, reply.b) == (Admission::Taken as u64, bytes as u64), "{reply:?}");
        ensure!(completed.get(message).is_some_and(|event| event.b == bytes as u64), "{:?}", completed.get(message));
    }
    let worked = run.at("shop", Kind::RECEIVED);
    ensure!(worked.len() + told.len() == published.len(), "{} and {}", worked.len(), told.len());
    ensure!(worked.iter().all(|event| !by_worker.contains_key(&event.parent)), "some were worked on twice");
    Ok(())
}

/// Where the broker stamps its queues, the worker is seen to take, to settle, and to put its reply as a child of the call.
fn stamped(run: &Finished, told: &[Value]) -> Result<()> {
    let at = |node: &str, kind| {
        let outside = run.at(node, kind).into_iter().filter(|event| event.link == LinkIndex::NONE);
        outside.collect::<Vec<_>>()
    };
    let (delivered, acked) = (at("orders", Kind::DELIVERED), at("orders", Kind::ACKED));
    // What its client had fetched beyond that when it was ended went back.
    let back = at("orders", Kind::REQUEUED).len();
    ensure!((delivered.len(), acked.len()) == (told.len() + back, told.len()), "{}, {back} back", delivered.len());
    let replies = at("answers", Kind::ENQUEUED);
    ensure!(replies.len() == told.len(), "{} replies", replies.len());
    let received = run.at("buyers", Kind::RECEIVED);
    for one in told {
        let call = named(one).context("no message")?;
        let reply = replies.iter().find(|event| event.parent == call).context("nothing is its reply")?;
        let taken = delivered.iter().filter(|event| event.parent == call);
        let settled = |taken: &Event| acked.iter().find(|event| event.message == taken.message);
        let (taken, settled) =
            taken.filter_map(|taken| Some((taken, settled(taken)?))).next().context("it was not settled")?;
        let came = received.iter().find(|event| event.parent == reply.message).context("the reply did not come")?;
        let times = [taken.time, reply.time, settled.time];
        ensure!(times.is_sorted() && reply.time < came.time && came.trace == reply.trace, "{one}");
        ensure!(taken.trace == reply.trace && settled.trace == reply.trace, "{one}");
    }
    Ok(())
}

/// Where no service takes from the queue, every call is the worker's.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_in_python_may_be_the_only_one_that_replies() -> Result<()> {
    let mut alone = document();
    alone["nodes"].as_array_mut().context("no nodes")?.remove(2);
    alone["links"].as_array_mut().context("no links")?.remove(1);
    let brokers = Brokers::default();
    let (started, address, prefix) = until_stopped(&alone, &brokers, "built-in").await?;
    let arguments = ["--address", &address, "--queue", &format!("{prefix}orders")];
    let (mut worker, _) = Example::start("python-worker", &arguments).await?;
    let mut told = worker.tells(ANSWERED).await?;
    started.run.stop();
    let run = started.finish().await?;
    told.extend(worker.loses_its_broker().await?);
    run.holds_the_laws()?;
    answered(&run, &told, &format!("{prefix}answers"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_in_python_replies_through_the_built_in_broker() -> Result<()> {
    at(&Brokers::default(), "built-in").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_in_python_replies_through_a_rabbitmq() -> Result<()> {
    if !has_rabbitmq("a worker in Python replies through a real RabbitMQ") {
        return Ok(());
    }
    let brokers = Brokers::default();
    let shown = at(&brokers, "local").await;
    brokers.local().stop().await;
    shown
}
