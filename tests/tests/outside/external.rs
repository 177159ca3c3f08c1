//! External services: programs that nodes of a run call, at addresses that the operator allowed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed; clippy knows #[test] functions only")]

use anyhow::{Context as _, Result, ensure};
use hopscope_record::{Event, Kind, LinkIndex};
use hopscope_scenario::plan::{FixedPorts, RunSettings};
use hopscope_scenario::quantity::Time;
use hopscope_server::broker::Brokers;
use hopscope_server::targets::Target;
use hopscope_tests::command::hopscope;
use hopscope_tests::runs::{Finished, scenario, start_with};
use hopscope_tests::server::Server;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::example::{Example, has_go};
use crate::ports::free;

/// Calls that the client makes.
const CALLS: usize = 20;

/// A client that calls a program over a protocol, and a service that this may call.
fn document(link: &Value) -> Value {
    let load = json!({"kind": "constant", "rate": "100/s", "count": CALLS});
    let mut called = json!({"id": "l1", "from": "n1", "to": "x", "timeout": "10 s"});
    called.as_object_mut().unwrap().extend(link.as_object().unwrap().clone());
    json!({"format": "hopscope-scenario", "version": 1, "name": "outside", "nodes": [
        {"id": "n1", "name": "visitors", "kind": "client", "load": load, "payload": {"bytes": "40 B", "content": "text"}},
        {"id": "x", "name": "greeter", "kind": "external"},
        {"id": "n3", "name": "regulars", "kind": "client", "load": {"kind": "constant", "rate": "1/s", "count": 1}},
        {"id": "n4", "name": "ledger", "kind": "service", "work": {"distribution": "constant", "mean": "1 ms"}}],
        "links": [called, {"id": "l2", "from": "n3", "to": "n4", "protocol": "grpc"}]})
}

async fn ran(link: &Value, greeter: u16, ledger: u16) -> Result<Finished> {
    let target: Target = format!("greeter=127.0.0.1:{greeter}").parse()?;
    let brokers = Brokers::default().calling([target].into_iter().collect());
    let ports = FixedPorts::new(&format!("ledger/grpc={ledger}"));
    let settings = RunSettings { duration: Some(Time(30_000_000_000)), ports, ..RunSettings::default() };
    let run = start_with(scenario(&document(link))?, &brokers, settings).await?;
    let own = |place: u32| run.run.plan().node_of(place).is_some_and(|node| node.name == "ledger");
    ensure!(run.run.addresses().iter().all(|(place, ..)| own(place.0)), "where the program is was told");
    let run = run.finish().await?;
    run.holds_the_laws()?;
    Ok(run)
}

/// An example that greets, and passes on what it is asked to a node at this port.
async fn greeter(name: &str, then: u16) -> Result<(Example, u16)> {
    let (example, said) = Example::start(name, &["--port", "0", "--then", &format!("127.0.0.1:{then}")]).await?;
    let port = said.rsplit(':').next().context("it does not greet")?.parse()?;
    Ok((example, port))
}

