//! What a frame of a replay costs in a real browser with 20,000 dots in view, run by `cargo xtask bench player`.
//!
//! A made-up recording is put among the runs of a server and played in headless Chromium. The page is the one that everybody
//! gets; only `requestAnimationFrame` is wrapped, before any of its scripts run. *Script* is from the beginning of a frame's
//! callback to its end. *Script and paint* goes on to the first task after the browser has brought the page up to date, so it
//! has the page's own effects, style, layout and painting on the main thread in it, and not what other threads then do with
//! the picture. Beside it stands what the machine alone does to a frame: in an empty page of the same browser, frames of
//! nothing but arithmetic that takes as long as half of the player's frames take. It prints, and passes no judgement.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use hopscope_record::frame::{CODEC_VERSION, End, EndReason, FrameWriter, Hello, file_header};
use hopscope_record::kind::Phase;
use hopscope_record::{Event, KINDS, Kind, LinkIndex, Minter, PlaceIndex, RunKey, SourceId};
use hopscope_scenario::plan::{RunSettings, compile};
use hopscope_scenario::quantity::Time;
use hopscope_scenario::validate::validate;
use hopscope_tests::browser::{picture, with_browser};
use hopscope_tests::server::Server;
use serde::Deserialize;
use serde_json::json;
use thirtyfour::{By, WebDriver, prelude::ElementQueryable as _};

/// Dots in view while the load lasts.
const DOTS: i64 = 20_000;
/// Calls that are made.
const CALLS: i64 = 8 * DOTS;
/// Between two calls, in ns.
const APART: i64 = 1_000;
/// How long a request and a reply are on their link, and how long the call waits and is worked on in between, in ns.
const FLIGHT: i64 = 9_000 * APART;
const HELD: i64 = 2_000 * APART - 1;

/// Frames to be measured.
const FRAMES: usize = 300;
/// A frame counts if it has so many dots or more.
const LEAST: i64 = DOTS * 99 / 100;

const RUN: &str = "20260101-000000-0001";

const SCENARIO: &str = r#"{"format": "hopscope-scenario", "version": 1, "name": "many dots",
  "nodes": [
    {"id": "n1", "kind": "client", "name": "buyers", "x": 40, "y": 80, "load": {"kind": "constant", "rate": "1000/s"}},
    {"id": "n2", "kind": "service", "name": "shop", "x": 640, "y": 320, "workers": 64,
     "work": {"distribution": "constant", "mean": "2 ms"}}],
  "links": [{"id": "l1", "from": "n1", "to": "n2", "protocol": "http1"}]}"#;

/// Runs before any script of the page: notes for each frame how long it took, and how many dots it had.
const WATCH: &str = r#"
    const request = window.requestAnimationFrame.bind(window);
    const channel = new MessageChannel();
    let frame = null;
    window.measured = [];
    channel.port1.onmessage = () => {
        const dots = Number(document.querySelector("canvas.dots")?.dataset.dots ?? 0);
        window.measured.push({ at: frame.began, script: frame.script, all: performance.now() - frame.began, dots });
        frame = null;
    };
    window.requestAnimationFrame = (callback) => request((time) => {
        const began = performance.now();
        if (frame === null) {
            frame = { began, script: 0 };
            channel.port2.postMessage(0);
        }
        callback(time);
        frame.script += performance.now() - began;
    });
"#;

/// Plays, again and again, and calls back with the frames that had so many dots when there are enough of them. The page is
/// not asked meanwhile: that would be measured too.
const PLAY: &str = r#"
    const [least, enough, done] = arguments;
    const again = setInterval(() => {
        const frames = window.measured.filter((frame) => frame.dots >= least);
        if (frames.length >= enough) {
            clearInterval(again);
            done(JSON.stringify(frames));
        } else {
            document.querySelector("[data-action=play]:not([disabled])")?.click();
        }
    }, 1_000);
"#;

/// Calls back with the times of frames that do arithmetic for as many ms as the first argument says, where nothing interrupts it.
const CONTROL: &str = r#"
    const [ms, frames, done] = arguments;
    let state = 1;
    const work = (rounds) => { for (let i = 0; i < rounds; i++) { state ^= state << 13; state ^= state >>> 17; state ^= state << 5; } };
    const timed = (rounds) => { const began = performance.now(); work(rounds); return performance.now() - began; };
    work(1e7);
    const fastest = Math.min(...Array.from({ length: 20 }, () => timed(1e6)));
    const rounds = 1e6 * ms / fastest, times = [];
    const frame = () => { times.push(timed(rounds)); times.length < frames ? requestAnimationFrame(frame) : done(times); };
    requestAnimationFrame(frame);
"#;

/// One frame, in ms.
#[derive(Deserialize)]
struct Frame {
    at: f64,
    script: f64,
    all: f64,
    dots: i64,
}

