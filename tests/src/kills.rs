//! Runs whose process is killed in the middle of a load of 5,000 messages a second, and what is left of them.
//!
//! Shared by the test, which kills a few, and by `cargo xtask soak kills`, which kills ten of each and prints how far the
//! last thing that was kept is behind the kill.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use hopscope_record::decoder::{Decoder, Framing};
use hopscope_record::frame::{FrameType, Payload};
use hopscope_record::{Event, Kind};
use hopscope_report::laws::{Law, LawReport, Laws};
use serde_json::{Value, json};

use crate::command::{Running, hopscope};
use crate::http::{Headers, request};
use crate::recording::Recorded;
use crate::server::Server;

/// From one intended send to the next: 5,000 a second.
const EVERY_NS: u64 = 200_000;

/// Frames after which a run is in the middle of its load: more than a second of it, at a frame each 50 ms or more often.
const IN_THE_MIDDLE: u32 = 25;

/// From one look at the file of a run to the next.
const LOOK: Duration = Duration::from_millis(10);

/// The greatest distance that is let pass. A frame is due each 50 ms and written at once; a hundred times that is no machine that is
/// merely slow, but a recording that is not written out while the run goes on.
const MOST_BEHIND: Duration = Duration::from_secs(5);

/// Every format that a recording is exported in.
const FORMATS: [&str; 4] = ["json", "csv", "csv-messages", "perfetto"];

/// What was killed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Killed {
    /// `hopscope serve`.
    Server,
    /// `hopscope run`.
    Run,
}

impl Killed {
    /// As it is typed.
    #[must_use]
    pub const fn command(self) -> &'static str {
        match self {
            Self::Server => "hopscope serve",
            Self::Run => "hopscope run",
        }
    }
}

/// What was left of a run whose process was killed.
#[derive(Clone, Debug)]
pub struct Left {
    /// The run.
    pub id: String,
    /// Events in its recording.
    pub events: u64,
    /// How long it had run when it was killed.
    pub ran: Duration,
    /// How far its last event is behind the kill.
    pub last_event: Duration,
    /// How far the instant is behind the kill up to which the recording says that it has everything.
    pub complete_to: Duration,
}

/// The first template at 5,000 requests a second, with no work to do, until it is stopped.
fn scenario() -> Result<Value> {
    let mut scenario: Value = serde_json::from_str(include_str!("../../scenarios/hello-sync.json"))?;
    scenario["nodes"][0]["load"] = json!({"kind": "constant", "rate": "5000/s", "in_flight": 10_000});
    scenario["nodes"][1]["work"] = json!({"distribution": "constant", "mean": "0 s"});
    Ok(scenario)
}

/// Starts a run in the folder, kills its process in the middle of its load, `after` an instant that has nothing to do with what is
/// written when, and makes sure that the run is there afterwards.
///
/// # Errors
/// When something of it is not there, is damaged, or cannot be read, exported or judged.
pub async fn kill(what: Killed, data: tempfile::TempDir, after: Duration) -> Result<(tempfile::TempDir, Left)> {
    let (data, id, killed) = match what {
        Killed::Server => kill_server(data, after).await?,
        Killed::Run => kill_run(data, after).await?,
    };
    let left = look(data.path(), &id, killed)?;
    listed_and_exported(data.path(), &id, left.events).await?;
    Ok((served_again(data, &id).await?, left))
}

async fn kill_server(data: tempfile::TempDir, after: Duration) -> Result<(tempfile::TempDir, String, SystemTime)> {
    let server = Server::start_on(data).await?;
    let body = json!({"scenario": scenario()?, "duration": null}).to_string();
    let json: Headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let (status, answer) = request("POST /api/runs", server.address()?, &json, body.as_bytes()).await?;
    ensure!(status == 201, "{}", String::from_utf8_lossy(&answer));
    let id = serde_json::from_slice::<Value>(&answer)?["id"].as_str().context("no id")?.to_owned();
    in_the_middle(&server.data().join(format!("{id}.hop"))).await?;
    tokio::time::sleep(after).await;
    let killed = SystemTime::now();
    Ok((server.kill().await?, id, killed))
}

async fn kill_run(data: tempfile::TempDir, after: Duration) -> Result<(tempfile::TempDir, String, SystemTime)> {
    let desk = tempfile::tempdir()?;
    let file = desk.path().join("scenario.json");
    std::fs::write(&file, scenario()?.to_string())?;
    let before = recordings(data.path())?;
    let arguments = ["run".as_ref(), file.as_os_str(), "--duration".as_ref(), "until-stopped".as_ref()];
    let arguments = arguments.into_iter().chain(["--data".as_ref(), data.path().as_os_str()]);
    let mut running = Running::start(arguments)?;
    running.says("Measured: ").await?;
    let path = recordings(data.path())?.into_iter().find(|path| !before.contains(path)).context("it is not there")?;
    in_the_middle(&path).await?;
    tokio::time::sleep(after).await;
    let killed = SystemTime::now();
    running.kill().await?;
    let id = path.file_stem().and_then(|name| name.to_str()).context("no name")?.to_owned();
    Ok((data, id, killed))
}

/// The recordings in a folder.
fn recordings(folder: &Path) -> Result<Vec<PathBuf>> {
    let paths = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    Ok(paths.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "hop")).collect())
}

