//! Programs in other languages call the nodes of a run: what they did is in the recording, and the recording is lawful.
//!
//! `cargo xtask test` installs what the programs in `outside/` and in `examples/` use, and names the interpreter in `HOPSCOPE_PYTHON`, the
//! folder of the examples that are ready in `HOPSCOPE_EXAMPLES`, that of what the page's programs need in `HOPSCOPE_SNIPPETS`, and where they are here, Node in `HOPSCOPE_NODE` and a program in Go in
//! `HOPSCOPE_GO_PEER`.

mod example;
mod exchanges;
mod external;
mod kafka;
mod ports;
mod replies;
mod rust;
mod snippets;
mod thrift;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use futures_util::StreamExt as _;
use hopscope_record::decoder::{Decoder, Framing};
use hopscope_record::{Event, Kind, LinkIndex};
use hopscope_report::laws::Laws;
use hopscope_tests::http::{Headers, request};
use hopscope_tests::recording::Recorded;
use hopscope_tests::server::Server;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio_tungstenite::tungstenite::Message;

/// A trace that some program began elsewhere.
const FOREIGN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Runs a program of `outside/` to its end; gives the document that it prints.
async fn python(program: &str, arguments: &[&str]) -> Result<Value> {
    let interpreter = hopscope_tests::variable("HOPSCOPE_PYTHON")?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("outside").join(program);
    let ended = Command::new(interpreter).arg(path).args(arguments).kill_on_drop(true).output().await?;
    let said = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "{program} ended with {}: {said}", ended.status);
    serde_json::from_slice(&ended.stdout).with_context(|| format!("{program} printed no document; it said {said}"))
}

async fn ask(server: &Server, line: &str, body: &Value) -> Result<Value> {
    let address = server.url().strip_prefix("http://").context("no address")?.trim_end_matches('/').parse()?;
    let json: Headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let (status, answer) = request(line, address, &json, body.to_string().as_bytes()).await?;
    ensure!((200..300).contains(&status), "{line}: {status}: {}", String::from_utf8_lossy(&answer));
    Ok(serde_json::from_slice(&answer)?)
}

/// Reads a run to its end: what it holds, and what came of the laws.
async fn recorded(server: &Server, id: &str) -> Result<Recorded> {
    let url = format!("{}/api/runs/{id}/stream", server.url().trim_end_matches('/').replacen("http", "ws", 1));
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await?;
    let mut bytes = Vec::new();
    loop {
        match socket.next().await.context("the stream ended without a close")?? {
            Message::Binary(frames) => bytes.extend_from_slice(&frames),
            Message::Close(_) => break,
            Message::Ping(_) | Message::Pong(_) => {}
            other => bail!("{other:?}"),
        }
    }
    let (mut decoder, mut laws) = (Decoder::new(Framing::Stream), Laws::new());
    decoder.push(&bytes);
    while let Some(frame) = decoder.next_frame()? {
        laws.push(&frame)?;
    }
    let report = laws.report();
    ensure!(report.iter().all(|law| (law.broken, law.undecided) == (0, 0)), "{report:?}");
    Recorded::read(&bytes, Framing::Stream)
}

#[tokio::test(flavor = "multi_thread")]
async fn python_greets_a_service_over_grpc() -> Result<()> {
    let server = Server::start().await?;
    let scenario = json!({
        "format": "hopscope-scenario", "version": 1, "name": "greeted", "checks": [],
        "nodes": [
            {"id": "n1", "name": "buyers", "kind": "client", "payload": {"bytes": "64 B"},
             "load": {"kind": "constant", "rate": "50/s", "in_flight": 100}},
            {"id": "n2", "name": "shop", "kind": "service", "replicas": 1, "workers": 4,
             "work": {"distribution": "constant", "mean": "1 ms"}}],
        "links": [{"id": "l1", "from": "n1", "to": "n2", "protocol": "grpc"}]});
    let run = ask(&server, "POST /api/runs", &json!({"scenario": scenario, "seed": 1, "duration": "1 h"})).await?;
    let id = run["id"].as_str().context("no id")?;
    let run = ask(&server, &format!("GET /api/runs/{id}"), &Value::Null).await?;
    let endpoint = &run["endpoints"][0];
    ensure!(endpoint["node"] == "n2" && endpoint["protocol"] == "grpc", "{run}");
    let address = endpoint["address"].as_str().context("no address")?;

    let told = python("greet.py", &[address, FOREIGN]).await?;
    let services = [
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
        "helloworld.Greeter",
        "hopscope.v1.Node",
    ];
    assert_eq!(told["services"], json!(services));
    assert_eq!(told["services_v1"], told["services"]);
    assert_eq!(told["greetings"], json!(["Hello ", "Hello Ada", "Hello Grace Hopper"]));
    assert_eq!(told["health"], "SERVING");
    assert_eq!(told["no_such_method"], "UNIMPLEMENTED");

    ask(&server, &format!("POST /api/runs/{id}/stop"), &Value::Null).await?;
    let recorded = recorded(&server, id).await?;
    greeted(&recorded.events, &[(0, 6), (3, 9), (12, 18)])
}

