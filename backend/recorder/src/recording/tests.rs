use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use hopscope_record::codec::EventDecoder;
use hopscope_record::decoder::{Decoder, Framing};
use hopscope_record::frame::{Counted, Measure, MessageRow, Payload, Sample, file_header};
use hopscope_record::{Event, Kind, MessageId, TraceId};

use super::*;
use crate::Contents;
use crate::clock::monotonic_ns;

/// A sink in memory that has room when it is told so.
#[derive(Clone, Default)]
struct Memory {
    bytes: Arc<Mutex<Vec<u8>>>,
    full: Arc<AtomicBool>,
    broken: bool,
}

impl FrameSink for Memory {
    fn has_room(&mut self) -> bool {
        !self.full.load(Ordering::SeqCst)
    }

    fn put(&mut self, frame: Vec<u8>) {
        self.bytes.lock().unwrap().extend(frame);
    }

    fn finish(self: Box<Self>, _: &Summary) -> std::io::Result<()> {
        if self.broken { Err(std::io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

#[derive(Debug)]
enum Seen {
    Hello,
    Names(Vec<String>),
    Messages(u64, Vec<MessageRow>),
    Events(i64, Vec<Event>),
    Clock(Sample),
    Loss(u64),
    End(Vec<(u16, u32, u64)>),
}

impl Memory {
    fn frames(&self) -> Vec<Seen> {
        let mut decoder = Decoder::new(Framing::File);
        decoder.push(&file_header());
        decoder.push(&self.bytes.lock().unwrap());
        let mut events = EventDecoder::new();
        let mut seen = Vec::new();
        while let Some(frame) = decoder.next_frame().unwrap() {
            seen.push(match frame.read().unwrap() {
                Payload::Hello(hello) => {
                    assert_eq!((hello.run_id.as_str(), hello.plan.as_slice()), ("r", b"plan".as_slice()));
                    Seen::Hello
                }
                Payload::Names(names) => Seen::Names(names.names),
                Payload::Messages(messages) => Seen::Messages(messages.first, messages.rows),
                Payload::Events(payload) => {
                    let mut batch = Vec::new();
                    events.decode(payload.batch, &mut batch).unwrap();
                    Seen::Events(payload.cut, batch)
                }
                Payload::Clock(sample) => Seen::Clock(sample),
                Payload::Loss(losses) => Seen::Loss(losses.iter().map(|loss| loss.count).sum()),
                Payload::End(end) => {
                    Seen::End(end.counts.iter().map(|row| (row.counted.0, row.index, row.count)).collect())
                }
                Payload::Skipped(other) => panic!("{other:?}"),
            });
        }
        assert!(!decoder.is_mid_frame());
        seen
    }

    fn start(&self) -> Recording {
        let sink = Box::new(self.clone());
        let key = new_run_key().unwrap();
        Recording::start(RecordingOptions { run: "r".into(), key, plan: b"plan".to_vec(), sink }).unwrap()
    }
}

fn stamp(recorder: &Recorder, a: u64, b: u64) {
    recorder.record(Kind::INTENDED, TraceId::NONE, MessageId::NONE, MessageId::NONE, a, b);
}

fn end() -> EndInfo {
    EndInfo { reason: EndReason::LOAD_DONE, detail: None, counts: vec![EndCount::open_attempts(LinkIndex(3), 2)] }
}

#[tokio::test]
async fn setup_is_negative_and_texts_come_before_the_events_that_name_them() {
    let memory = Memory::default();
    let recording = memory.start();
    let recorder = recording.recorder(PlaceIndex(1), LinkIndex(3));
    let setup = recorder.record(Kind::CONNECTED, TraceId::NONE, MessageId::NONE, MessageId::NONE, 0, 0);
    let zero = monotonic_ns();
    assert!(recording.set_zero(zero));
    stamp(&recorder, 7, recorder.name("refused"));
    let summary = recording.finish(EndInfo { detail: Some("no port".into()), ..end() }).await;
    let frames = memory.frames();
    let [Seen::Hello, Seen::Names(names), Seen::Events(cut, events), Seen::End(counts)] = frames.as_slice() else {
        panic!("{frames:?}")
    };
    assert_eq!(names, &["refused", "no port"]);
    assert_eq!(events.len(), 2);
    assert_eq!((events[0].time, events[0].kind, events[0].place), (setup - zero, Kind::CONNECTED, PlaceIndex(1)));
    assert!(events[0].time < 0 && events[1].time >= 0 && events[1].time <= *cut);
    assert_eq!((events[1].a, events[1].b), (7, 1));
    assert_eq!(counts, &[(Counted::EVENTS.0, 2, 2), (Counted::OPEN_ATTEMPTS.0, 3, 2)]);
    let expected = Summary {
        accepted: vec![(SourceId(2), 2)],
        lost: 0,
        frames: 4,
        reason: Some(EndReason::LOAD_DONE),
        detail: Some("no port".to_owned()),
        failure: None,
    };
    assert_eq!(summary, expected);
}

/// The first look is at zero, the last at the end: what is recorded is of the time between.
#[tokio::test]
async fn surroundings_are_sampled_from_zero_to_the_end() {
    let memory = Memory::default();
    let recording = memory.start();
    let (looked, mut looks) = tokio::sync::mpsc::unbounded_channel();
    let mut count = 0;
    recording.sample_by(Box::new(move || {
        count += 1;
        let _ = looked.send(());
        vec![(Measure::OTHER_RUNS, count)]
    }));
    let recorder = recording.recorder(PlaceIndex(0), LinkIndex::NONE);
    recording.set_zero(monotonic_ns());
    looks.recv().await.unwrap();
    stamp(&recorder, 1, 0);
    recording.finish(end()).await;
    let frames = memory.frames();
    let [Seen::Hello, .., Seen::Events(cut, events), Seen::Clock(sample), Seen::End(_)] = frames.as_slice() else {
        panic!("{frames:?}")
    };
    assert_eq!(events.len(), 1);
    // Frames of events and of samples tell of times that grow.
    assert_eq!(sample.time, *cut);
    let span = sample.get(Measure::SPAN_NS).unwrap();
    assert!(span > 0 && span <= sample.time, "{sample:?}");
    assert_eq!(sample.values[1..], [(Measure::OTHER_RUNS, 2)]);
}

#[tokio::test]
async fn threads_write_to_several_recordings_at_once_and_nothing_is_mixed() {
    let memories = [Memory::default(), Memory::default()];
    let recordings: Vec<Recording> = memories.iter().map(Memory::start).collect();
    recordings.iter().for_each(|recording| assert!(recording.set_zero(monotonic_ns())));
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let recorders: Vec<_> =
                recordings.iter().map(|recording| recording.recorder(PlaceIndex(0), LinkIndex::NONE)).collect();
            scope.spawn(move || {
                for n in 0..10_000 {
                    stamp(&recorders[0], thread, n);
                    stamp(&recorders[1], thread + 10, n);
                }
            });
        }
    });
    for (number, (recording, memory)) in recordings.into_iter().zip(&memories).enumerate() {
        let summary = recording.finish(end()).await;
        assert_eq!((summary.events(), summary.lost), (40_000, 0));
        let mut next = [0; 4];
        let mut last = i64::MIN;
        for frame in memory.frames() {
            let Seen::Events(cut, events) = frame else { continue };
            assert!(events.iter().all(|event| event.time > last && event.time <= cut));
            assert!(events.is_sorted_by_key(|event| event.time));
            last = cut;
            for event in events {
                let thread = event.a as usize - 10 * number;
                assert_eq!(event.b, next[thread]);
                next[thread] += 1;
            }
        }
        assert_eq!(next, [10_000; 4]);
    }
}

/// Every prefix of a recording knows what its messages carry: their rows and the names of their keys come first.
#[tokio::test]
async fn what_messages_carry_comes_before_their_events() {
    let memory = Memory::default();
    let recording = memory.start();
    assert!(recording.set_zero(monotonic_ns()));
    let recorder = recording.recorder(PlaceIndex(0), LinkIndex(0));
    for n in 0..30_000_u32 {
        let (trace, message) = recorder.mint_root();
        let contents = Contents { key: Some(n % 700 + 1), value: Some(n.into()), event_time: None, bytes: n.into() };
        recorder.describe(message, contents);
        recorder.record(Kind::INTENDED, trace, message, MessageId::NONE, n.into(), 0);
        if n % 1_000 == 0 {
            // So that there are several cuts.
            recording.collector.unpark();
        }
    }
    assert_eq!(recording.finish(end()).await.lost, 0);
    let (mut names, mut carried, mut wanted) = (Vec::new(), std::collections::BTreeMap::new(), 0);
    for frame in memory.frames() {
        match frame {
            Seen::Names(fresh) => names.extend(fresh),
            Seen::Messages(first, rows) => {
                assert_eq!(first, carried.len() as u64);
                assert!(rows.iter().all(|row| (row.key.unwrap().0 as usize) < names.len()));
                carried.extend(rows.into_iter().map(|row| (row.message, row)));
            }
            Seen::Events(_, events) => {
                for event in events {
                    let MessageRow { key, value, event_time, bytes, .. } = carried[&event.message.message()];
                    assert_eq!(names[key.unwrap().0 as usize], format!("k{}", event.a % 700 + 1));
                    assert_eq!((value, event_time, bytes), (Some(event.a.cast_signed()), None, event.a));
                    wanted += 1;
                }
            }
            Seen::Hello | Seen::Clock(_) | Seen::Loss(_) | Seen::End(_) => {}
        }
    }
    assert_eq!((names.len(), carried.len(), wanted), (700, 30_000, 30_000));
}

#[tokio::test]
async fn without_room_events_wait_in_their_ring_and_what_it_cannot_hold_is_counted() {
    let memory = Memory::default();
    let recording = memory.start();
    assert!(recording.set_zero(monotonic_ns()));
    memory.full.store(true, Ordering::SeqCst);
    let recorder = recording.recorder(PlaceIndex(0), LinkIndex::NONE);
    // More than a ring holds. The collector may take once more before it sees that there is no room.
    let sent = 4 * crate::ring::CAPACITY as u64;
    (0..sent).for_each(|n| stamp(&recorder, n, 0));
    let summary = recording.finish(end()).await;
    assert!(summary.lost > 0);
    assert_eq!(summary.events() + summary.lost, sent);
    let (mut events, mut lost, mut ended) = (0, 0, 0);
    for frame in memory.frames() {
        match frame {
            Seen::Events(_, batch) => events += batch.len() as u64,
            Seen::Loss(count) => lost += count,
            Seen::End(counts) => ended = counts[0].2,
            Seen::Hello | Seen::Names(_) | Seen::Messages(..) | Seen::Clock(_) => {}
        }
    }
    assert_eq!((events, lost, ended), (summary.events(), summary.lost, events));
}

#[tokio::test]
async fn ids_of_several_threads_never_meet() {
    let recording = Memory::default().start();
    let recorder = recording.recorder(PlaceIndex(0), LinkIndex::NONE);
    let mut ids: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let roots = (0..500).map(|_| recorder.mint_root().1.0);
                    roots.chain((0..500).map(|_| recorder.mint_message().0)).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4000);
}

