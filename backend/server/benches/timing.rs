//! How late a run is: intended sends behind their schedule, work beyond its length, and what a call costs on each transport.
//!
//! Prints percentiles in microseconds; it passes no judgement, since they are those of the machine and its load.
//! `cargo xtask bench timing http1` measures that protocol alone.

use std::io::Write as _;

use hopscope_record::codec::EventDecoder;
use hopscope_record::decoder::{Decoder, Framing};
use hopscope_record::frame::Payload;
use hopscope_record::{Event, Kind};
use hopscope_scenario::plan::RunSettings;
use hopscope_scenario::quantity::Time;
use hopscope_scenario::validate::validate;
use hopscope_server::record::{Memory, new_run_key};
use hopscope_server::run::{self, MOST_EVENTS, RunOptions};

type Anything = Box<dyn std::error::Error + Send + Sync>;

fn events(memory: &Memory) -> Result<Vec<Event>, Anything> {
    let mut decoder = Decoder::new(Framing::Stream);
    decoder.push(&memory.bytes());
    let (mut events, mut batch, mut batches) = (Vec::new(), Vec::new(), EventDecoder::new());
    while let Some(frame) = decoder.next_frame()? {
        if let Payload::Events(payload) = frame.read()? {
            batches.decode(payload.batch, &mut batch)?;
            events.append(&mut batch);
        }
    }
    Ok(events)
}

/// One client and one service; over AMQP with a queue of requests and one of replies between them.
fn scenario(protocol: &str, rate: u64, work: &str) -> String {
    let nodes = format!(
        r#"{{"id": "n1", "name": "client", "kind": "client", "payload": {{"bytes": "256 B"}},
             "load": {{"kind": "constant", "rate": "{rate}/s", "in_flight": 1000}}}},
           {{"id": "n2", "name": "service", "kind": "service", "replicas": 1, "workers": 64,
             "work": {{"distribution": "constant", "mean": "{work}"}}}}"#
    );
    let (queues, links) = if protocol == "amqp" {
        (
            r#", {"id": "n3", "name": "requests", "kind": "queue", "prefetch": 256}, {"id": "n4", "name": "replies", "kind": "queue"}"#,
            r#"{"id": "l1", "from": "n1", "to": "n3", "protocol": "amqp", "replies": "n4"},
               {"id": "l2", "from": "n3", "to": "n2", "protocol": "amqp"}"#
                .to_owned(),
        )
    } else {
        ("", format!(r#"{{"id": "l1", "from": "n1", "to": "n2", "protocol": "{protocol}"}}"#))
    };
    format!(
        r#"{{"format": "hopscope-scenario", "version": 1, "name": "timing", "checks": [],
        "nodes": [{nodes}{queues}], "links": [{links}]}}"#
    )
}

async fn measure(protocol: &str, rate: u64, work: &str, work_ns: i64) -> Result<(), Anything> {
    let valid = validate(&scenario(protocol, rate, work)).map_err(|issues| format!("{issues:?}"))?;
    let memory = Memory::default();
    let settings = RunSettings { seed: 1, duration: Some(Time(2_000_000_000)), ..RunSettings::default() };
    let sink = Box::new(memory.clone());
    let (id, key, scenario, most_events) = ("timing".to_owned(), new_run_key()?, valid.scenario, MOST_EVENTS);
    let options = RunOptions {
        id,
        key,
        scenario,
        settings,
        brokers: hopscope_server::broker::Brokers::default(),
        sink,
        most_events,
    };
    Box::pin(run::start(options)).await?.join().await;
    let events = events(&memory)?;
    let count = |kind: Kind| events.iter().filter(|event| event.kind == kind).count();
    let late: Vec<i64> =
        events.iter().filter(|event| event.kind == Kind::INTENDED).map(|event| event.time - event.a as i64).collect();
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{protocol} {rate}/s, work {work}: {} intended, {} completed, {} not sent, {} connections",
        count(Kind::INTENDED),
        count(Kind::COMPLETED),
        count(Kind::NOT_SENT),
        count(Kind::CONNECTED)
    )?;
    print(&mut out, "intended behind its schedule", late)?;
    print(&mut out, "work beyond its length", between(&events, Kind::STARTED, Kind::FINISHED, work_ns))?;
    let opens = if protocol == "amqp" { Kind::PUBLISHED } else { Kind::SENT };
    print(&mut out, "T2 - T1 without its work", between(&events, opens, Kind::COMPLETED, work_ns))?;
    if protocol == "amqp" {
        print(&mut out, "publish to confirm", between(&events, opens, Kind::CONFIRMED, 0))?;
    }
    Ok(())
}

/// For each message, how much longer it took from one kind to the other.
fn between(events: &[Event], from: Kind, to: Kind, less: i64) -> Vec<i64> {
    let began: std::collections::BTreeMap<_, _> =
        events.iter().filter(|event| event.kind == from).map(|event| (event.message, event.time)).collect();
    let ended = events.iter().filter(|event| event.kind == to);
    ended.filter_map(|event| Some(event.time - began.get(&event.message)? - less)).collect()
}

fn print(out: &mut impl std::io::Write, what: &str, mut times: Vec<i64>) -> std::io::Result<()> {
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 1000).map_or(f64::NAN, |ns| *ns as f64 / 1000.0);
    writeln!(out, "  {what}: p50 {:.1} us, p90 {:.1} us, p99 {:.1} us", at(500), at(900), at(990))
}

fn main() -> Result<(), Anything> {
    // Cargo adds options of its own.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        for protocol in ["in-process", "http1", "grpc", "amqp"] {
            if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == protocol) {
                continue;
            }
            measure(protocol, 500, "1 ms", 1_000_000).await?;
            measure(protocol, 5_000, "0 ns", 0).await?;
            measure(protocol, 50_000, "0 ns", 0).await?;
        }
        Ok(())
    })
}
