//! `cargo xtask bench NAME`: measures, prints, and never fails on a time.

use std::process::Command;

use anyhow::{Result, bail};

use crate::serve::{Build, build_server};
use crate::step::{command, run, step};
use crate::test::{WASM_ONLY, with_browser};
use crate::tools::{Purpose, Tools};

/// Benches that need nothing else, by their names here and as targets.
const BENCHES: [(&str, &str); 7] = [
    ("codec", "codec"),
    ("codec-run", "codec_run"),
    ("recorder", "recorder"),
    ("timing", "timing"),
    ("network", "network"),
    ("frame", "frame"),
    ("reading", "reading"),
];

/// Benches that drive a browser: page and server are built first where they are out of date.
const IN_A_BROWSER: [&str; 2] = ["arrival", "player"];

/// Benches that hold the built-in broker against a RabbitMQ, by their names here and as targets.
const BESIDE_RABBITMQ: [(&str, &str); 2] = [("broker", "broker"), ("client-suites", "client_suites")];

/// The bench that captures what passes over loopback.
const WIRE: &str = "wire";

/// The bench that measures the load beside other programs.
const PEERS: &str = "peers";
/// The part of it that needs brokers.
const MESSAGING: &str = "messaging";
/// The part of it whose clients the tests have too.
const THRIFT: &str = "thrift";

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
    if IN_A_BROWSER.contains(&name) {
        tools.ensure(&[Purpose::Page, Purpose::Browser])?;
        crate::page::build(tools)?;
        build_server(Build::Optimized)?;
        let mut bench = bench(name);
        with_browser(&mut bench, &tools.browser()?)?;
        bench.env("HOPSCOPE_BIN", std::env::current_dir()?.join(Build::Optimized.binary()));
        return step(&format!("bench {name}"), || run(&mut bench));
    }
    if name == WIRE {
        tools.ensure(&[Purpose::Capture])?;
        return step("bench wire", || run(&mut bench(WIRE)));
    }
    if name == PEERS {
        return peers(tools, parts);
    }
    if let Some((_, target)) = BESIDE_RABBITMQ.iter().find(|(known, _)| *known == name) {
        tools.ensure(&[Purpose::Brokers])?;
        build_server(Build::Optimized)?;
        let mut bench = bench(target);
        bench.env("HOPSCOPE_BIN", std::env::current_dir()?.join(Build::Optimized.binary()));
        bench.envs(tools.rabbitmq().iter().map(|rabbitmq| ("HOPSCOPE_RABBITMQ", rabbitmq)));
        return step(&format!("bench {name}"), || run(&mut bench));
    }
    let Some((_, target)) = BENCHES.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = BENCHES
            .iter()
            .chain(&BESIDE_RABBITMQ)
            .map(|(known, _)| *known)
            .chain(IN_A_BROWSER)
            .chain([SIZE, WIRE, PEERS])
            .collect();
        bail!("there is no bench {name}; there are: {}", known.join(", "));
    };
    step(&format!("bench {name}"), || run(bench(target).arg("--").args(parts)))
}

/// Runs the bench that measures beside other programs; brokers are there where messages are measured.
fn peers(tools: &Tools, parts: &[String]) -> Result<()> {
    let messaging = parts.is_empty() || parts.iter().any(|part| part == MESSAGING);
    tools.ensure(&[Purpose::Outside])?;
    if parts.is_empty() || parts.iter().any(|part| ![MESSAGING, THRIFT].contains(&part.as_str())) {
        tools.ensure(&[Purpose::Peers])?;
    }
    if messaging {
        tools.ensure(&[Purpose::Brokers, Purpose::BrokersPeers])?;
        build_server(Build::Optimized)?;
        crate::kafka::ensure(tools, Build::Optimized)?;
    }
    let mut bench = bench(PEERS);
    bench.env("PATH", tools.path()).env("HOPSCOPE_PYTHON", tools.python()?).arg("--").args(parts);
    bench.env("HOPSCOPE_TOOLS", tools.folder()).env("HOPSCOPE_PERF_TEST", tools.perf_test());
    bench.envs(tools.rabbitmq().iter().map(|rabbitmq| ("HOPSCOPE_RABBITMQ", rabbitmq)));
    bench.envs(crate::outside::go_peer()?.iter().map(|peer| ("HOPSCOPE_GO_PEER", peer)));
    step("bench peers", || run(&mut bench))
}

/// Runs a bench as what is given away is compiled, and of the whole workspace, so that nothing is compiled a second time with other
/// features.
pub(crate) fn bench(target: &str) -> Command {
    let mut command = command("cargo");
    command
        .args(["bench", "--profile", Build::Optimized.profile(), "--locked", "--workspace"])
        .args(WASM_ONLY.iter().flat_map(|name| ["--exclude", name]))
        .args(["--bench", target]);
    command
}
