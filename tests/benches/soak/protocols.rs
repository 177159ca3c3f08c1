//! All protocols at once, for long.

use std::collections::BTreeMap;
use std::fs::File;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use hopscope_record::frame::{Counted, End, EndReason, Payload};
use hopscope_record::{Event, Kind, MessageId};
use hopscope_report::frames::{Batch, each_frame};
use hopscope_report::laws::Laws;
use hopscope_scenario::protocol::{PROTOCOLS, Protocol};
use hopscope_tests::process::Process;
use hopscope_tests::server::Server;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::{Instant, sleep_until};

use crate::readers::{begin, json_of, spread};

/// How long load is offered unless told otherwise, minutes.
const MINUTES: u64 = 30;
/// Requests a second over each protocol that calls, and records through the topic.
const CALLS: u64 = 500;
/// Requests a second through queues; each is answered through another.
const QUEUED: u64 = 250;
/// After so many minutes everything that a run needs is there.
const SETTLED: usize = 3;
/// So much more memory may the server have at any later minute, bytes: what allocators keep, and a recording's index.
const MORE: u64 = 32 << 20;

/// More than come in a day: a run may have 20 million unless its server is told otherwise, and these come to that in a quarter of an hour.
const MOST_EVENTS: &str = "1000000000";

const MINUTE_NS: i64 = 60_000_000_000;

/// Clients and services, two by two, one pair for each protocol that there is.
fn scenario() -> Value {
    let (mut nodes, mut links) = (Vec::new(), Vec::new());
    for (row, descriptor) in PROTOCOLS.iter().enumerate() {
        let (y, protocol, queued) = (row * 160, descriptor.id, descriptor.protocol == Protocol::Amqp);
        let rate = if queued { QUEUED } else { CALLS };
        let [client, service, asks, answers] = ["c", "s", "q", "r"].map(|kind| format!("{kind}{row}"));
        nodes.push(json!({"id": client, "kind": "client", "name": format!("{protocol} client"), "x": 0, "y": y,
            "payload": {"bytes": "256 B"}, "load": {"kind": "poisson", "rate": format!("{rate}/s"), "in_flight": 1000}}));
        nodes.push(json!({"id": service, "kind": "service", "name": format!("{protocol} service"), "x": 600, "y": y,
            "workers": 16, "work": {"distribution": "exponential", "mean": "1 ms"}}));
        if queued {
            nodes.push(json!({"id": asks, "kind": "queue", "name": "requests", "x": 300, "y": y}));
            nodes.push(json!({"id": answers, "kind": "queue", "name": "replies", "x": 300, "y": y + 80}));
            links.push(
                json!({"id": format!("l{row}"), "from": client, "to": asks, "protocol": protocol, "replies": answers}),
            );
            links.push(json!({"id": format!("t{row}"), "from": asks, "to": service, "protocol": protocol}));
        } else if descriptor.protocol == Protocol::Kafka {
            nodes.push(json!({"id": asks, "kind": "topic", "name": "records", "x": 300, "y": y}));
            links.push(json!({"id": format!("l{row}"), "from": client, "to": asks, "protocol": protocol}));
            links.push(
                json!({"id": format!("t{row}"), "from": asks, "to": service, "protocol": protocol, "in_flight": 16}),
            );
        } else {
            links.push(json!({"id": format!("l{row}"), "from": client, "to": service, "protocol": protocol}));
        }
    }
    json!({"format": "hopscope-scenario", "version": 1, "name": "all protocols", "nodes": nodes, "links": links})
}

/// How the server stood at the end of a minute.
struct Stood {
    memory: u64,
    threads: usize,
    files: usize,
    bytes: u64,
}

/// What the events of a minute tell.
#[derive(Default)]
struct Minute {
    messages: u64,
    behind: Vec<i64>,
    took: Vec<i64>,
}

