//! Runs by the dozen in one server: of those that are over nothing is left, neither threads, open files, ports nor children.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use hopscope_tests::process::Holdings;
use hopscope_tests::server::Server;
use serde_json::Value;
use tokio::process::Command;

use crate::support::{LOOK, STUCK, ask, over, start_at};

/// How many runs there are; `HOPSCOPE_LEAK_RUNS` sets another number.
const RUNS: usize = 20;

/// Threads of the server's runtime that always are; what it has beside them for waiting goes when it has had nothing to do for
/// ten seconds.
const WORKERS: usize = 2;

fn templates() -> Result<Vec<Value>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            found.push(serde_json::from_slice(&std::fs::read(path)?)?);
        }
    }
    let text = serde_json::to_string(&found)?;
    for protocol in ["http1", "grpc", "amqp", "in-process"] {
        ensure!(text.contains(&format!("\"{protocol}\"")), "no template has a link over {protocol}");
    }
    Ok(found)
}

/// Runs a template: to its end, or until it is stopped, with a node that has crashed and a stream that is open.
async fn run(server: &Server, scenario: &Value, number: usize) -> Result<()> {
    let stopped = number % 2 == 1;
    let within_one =
        scenario["links"].as_array().is_some_and(|links| links.iter().any(|it| it["protocol"] == "in-process"));
    let placement = if number / 2 % 2 == 1 && !within_one { "processes" } else { "tasks" };
    let run = start_at(server, scenario, (!stopped).then_some("200 ms"), placement).await?;
    let id = run["id"].as_str().context("no id")?;
    let stream = format!("ws://{}/api/runs/{id}/stream", server.address()?);
    let (socket, _) = tokio_tungstenite::connect_async(stream).await?;
    if stopped {
        let node = scenario["nodes"].as_array().and_then(|nodes| nodes.iter().find(|node| node["kind"] == "service"));
        let name = &node.context("no service")?["name"];
        let crash = serde_json::json!({"do": "crash", "on": name, "for": "50 ms"}).to_string();
        let crashed = ask(server, &format!("POST /api/runs/{id}/control"), crash.as_bytes()).await?;
        ensure!(crashed.status == 204, "{}", String::from_utf8_lossy(&crashed.body));
        let told = ask(server, &format!("POST /api/runs/{id}/stop"), b"").await?;
        ensure!(told.status == 202, "{}", String::from_utf8_lossy(&told.body));
    }
    over(server, id).await?;
    // A reader that goes without a word.
    drop(socket);
    Ok(())
}

/// What a server holds that has nothing to do: without the threads of its runtime, where there are no more than always are.
fn settled(mut held: Holdings) -> Option<Holdings> {
    let of_the_runtime = |name: &str| name.starts_with("tokio-");
    let workers: usize = held.threads.iter().filter(|(name, _)| of_the_runtime(name)).map(|(_, count)| count).sum();
    held.threads.retain(|name, _| !of_the_runtime(name));
    (workers == WORKERS).then_some(held)
}

/// Waits until the server has nothing to do and holds what it should; gives that.
async fn idle(server: &Server, is: impl Fn(&Holdings) -> bool) -> Result<Holdings> {
    let since = Instant::now();
    loop {
        let held = server.process()?.holdings()?;
        if let Some(settled) = settled(held.clone()).filter(&is) {
            return Ok(settled);
        }
        ensure!(since.elapsed() < STUCK, "the server still holds {held:#?}");
        tokio::time::sleep(LOOK).await;
    }
}

#[tokio::test]
async fn of_runs_that_are_over_nothing_is_left() -> Result<()> {
    let mut command = Command::new(hopscope_tests::variable("HOPSCOPE_BIN")?);
    command.args(["serve", "--listen", "127.0.0.1:0"]).env("TOKIO_WORKER_THREADS", WORKERS.to_string());
    let server = Server::start_by(command, tempfile::tempdir()?).await?;
    let templates = templates()?;
    // What is made once and stays: the timer's thread and the like.
    for (number, scenario) in templates.iter().enumerate() {
        run(&server, scenario, number).await?;
    }
    // The server's own port is its only one then.
    let port = server.address()?.port();
    let before = idle(&server, |held| held.listeners == [port] && held.children.is_empty()).await?;
    let count = std::env::var("HOPSCOPE_LEAK_RUNS").ok().and_then(|count| count.parse().ok()).unwrap_or(RUNS);
    for number in 0..count {
        run(&server, &templates[number / 2 % templates.len()], number).await?;
    }
    idle(&server, |held| *held == before).await.with_context(|| format!("it held {before:#?}"))?;
    Ok(())
}
