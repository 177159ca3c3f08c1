//! A made-up recording of any length, and what memory a program takes at most that reads it.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use hopscope_record::frame::{
    CODEC_VERSION, End, EndReason, FrameWriter, Hello, Measure, MessageRow, Sample, file_header,
};
use hopscope_record::kind::Phase;
use hopscope_record::{Event, KINDS, Kind, LinkIndex, MessageId, NameIndex, PlaceIndex, RunKey, SourceId, TraceId};
use hopscope_scenario::plan::{Plan, RunSettings, compile};

use crate::process::Process;

/// Events of a call: wanted, sent, received, worked on, replied to, completed.
const OF_A_CALL: [Kind; 7] =
    [Kind::INTENDED, Kind::SENT, Kind::RECEIVED, Kind::STARTED, Kind::FINISHED, Kind::REPLIED, Kind::COMPLETED];

/// Calls in a frame: what 5,000 a second come to in 50 ms.
const CALLS: u64 = 250;

/// From one call to the next in ns, at 5,000 a second.
const EVERY_NS: i64 = 200_000;

/// Writes the recording of calls of the first template, each with a key and a value, of at least so many events, under an id
/// that begins with a time.
///
/// # Errors
/// When it cannot be written.
pub fn write(folder: &Path, id: &str, events: u64) -> Result<()> {
    let document = include_str!("../../scenarios/hello-sync.json");
    let valid = hopscope_scenario::validate::validate(document).map_err(|issues| anyhow::anyhow!("{issues:?}"))?;
    let plan = compile(&valid.scenario, &RunSettings::default());
    let mut file = BufWriter::new(File::create(folder.join(format!("{id}.hop")))?);
    let mut frames = FrameWriter::new();
    file.write_all(&file_header())?;
    file.write_all(&frames.hello(&hello(id, &plan)?)?)?;
    let keys: Vec<String> = (0..1_000).map(|key| format!("key {key}")).collect();
    file.write_all(&frames.names(NameIndex(0), &keys.iter().map(String::as_str).collect::<Vec<_>>())?)?;
    let began = Event { a: Phase::Measured as u64, ..Event::new(0, Kind::PHASE_BEGAN) };
    file.write_all(&frames.events(0, &[began])?)?;
    let (mut calls, wanted) = (0, events / OF_A_CALL.len() as u64);
    while calls < wanted {
        let batch: Vec<u64> = (calls..wanted.min(calls + CALLS)).collect();
        let rows: Vec<_> = batch.iter().map(|call| row(*call)).collect();
        file.write_all(&frames.messages(calls, &rows)?)?;
        let mut events: Vec<_> = batch.iter().flat_map(|call| events_of(*call)).collect();
        events.sort_by_key(|event| event.time);
        calls += batch.len() as u64;
        let cut = calls.cast_signed() * EVERY_NS + EVERY_NS;
        file.write_all(&frames.events(cut, &events)?)?;
        if calls.is_multiple_of(CALLS * 20) {
            file.write_all(&frames.clock(&Sample { time: cut, values: vec![(Measure::SPAN_NS, 1_000_000_000)] })?)?;
        }
    }
    let time = calls.cast_signed() * EVERY_NS + 2 * EVERY_NS;
    file.write_all(&frames.end(&End { time, reason: EndReason::LOAD_DONE, detail: None, counts: Vec::new() })?)?;
    Ok(file.flush()?)
}

fn hello(id: &str, plan: &Plan) -> Result<Hello> {
    Ok(Hello {
        codec_version: CODEC_VERSION,
        build: "made up".to_owned(),
        run_id: id.to_owned(),
        run_key: RunKey(7),
        unix_ns_at_zero: 0,
        kinds: KINDS.iter().map(|info| (info.kind, info.name.to_owned())).collect(),
        plan: plan.to_bytes()?,
    })
}

fn message(call: u64) -> MessageId {
    MessageId::new(SourceId(1), call + 1, 1)
}

fn row(call: u64) -> MessageRow {
    let key = NameIndex(u32::try_from(call * 31 % 1_000).unwrap_or_default());
    MessageRow { message: message(call).message(), key: Some(key), value: Some(7), event_time: None, bytes: 256 }
}

fn events_of(call: u64) -> impl Iterator<Item = Event> {
    let start = call.cast_signed() * EVERY_NS;
    OF_A_CALL.into_iter().enumerate().map(move |(step, kind)| Event {
        trace: TraceId::new(SourceId(1), call + 1),
        message: message(call),
        a: if kind == Kind::INTENDED { start.cast_unsigned() } else { 0 },
        place: PlaceIndex(u32::from((2..6).contains(&step))),
        link: LinkIndex(0),
        ..Event::new(start + step as i64 * 11_000 + call.cast_signed() % 997, kind)
    })
}

/// What a program came to.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    /// Most memory that was its own at any time, in bytes.
    pub memory: u64,
    /// How long it ran.
    pub time: Duration,
}

/// Runs `hopscope` with these arguments to its end.
///
/// # Errors
/// When it fails, or the system tells of no peak of memory (other than Linux).
pub fn took(arguments: &[&str]) -> Result<Took> {
    let began = Instant::now();
    let mut child = Command::new(crate::variable("HOPSCOPE_BIN")?).args(arguments).stdout(Stdio::null()).spawn()?;
    let process = Process::new(child.id());
    let mut memory = None;
    let ended = loop {
        // The peak only grows: what was read last is that of all but the program's last moments.
        memory = process.most_memory().ok().or(memory);
        if let Some(ended) = child.try_wait()? {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    ensure!(ended.success(), "{arguments:?} ended with {ended}");
    let memory = memory.context("the system does not tell of its memory")?;
    Ok(Took { memory, time: began.elapsed() })
}
