//! Programs in Python and in Node at the topics of runs, on each broker that keeps them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use hopscope_record::kind::Position;
use hopscope_record::{Event, Kind, LinkIndex};
use hopscope_scenario::plan::Plan;
use hopscope_server::broker::Brokers;
use hopscope_tests::recording::Recorded;
use hopscope_tests::runs::has_kafka;
use hopscope_tests::server::Server;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::example::{Example, has_node};
use crate::{FOREIGN, ask, python, recorded};

/// The key of records from Node, which some of the run's own have too.
const KEY: &str = "k3";

fn scenario() -> Value {
    json!({
        "format": "hopscope-scenario", "version": 1, "name": "kept", "checks": [],
        "nodes": [
            {"id": "n1", "name": "buyers", "kind": "client",
             "payload": {"bytes": "64 B", "key": {"distribution": "uniform", "keys": 4}},
             "load": {"kind": "constant", "rate": "50/s", "in_flight": 100}},
            {"id": "n2", "name": "orders", "kind": "topic", "partitions": 2},
            {"id": "n3", "name": "shop", "kind": "service", "work": {"distribution": "constant", "mean": "1 ms"}},
            {"id": "n4", "name": "audit", "kind": "service", "work": {"distribution": "constant", "mean": "1 ms"}}],
        "links": [
            {"id": "l1", "from": "n1", "to": "n2", "protocol": "kafka"},
            {"id": "l2", "from": "n2", "to": "n3", "protocol": "kafka"},
            {"id": "l3", "from": "n2", "to": "n4", "protocol": "kafka"}]})
}

/// Starts a run until it is stopped; gives its id, the address of its broker and the topic's name there.
async fn started(server: &Server, kafka: &str) -> Result<(String, String, String)> {
    let run =
        ask(server, "POST /api/runs", &json!({"scenario": scenario(), "duration": "1 h", "kafka": kafka})).await?;
    let id = run["id"].as_str().context("no id")?.to_owned();
    let run = ask(server, &format!("GET /api/runs/{id}"), &Value::Null).await?;
    let endpoints = run["endpoints"].as_array().context("no endpoints")?;
    let topic = endpoints.iter().find(|endpoint| endpoint["node"] == "n2").context("no topic")?;
    ensure!((&topic["instance"], &topic["protocol"]) == (&json!("topic"), &json!("kafka")), "{topic}");
    let address = topic["address"].as_str().context("no address")?.to_owned();
    let name = if kafka == "built-in" { "orders".to_owned() } else { format!("hopscope.{id}.orders") };
    Ok((id, address, name))
}

async fn stopped(server: &Server, id: &str) -> Result<Recorded> {
    ask(server, &format!("POST /api/runs/{id}/stop"), &Value::Null).await?;
    recorded(server, id).await
}

/// The program in Python puts and reads while a run goes on.
async fn joins(server: &Server, kafka: &str) -> Result<()> {
    let (id, address, name) = started(server, kafka).await?;
    let told = python("topic.py", &[&address, &name, FOREIGN]).await?;
    let recorded = stopped(server, &id).await?;
    let put = told["put"].as_array().context("nothing put")?;
    put_from_outside(&recorded, put)?;
    read_outside(&recorded, told["traced"].as_array().context("nothing read")?)
}

/// The producer in Node puts while a run goes on.
async fn produces(server: &Server, kafka: &str) -> Result<()> {
    let (id, address, name) = started(server, kafka).await?;
    let common = ["--address", &address, "--topic", &name, "--key", KEY];
    let mut put = Vec::new();
    // Two that begin a trace here, and one that is of a trace of another program: that is one of its own here.
    for arguments in [&["--count", "2"][..], &["--count", "1", "--traceparent", FOREIGN]] {
        let (producer, first) = Example::start("node-producer", &[&common[..], arguments].concat()).await?;
        put.push(serde_json::from_str(&first)?);
        put.extend(producer.rest().await?);
    }
    let recorded = stopped(server, &id).await?;
    put_from_outside(&recorded, &put)?;
    lies_where_its_key_does(&recorded, &put)
}

/// The run's own records of that key are in the one partition that the program's are in.
fn lies_where_its_key_does(recorded: &Recorded, put: &[Value]) -> Result<()> {
    let of_key =
        |key: u32| usize::try_from(key).ok().and_then(|row| recorded.names.get(row)).is_some_and(|name| name == KEY);
    let rows = recorded.messages.iter().filter(|row| row.key.is_some_and(|key| of_key(key.0)));
    let own: BTreeMap<_, _> = rows.map(|row| (row.message, row)).collect();
    let confirmed = recorded.events.iter().filter(|event| event.kind == Kind::CONFIRMED);
    let confirmed = confirmed.filter(|event| own.contains_key(&event.message.message()));
    let partitions: BTreeSet<_> =
        confirmed.filter_map(|event| Position::from_value(event.b)).map(|position| position.partition).collect();
    let theirs =
        put.iter().map(|told| position(told).map(|position| position.partition)).collect::<Result<BTreeSet<_>>>()?;
    ensure!(partitions.len() == 1 && partitions == theirs, "{partitions:?} and {theirs:?}");
    Ok(())
}

