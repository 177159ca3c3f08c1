//! Readers that are late or slow, and want to be at the head.

use anyhow::{Context as _, Result, ensure};
use hopscope_record::frame::FILE_HEADER_LEN;
use serde_json::json;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::reader::{Held, Reader};
use crate::server::{HELLO, Server};

/// Bytes of recording that are certainly more than sockets hold and a reader may be behind.
const MUCH: u64 = 12 << 20;

impl Server {
    /// What the list says of a run.
    async fn about(&self, id: &str) -> Result<serde_json::Value> {
        let (status, answer) = self.ask(&format!("GET /api/runs/{id}"), b"").await?;
        ensure!(status == 200, "{status}");
        Ok(serde_json::from_slice(&answer)?)
    }

    /// Starts a run that records much; gives its id once it has.
    async fn busy_run(&self) -> Result<String> {
        let mut scenario: serde_json::Value = serde_json::from_str(HELLO)?;
        scenario["nodes"][0]["load"] = json!({"kind": "constant", "rate": "20000/s", "in_flight": 1000});
        scenario["nodes"][1]["workers"] = 64.into();
        scenario["nodes"][1]["work"]["mean"] = "0 ns".into();
        scenario["links"][0]["protocol"] = "in-process".into();
        self.run_scenario(&scenario, "1 h").await
    }

    /// Waits until the run's file has so many bytes.
    async fn grown(&self, id: &str, bytes: u64) -> Result<()> {
        while self.about(id).await?["bytes"].as_u64().context("no bytes")? < bytes {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    async fn stop(&self, id: &str) -> Result<()> {
        let (status, _) = self.ask(&format!("POST /api/runs/{id}/stop"), b"").await?;
        ensure!(status == 202, "{status}");
        Ok(())
    }

    /// Fetches what is missing, hole by hole; answers how often it asked.
    async fn fill(&self, id: &str, held: &mut Held) -> Result<u32> {
        let mut asked = 0;
        while let Some((from, to)) = held.hole() {
            let (status, frames) = self.ask(&format!("GET /api/runs/{id}/frames?from={from}&to={to}"), b"").await?;
            ensure!(status == 200 && frames.len() < 4 << 20, "{status}, {} B", frames.len());
            held.take(&frames)?;
            asked += 1;
        }
        Ok(asked)
    }

    async fn recording(&self, id: &str) -> Result<Vec<u8>> {
        let (status, mut file) = self.ask(&format!("GET /api/runs/{id}/recording"), b"").await?;
        ensure!(status == 200, "{status}");
        Ok(file.split_off(FILE_HEADER_LEN))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_stalls_for_long_is_taken_to_the_head_and_catches_up_by_ranges() -> Result<()> {
    let server = Server::start().await?;
    let id = server.busy_run().await?;
    let mut stalled = Reader::connect(server.address, &id, "mode=head").await?;
    stalled.read().await?;
    // It reads nothing until much more is recorded than it and its socket could have taken.
    server.grown(&id, MUCH).await?;
    while stalled.held.keyframes == 0 {
        ensure!(stalled.read().await?.is_none(), "the stream was closed before a Keyframe came");
    }
    // A reader that comes late begins at the head, too.
    let mut late = Reader::connect(server.address, &id, "mode=head").await?;
    while late.held.keyframes == 0 {
        ensure!(late.read().await?.is_none(), "the stream was closed before a Keyframe came");
    }
    server.stop(&id).await?;
    for reader in [&mut stalled, &mut late] {
        ensure!(reader.read_to_close().await?.code == CloseCode::Normal);
        ensure!(reader.held.hole().is_some(), "it missed nothing");
    }
    let recording = server.recording(&id).await?;
    for mut held in [stalled.held, late.held] {
        ensure!(server.fill(&id, &mut held).await? > 1, "a hole of megabytes came in one answer");
        ensure!(held.bytes() == recording, "after its ranges it holds other bytes than the file");
    }
    server.end().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_wants_everything_gets_it_however_long_it_stalls() -> Result<()> {
    let server = Server::start().await?;
    let id = server.busy_run().await?;
    let mut stalled = Reader::connect(server.address, &id, "from=0").await?;
    stalled.read().await?;
    server.grown(&id, MUCH).await?;
    server.stop(&id).await?;
    ensure!(stalled.read_to_close().await?.code == CloseCode::Normal);
    ensure!(stalled.held.keyframes == 0 && stalled.held.hole().is_none());
    ensure!(stalled.bytes() == server.recording(&id).await?);
    server.end().await?;
    Ok(())
}
