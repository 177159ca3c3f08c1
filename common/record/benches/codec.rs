//! The codec and the fold on a made-up run of client -> service -> service, beside postcard.
//!
//! `cargo bench -p hopscope-record --profile release --bench codec`. Times are per batch of
//! [`BATCH`] events; the throughput line is per event. Bytes per event are printed first.

#[path = "../tests/it/lawful.rs"]
mod lawful;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hopscope_record::Event;
use hopscope_record::codec::{EventDecoder, EventEncoder};
use hopscope_record::state::State;
use std::hint::black_box;
use std::io::Write;

const BATCH: usize = 4_096;

/// The fields of an event in the order of the struct, for a codec that knows nothing of events.
type Row = (i64, u64, u64, u64, u64, u64, u32, u16, u16);

fn row(event: &Event) -> Row {
    let ids = (event.trace.0, event.message.0, event.parent.0);
    (event.time, ids.0, ids.1, ids.2, event.a, event.b, event.place.0, event.kind.0, event.link.0)
}

fn batch() -> Vec<Event> {
    let shape =
        lawful::Shape { messages: 2_000, period: 100_000, work: 50_000, sources: 2, workers: 4, unusual: 1, seed: 42 };
    let events = lawful::run(shape);
    // From the middle of the run, where all its parts are at work.
    events.into_iter().skip(BATCH).take(BATCH).collect()
}

fn codec(criterion: &mut Criterion) {
    let events = batch();
    let rows: Vec<Row> = events.iter().map(row).collect();
    let (mut encoder, mut decoder) = (EventEncoder::new(), EventDecoder::new());
    let (mut ours, mut theirs, mut back) = (Vec::new(), Vec::new(), Vec::new());
    if encoder.encode(&events, &mut ours).is_err() || decoder.decode(&ours, &mut back).is_err() || back != events {
        return;
    }
    theirs = postcard::to_extend(&rows, theirs).unwrap_or_default();
    let each = |bytes: &[u8]| bytes.len() as f64 / events.len() as f64;
    let sizes = format!("bytes an event: ours {:.2}, postcard {:.2}\n", each(&ours), each(&theirs));
    let _ = std::io::stdout().write_all(sizes.as_bytes());

    let mut group = criterion.benchmark_group("codec");
    group.throughput(Throughput::Elements(events.len() as u64));
    group.bench_function("encode", |bencher| {
        let mut out = Vec::new();
        bencher.iter(|| {
            out.clear();
            let _ = encoder.encode(black_box(&events), &mut out);
            out.len()
        });
    });
    group.bench_function("decode", |bencher| {
        bencher.iter(|| decoder.decode(black_box(&ours), &mut back).is_ok());
    });
    group.bench_function("fold", |bencher| {
        bencher.iter(|| {
            let mut state = State::new(3, 2);
            black_box(&events).iter().for_each(|event| state.apply(event));
            state.events
        });
    });
    group.bench_function("postcard encode", |bencher| {
        bencher.iter(|| postcard::to_extend(black_box(&rows), Vec::new()).map_or(0, |bytes: Vec<u8>| bytes.len()));
    });
    group.bench_function("postcard decode", |bencher| {
        bencher.iter(|| postcard::from_bytes::<Vec<Row>>(black_box(&theirs)).map_or(0, |rows| rows.len()));
    });
    group.finish();
}

criterion_group!(benches, codec);
criterion_main!(benches);
