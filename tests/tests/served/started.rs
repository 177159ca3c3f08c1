//! What Hopscope starts: it listens on loopback alone, and is gone with Hopscope, whatever ends that.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use hopscope_tests::http::request;
use hopscope_tests::process::{Holdings, Process};
use hopscope_tests::runs::{has_kafka, has_rabbitmq};
use hopscope_tests::server::Server;

/// How long what is ended by the system may take to be gone.
const LIMIT: Duration = Duration::from_secs(20);

/// A process and all that it and these have started, with what they hold.
fn family(process: Process) -> Vec<(Process, Holdings)> {
    let (mut found, mut open) = (Vec::new(), vec![process]);
    while let Some(next) = open.pop() {
        // One that has ended meanwhile holds nothing.
        let Ok(holdings) = next.holdings() else { continue };
        open.extend(holdings.children.iter().copied().map(Process::new));
        found.push((next, holdings));
    }
    found
}

/// What a process is called, where it is there and no zombie.
fn name(process: Process) -> Option<String> {
    let path = format!("/proc/{}", process.id());
    let state = std::fs::read_to_string(Path::new(&path).join("stat")).ok()?;
    let is_zombie = state.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z'));
    std::fs::read_to_string(Path::new(&path).join("comm"))
        .ok()
        .filter(|_| !is_zombie)
        .map(|name| name.trim().to_owned())
}

async fn start(server: &Server, protocol: &str) -> Result<()> {
    let path = format!("POST /api/brokers/{protocol}/start");
    let (status, answer) = request(&path, server.address()?, &Vec::new(), b"").await?;
    ensure!(status == 200, "{status}: {}", String::from_utf8_lossy(&answer));
    Ok(())
}

/// Starts the brokers of these protocols, reads their listeners, kills their Hopscope, and counts what is left.
async fn shown(protocols: &[&str], programs: &[&str]) -> Result<()> {
    let server = Server::start().await?;
    for protocol in protocols {
        start(&server, protocol).await?;
    }
    let family = family(server.process()?);
    let names: Vec<String> = family.iter().filter_map(|(process, _)| name(*process)).collect();
    for program in programs {
        ensure!(names.iter().any(|name| name.starts_with(program)), "there is no {program} among {names:?}");
    }
    for (process, holdings) in &family {
        let open = &holdings.beyond_loopback;
        ensure!(open.is_empty(), "{} listens beyond loopback: {open:?}", name(*process).unwrap_or_default());
    }
    let listeners = family.iter().map(|(_, holdings)| holdings.listeners.len()).sum::<usize>();
    ensure!(listeners > protocols.len(), "these listeners were read: {listeners}");
    // What nothing can catch.
    drop(server.kill().await?);
    let since = Instant::now();
    loop {
        let left: Vec<String> = family.iter().filter_map(|(process, _)| name(*process)).collect();
        if left.is_empty() {
            return Ok(());
        }
        ensure!(since.elapsed() < LIMIT, "still there: {left:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kafka_listens_on_loopback_and_dies_with_its_hopscope() -> Result<()> {
    if !has_kafka("the processes of a Kafka") {
        return Ok(());
    }
    shown(&["kafka"], &["java"]).await.context("Kafka")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rabbitmq_listens_on_loopback_and_dies_with_its_hopscope() -> Result<()> {
    if !has_rabbitmq("the processes of a RabbitMQ") {
        return Ok(());
    }
    shown(&["amqp"], &["beam", "epmd"]).await.context("RabbitMQ")
}