/// Checks that what came from outside is there: messages of these bytes, in their order, each in a trace of its own, worked
/// on like any other, and answered with so many bytes.
fn greeted(events: &[Event], expected: &[(u64, u64)]) -> Result<()> {
    let outside: Vec<&Event> =
        events.iter().filter(|event| event.kind == Kind::RECEIVED && event.link == LinkIndex::NONE).collect();
    let bytes: Vec<u64> = outside.iter().map(|event| event.b).collect();
    assert_eq!(bytes, expected.iter().map(|(asked, _)| *asked).collect::<Vec<_>>());
    let traces: BTreeSet<_> = outside.iter().map(|event| event.trace).collect();
    assert_eq!(traces.len(), expected.len());
    for (received, (_, answered)) in outside.iter().zip(expected) {
        assert!(received.parent.is_none(), "{received:?}");
        let trace: Vec<&Event> = events.iter().filter(|event| event.trace == received.trace).collect();
        let kinds: Vec<Kind> = trace.iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [Kind::RECEIVED, Kind::STARTED, Kind::FINISHED, Kind::REPLIED]);
        assert!(trace.iter().all(|event| event.message == received.message && event.place == received.place));
        let replied = trace.last().context("no reply")?;
        assert_eq!((replied.a, replied.b), (0, *answered));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn python_puts_into_a_queue_and_takes_from_another() -> Result<()> {
    let server = Server::start().await?;
    let scenario = json!({
        "format": "hopscope-scenario", "version": 1, "name": "queued", "checks": [],
        "nodes": [
            {"id": "n1", "name": "buyers", "kind": "client", "payload": {"bytes": "64 B"},
             "load": {"kind": "constant", "rate": "50/s", "in_flight": 100}},
            {"id": "n2", "name": "orders", "kind": "queue"},
            {"id": "n3", "name": "shop", "kind": "service", "work": {"distribution": "constant", "mean": "1 ms"}},
            {"id": "n4", "name": "parked", "kind": "queue"}],
        "links": [
            {"id": "l1", "from": "n1", "to": "n2", "protocol": "amqp"},
            {"id": "l2", "from": "n2", "to": "n3", "protocol": "amqp"},
            {"id": "l3", "from": "n1", "to": "n4", "protocol": "amqp"}]});
    let run = ask(&server, "POST /api/runs", &json!({"scenario": scenario, "seed": 1, "duration": "1 h"})).await?;
    let id = run["id"].as_str().context("no id")?;
    let run = ask(&server, &format!("GET /api/runs/{id}"), &Value::Null).await?;
    let endpoints = run["endpoints"].as_array().context("no endpoints")?;
    let queue = endpoints.iter().find(|endpoint| endpoint["node"] == "n2").context("no queue")?;
    assert_eq!((&queue["instance"], &queue["protocol"]), (&json!("queue"), &json!("amqp")));
    let address = queue["address"].as_str().context("no address")?;

    let told = python("queue.py", &[address, "orders", "parked", FOREIGN]).await?;
    assert_eq!(told["put"], json!(["one", "two", "three"]));
    assert_eq!(told["missing"], 404);
    let taken = told["taken"].as_array().context("nothing taken")?;
    assert_eq!(taken.iter().map(|one| one["bytes"].as_u64()).collect::<Vec<_>>(), [Some(64); 3]);

    ask(&server, &format!("POST /api/runs/{id}/stop"), &Value::Null).await?;
    let recorded = recorded(&server, id).await?;
    put_from_outside(&recorded.events)?;
    taken_outside(&recorded.events, taken)
}

/// Each message from outside has a trace of its own, which the run's consumer goes on with.
fn put_from_outside(events: &[Event]) -> Result<()> {
    let put: Vec<&Event> =
        events.iter().filter(|event| event.kind == Kind::ENQUEUED && event.link == LinkIndex::NONE).collect();
    assert_eq!(put.len(), 3);
    for enqueued in put {
        let trace: Vec<&Event> = events.iter().filter(|event| event.trace == enqueued.trace).collect();
        let kinds: BTreeSet<Kind> = trace.iter().map(|event| event.kind).collect();
        let expected = [Kind::ENQUEUED, Kind::DELIVERED, Kind::RECEIVED, Kind::STARTED, Kind::FINISHED, Kind::ACKED];
        assert_eq!(kinds, BTreeSet::from(expected));
        let delivered = trace.iter().find(|event| event.kind == Kind::DELIVERED).context("not delivered")?;
        assert_eq!(delivered.parent, enqueued.message);
        let received = trace.iter().find(|event| event.kind == Kind::RECEIVED).context("not received")?;
        assert_eq!((received.message, received.parent), (delivered.message, enqueued.message));
    }
    Ok(())
}

/// What was taken outside is told by the queue, and named by the headers that the program saw. What its client fetched
/// beyond that goes back.
fn taken_outside(events: &[Event], taken: &[Value]) -> Result<()> {
    let kinds = |delivered: &Event| -> Vec<Kind> {
        events.iter().filter(|event| event.message == delivered.message).map(|event| event.kind).collect()
    };
    let delivered = events.iter().filter(|event| event.kind == Kind::DELIVERED && event.link == LinkIndex::NONE);
    let (acked, others): (Vec<&Event>, Vec<&Event>) =
        delivered.partition(|delivered| kinds(delivered) == [Kind::DELIVERED, Kind::ACKED]);
    assert_eq!(acked.len(), taken.len());
    assert!(others.iter().all(|delivered| kinds(delivered) == [Kind::DELIVERED, Kind::REQUEUED]));
    for (delivered, seen) in acked.iter().zip(taken) {
        let seen = seen["traceparent"].as_str().context("no traceparent")?;
        let named = format!("{:016x}-{:016x}-01", delivered.trace.0, delivered.parent.0);
        assert!(seen.ends_with(&named), "{seen} does not end with {named}");
    }
    Ok(())
}