/// Calls one after the other, each answered after the same time.
fn events() -> Vec<Event> {
    let mut minter = Minter::new(SourceId(1));
    let mut events = Vec::new();
    let phase = |time, phase: Phase| Event { a: phase as u64, ..Event::new(time, Kind::PHASE_BEGAN) };
    events.extend([phase(-APART, Phase::Setup), phase(0, Phase::Measured)]);
    for call in 0..CALLS {
        let (trace, message) = minter.root();
        let stamp = |time, kind, place, a| Event {
            trace,
            message,
            a,
            place: PlaceIndex(place),
            link: LinkIndex(0),
            ..Event::new(time, kind)
        };
        let sent = call * APART;
        let received = sent + FLIGHT;
        let (started, finished) = (received + HELD / 2, received + HELD);
        events.extend([
            stamp(sent, Kind::INTENDED, 0, sent.cast_unsigned()),
            stamp(sent, Kind::SENT, 0, 0),
            stamp(received, Kind::RECEIVED, 1, 0),
            stamp(started, Kind::STARTED, 1, 0),
            stamp(finished, Kind::FINISHED, 1, 0),
            stamp(finished, Kind::REPLIED, 1, 200),
            stamp(finished + FLIGHT, Kind::COMPLETED, 0, 200),
        ]);
    }
    events.sort_by_key(|event| event.time);
    events
}

/// The recording's file.
fn recording() -> Result<Vec<u8>> {
    let scenario = validate(SCENARIO).map_err(|issues| anyhow::anyhow!("{issues:?}"))?.scenario;
    let events = events();
    let last = events.last().map_or(0, |event| event.time);
    let plan = compile(
        &scenario,
        &RunSettings { seed: 1, duration: Some(Time(last.unsigned_abs())), ..RunSettings::default() },
    );
    let hello = Hello {
        codec_version: CODEC_VERSION,
        build: "bench".to_owned(),
        run_id: RUN.to_owned(),
        run_key: RunKey(1),
        unix_ns_at_zero: 0,
        kinds: KINDS.iter().map(|info| (info.kind, info.name.to_owned())).collect(),
        plan: plan.to_bytes()?,
    };
    let mut writer = FrameWriter::new();
    let mut file = file_header().to_vec();
    file.extend(writer.hello(&hello)?);
    for batch in events.chunks(50_000) {
        file.extend(writer.events(batch.last().map_or(0, |event| event.time), batch)?);
    }
    let end = End { time: last, reason: EndReason::LOAD_DONE, detail: None, counts: Vec::new() };
    file.extend(writer.end(&end)?);
    Ok(file)
}

/// Plays until enough frames were seen with all dots in view.
async fn play(driver: &WebDriver, url: &str) -> Result<Vec<Frame>> {
    driver.cdp().send_raw("Page.addScriptToEvaluateOnNewDocument", json!({ "source": WATCH })).await?;
    driver.goto(format!("{url}/#run={RUN}")).await?;
    driver.query(By::Css("[data-ready=true]")).first().await.context("the page did not start")?;
    driver.query(By::Css("[data-law=reply-after-request]")).first().await.context("the run did not open")?;
    let frames = driver.execute_async(PLAY, vec![json!(LEAST), json!(FRAMES)]).await?.convert::<String>()?;
    picture(driver, "bench-player").await?;
    Ok(serde_json::from_str(&frames)?)
}

/// Prints the percentiles of times in ms; answers their median.
fn print(what: &str, mut times: Vec<f64>) -> std::io::Result<f64> {
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times.get(times.len() * share / 1000).copied().unwrap_or(f64::NAN);
    let (p50, p90, p99, max) = (at(500), at(900), at(990), times.last().copied().unwrap_or(f64::NAN));
    writeln!(std::io::stdout(), "  {what}: p50 {p50:.1} ms, p90 {p90:.1} ms, p99 {p99:.1} ms, max {max:.1} ms")?;
    Ok(p50)
}

#[tokio::main]
async fn main() -> Result<()> {
    let data = tempfile::tempdir()?;
    std::fs::write(data.path().join(format!("{RUN}.hop")), recording()?)?;
    let server = Server::start_on(data).await?;
    with_browser(async |driver| {
        let frames = play(&driver, server.url()).await?;
        let dots: Vec<_> = frames.iter().map(|frame| frame.dots).collect();
        let (least, most) = (dots.iter().min().unwrap_or(&0), dots.iter().max().unwrap_or(&0));
        writeln!(std::io::stdout(), "{} frames of a replay, 1280x800, dots in view: {least} to {most}", frames.len())?;
        print("script", frames.iter().map(|frame| frame.script).collect())?;
        let all = print("script and paint", frames.iter().map(|frame| frame.all).collect())?;
        let between = frames.windows(2).map(|pair| pair[1].at - pair[0].at);
        print("from frame to frame", between.filter(|ms| *ms < 1_000.0).collect())?;
        driver.goto("about:blank").await?;
        let control = driver.execute_async(CONTROL, vec![json!(all), json!(FRAMES)]).await?.convert()?;
        print("arithmetic alone", control)?;
        Ok(())
    })
    .await
}
