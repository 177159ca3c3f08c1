//! A very long recording.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use hopscope_tests::http::request;
use hopscope_tests::long::{Took, took, write};
use hopscope_tests::server::Server;
use serde_json::Value;

use crate::ms;

/// Two recordings, by their ids and their events; the second is ten times the first.
const LONG: [(&str, u64); 2] = [("20200101-000000-0001", 1_000_000), ("20200101-000000-0002", 10_000_000)];

/// So much more memory may reading the longer of them take: an allocator's slack. Its events alone are 560 MB in memory, and 60 MB
/// in the file.
const MORE: u64 = 16 << 20;

/// The formats that each is exported in.
const FORMATS: [&str; 4] = ["json", "csv", "csv-messages", "perfetto"];

/// Reads a recording of a million events and one of ten: the memory is to be the same, and a place in the middle is found at once.
pub(crate) async fn ten_million() -> Result<()> {
    let data = tempfile::tempdir()?;
    for (id, events) in LONG {
        write(data.path(), id, events)?;
    }
    // What is known of them is read from their files, the first time that someone lists them.
    let listed = took(&["runs", "--data", data.path().to_str().context("no name")?])?;
    println!("Listed for the first time, both: {}\n", told(listed));
    println!("| export | 1 M events: memory, time | 10 M events: memory, time |");
    println!("| --- | --- | --- |");
    for format in FORMATS {
        let [short, long] = LONG.map(|(id, _)| export(data.path(), format, id));
        let (short, long) = (short?, long?);
        println!("| {format} | {} | {} |", told(short), told(long));
        ensure!(long.memory < short.memory + MORE, "{format} takes memory by the length of the recording");
        ensure!(listed.memory < short.memory + MORE, "a list takes memory by the length of the recordings");
    }
    println!("\n| of a server, 10 M events | time |");
    println!("| --- | --- |");
    let data = places("index made", data).await?;
    places("index there", data).await?;
    Ok(())
}

fn export(data: &Path, format: &str, id: &str) -> Result<Took> {
    let data = data.to_str().context("no name")?;
    took(&["export", id, "--format", format, "--out", "/dev/null", "--data", data])
}

fn told(Took { memory, time }: Took) -> String {
    format!("{:.1} MB, {:.2} s", memory as f64 / 1e6, time.as_secs_f64())
}

/// Asks a server that has just begun for the state in the middle, and for frames there and at the end.
async fn places(index: &str, data: tempfile::TempDir) -> Result<tempfile::TempDir> {
    let server = Server::start_on(data).await?;
    let run = format!("/api/runs/{}", LONG[1].0);
    let (_, view) = request(&format!("GET {run}"), server.address()?, &Vec::new(), b"").await?;
    let frames = serde_json::from_slice::<Value>(&view)?["frames"].as_u64().context("no frames")?;
    let middle = frames / 2;
    for path in [
        format!("{run}/keyframe?at={middle}"),
        format!("{run}/frames?from={middle}&to={}", middle + 1),
        format!("{run}/frames?from={}&to={frames}", frames - 1),
    ] {
        let began = Instant::now();
        let (status, body) = request(&format!("GET {path}"), server.address()?, &Vec::new(), b"").await?;
        ensure!(status == 200 && !body.is_empty(), "{path}: {status}");
        println!("| {}, {index} | {} |", path.trim_start_matches(&run), ms(began.elapsed()));
    }
    server.end().await
}
