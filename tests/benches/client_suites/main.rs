//! The suites that clients of RabbitMQ ship, run on a RabbitMQ of our own and on the built-in broker: what passes there
//! has to pass here. Needs Go, and Python 3.11 or later, and fetches the clients by their names.

#![allow(clippy::print_stdout, reason = "what a bench has to say")]

mod go;
mod python;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, ensure};
use hopscope_amqp::Config;
use hopscope_server::broker::Local;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// What became of each test of a suite, by its name: `pass`, `fail` or `skip`.
type Results = BTreeMap<String, String>;

/// A suite that lies ready to be run.
trait Suite {
    /// Whose it is, and which of its tests are run.
    fn title(&self) -> String;

    /// Runs it on a broker.
    ///
    /// # Errors
    /// When it does not run at all.
    fn run(&self, broker: SocketAddr) -> Result<Results>;
}

fn main() -> Result<ExitCode> {
    let folder = tempfile::tempdir()?;
    let mut suites: Vec<Box<dyn Suite>> = vec![Box::new(go::Client::fetch(&folder.path().join("go"))?)];
    for client in python::fetch(&folder.path().join("python"))? {
        suites.push(Box::new(client));
    }
    let runtime = Runtime::new()?;
    let theirs = on_rabbitmq(&runtime, &suites)?;
    let ours = on_built_in(&runtime, &suites)?;
    let mut worse = false;
    for ((suite, theirs), ours) in suites.iter().zip(&theirs).zip(&ours) {
        worse |= tell(&suite.title(), theirs, ours);
    }
    Ok(if worse { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn on_rabbitmq(runtime: &Runtime, suites: &[Box<dyn Suite>]) -> Result<Vec<Results>> {
    let local = Local::default();
    let reached = runtime.block_on(local.reach())?;
    let results = run(suites, &format!("{} {}", reached.product.name, reached.product.version), reached.socket);
    runtime.block_on(local.stop());
    results
}

fn on_built_in(runtime: &Runtime, suites: &[Box<dyn Suite>]) -> Result<Vec<Results>> {
    let stop = CancellationToken::new();
    let (broker, serving) = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        hopscope_amqp::serve(listener, Config::default(), (), stop.clone().cancelled_owned())
    })?;
    let results = run(suites, "the built-in broker", broker.address());
    stop.cancel();
    runtime.block_on(serving);
    results
}

/// Runs all of them on a broker, one after the other, and prints how many tests passed, failed and were skipped.
fn run(suites: &[Box<dyn Suite>], product: &str, broker: SocketAddr) -> Result<Vec<Results>> {
    println!("{product}");
    let mut all = Vec::new();
    for suite in suites {
        let results = suite.run(broker).with_context(|| suite.title())?;
        let count = |what| results.values().filter(|result| *result == what).count();
        let [passed, failed, skipped] = ["pass", "fail", "skip"].map(count);
        println!("  {}: {passed} passed, {failed} failed, {skipped} skipped", suite.title());
        all.push(results);
    }
    Ok(all)
}

/// Prints where the two differ; whether a test that passes there does not here.
fn tell(title: &str, theirs: &Results, ours: &Results) -> bool {
    let mut worse = false;
    for (test, there) in theirs {
        let here = ours.get(test).map_or("none", String::as_str);
        if here != there {
            println!("{title}: {test}: {there} there, {here} here");
            worse |= there == "pass";
        }
    }
    worse
}

/// Runs a command to its end. `remedy`: what to do where there is no such program.
fn succeed(command: &mut Command, remedy: &str) -> Result<()> {
    let ended = command.status().with_context(|| format!("cannot run {command:?}; {remedy}"))?;
    ensure!(ended.success(), "{command:?} ended with {ended}");
    Ok(())
}
