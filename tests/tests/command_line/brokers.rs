//! `hopscope broker list`, `start`, `stop` and `doctor`: what there is is told, what runs is not taken from it, and what is missing
//! is named with the remedy.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use hopscope_tests::command::{Ended, Running, hopscope};
use hopscope_tests::http::request;
use hopscope_tests::runs::has_rabbitmq;
use hopscope_tests::server::Server;
use serde_json::Value;
use tokio::process::Command;

use crate::desk::ensure_code;

/// A run that is over by then has not ended.
const HANGS: Duration = Duration::from_secs(60);

/// The row of the local broker of a protocol.
fn local(ended: &Ended, protocol: &str) -> Result<Value> {
    let rows: Value = serde_json::from_str(&ended.stdout).context(ended.stdout.clone())?;
    let is_it = |row: &&Value| row["protocol"] == protocol && row["broker"] == "local";
    rows.as_array().context("no list")?.iter().find(is_it).cloned().context("it is not listed")
}

/// What a server answers, where that is JSON.
async fn post(server: &Server, path: &str, body: &str) -> Result<Value> {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let (status, body) = request(&format!("POST {path}"), server.address()?, &headers, body.as_bytes()).await?;
    ensure!((200..300).contains(&status), "{status}: {}", String::from_utf8_lossy(&body));
    Ok(serde_json::from_slice(&body).unwrap_or_default())
}

async fn asked(server: &Server, arguments: &[&str]) -> Result<Ended> {
    let address = server.url().trim_start_matches("http://").to_owned();
    let mut all = vec!["broker"];
    all.extend(arguments);
    all.extend(["--server", &address]);
    hopscope(all).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_local_rabbitmq_is_started_told_of_kept_while_a_run_has_it_and_stopped() -> Result<()> {
    if !has_rabbitmq("starting and stopping brokers by command") {
        return Ok(());
    }
    let server = Server::start().await?;
    let before = asked(&server, &["list", "--json"]).await?;
    let row = local(&before, "amqp")?;
    ensure!(row["state"] == "stopped" && row["address"].is_null() && row["memory_bytes"].is_null(), "{row}");
    let started = asked(&server, &["start", "rabbitmq"]).await?;
    ensure_code(&started, 0)?;
    ensure!(started.stdout.contains("RabbitMQ") && started.stdout.contains("ready"), "{started:?}");
    let row = local(&asked(&server, &["list", "--json"]).await?, "amqp")?;
    ensure!(row["state"] == "ready" && row["started_ms"].as_u64() > Some(0), "{row}");
    ensure!(row["memory_bytes"].as_u64() > Some(1 << 20), "{row}");
    let address = row["address"].as_str().context("no address")?;
    ensure!(address.starts_with("127.0.0.1:"), "{row}");
    // A run that has it keeps it.
    let scenario: Value = serde_json::from_str(include_str!("../../../scenarios/hello-async.json"))?;
    let wanted = serde_json::json!({"scenario": scenario, "broker": "local", "duration": null});
    let run = post(&server, "/api/runs", &wanted.to_string()).await?;
    let refused = asked(&server, &["stop", "rabbitmq"]).await?;
    ensure_code(&refused, 5)?;
    let id = run["id"].as_str().context("no run")?;
    ensure!(refused.stderr.contains(id) && refused.stderr.contains("Stop that run"), "{refused:?}");
    post(&server, &format!("/api/runs/{id}/stop"), "").await?;
    // It is free as soon as the run has ended.
    let free = async {
        loop {
            let stopped = asked(&server, &["stop", "rabbitmq"]).await?;
            if stopped.code == 0 {
                return anyhow::Ok(stopped);
            }
        }
    };
    let stopped = tokio::time::timeout(HANGS, free).await.context("it is never free")??;
    ensure!(stopped.stdout.contains("not started"), "{stopped:?}");
    ensure!(tokio::net::TcpStream::connect(address).await.is_err(), "it is still there");
    let again = asked(&server, &["stop", "rabbitmq"]).await?;
    ensure_code(&again, 0)
}

#[tokio::test]
async fn what_a_broker_needs_is_named_and_an_unknown_one_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(hopscope_tests::variable("HOPSCOPE_BIN")?);
    command.args(["broker", "doctor"]);
    command.env("PATH", folder.path()).env("HOPSCOPE_KAFKA", folder.path()).env("HOPSCOPE_RABBITMQ", folder.path());
    let ended = Running::start_by(command)?.end().await?;
    ensure_code(&ended, 5)?;
    ensure!(ended.stdout.contains("apt install rabbitmq-server"), "{ended:?}");
    ensure!(ended.stdout.contains("hopscope broker install kafka"), "{ended:?}");
    // Where no server answers, what the command line itself may have is told.
    let listed = hopscope(["broker", "list", "--server", "127.0.0.1:9"]).await?;
    ensure_code(&listed, 0)?;
    ensure!(listed.stderr.contains("127.0.0.1:9"), "{listed:?}");
    for name in ["Hopscope", "RabbitMQ", "librdkafka mock", "Kafka"] {
        ensure!(listed.stdout.contains(name), "{name} is not in {}", listed.stdout);
    }
    let unknown = hopscope(["broker", "start", "artemis"]).await?;
    ensure_code(&unknown, 64)
}
