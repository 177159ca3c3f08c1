//! What reading an event costs a page: taking it out of its frame, the laws, the figures, and all that a run buffer makes of it.
//!
//! `cargo xtask bench reading`; ns of an event, natively. Calls of one client and one service, 5,000 a second, 250 in a frame.

#![allow(clippy::expect_used, reason = "a made-up run that cannot be read is a bench that failed")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hopscope_record::codec::EventDecoder;
use hopscope_record::decoder::{Decoder, Framing};
use hopscope_record::frame::{CODEC_VERSION, End, EndReason, FrameWriter, Hello, Payload};
use hopscope_record::kind::Phase;
use hopscope_record::{Event, Kind, LinkIndex, MessageId, PlaceIndex, RunKey, SourceId, TraceId};
use hopscope_report::laws::Laws;
use hopscope_report::stats::Stats;
use hopscope_scenario::plan::{RunSettings, compile};
use hopscope_scenario::validate::validate;
use hopscope_view::buffer::RunBuffer;

const CALLS: u64 = 40_000;
/// Calls in a frame.
const BATCH: u64 = 250;
/// From one call to the next, ns.
const APART: i64 = 200_000;

const STEPS: [Kind; 7] =
    [Kind::INTENDED, Kind::SENT, Kind::RECEIVED, Kind::STARTED, Kind::FINISHED, Kind::REPLIED, Kind::COMPLETED];

fn steps(call: u64) -> impl Iterator<Item = Event> {
    let start = call.cast_signed() * APART;
    STEPS.into_iter().enumerate().map(move |(step, kind)| Event {
        trace: TraceId::new(SourceId(1), call + 1),
        message: MessageId::new(SourceId(1), call + 1, 1),
        a: if kind == Kind::INTENDED { start.cast_unsigned() } else { 0 },
        place: PlaceIndex(u32::from((2..6).contains(&step))),
        link: LinkIndex(0),
        ..Event::new(start + step as i64 * 11_000 + call.cast_signed() % 997, kind)
    })
}

/// The frames of a whole run.
fn frames() -> Vec<u8> {
    let valid = validate(include_str!("../../../scenarios/hello-sync.json")).expect("the template is valid");
    let plan = compile(&valid.scenario, &RunSettings::default()).to_bytes().expect("a plan can be written");
    let hello = Hello {
        codec_version: CODEC_VERSION,
        build: "made up".to_owned(),
        run_id: "made-up".to_owned(),
        run_key: RunKey(7),
        unix_ns_at_zero: 0,
        kinds: Vec::new(),
        plan,
    };
    let mut writer = FrameWriter::new();
    let mut bytes = writer.hello(&hello).expect("a Hello can be written").to_vec();
    let began = Event { a: Phase::Measured as u64, ..Event::new(0, Kind::PHASE_BEGAN) };
    bytes.extend(writer.events(0, &[began]).expect("events can be written"));
    for first in (0..CALLS).step_by(BATCH as usize) {
        let mut events: Vec<_> = (first..first + BATCH).flat_map(steps).collect();
        events.sort_by_key(|event| event.time);
        let cut = (first + BATCH).cast_signed() * APART;
        bytes.extend(writer.events(cut, &events).expect("events can be written"));
    }
    let end = End { time: i64::MAX, reason: EndReason::LOAD_DONE, detail: None, counts: Vec::new() };
    bytes.extend(writer.end(&end).expect("an End can be written"));
    bytes
}

fn reading(criterion: &mut Criterion) {
    let bytes = frames();
    let each = |take: &mut dyn FnMut(&hopscope_record::decoder::Frame<'_>)| {
        let mut decoder = Decoder::new(Framing::Stream);
        decoder.push(&bytes);
        while let Some(frame) = decoder.next_frame().expect("a frame") {
            take(&frame);
        }
    };
    let mut group = criterion.benchmark_group("reading");
    group.sample_size(20).throughput(Throughput::Elements(CALLS * STEPS.len() as u64));
    group.bench_function("decode", |bencher| {
        bencher.iter(|| {
            let (mut events, mut batch, mut count) = (EventDecoder::new(), Vec::new(), 0);
            each(&mut |frame| {
                if let Ok(Payload::Events(payload)) = frame.read() {
                    events.decode(payload.batch, &mut batch).expect("a batch");
                    count += batch.len();
                }
            });
            count
        });
    });
    group.bench_function("laws", |bencher| {
        bencher.iter(|| {
            let mut laws = Laws::new();
            each(&mut |frame| laws.push(frame).expect("a frame"));
            laws.report()
        });
    });
    group.bench_function("figures", |bencher| {
        bencher.iter(|| {
            let mut stats = Stats::new();
            each(&mut |frame| stats.push(frame).expect("a frame"));
            stats.answered().count()
        });
    });
    group.bench_function("all of a page", |bencher| {
        bencher.iter(|| {
            let mut buffer = RunBuffer::new(Framing::Stream);
            buffer.push(&bytes).expect("a whole run");
            buffer.figures()
        });
    });
    group.finish();
}

criterion_group!(benches, reading);
criterion_main!(benches);
