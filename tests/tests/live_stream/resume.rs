//! Connections and servers that are lost, and what a reader goes on with.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use hopscope_record::decoder::Framing;
use hopscope_record::frame::FILE_HEADER_LEN;
use hopscope_tests::http::{Headers, request};
use hopscope_tests::recording::Recorded;
use hopscope_tests::server::Server as Process;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::server::{HELLO, Server};
use hopscope_tests::reader::Reader;

/// The code of the close that says how many frames there are.
const TRUNCATED: u16 = 4001;

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_whose_connection_is_lost_again_and_again_misses_nothing_and_gets_nothing_twice() -> Result<()> {
    let server = Server::start().await?;
    let id = server.run("2 s").await?;
    let mut reader = Reader::connect(server.address, &id, "from=0").await?;
    let mut lost = 0;
    loop {
        if let Some(close) = reader.read().await? {
            ensure!(close.code == CloseCode::Normal, "closed with {}", close.code);
            break;
        }
        // The connection goes without a word, after each message.
        let held = std::mem::take(&mut reader.held);
        let query = format!("mode=head&from={}", held.next());
        reader = Reader::go_on(held, server.address, &id, &query).await?;
        lost += 1;
    }
    ensure!(lost > 5, "only {lost} connections were lost");
    ensure!(reader.held.hole().is_none());
    let (_, file) = server.ask(&format!("GET /api/runs/{id}/recording"), b"").await?;
    ensure!(file.get(FILE_HEADER_LEN..) == Some(reader.bytes().as_slice()));
    server.end().await?;
    Ok(())
}

fn address(process: &Process) -> Result<SocketAddr> {
    Ok(process.url().trim_start_matches("http://").parse()?)
}

async fn ask(process: &Process, line: &str, body: &[u8]) -> Result<(u16, Vec<u8>)> {
    let json: Headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    request(line, address(process)?, &json, body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_leaves_a_cut_run_and_tells_its_readers_where_it_ends() -> Result<()> {
    let process = Process::start().await?;
    let scenario: serde_json::Value = serde_json::from_str(HELLO)?;
    let body = serde_json::json!({"scenario": scenario, "seed": 42, "duration": "1 h"}).to_string();
    let (status, answer) = ask(&process, "POST /api/runs", body.as_bytes()).await?;
    ensure!(status == 201, "{}", String::from_utf8_lossy(&answer));
    let id = serde_json::from_slice::<serde_json::Value>(&answer)?["id"].as_str().context("no id")?.to_owned();
    let mut reader = Reader::connect(address(&process)?, &id, "mode=head").await?;
    while reader.held.next() < 20 {
        ensure!(reader.read().await?.is_none());
    }

    let data = process.kill().await?;
    // What was sent before the death is still on its way.
    while let Ok(None) = reader.read().await {}
    let mut held = reader.held;
    let path = data.path().join(format!("{id}.hop"));
    let file = std::fs::read(&path)?;
    ensure!(file.get(FILE_HEADER_LEN..).is_some_and(|frames| frames.starts_with(&held.bytes())));

    // The server alone died: all that anyone was sent is in the file.
    let process = Process::start_on(data).await?;
    let (_, listed) = ask(&process, "GET /api/runs", b"").await?;
    let listed: serde_json::Value = serde_json::from_slice(&listed)?;
    ensure!(listed[0]["id"] == id.as_str() && listed[0]["state"] == "cut", "{listed}");
    let frames = u32::try_from(listed[0]["frames"].as_u64().context("no frames")?)?;
    ensure!(frames >= held.next());
    let query = format!("mode=head&from={}", held.next());
    let mut reader = Reader::go_on(std::mem::take(&mut held), address(&process)?, &id, &query).await?;
    ensure!(reader.read_to_close().await?.code == CloseCode::Normal);
    ensure!((reader.held.next(), reader.held.hole()) == (frames, None));
    held = reader.held;

    // The machine died with it, and the file's end was never on the disk.
    let data = process.kill().await?;
    let tail = std::fs::read(&path)?.len() - 7;
    std::fs::OpenOptions::new().write(true).open(&path)?.set_len(tail as u64)?;
    std::fs::remove_file(data.path().join(format!("{id}.json")))?;
    let process = Process::start_on(data).await?;
    let query = format!("mode=head&from={}", held.next());
    let mut reader = Reader::go_on(held, address(&process)?, &id, &query).await?;
    let close = reader.read_to_close().await?;
    ensure!(u16::from(close.code) == TRUNCATED && close.reason.as_str() == (frames - 1).to_string(), "{close:?}");
    held = reader.held;
    held.truncate(frames - 1);
    let query = format!("mode=head&from={}", held.next());
    let mut reader = Reader::go_on(held, address(&process)?, &id, &query).await?;
    ensure!(reader.read_to_close().await?.code == CloseCode::Normal);
    let (_, file) = ask(&process, &format!("GET /api/runs/{id}/recording"), b"").await?;
    ensure!(file.get(FILE_HEADER_LEN..) == Some(reader.bytes().as_slice()));
    let recorded = Recorded::read(&file, Framing::File)?;
    ensure!(recorded.end.is_none() && recorded.frames == u64::from(frames - 1) && !recorded.events.is_empty());
    Ok(())
}