/// One run; a row for each minute of it.
pub(crate) async fn protocols(minutes: Option<&String>) -> Result<()> {
    let minutes = minutes.map_or(Ok(MINUTES), |minutes| minutes.parse())?;
    let mut command = Command::new(hopscope_tests::variable("HOPSCOPE_BIN")?);
    command.args(["serve", "--listen", "127.0.0.1:0", "--max-events", MOST_EVENTS]);
    let server = Server::start_by(command, tempfile::tempdir()?).await?;
    let id = begin(&server, &scenario(), &format!("{minutes} min")).await?;
    let (process, mut stood) = (server.process()?, Vec::new());
    let began = Instant::now();
    for minute in 1..=minutes {
        sleep_until(began + Duration::from_secs(60 * minute)).await;
        stood.push(look(&server, process, &id).await?);
    }
    while json_of(&server, &format!("GET /api/runs/{id}")).await?["state"] != "ended" {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let read = read(&server, &id)?;
    println!(
        "| minute | messages/s | behind its schedule, p50, p99 | T1 to the reply, p50, p99 | memory | threads | open files | recording |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for (number, (stood, minute)) in stood.iter().zip(read).enumerate() {
        let Stood { memory, threads, files, bytes } = stood;
        let (memory, bytes) = (*memory as f64 / 1e6, *bytes as f64 / 1e6);
        let (behind, took, per_second) = (spread(minute.behind), spread(minute.took), minute.messages / 60);
        let number = number + 1;
        println!(
            "| {number} | {per_second} | {behind} | {took} | {memory:.1} MB | {threads} | {files} | {bytes:.1} MB |"
        );
    }
    let settled = stood.get(SETTLED - 1).map_or(u64::MAX, |stood| stood.memory);
    let most = stood.iter().skip(SETTLED).map(|stood| stood.memory).max().unwrap_or(0);
    ensure!(most <= settled.saturating_add(MORE), "memory grew from {settled} to {most} bytes");
    server.end().await?;
    Ok(())
}

async fn look(server: &Server, process: Process, id: &str) -> Result<Stood> {
    let bytes = json_of(server, &format!("GET /api/runs/{id}")).await?["bytes"].as_u64().context("no bytes")?;
    let holds = process.holdings()?;
    let (threads, files) = (holds.threads.values().sum(), holds.files.values().sum());
    Ok(Stood { memory: process.memory()?, threads, files, bytes })
}

/// The recording, minute by minute. No event may be missing, and no law be broken or left undecided.
fn read(server: &Server, id: &str) -> Result<Vec<Minute>> {
    let (mut minutes, mut open) = (Vec::<Minute>::new(), BTreeMap::<MessageId, i64>::new());
    let (mut batch, mut laws, mut events, mut end) = (Batch::default(), Laws::new(), 0, None::<End>);
    let mut file = File::open(server.data().join(format!("{id}.hop")))?;
    each_frame(&mut file, |frame| {
        let read = batch.of(frame)?;
        laws.push_read(frame, read)?;
        events += read.len() as u64;
        read.iter().for_each(|event| take(event, &mut minutes, &mut open));
        if let Payload::End(found) = frame.read()? {
            end = Some(found);
        }
        Ok::<_, anyhow::Error>(())
    })?;
    let end = end.context("the recording has no End")?;
    ensure!(end.reason == EndReason::LOAD_DONE, "it ended before its time: {:?}", end.reason);
    let stamped = end.counts.iter().filter(|count| count.counted == Counted::EVENTS).map(|count| count.count);
    ensure!(stamped.sum::<u64>() == events, "events are missing");
    for report in laws.report() {
        ensure!((report.broken, report.undecided) == (0, 0), "{report:?}");
    }
    println!("{events} events, none missing; every law held\n");
    Ok(minutes)
}

fn take(event: &Event, minutes: &mut Vec<Minute>, open: &mut BTreeMap<MessageId, i64>) {
    let number = usize::try_from(event.time / MINUTE_NS).unwrap_or(0);
    if minutes.len() <= number {
        minutes.resize_with(number + 1, Minute::default);
    }
    let minute = &mut minutes[number];
    match event.kind {
        Kind::INTENDED => minute.behind.push(event.time - event.a.cast_signed()),
        Kind::SENT | Kind::PUBLISHED => {
            minute.messages += 1;
            open.insert(event.message, event.time);
        }
        Kind::COMPLETED => minute.took.extend(open.remove(&event.message).map(|sent| event.time - sent)),
        // A reply's publish has no reply, and a record's neither.
        Kind::CONFIRMED if event.a == 0 => drop(open.remove(&event.message)),
        _ => {}
    }
}
