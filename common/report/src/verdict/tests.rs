use hopscope_record::{Kind, PlaceIndex};

use super::*;
use crate::traces::tests::Calls;

/// A call each 10 ms for 4 s. The service is down from 1 s to 1.5 s, and slow for a second after that.
fn crashed() -> Calls {
    let mut calls = Calls::new();
    for n in 0..400 {
        let (at, quick) = (n * 10_000_000, 1_000_000 + n % 7 * 1_000);
        match at {
            1_000_000_000..1_500_000_000 => calls.call(at, 50_000, Kind::FAILED),
            1_500_000_000..2_500_000_000 => calls.call(at, 8_000_000, Kind::COMPLETED),
            _ => calls.call(at, quick, Kind::COMPLETED),
        };
    }
    calls.control(1_000_000_000, ControlAction::Crash);
    calls.control(1_500_000_000, ControlAction::Start);
    calls
}

fn judged(calls: &Calls) -> Option<Verdict> {
    let mut controls = Controls { nodes: vec![0, 1, 2], topics: vec![2], rows: Vec::new() };
    calls.events.iter().filter(|event| event.kind == Kind::CONTROL).for_each(|event| controls.take(event));
    verdict(&controls, &calls.traces())
}

#[test]
fn a_crash_is_told_with_what_it_cost_and_when_all_was_normal_again() {
    let verdict = judged(&crashed()).unwrap();
    let normal = verdict.normal.unwrap();
    assert!((1_000_000..1_010_000).contains(&normal.p99) && normal.traces == 100, "{normal:?}");
    assert_eq!((verdict.before.traces, verdict.before.unanswered.count), (100, 0));
    let [crash] = verdict.disturbances.as_slice() else { panic!("{verdict:?}") };
    assert_eq!(
        (crash.control.action, crash.control.node, crash.until),
        (ControlAction::Crash, Some(1), Some(1_500_000_000))
    );
    let found = &crash.found;
    let counts = [&found.unanswered, &found.unfinished, &found.repeated, &found.late].map(|named| named.count);
    assert_eq!((found.traces, counts), (300, [50, 0, 0, 100]));
    assert_eq!(found.unanswered.traces.len(), 50);
    assert_eq!(crash.normal, Again::After(1_500_000_000), "the first call that is quick again is wanted at 2.5 s");
}

#[test]
fn without_a_disturbance_there_is_no_verdict_and_with_one_that_changes_nothing_all_stays_normal() {
    let mut calls = Calls::new();
    (0..200).for_each(|n| {
        calls.call(n * 10_000_000, 1_000_000, Kind::COMPLETED);
    });
    assert_eq!(judged(&calls), None);
    calls.control(1_000_000_000, ControlAction::Delay);
    calls.control(1_200_000_000, ControlAction::Rate);
    calls.events.last_mut().unwrap().b = 50_000;
    let verdict = judged(&calls).unwrap();
    let told = verdict.disturbances.iter().map(|one| (one.normal, one.until)).collect::<Vec<_>>();
    assert_eq!(told, [(Again::Stayed, None); 2]);
}

#[test]
fn what_never_comes_back_says_so_and_too_little_says_nothing() {
    let mut calls = Calls::new();
    (0..100).for_each(|n| {
        let closing = if n < 50 { Kind::COMPLETED } else { Kind::FAILED };
        calls.call(n * 10_000_000, 1_000_000, closing);
    });
    calls.control(500_000_000, ControlAction::Crash);
    assert_eq!(judged(&calls).unwrap().disturbances[0].normal, Again::Never);

    let mut few = Calls::new();
    (0..30).for_each(|n| {
        few.call(n * 10_000_000, 1_000_000, Kind::COMPLETED);
    });
    few.control(50_000_000, ControlAction::Crash);
    let verdict = judged(&few).unwrap();
    assert_eq!((verdict.normal, verdict.disturbances[0].normal), (None, Again::TooFew));
    assert_eq!(verdict.disturbances[0].found.late.count, 0, "nobody knows what late is");
}

#[test]
fn a_broker_is_one_whatever_its_queues_and_what_was_told_is_said_as_scenarios_write_it() {
    let mut calls = Calls::new();
    (0..100).for_each(|n| {
        calls.call(n * 10_000_000, 1_000_000, Kind::COMPLETED);
    });
    for (at, action) in [(500_000_000, ControlAction::BrokerKilled), (600_000_000, ControlAction::BrokerStarted)] {
        calls.control(at, action);
        // At its other queue.
        let again = Event { place: PlaceIndex(0), ..*calls.events.last().unwrap() };
        calls.events.push(again);
    }
    let [killed] = judged(&calls).unwrap().disturbances.try_into().unwrap();
    assert_eq!((killed.control.node, killed.control.link, killed.until), (None, None, Some(600_000_000)));
    assert!(!killed.control.kafka);
    // The broker of topics is another one, though it is down at the same time.
    for (at, place) in [(510_000_000, 2), (520_000_000, 0)] {
        let killed = Event { time: at, ..*calls.events.iter().find(|event| event.kind == Kind::CONTROL).unwrap() };
        calls.events.push(Event { place: PlaceIndex(place), ..killed });
    }
    calls.events.sort_by_key(|event| event.time);
    let on: Vec<_> = judged(&calls).unwrap().disturbances.iter().map(|one| (one.control.kafka, one.until)).collect();
    assert_eq!(on, [(false, Some(600_000_000)), (true, None)]);
    let told = |action, argument| told(&Control { action, argument, ..killed.control.clone() });
    assert_eq!(told(ControlAction::Rate, 500_000).as_deref(), Some("500/s"));
    assert_eq!(told(ControlAction::Delay, 50_000_000).as_deref(), Some("50 ms"));
    assert_eq!(told(ControlAction::Throttle, 100_000).as_deref(), Some("100 kB/s"));
    assert_eq!(told(ControlAction::BrokerKilled, 0), None);
}
