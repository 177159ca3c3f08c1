use hopscope_record::{Kind, LinkIndex, MessageId, PlaceIndex, RunKey, TraceId};

use super::*;
use crate::Recorder;
use crate::ring::Registry;
use crate::rings::Rings;

fn taken(registry: &Registry, rings: &mut Rings, names: &Names) -> Vec<Event> {
    let (mut events, mut lost) = (Vec::new(), Vec::new());
    rings.take(registry, names, &mut events, &mut lost);
    assert_eq!(lost, []);
    events
}

/// A recorder over the memory of a seat, as another process has it.
fn child(seat: &Seat) -> Recorder {
    let memory = seat.memory().try_clone().unwrap();
    Recorder::in_child(&memory, RunKey(9), seat.first()).unwrap().at(PlaceIndex(3), LinkIndex(4))
}

fn stamp(recorder: &Recorder, kind: Kind, a: u64, b: u64) {
    recorder.record(kind, TraceId(1), MessageId(2), MessageId(0), a, b);
}

#[test]
fn what_a_child_stamps_is_there_when_it_has_ended() {
    let (registry, mut rings, names) = (Registry::default(), Rings::default(), Names::default());
    let seat = registry.seat().unwrap().unwrap();
    let recorder = child(&seat);
    assert_eq!((seat.first(), recorder.mint_root().1.source()), (SourceId(2), SourceId(2)));
    stamp(&recorder, Kind::SENT, 0, 5);
    let events = taken(&registry, &mut rings, &names);
    assert_eq!(
        events.iter().map(|event| (event.place, event.link, event.b)).collect::<Vec<_>>(),
        [(PlaceIndex(3), LinkIndex(4), 5)]
    );
    stamp(&recorder, Kind::SENT, 0, 6);
    // As if it had been killed: nothing of it is told to end.
    std::mem::forget(recorder);
    drop(seat);
    assert_eq!(taken(&registry, &mut rings, &names).len(), 1);
    assert_eq!(taken(&registry, &mut rings, &names).len(), 0);
    assert_eq!(rings.accepted(), [(SourceId(2), 2)], "and it is forgotten with its count");
    assert_eq!(registry.source(), Some(SourceId(2 + SOURCES)), "its sources are its own");
}

#[test]
fn texts_of_children_get_the_runs_rows() {
    let (registry, mut rings, names) = (Registry::default(), Rings::default(), Names::default());
    let (one, other) = (registry.seat().unwrap().unwrap(), registry.seat().unwrap().unwrap());
    let (first, second) = (child(&one), child(&other));
    names.intern("ours");
    for (recorder, text) in [(&first, "reset by peer"), (&second, "réfusé"), (&second, "reset by peer")] {
        let value = recorder.name(text);
        stamp(recorder, Kind::FAILED, 0, value);
    }
    stamp(&first, Kind::COMPLETED, 200, 1);
    let values: Vec<_> = taken(&registry, &mut rings, &names).iter().map(|event| event.b).collect();
    assert_eq!(values.iter().filter(|value| **value == names.intern("reset by peer")).count(), 2);
    assert!(values.contains(&names.intern("réfusé")) && values.contains(&1), "{values:?}: bytes stay what they are");
}

#[test]
fn who_has_no_ring_is_counted() {
    let (registry, mut rings, names) = (Registry::default(), Rings::default(), Names::default());
    let seat = registry.seat().unwrap().unwrap();
    let recorder = child(&seat);
    let wait = std::sync::Barrier::new(RINGS + 1);
    let minted = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..=RINGS)
            .map(|_| {
                scope.spawn(|| {
                    wait.wait();
                    stamp(&recorder, Kind::SENT, 0, 0);
                    recorder.mint_message().source()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap().0).collect::<std::collections::BTreeSet<_>>()
    });
    assert_eq!(minted, (2..2 + SOURCES).collect());
    let (mut events, mut lost) = (Vec::new(), Vec::new());
    rings.take(&registry, &names, &mut events, &mut lost);
    assert_eq!(
        (events.len(), lost.iter().map(|lost| (lost.source.0, lost.count)).collect::<Vec<_>>()),
        (RINGS, vec![(10, 1)])
    );
}

#[test]
fn memory_of_another_shape_is_refused() {
    let file = tempfile::tempfile().unwrap();
    assert!(ChildMemory::new(&file, SourceId(2)).is_err(), "too short");
    file.set_len((WORDS * 8) as u64).unwrap();
    assert!(ChildMemory::new(&file, SourceId(2)).is_err(), "no magic");
}

#[test]
fn a_child_that_ended_within_a_call_is_not_waited_for() {
    let (registry, mut rings, names) = (Registry::default(), Rings::default(), Names::default());
    let seat = registry.seat().unwrap().unwrap();
    stamp(&child(&seat), Kind::SENT, 0, 0);
    seat.seated.ring(0).marks[0].fetch_add(1, Ordering::Release);
    drop(seat);
    assert_eq!(taken(&registry, &mut rings, &names).len(), 1);
    taken(&registry, &mut rings, &names);
    assert_eq!(rings.accepted(), [(SourceId(2), 1)]);
}

#[test]
fn a_child_that_was_stopped_within_a_call_is_left_out_and_what_it_pushes_later_is_told_as_lost() {
    let (registry, mut rings, names) = (Registry::default(), Rings::default(), Names::default());
    let seat = registry.seat().unwrap().unwrap();
    let recorder = child(&seat);
    stamp(&recorder, Kind::SENT, 0, 0);
    let ring = seat.seated.ring(0);
    let marks = &ring.marks;
    marks[0].fetch_add(1, Ordering::Release);
    let before = crate::clock::monotonic_ns();
    assert_eq!(taken(&registry, &mut rings, &names).len(), 1, "what it had pushed is there");
    assert_eq!(taken(&registry, &mut rings, &names).len(), 0, "and it is not waited for twice");
    // It goes on: pushes what it had stamped before the cuts, and stamps anew.
    let late = Sender::<EVENT>::over(seat.seated.words.part(FIRST + EVENTS..FIRST + ROWS), CAPACITY, Arc::default());
    late.push_at(1, [before.cast_unsigned(), 0, 0, 0, 0, 0, 0]);
    marks[0].fetch_add(1, Ordering::Release);
    let (mut events, mut lost) = (Vec::new(), Vec::new());
    rings.take(&registry, &names, &mut events, &mut lost);
    let told: Vec<_> = lost.iter().map(|lost| (lost.source.0, lost.count, lost.from)).collect();
    assert_eq!((events.len(), told), (0, vec![(2, 1, before)]));
}
