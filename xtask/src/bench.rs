//! `cargo xtask bench NAME`: measures, prints, and never fails on a time.

use std::process::Command;

use anyhow::{Result, bail};

use crate::serve::build_server;
use crate::step::{command, run, step};
use crate::test::with_browser;
use crate::tools::{Purpose, Tools};

/// A bench: its name here, its package, its target.
const BENCHES: [(&str, &str, &str); 5] = [
    ("codec", "hopscope-record", "codec"),
    ("recorder", "hopscope-server", "recorder"),
    ("timing", "hopscope-server", "timing"),
    ("network", "hopscope-server", "network"),
    ("frame", "hopscope-view", "frame"),
];

/// The bench that drives a browser: page and server are built first where they are out of date.
const PLAYER: (&str, &str, &str) = ("player", "hopscope-tests", "player");

/// The suites that clients of RabbitMQ ship, on RabbitMQ and on the built-in broker.
const SUITES: (&str, &str, &str) = ("client-suites", "hopscope-tests", "client_suites");

/// The bench that counts bytes: the page's first load, built first where it is out of date.
const SIZE: &str = "size";

/// Runs one bench, or says which there are.
///
/// # Errors
/// When there is none of that name, it does not compile, or the first load is over its limit.
pub(crate) fn run_bench(tools: &Tools, name: &str, parts: &[String]) -> Result<()> {
    if name == SIZE {
        tools.ensure(&[Purpose::Page])?;
        crate::page::build(tools)?;
        return step("the page's first load", crate::load::check);
    }
    if name == PLAYER.0 {
        tools.ensure(&[Purpose::Page, Purpose::Browser])?;
        crate::page::build(tools)?;
        build_server()?;
        let mut bench = bench(PLAYER.1, PLAYER.2);
        with_browser(&mut bench, &tools.browser()?)?;
        return step("bench player", || run(&mut bench));
    }
    if name == SUITES.0 {
        tools.ensure(&[Purpose::Brokers])?;
        let mut bench = bench(SUITES.1, SUITES.2);
        if let Some(rabbitmq) = tools.rabbitmq() {
            bench.env("HOPSCOPE_RABBITMQ", rabbitmq);
        }
        return step("client suites", || run(&mut bench));
    }
    let Some((_, package, target)) = BENCHES.iter().find(|(known, ..)| *known == name) else {
        let known: Vec<&str> = BENCHES.iter().map(|(known, ..)| *known).chain([PLAYER.0, SUITES.0, SIZE]).collect();
        bail!("there is no bench {name}; there are: {}", known.join(", "));
    };
    step(&format!("bench {name}"), || run(bench(package, target).arg("--").args(parts)))
}

/// Runs a bench by the one native profile again, so that nothing is compiled a second time.
fn bench(package: &str, target: &str) -> Command {
    let mut command = command("cargo");
    command.args(["bench", "--profile", "release", "--locked", "--package", package, "--bench", target]);
    command
}