/// Waits until the file of a run says that the load is well under way.
async fn in_the_middle(path: &Path) -> Result<()> {
    loop {
        let (mut decoder, mut frames) = (Decoder::new(Framing::File), 0);
        decoder.push(&std::fs::read(path)?);
        while let Some(frame) = decoder.next_frame()? {
            frames += u32::from(frame.header.frame_type == FrameType::EVENTS);
        }
        if frames >= IN_THE_MIDDLE {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What the file has, before anyone else looks at it: whole frames up to its last whole one, all events up to the last cut, and no
/// law broken.
fn look(folder: &Path, id: &str, killed: SystemTime) -> Result<Left> {
    let path = folder.join(format!("{id}.hop"));
    let (mut decoder, mut laws, mut cut, mut hello) = (Decoder::new(Framing::File), Laws::new(), i64::MIN, None);
    let bytes = std::fs::read(&path)?;
    decoder.push(&bytes);
    while let Some(frame) = decoder.next_frame()? {
        laws.push(&frame)?;
        match frame.read()? {
            Payload::Hello(said) => hello = Some(said),
            Payload::Events(payload) => cut = payload.cut,
            Payload::Loss(losses) => anyhow::bail!("{id} has lost events: {losses:?}"),
            Payload::End(end) => anyhow::bail!("{id} was not killed in its middle: {end:?}"),
            _ => {}
        }
    }
    let whole = usize::try_from(decoder.good_offset())?;
    let recorded = Recorded::read(bytes.get(..whole).context("no frame")?, Framing::File)?;
    complete(&recorded.events, cut)?;
    judged(&laws.report())?;
    let last = recorded.events.last().context("no events")?.time;
    let ran = killed.duration_since(UNIX_EPOCH)?.as_nanos().cast_signed()
        - i128::from(hello.context("no Hello")?.unix_ns_at_zero);
    let behind =
        |time: i64| Ok::<_, anyhow::Error>(Duration::from_nanos(u64::try_from((ran - i128::from(time)).max(0))?));
    let left = Left {
        id: id.to_owned(),
        events: recorded.events.len() as u64,
        ran: Duration::from_nanos(u64::try_from(ran)?),
        last_event: behind(last)?,
        complete_to: behind(cut)?,
    };
    ensure!(left.complete_to < MOST_BEHIND, "{id} is complete only up to {:?} before the kill", left.complete_to);
    Ok(left)
}

/// Every request that the schedule wanted up to some instant is there, once and in its order, and none is wanted after the cut.
fn complete(events: &[Event], cut: i64) -> Result<()> {
    let intended: Vec<u64> = events.iter().filter(|event| event.kind == Kind::INTENDED).map(|event| event.a).collect();
    ensure!(intended.len() > 1_000, "only {} requests were wanted", intended.len());
    for (at, wanted) in intended.windows(2).map(|pair| (pair[0], pair[1])) {
        ensure!(wanted == at + EVERY_NS, "after the request of {at} ns comes the one of {wanted} ns");
    }
    ensure!(events.iter().all(|event| event.time <= cut), "an event is after the cut of its frame");
    Ok(())
}

/// No law is broken by what a cut recording lacks, and what cannot be decided without its end is said to be so.
fn judged(laws: &[LawReport]) -> Result<()> {
    for report in laws {
        ensure!(report.broken == 0, "{report:?}");
    }
    ensure!(laws.iter().any(|report| report.held > 1_000), "nothing was judged: {laws:?}");
    // What only an End tells: how many events there are, and what was open, of which there may have been nothing.
    for (law, at_least) in [(Law::Accepted, 1), (Law::OpenAtEnd, 0)] {
        let report = laws.iter().find(|report| report.law == law).context("no such law")?;
        ensure!(report.undecided >= at_least && report.held == 0, "{report:?}");
    }
    Ok(())
}

/// The command line lists it as cut and exports it in every format.
async fn listed_and_exported(folder: &Path, id: &str, events: u64) -> Result<()> {
    let data = folder.to_str().context("no name")?;
    let listed = hopscope(["runs", "--data", data]).await?;
    let row = listed.stdout.lines().find(|line| line.contains(id)).with_context(|| format!("{listed:?}"))?;
    ensure!(row.split_whitespace().any(|word| word == "cut"), "{row}");
    let out = tempfile::tempdir()?;
    for format in FORMATS {
        let file = out.path().join(format);
        let name = file.to_str().context("no name")?;
        let ended = hopscope(["export", id, "--format", format, "--out", name, "--data", data]).await?;
        ensure!(ended.code == 0 && std::fs::metadata(&file)?.len() > 0, "{format}: {ended:?}");
    }
    let document: Value = serde_json::from_slice(&std::fs::read(out.path().join("json"))?)?;
    ensure!(document["run"]["whole"] == false, "{}", document["run"]);
    ensure!(document["events"].as_array().map(|rows| rows.len() as u64) == Some(events));
    Ok(())
}

/// A server that is started on the folder has it as it is.
async fn served_again(data: tempfile::TempDir, id: &str) -> Result<tempfile::TempDir> {
    let server = Server::start_on(data).await?;
    let (status, view) = request(&format!("GET /api/runs/{id}"), server.address()?, &Vec::new(), b"").await?;
    let view: Value = serde_json::from_slice(&view)?;
    ensure!(status == 200 && view["state"] == "cut" && view["reason"].is_null(), "{view}");
    let (_, served) = request(&format!("GET /api/runs/{id}/recording"), server.address()?, &Vec::new(), b"").await?;
    let stored = std::fs::read(server.data().join(format!("{id}.hop")))?;
    ensure!(served == stored, "the server has other bytes than the file");
    let read = Recorded::read(&served, Framing::File)?;
    ensure!(view["events"].as_u64() == Some(read.events.len() as u64), "{view}");
    server.end().await
}
