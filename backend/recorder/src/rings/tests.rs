use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::mpsc::TryRecvError;

use hopscope_record::Kind;

use super::*;
use crate::ring::Writer;

fn writer(registry: &Registry, capacity: usize) -> Writer {
    registry.open(0, None, capacity).expect("a source is free")
}

fn stamped(a: u64, b: u64) -> impl FnOnce(i64) -> Event {
    move |time| Event { a, b, ..Event::new(time, Kind::INTENDED) }
}

#[test]
fn a_full_ring_loses_and_counts() {
    let (registry, mut rings) = (Registry::default(), Rings::default());
    let mut writer = writer(&registry, 4);
    let stamps: Vec<i64> = (0..6).map(|n| writer.record(stamped(n, 0))).collect();
    let (mut events, mut lost) = (Vec::new(), Vec::new());
    let cut = rings.take(&registry, &Names::default(), &mut events, &mut lost);
    assert!(stamps.iter().all(|stamp| *stamp <= cut));
    assert_eq!(events.iter().map(|event| event.a).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(lost, [Lost { source: SourceId(2), count: 2, from: stamps[4], to: stamps[5] }]);
    writer.record(stamped(6, 0));
    lost.clear();
    rings.take(&registry, &Names::default(), &mut events, &mut lost);
    assert_eq!((events.len(), lost.len()), (5, 0));
    assert_eq!(rings.accepted(), [(SourceId(2), 5)]);
}

#[test]
fn the_ring_of_an_ended_thread_is_emptied_and_then_given_back() {
    let (registry, mut rings) = (Registry::default(), Rings::default());
    let mut first = writer(&registry, 4);
    first.record(stamped(1, 0));
    drop(first);
    let mut events = Vec::new();
    rings.take(&registry, &Names::default(), &mut events, &mut Vec::new());
    assert_eq!((events.len(), rings.readers.len()), (1, 0));
    writer(&registry, 4).record(stamped(2, 0));
    rings.take(&registry, &Names::default(), &mut events, &mut Vec::new());
    assert_eq!(rings.accepted(), [(SourceId(2), 1), (SourceId(3), 1)]);
}

#[test]
fn sources_are_handed_out_once_and_run_out() {
    let registry = Registry::default();
    registry.lock().handed_out = u16::MAX - 2;
    assert_eq!(writer(&registry, 1).minter().source(), SourceId(u16::MAX));
    assert!(registry.open(0, None, 1).is_none());
    assert!(registry.open(0, None, 1).is_none());
}

/// Threads pass tokens to each other. Every event names the one that caused it, which was recorded by another thread
/// before the token was passed on. Cuts are made all the while.
#[test]
fn no_event_comes_before_its_cause_whatever_the_cut() {
    const THREADS: usize = 8;
    const EACH: u64 = 20_000;
    /// How many events a thread may be ahead of the collector: there are many cuts, and no ring gets full.
    const PER_CUT: u64 = 500;
    let (registry, mut rings) = (Registry::default(), Rings::default());
    let (done, made) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut cuts: Vec<(i64, Vec<Event>)> = Vec::new();
    std::thread::scope(|scope| {
        let (senders, receivers): (Vec<_>, Vec<_>) =
            (0..THREADS).map(|_| std::sync::mpsc::sync_channel::<u64>(64)).unzip();
        let workers: Vec<_> = receivers
            .into_iter()
            .enumerate()
            .map(|(thread, receiver)| {
                let next = senders[(thread + 1) % THREADS].clone();
                let mut writer = writer(&registry, 1 << 15);
                let made = &made;
                scope.spawn(move || {
                    let name = |n: u64| ((thread as u64 + 1) << 32) | n;
                    for n in 0..EACH {
                        while n > (made.load(Ordering::Relaxed) + 1) * PER_CUT {
                            std::thread::yield_now();
                        }
                        // A cause from the neighbour: if one has come, and now and then one must come.
                        let cause = if n % 10 == 9 { wait_for(&receiver) } else { receiver.try_recv().unwrap_or(0) };
                        writer.record(stamped(name(n), cause));
                        let _ = next.try_send(name(n));
                    }
                })
            })
            .collect();
        drop(senders);
        let collector = scope.spawn(|| {
            let mut cuts = Vec::new();
            let mut last = false;
            loop {
                let (mut events, mut lost) = (Vec::new(), Vec::new());
                let cut = rings.take(&registry, &Names::default(), &mut events, &mut lost);
                assert_eq!(lost, []);
                cuts.push((cut, events));
                made.fetch_add(1, Ordering::Relaxed);
                if last {
                    return cuts;
                }
                last = done.load(Ordering::Acquire);
            }
        });
        for worker in workers {
            worker.join().unwrap();
        }
        done.store(true, Ordering::Release);
        cuts = collector.join().unwrap();
    });
    check(&cuts, THREADS as u64 * EACH);
}

/// The next token, or 0 when the neighbour has ended. Gives the processor away instead of blocking, so that threads run
/// into each other. Tokens are never all gone: an event takes one at most and passes one on.
fn wait_for(tokens: &std::sync::mpsc::Receiver<u64>) -> u64 {
    loop {
        match tokens.try_recv() {
            Ok(token) => return token,
            Err(TryRecvError::Disconnected) => return 0,
            Err(TryRecvError::Empty) => std::thread::yield_now(),
        }
    }
}

fn check(cuts: &[(i64, Vec<Event>)], expected: u64) {
    let mut place: HashMap<u64, usize> = HashMap::new();
    let mut last_of_thread: HashMap<u64, u64> = HashMap::new();
    let (mut order, mut caused, mut previous_cut, mut time) = (0, 0, i64::MIN, i64::MIN);
    let mut causes = Vec::new();
    for (frame, (cut, events)) in cuts.iter().enumerate() {
        for event in events {
            assert!(event.time > previous_cut && event.time <= *cut, "outside its cut");
            assert!(event.time >= time, "not in the order of time");
            time = event.time;
            assert!(place.insert(event.a, frame).is_none(), "taken twice");
            let (thread, number) = (event.a >> 32, event.a & u64::from(u32::MAX));
            let expected = last_of_thread.insert(thread, number).map_or(0, |last| last + 1);
            assert_eq!(number, expected, "not in its thread's order");
            if event.b != 0 {
                causes.push((frame, event.b));
            }
            order += 1;
        }
        previous_cut = *cut;
    }
    for (frame, cause) in causes {
        caused += 1;
        assert!(place.get(&cause).is_some_and(|earlier| *earlier <= frame), "an effect in an earlier frame");
    }
    assert_eq!(order, expected);
    assert!(caused > 1000, "the threads did pass tokens");
}
