//! Many readers of one run, and one that stalls.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use hopscope_record::decoder::Framing;
use hopscope_record::frame::{Counted, FILE_HEADER_LEN};
use hopscope_record::{Event, Kind};
use hopscope_tests::http::{Headers, request};
use hopscope_tests::reader::Reader;
use hopscope_tests::recording::Recorded;
use hopscope_tests::server::Server;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// Readers at once that read as it comes.
const READERS: usize = 50;
/// Requests a second; each is seven events.
const RATE: u64 = 3_000;
/// How long load is offered, s.
const SECONDS: u64 = 80;
/// How long one reader reads nothing.
const STALL: Duration = Duration::from_secs(60);

/// A run without readers, then one with many and with one that stalls: that one is not slower, and each reader has all of it.
pub(crate) async fn readers() -> Result<()> {
    println!("{RATE} requests a second over HTTP/1.1 for {SECONDS} s");
    println!("| readers | events | a second | behind its schedule, p50, p99 | T2 - T1, p50, p99 |");
    println!("| --- | --- | --- | --- | --- |");
    for readers in [0, READERS] {
        let server = Server::start().await?;
        let recording = follow(&server, readers).await?;
        let recorded = Recorded::read(&recording, Framing::Stream)?;
        let end = recorded.end.as_ref().context("no End")?;
        let stamped = end.counts.iter().filter(|count| count.counted == Counted::EVENTS).map(|count| count.count);
        ensure!(stamped.sum::<u64>() == recorded.events.len() as u64 && recorded.lost == 0, "events are missing");
        let wanted = of(&recorded, Kind::INTENDED).count() as u64;
        ensure!(wanted == RATE * SECONDS, "{wanted} requests were wanted, not {}", RATE * SECONDS);
        println!("{}", row(readers, &recorded));
        server.end().await?;
    }
    println!(
        "\nEach of the {READERS} readers, and the one that read nothing for {} s, has every byte.",
        STALL.as_secs()
    );
    Ok(())
}

/// Runs, with so many readers and one that stalls where there are any; gives the recording.
async fn follow(server: &Server, readers: usize) -> Result<Vec<u8>> {
    let (address, id) = (server.address()?, begin(server, &scenario()?, &format!("{SECONDS} s")).await?);
    let mut following = JoinSet::new();
    for reader in 0..readers + usize::from(readers > 0) {
        let (id, stalls) = (id.clone(), reader == readers);
        following.spawn(async move {
            let mut reader = Reader::connect(address, &id, "from=0").await?;
            if stalls {
                reader.read_until(|held| held.time > 0).await?;
                tokio::time::sleep(STALL).await;
            }
            let close = reader.read_to_close().await?;
            ensure!(close.code == CloseCode::Normal, "closed with {}", close.code);
            Ok(reader.bytes())
        });
    }
    while json_of(server, &format!("GET /api/runs/{id}")).await?["state"] != "ended" {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (status, mut file) = request(&format!("GET /api/runs/{id}/recording"), address, &Vec::new(), b"").await?;
    ensure!(status == 200, "{status}");
    let recording = file.split_off(FILE_HEADER_LEN);
    while let Some(read) = following.join_next().await {
        ensure!(read?? == recording, "a reader has other bytes than the file");
    }
    Ok(recording)
}

fn scenario() -> Result<Value> {
    let mut scenario: Value = serde_json::from_str(include_str!("../../../scenarios/hello-sync.json"))?;
    scenario["nodes"][0]["load"] = json!({"kind": "constant", "rate": format!("{RATE}/s"), "in_flight": 1000});
    scenario["nodes"][1]["workers"] = json!(64);
    scenario["nodes"][1]["work"]["mean"] = json!("0 ns");
    Ok(scenario)
}

/// Starts a run; gives its id.
pub(crate) async fn begin(server: &Server, scenario: &Value, duration: &str) -> Result<String> {
    let body = json!({"scenario": scenario, "seed": 42, "duration": duration}).to_string();
    let headers: Headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let (status, answer) = request("POST /api/runs", server.address()?, &headers, body.as_bytes()).await?;
    ensure!(status == 201, "{status}: {}", String::from_utf8_lossy(&answer));
    let answer: Value = serde_json::from_slice(&answer)?;
    Ok(answer["id"].as_str().context("no id")?.to_owned())
}

/// What the server answers to a question.
pub(crate) async fn json_of(server: &Server, line: &str) -> Result<Value> {
    let (status, body) = request(line, server.address()?, &Vec::new(), b"").await?;
    ensure!(status == 200, "{line}: {status}");
    Ok(serde_json::from_slice(&body)?)
}

fn of(recorded: &Recorded, kind: Kind) -> impl Iterator<Item = &Event> {
    recorded.events.iter().filter(move |event| event.kind == kind)
}

fn row(readers: usize, recorded: &Recorded) -> String {
    let behind = of(recorded, Kind::INTENDED).map(|event| event.time - event.a as i64).collect();
    let sent: std::collections::BTreeMap<_, _> =
        of(recorded, Kind::SENT).map(|event| (event.message, event.time)).collect();
    let took = of(recorded, Kind::COMPLETED).filter_map(|event| Some(event.time - sent.get(&event.message)?)).collect();
    let events = recorded.events.len();
    let per_second = events as u64 / SECONDS;
    format!("| {readers} | {events} | {per_second} | {} | {} |", spread(behind), spread(took))
}

/// p50 and p99 of times in ns.
pub(crate) fn spread(mut times: Vec<i64>) -> String {
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).map_or(f64::NAN, |ns| *ns as f64 / 1e3);
    format!("{:.0} us, {:.0} us", at(50), at(99))
}
