//! Readers that are late or slow, and want to be at the head.

use anyhow::{Context as _, Result, ensure};
use hopscope_record::decoder::Framing;
use hopscope_record::frame::{Counted, FILE_HEADER_LEN};
use hopscope_tests::recording::Recorded;
use serde_json::json;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::server::{HELLO, Server};
use hopscope_tests::reader::{Held, Reader};

/// Bytes of recording that are certainly more than sockets hold and a reader may be behind.
const MUCH: u64 = 12 << 20;

/// How long a reader stalls, in ns of the run's time.
const STALL: i64 = 10_000_000_000;

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
async fn readers_that_stall_for_ten_seconds_of_the_run_are_caught_up_with_nothing_missing() -> Result<()> {
    let server = Server::start().await?;
    let id = server.busy_run().await?;
    let mut stalled = Reader::connect(server.address, &id, "mode=head").await?;
    let mut complete = Reader::connect(server.address, &id, "from=0").await?;
    stalled.read_until(|held| held.time > 0).await?;
    complete.read_until(|held| held.time > 0).await?;
    // From here on both read nothing. Another one reads on, and sees how the run's time passes; besides, much more is
    // recorded than they and their sockets could have taken.
    let begun = stalled.held.time.max(complete.held.time);
    let mut watching = Reader::connect(server.address, &id, "mode=head").await?;
    watching.read_until(|held| held.time >= begun + STALL).await?;
    server.grown(&id, MUCH).await?;
    let (head, time) = (watching.held.next(), watching.held.time);
    // Both come to where the run was then while it goes on: one by a Keyframe, the other through every frame.
    stalled.read_until(|held| held.keyframes > 0 && held.time >= time).await?;
    complete.read_until(|held| held.next() >= head).await?;
    ensure!(stalled.held.hole().is_some(), "it missed nothing");
    ensure!(complete.held.keyframes == 0 && complete.held.hole().is_none(), "it was taken to the head");
    // A reader that comes late begins at the head, too.
    let mut late = Reader::connect(server.address, &id, "mode=head").await?;
    late.read_until(|held| held.keyframes > 0).await?;
    server.stop(&id).await?;
    for reader in [&mut stalled, &mut complete, &mut late] {
        ensure!(reader.read_to_close().await?.code == CloseCode::Normal);
    }
    let recording = server.recording(&id).await?;
    ensure!(complete.held.keyframes == 0 && complete.bytes() == recording, "it holds other bytes than the file");
    for mut held in [stalled.held, late.held] {
        ensure!(server.fill(&id, &mut held).await? > 1, "a hole of megabytes came in one answer");
        ensure!(held.bytes() == recording, "after its ranges it holds other bytes than the file");
    }
    let recorded = Recorded::read(&recording, Framing::Stream)?;
    let end = recorded.end.context("no End")?;
    let accepted = end.counts.iter().filter(|count| count.counted == Counted::EVENTS).map(|count| count.count);
    ensure!(accepted.sum::<u64>() == recorded.events.len() as u64, "events are missing");
    ensure!(end.time >= begun + STALL, "the run ended at {} ns", end.time);
    server.end().await?;
    Ok(())
}