fn position(told: &Value) -> Result<Position> {
    let number = |name: &str| told[name].as_u64().with_context(|| format!("no {name}"));
    Ok(Position { partition: u16::try_from(number("partition")?)?, offset: number("offset")? })
}

/// Each record from outside has a trace of its own at each group, and was read where the program was told that it lies.
fn put_from_outside(recorded: &Recorded, put: &[Value]) -> Result<()> {
    let plan = Plan::from_bytes(&recorded.hello.as_ref().context("no Hello")?.plan)?;
    let expected = put.iter().map(position).collect::<Result<Vec<_>>>()?;
    ensure!(expected.len() == 3, "{put:?}");
    let events = &recorded.events;
    let groups = &plan.topics.first().context("no topic")?.groups;
    ensure!(groups.len() == 2, "{groups:?}");
    for group in groups {
        let ours = |event: &&Event| event.link == LinkIndex(group.link);
        let outside: Vec<_> =
            events.iter().filter(ours).filter(|event| event.kind == Kind::RECEIVED && event.parent.is_none()).collect();
        let traces: BTreeSet<_> = outside.iter().map(|event| event.trace).collect();
        ensure!((outside.len(), traces.len()) == (3, 3), "{outside:?}");
        let mut found = Vec::new();
        for received in outside {
            let of = |kind| events.iter().find(move |event| event.message == received.message && event.kind == kind);
            let fetched = of(Kind::FETCHED).context("not fetched")?;
            let partition = u16::try_from(fetched.place.0 - group.first_place)?;
            found.push(Position { partition, offset: fetched.a });
            for kind in [Kind::STARTED, Kind::FINISHED, Kind::ACKED] {
                ensure!(of(kind).is_some(), "{received:?} has no {kind:?}");
            }
        }
        ensure!(found == expected, "{found:?} and not {expected:?}");
    }
    Ok(())
}

/// What the program read is named by the headers that it saw, and lies where the run was told that it does.
fn read_outside(recorded: &Recorded, traced: &[Value]) -> Result<()> {
    ensure!(traced.len() == 20 && traced.iter().all(|one| one["bytes"] == 64), "{traced:?}");
    for seen in traced {
        let at = position(seen)?;
        let here = |event: &&Event| event.kind == Kind::CONFIRMED && Position::from_value(event.b) == Some(at);
        let confirmed = recorded.events.iter().find(here).with_context(|| format!("nothing is confirmed at {at:?}"))?;
        let named = format!("{:016x}-{:016x}-01", confirmed.trace.0, confirmed.message.0);
        let told = seen["traceparent"].as_str().context("no traceparent")?;
        ensure!(told.ends_with(&named), "{told} does not end with {named}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn python_puts_records_into_a_topic_and_reads_it() -> Result<()> {
    let server = Server::start().await?;
    joins(&server, "built-in").await
}

#[tokio::test(flavor = "multi_thread")]
async fn node_puts_records_into_a_topic() -> Result<()> {
    if !has_node("a program in Node puts records into a topic") {
        return Ok(());
    }
    let server = Server::start().await?;
    produces(&server, "built-in").await
}

#[tokio::test(flavor = "multi_thread")]
async fn python_and_node_join_a_topic_on_a_kafka_too() -> Result<()> {
    if !has_kafka("programs in Python and in Node at a real Kafka") {
        return Ok(());
    }
    // One that Hopscope starts, and the same for another as any at an address.
    let theirs = Brokers::default();
    let socket = theirs.kafka().reach().await?.socket;
    let ended = async {
        let address = format!("kafka://{socket}");
        let mut command = Command::new(hopscope_tests::variable("HOPSCOPE_BIN")?);
        command.args(["serve", "--listen", "127.0.0.1:0", "--allow-broker", &address]);
        let server = Server::start_by(command, tempfile::tempdir()?).await?;
        joins(&server, &address).await.context("at an address")?;
        joins(&server, "local").await.context("on the local one")?;
        if has_node("a program in Node at a real Kafka") {
            produces(&server, "local").await.context("from Node")?;
        }
        server.end().await.map(drop)
    };
    let ended = ended.await;
    theirs.stop().await;
    ended
}
