//! The codec on whole runs.

use crate::lawful::{self, Shape};
use hopscope_record::Event;
use hopscope_record::codec::{EncodeError, EventDecoder, EventEncoder, MAX_EVENTS};

const USUAL: Shape =
    Shape { messages: 4_000, period: 100_000, work: 50_000, sources: 3, workers: 4, unusual: 0, seed: 42 };

fn encoded(batches: &[&[Event]]) -> Result<Vec<Vec<u8>>, EncodeError> {
    let mut encoder = EventEncoder::new();
    let encode = |batch: &&[Event]| {
        let mut out = Vec::new();
        encoder.encode(batch, &mut out).map(|()| out)
    };
    batches.iter().map(encode).collect()
}

#[test]
fn a_realistic_run_takes_at_most_ten_bytes_an_event() {
    for (name, shape) in [
        ("three sources", USUAL),
        ("one source", Shape { sources: 1, ..USUAL }),
        ("eight sources", Shape { sources: 8, ..USUAL }),
        ("slow", Shape { period: 50_000_000, work: 40_000_000, ..USUAL }),
        ("all ends", Shape { unusual: 5, ..USUAL }),
    ] {
        let events = lawful::run(shape);
        let batches: Vec<_> = events.chunks(4_096).collect();
        let bytes: usize = encoded(&batches).unwrap().iter().map(Vec::len).sum();
        let each = bytes as f64 / events.len() as f64;
        println!("{name}: {each:.2} bytes an event");
        assert!(each <= 10.0, "{name}: {each}");
    }
}

#[test]
fn a_run_comes_back_from_batches_of_any_size() {
    let events = lawful::run(Shape { unusual: 5, ..USUAL });
    let mut decoder = EventDecoder::new();
    for size in [1, 7, 4_096, events.len().min(MAX_EVENTS)] {
        let batches: Vec<_> = events.chunks(size).collect();
        let mut back = Vec::new();
        let mut batch = Vec::new();
        for bytes in encoded(&batches).unwrap() {
            decoder.decode(&bytes, &mut batch).unwrap();
            back.extend_from_slice(&batch);
        }
        assert!(back == events, "batches of {size}");
    }
}

#[test]
fn the_most_events_fit_and_one_more_is_refused() {
    let event = Event::new(0, hopscope_record::Kind::SENT);
    let events = vec![event; MAX_EVENTS + 1];
    assert_eq!(encoded(&[&events]), Err(EncodeError::TooMany(MAX_EVENTS + 1)));
    let bytes = encoded(&[&events[..MAX_EVENTS]]).unwrap();
    let mut back = Vec::new();
    EventDecoder::new().decode(&bytes[0], &mut back).unwrap();
    assert_eq!(back.len(), MAX_EVENTS);
}