#[tokio::test]
async fn what_is_taken_is_told_as_it_goes() {
    let memory = Memory::default();
    let recording = memory.start();
    let mut taken = recording.taken();
    recording.set_zero(monotonic_ns());
    let recorder = recording.recorder(PlaceIndex(0), LinkIndex::NONE);
    (0..500).for_each(|n| stamp(&recorder, n, 0));
    let told = *taken.wait_for(|taken| taken.events >= 500).await.unwrap();
    assert_eq!(told, Taken { events: 500 });
    memory.full.store(true, Ordering::SeqCst);
    stamp(&recorder, 500, 0);
    // The last cut is made whatever the sink says.
    assert_eq!(recording.finish(end()).await.events(), 501);
}

#[tokio::test]
async fn a_sink_that_fails_is_told_of() {
    let recording = Memory { broken: true, ..Memory::default() }.start();
    assert!(recording.finish(end()).await.failure.is_some());
}

#[test]
fn a_dropped_recording_ends_without_end_frame() {
    let memory = Memory::default();
    let recording = memory.start();
    let recorder = recording.recorder(PlaceIndex(0), LinkIndex::NONE);
    recording.set_zero(monotonic_ns());
    stamp(&recorder, 1, 0);
    drop((recorder, recording));
    // The collector lets go of its sink when it is done.
    while Arc::strong_count(&memory.bytes) > 1 {
        std::thread::yield_now();
    }
    let frames = memory.frames();
    assert!(matches!(frames.as_slice(), [Seen::Hello, Seen::Events(_, events)] if events.len() == 1), "{frames:?}");
}
