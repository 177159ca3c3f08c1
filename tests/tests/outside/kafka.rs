//! A program in Python at the topics of runs, on each broker that keeps them.

use std::collections::BTreeSet;

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

use crate::{FOREIGN, ask, python, recorded};

fn scenario() -> Value {
    json!({
        "format": "hopscope-scenario", "version": 1, "name": "kept", "checks": [],
        "nodes": [
            {"id": "n1", "name": "buyers", "kind": "client", "payload": {"bytes": "64 B"},
             "load": {"kind": "constant", "rate": "50/s", "in_flight": 100}},
            {"id": "n2", "name": "orders", "kind": "topic", "partitions": 2},
            {"id": "n3", "name": "shop", "kind": "service", "work": {"distribution": "constant", "mean": "1 ms"}},
            {"id": "n4", "name": "audit", "kind": "service", "work": {"distribution": "constant", "mean": "1 ms"}}],
        "links": [
            {"id": "l1", "from": "n1", "to": "n2", "protocol": "kafka"},
            {"id": "l2", "from": "n2", "to": "n3", "protocol": "kafka"},
            {"id": "l3", "from": "n2", "to": "n4", "protocol": "kafka"}]})
}

/// The program puts and reads while a run goes on.
async fn joins(server: &Server, kafka: &str) -> Result<()> {
    let run =
        ask(server, "POST /api/runs", &json!({"scenario": scenario(), "duration": "1 h", "kafka": kafka})).await?;
    let id = run["id"].as_str().context("no id")?;
    let run = ask(server, &format!("GET /api/runs/{id}"), &Value::Null).await?;
    let endpoints = run["endpoints"].as_array().context("no endpoints")?;
    let topic = endpoints.iter().find(|endpoint| endpoint["node"] == "n2").context("no topic")?;
    ensure!((&topic["instance"], &topic["protocol"]) == (&json!("topic"), &json!("kafka")), "{topic}");
    let address = topic["address"].as_str().context("no address")?;
    let name = if kafka == "built-in" { "orders".to_owned() } else { format!("hopscope.{id}.orders") };
    let told = python("topic.py", &[address, &name, FOREIGN]).await?;
    ask(server, &format!("POST /api/runs/{id}/stop"), &Value::Null).await?;
    let recorded = recorded(server, id).await?;
    let put = told["put"].as_array().context("nothing put")?;
    put_from_outside(&recorded, put)?;
    read_outside(&recorded, told["traced"].as_array().context("nothing read")?)
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
async fn python_joins_a_topic_on_a_kafka_too() -> Result<()> {
    if !has_kafka("a program in Python at a real Kafka") {
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
        server.end().await.map(drop)
    };
    let ended = ended.await;
    theirs.stop().await;
    ended
}
