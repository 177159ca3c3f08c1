//! What it costs a thread to hand an event over: the clock alone, and the whole call with the clock in it. Beside it, what
//! others have for the same end, each with someone who takes what is handed over: the same event through a channel of tokio's, a
//! span of `tracing` (begun, entered, left, closed), a span of OpenTelemetry's SDK (started and ended, exported in batches).
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use hopscope_record::{Event, Kind, LinkIndex, PlaceIndex};
use hopscope_recorder::clock::monotonic_ns;
use hopscope_recorder::{Contents, FrameSink, Recording, RecordingOptions, Summary, new_run_key};

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

/// Events of a burst, and how long the collector then has for them: no more are made than it takes, so that no ring is full.
const BURST: u64 = 1_024;
const REST: Duration = Duration::from_millis(2);

/// How long so many of them take, in bursts with rests that do not count.
fn bursts(times: u64, mut work: impl FnMut()) -> Duration {
    let (mut took, mut left) = (Duration::ZERO, times);
    while left > 0 {
        let burst = left.min(BURST);
        let began = Instant::now();
        (0..burst).for_each(|_| work());
        took += began.elapsed();
        left -= burst;
        std::thread::sleep(REST);
    }
    took
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
    group.sample_size(20).warm_up_time(Duration::from_millis(300));
    group.measurement_time(Duration::from_secs(1));
    group.bench_function("clock", |bench| {
        bench.iter_custom(|times| {
            bursts(times, || {
                black_box(monotonic_ns());
            })
        })
    });
    group.bench_function("record", |bench| {
        bench.iter_custom(|times| {
            bursts(times, || {
                black_box(recorder.record(Kind::SENT, black_box(trace), message, message, 1, 2));
            })
        });
    });
    let contents = Contents { key: Some(17), value: Some(42), event_time: Some(-5), bytes: 256 };
    group.bench_function("describe and record", |bench| {
        bench.iter_custom(|times| {
            bursts(times, || {
                recorder.describe(message, black_box(contents));
                black_box(recorder.record(Kind::INTENDED, black_box(trace), message, message, 1, 2));
            })
        });
    });
    group.bench_function("mint", |bench| bench.iter(|| recorder.mint_message()));
    group.finish();
}

/// Exports to nowhere.
#[derive(Debug)]
struct NoExport;

impl opentelemetry_sdk::trace::SpanExporter for NoExport {
    async fn export(&self, batch: Vec<opentelemetry_sdk::trace::SpanData>) -> opentelemetry_sdk::error::OTelSdkResult {
        black_box(batch);
        Ok(())
    }
}

fn peers(criterion: &mut Criterion) {
    use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
    let mut group = criterion.benchmark_group("peers");
    group.sample_size(20).warm_up_time(Duration::from_millis(300));
    group.measurement_time(Duration::from_secs(1));
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<Event>(1 << 15);
    let taking = std::thread::spawn(move || {
        while let Some(event) = receiver.blocking_recv() {
            black_box(event);
        }
    });
    group.bench_function("tokio mpsc, stamp and try_send", |bench| {
        // What finds it full is lost, as in a ring.
        bench.iter(|| {
            sender.try_send(black_box(Event { a: 1, b: 2, ..Event::new(monotonic_ns(), Kind::SENT) })).is_ok()
        });
    });
    drop(sender);
    // It ends with the sender; what it returns is nothing.
    let _ = taking.join();
    tracing::subscriber::with_default(tracing_subscriber::registry(), || {
        group.bench_function("tracing span", |bench| {
            bench.iter_custom(|times| {
                bursts(times, || {
                    let span =
                        tracing::info_span!("sent", trace = black_box(1_u64), message = 2_u64, a = 1_u64, b = 2_u64);
                    drop(span.entered());
                })
            });
        });
    });
    let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder().with_batch_exporter(NoExport).build();
    let tracer = provider.tracer("bench");
    group.bench_function("OpenTelemetry span", |bench| {
        bench.iter_custom(|times| bursts(times, || tracer.start(black_box("sent")).end()));
    });
    group.finish();
}

criterion_group!(benches, hand_off, peers);
criterion_main!(benches);