async fn joins_its_callers_tree(name: &str) -> Result<()> {
    let ledger = free()?;
    let (_example, port) = greeter(name, ledger).await?;
    let link = json!({"protocol": "grpc", "method": "/helloworld.Greeter/SayHello"});
    let run = ran(&link, port, ledger).await?;
    let (sent, completed): (Vec<Event>, Vec<Event>) = (over(&run, Kind::SENT), over(&run, Kind::COMPLETED));
    ensure!((sent.len(), completed.len()) == (CALLS, CALLS), "{} of {} were answered", completed.len(), sent.len());
    // What the program does is not seen, but that it called on is: each is a child of its call.
    let outside = run.at("ledger", Kind::RECEIVED).into_iter().filter(|event| event.link == LinkIndex::NONE);
    let passed: Vec<Event> = outside.collect();
    ensure!(passed.len() == CALLS, "{} were passed on", passed.len());
    for received in &passed {
        let call = sent.iter().find(|sent| sent.message == received.parent).context("it is nobody's child")?;
        ensure!(call.trace == received.trace && call.time < received.time, "{received:?} of {call:?}");
        let answered = completed.iter().find(|event| event.message == call.message).context("it is open")?;
        ensure!(received.time < answered.time, "it was called after its caller had its answer");
    }
    // "Hello " is before the name.
    ensure!(completed.iter().all(|event| event.b == 46), "{:?}", completed.first());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_in_python_that_passes_on_what_it_is_asked_joins_its_callers_tree() -> Result<()> {
    joins_its_callers_tree("python-greeter").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_in_go_that_passes_on_what_it_is_asked_joins_its_callers_tree() -> Result<()> {
    if has_go("a greeter in Go joins its caller's tree") { joins_its_callers_tree("go-greeter").await } else { Ok(()) }
}

/// Events of the link to the program.
fn over(run: &Finished, kind: Kind) -> Vec<Event> {
    run.of(kind).into_iter().filter(|event| event.link == LinkIndex(0)).collect()
}

/// A server of HTTP that answers each request with 204 and tells how it was asked.
async fn plain_server() -> Result<(u16, tokio::task::JoinHandle<Result<Vec<String>>>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let serving = tokio::spawn(async move {
        let mut asked = Vec::new();
        while asked.len() < CALLS {
            let (mut stream, _) = listener.accept().await?;
            let (mut read, mut head) = (Vec::new(), [0; 4_096]);
            while asked.len() < CALLS {
                let count = stream.read(&mut head).await?;
                if count == 0 {
                    break;
                }
                read.extend_from_slice(&head[..count]);
                // Its head, an empty line, and 40 bytes.
                while let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                    if read.len() < end + 44 {
                        break;
                    }
                    asked.push(String::from_utf8_lossy(&read[..end]).into_owned());
                    read.drain(..end + 44);
                    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await?;
                }
            }
        }
        Ok(asked)
    });
    Ok((port, serving))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_called_by_its_path_with_the_trace_that_it_is_of() -> Result<()> {
    let (port, serving) = plain_server().await?;
    let run = ran(&json!({"protocol": "http1", "path": "/greetings?from=hopscope"}), port, free()?).await?;
    ensure!(over(&run, Kind::COMPLETED).len() == CALLS, "{:?}", over(&run, Kind::FAILED).first());
    let asked = serving.await??;
    for head in &asked {
        ensure!(head.starts_with("POST /greetings?from=hopscope HTTP/1.1"), "{head}");
        ensure!(head.to_lowercase().contains("traceparent: 00-"), "{head}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_called_that_nobody_allowed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("outside.json");
    std::fs::write(&file, document(&json!({"protocol": "http1"})).to_string())?;
    let name = file.to_str().context("no name")?;
    let told = hopscope(["run", name]).await?;
    ensure!(told.code == 64 && told.stderr.contains("--allow-target greeter="), "{told:?}");
    let told = hopscope(["run", name, "--allow-target", "greeter=http://127.0.0.1:1"]).await?;
    ensure!(told.code == 64 && told.stderr.contains("payments=127.0.0.1:50051"), "{told:?}");
    // One that is allowed and not there is named.
    let told = hopscope(["run", name, "--allow-target", "greeter=127.0.0.1:1"]).await?;
    ensure!(told.code == 5 && told.stderr.contains("127.0.0.1:1"), "{told:?}");
    let server = Server::start().await?;
    let asked =
        crate::ask(&server, "POST /api/runs", &json!({"scenario": document(&json!({"protocol": "http1"}))})).await;
    let told = asked.err().context("it was let through")?.to_string();
    ensure!(
        told.contains("422") && told.contains("target-not-allowed") && told.contains("/scenario/nodes/1"),
        "{told}"
    );
    Ok(())
}
