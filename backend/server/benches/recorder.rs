//! What it costs a thread to hand an event over: the clock alone, and the whole call with the clock in it.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use hopscope_record::{Kind, LinkIndex, PlaceIndex};
use hopscope_server::record::clock::monotonic_ns;
use hopscope_server::record::{Contents, FrameSink, Recording, RecordingOptions, Summary, new_run_key};

/// Takes everything and keeps nothing, so that the ring is emptied as in a run.
struct Nowhere;

impl FrameSink for Nowhere {
    fn has_room(&mut self) -> bool {
        true
    }

    fn put(&mut self, frame: Vec<u8>) {
        black_box(frame);
    }

    fn finish(self: Box<Self>, _: &Summary) -> std::io::Result<()> {
        Ok(())
    }
}

#[allow(clippy::expect_used, reason = "a bench that cannot begin has nothing else to do")]
fn hand_off(criterion: &mut Criterion) {
    let key = new_run_key().expect("the system has randomness");
    let options = RecordingOptions { run: "bench".into(), key, plan: Vec::new(), sink: Box::new(Nowhere) };
    let recording = Recording::start(options).expect("a thread can be started");
    recording.set_zero(monotonic_ns());
    let recorder = recording.recorder(PlaceIndex(0), LinkIndex(0));
    let (trace, message) = recorder.mint_root();
    let mut group = criterion.benchmark_group("recorder");
    group.sample_size(20).warm_up_time(std::time::Duration::from_millis(300));
    group.measurement_time(std::time::Duration::from_secs(1));
    group.bench_function("clock", |bench| bench.iter(monotonic_ns));
    group.bench_function("record", |bench| {
        bench.iter(|| recorder.record(Kind::SENT, black_box(trace), message, message, 1, 2));
    });
    let contents = Contents { key: Some(17), value: Some(42), event_time: Some(-5), bytes: 256 };
    group.bench_function("describe and record", |bench| {
        bench.iter(|| {
            recorder.describe(message, black_box(contents));
            recorder.record(Kind::INTENDED, black_box(trace), message, message, 1, 2)
        });
    });
    group.bench_function("mint", |bench| bench.iter(|| recorder.mint_message()));
    group.finish();
}

criterion_group!(benches, hand_off);
criterion_main!(benches);
