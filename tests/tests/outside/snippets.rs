//! The programs that the page offers for a node of a run: those whose language is here are run as they are, and what they send is
//! in the recording.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use hopscope_record::{Kind, LinkIndex};
use hopscope_scenario::plan::Plan;
use hopscope_tests::server::Server;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::example::{has_go, has_node, not_here};
use crate::{ask, recorded};

/// What the page offers.
const SNIPPETS: &str = include_str!("../../../frontend/page/static/snippets.json");

/// A node of each kind that other programs reach, behind each that keeps something a service that takes from it.
fn scenario() -> Value {
    let service = |id: &str, name: &str| json!({"id": id, "name": name, "kind": "service", "work": {"distribution": "constant", "mean": "1 ms"}});
    json!({
        "format": "hopscope-scenario", "version": 1, "name": "offered", "nodes": [
            {"id": "c", "name": "buyers", "kind": "client", "load": {"kind": "constant", "rate": "1/s", "in_flight": 100}},
            service("web", "web"), service("rpc", "rpc"),
            {"id": "q", "name": "orders", "kind": "queue"}, service("qs", "packer"),
            {"id": "x", "name": "news", "kind": "exchange", "type": "fanout"},
            {"id": "xq", "name": "letters", "kind": "queue"}, service("xs", "reader"),
            {"id": "t", "name": "log", "kind": "topic", "partitions": 1}, service("ts", "audit")],
        "links": [
            {"id": "l1", "from": "c", "to": "web", "protocol": "http1"},
            {"id": "l2", "from": "c", "to": "rpc", "protocol": "grpc"},
            {"id": "l3", "from": "c", "to": "q", "protocol": "amqp"},
            {"id": "l4", "from": "q", "to": "qs", "protocol": "amqp"},
            {"id": "l5", "from": "c", "to": "x", "protocol": "amqp"},
            {"id": "l6", "from": "x", "to": "xq", "protocol": "amqp"},
            {"id": "l7", "from": "xq", "to": "xs", "protocol": "amqp"},
            {"id": "l8", "from": "c", "to": "t", "protocol": "kafka"},
            {"id": "l9", "from": "t", "to": "ts", "protocol": "kafka"}]})
}

/// What is offered, by its key; the node that it is for, and the service that gets what it sends.
const OFFERED: [(&str, &str, &str); 5] = [
    ("http1", "web", "web"),
    ("grpc", "rpc", "rpc"),
    ("amqp queue", "q", "packer"),
    ("amqp exchange", "x", "reader"),
    ("kafka topic", "t", "audit"),
];

/// Whether a program is in PATH.
fn is_here(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// What a program in a tool is run by; `None` for what is called, not started.
fn command(tool: &str, key: &str, code: &str, folder: &Path) -> Result<Option<Command>> {
    let mut command = match tool {
        "Rust" => return Ok(None),
        "curl" | "grpcurl" | "kcat" => Command::new("sh"),
        "Python" => Command::new(hopscope_tests::variable("HOPSCOPE_PYTHON")?),
        "Node" => Command::new(hopscope_tests::variable("HOPSCOPE_NODE")?),
        "Go" => Command::new("go"),
        other => bail!("nothing is known of {other}"),
    };
    match tool {
        "Go" => {
            let package = key.replace(' ', "-");
            std::fs::create_dir_all(folder.join(&package))?;
            std::fs::write(folder.join(&package).join("main.go"), code)?;
            command.args(["run", &format!("./{package}")])
        }
        "Node" => command.args(["--input-type=module", "-e", code]),
        _ => command.args(["-c", code]),
    };
    // Where the packages are that Go and Node look for.
    command.current_dir(folder);
    Ok(Some(command))
}

/// Whether a tool is here, with the libraries that its program needs; where it is not, that is told.
fn has(tool: &str, key: &str) -> bool {
    let test = format!("the page's program for {key} in {tool}");
    match tool {
        "Go" => has_go(&test),
        "Node" => has_node(&test),
        "Python" | "Rust" => true,
        tool => {
            let here = is_here(tool);
            if !here {
                let remedy = match tool {
                    "grpcurl" => "go install github.com/fullstorydev/grpcurl/cmd/grpcurl@latest".to_owned(),
                    _ => format!("on Debian: apt install {tool}"),
                };
                not_here(&test, tool, &remedy);
            }
            here
        }
    }
}

/// Runs one as it is offered but for where it sends to.
async fn offered(tool: &str, key: &str, code: &str, (address, name): (&str, &str)) -> Result<()> {
    let filled = code.replace("{address}", address).replace("{name}", name);
    let folder = PathBuf::from(hopscope_tests::variable("HOPSCOPE_SNIPPETS")?);
    let Some(mut command) = command(tool, key, &filled, &folder)? else {
        return crate::rust::run(key, address, name).await;
    };
    let output = command.output().await?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_programs_that_the_page_offers_are_in_the_recording() -> Result<()> {
    let snippets: Value = serde_json::from_str(SNIPPETS)?;
    let server = Server::start().await?;
    let run = ask(&server, "POST /api/runs", &json!({"scenario": scenario(), "duration": "1 h"})).await?;
    let id = run["id"].as_str().context("no id")?;
    let run = ask(&server, &format!("GET /api/runs/{id}"), &Value::Null).await?;
    let endpoints = run["endpoints"].as_array().context("no endpoints")?;
    let mut sent = Vec::new();
    for (key, node, taker) in OFFERED {
        let endpoint = endpoints.iter().find(|endpoint| endpoint["node"] == node).context(node)?;
        let (address, name) = (endpoint["address"].as_str().context("no address")?, endpoint["name"].as_str());
        let mut ran = 0;
        for snippet in snippets[key].as_array().context(key)? {
            let (tool, code) =
                (snippet["tool"].as_str().context("no tool")?, snippet["code"].as_str().context("no code")?);
            ensure!(code.contains("{address}"), "{tool} says nothing of where {node} is: {code}");
            ensure!(code.contains("{name}") == name.is_some(), "{tool} says another name than that of {node}: {code}");
            if has(tool, key) {
                let sent = offered(tool, key, code, (address, name.unwrap_or_default())).await;
                sent.with_context(|| format!("{key} by {tool}"))?;
                ran += 1;
            }
        }
        ensure!(ran > 0, "nothing of {key} was run");
        sent.push((taker, ran));
    }
    ask(&server, &format!("POST /api/runs/{id}/stop"), &Value::Null).await?;
    let recorded = recorded(&server, id).await?;
    let plan = Plan::from_bytes(&recorded.hello.as_ref().context("no Hello")?.plan)?;
    // What comes to a node itself comes over no link; what comes through a queue, exchange or topic is of no trace of the client's.
    let own: Vec<_> =
        recorded.events.iter().filter(|event| event.kind == Kind::INTENDED).map(|event| event.trace).collect();
    for (taker, ran) in sent {
        let here = recorded.events.iter().filter(|event| event.kind == Kind::RECEIVED);
        let here = here.filter(|event| plan.node_of(event.place.0).is_some_and(|node| node.name == taker));
        let outside = here.filter(|event| event.link == LinkIndex::NONE || !own.contains(&event.trace)).count();
        ensure!(outside == ran, "{taker} received {outside} of {ran}");
    }
    Ok(())
}
