//! The suite that the Go client of RabbitMQ ships, run on a RabbitMQ of our own and on the built-in broker: what passes there has
//! to pass here. Needs Go, and fetches the client by its name.

#![allow(clippy::print_stdout, reason = "what a bench has to say")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, ensure};
use hopscope_amqp::Config;
use hopscope_server::broker::Local;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The client, at one version.
const CLIENT: &str = "github.com/rabbitmq/amqp091-go";
const VERSION: &str = "v1.16.0";

/// Tests that ask RabbitMQ's management plugin for connections to close, which is no part of the protocol.
const OF_MANAGEMENT: &str = "^TestConnectionRecovery";

fn main() -> Result<ExitCode> {
    let folder = tempfile::tempdir()?;
    go(folder.path(), &["mod", "init", "suites"])?;
    go(folder.path(), &["get", "-t", &format!("{CLIENT}@{VERSION}")])?;
    let runtime = tokio::runtime::Runtime::new()?;
    let local = Local::default();
    let reached = runtime.block_on(local.reach())?;
    let theirs = suite(folder.path(), reached.socket);
    runtime.block_on(local.stop());
    let theirs = theirs?;
    let stop = CancellationToken::new();
    let (broker, serving) = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        hopscope_amqp::serve(listener, Config::default(), (), stop.clone().cancelled_owned())
    })?;
    let ours = suite(folder.path(), broker.address());
    stop.cancel();
    runtime.block_on(serving);
    Ok(tell(&format!("{} {}", reached.product.name, reached.product.version), &theirs, &ours?))
}

/// Runs the go command in a folder.
fn go(folder: &Path, arguments: &[&str]) -> Result<()> {
    let ended = Command::new("go").args(arguments).current_dir(folder).status();
    let ended = ended.context("cannot run go; install Go 1.21 or later (on Debian: apt install golang-go)")?;
    ensure!(ended.success(), "go {} ended with {ended}", arguments.join(" "));
    Ok(())
}

/// Runs the suite on a broker; what became of each of its tests.
fn suite(folder: &Path, broker: SocketAddr) -> Result<BTreeMap<String, String>> {
    let mut command = Command::new("go");
    command.args(["test", "-json", "-count=1", "-tags", "integration", "-skip", OF_MANAGEMENT, CLIENT]);
    command.env("AMQP_URL", format!("amqp://guest:guest@{broker}/")).current_dir(folder).stderr(Stdio::inherit());
    let ended = command.output().context("cannot run go")?;
    let lines = String::from_utf8_lossy(&ended.stdout).into_owned();
    let events = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let results = events.filter_map(|event| {
        let action = event["Action"].as_str().filter(|action| matches!(*action, "pass" | "fail" | "skip"))?;
        Some((event["Test"].as_str()?.to_owned(), action.to_owned()))
    });
    let results: BTreeMap<_, _> = results.collect();
    ensure!(!results.is_empty(), "the suite did not run: {lines}");
    Ok(results)
}

/// Prints how many of each there are and where the two differ; 1 where one that passes on the other fails on ours.
fn tell(product: &str, theirs: &BTreeMap<String, String>, ours: &BTreeMap<String, String>) -> ExitCode {
    let count = |results: &BTreeMap<String, String>, what| results.values().filter(|result| *result == what).count();
    println!("{CLIENT} {VERSION}, its tests of integration, without {OF_MANAGEMENT}");
    for (name, results) in [(product, theirs), ("the built-in broker", ours)] {
        let [passed, failed, skipped] = ["pass", "fail", "skip"].map(|what| count(results, what));
        println!("  {name}: {passed} passed, {failed} failed, {skipped} skipped");
    }
    let mut worse = false;
    for (test, there) in theirs {
        let here = ours.get(test).map_or("none", String::as_str);
        if here != there {
            println!("  {test}: {there} there, {here} here");
            worse |= there == "pass";
        }
    }
    if worse { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
