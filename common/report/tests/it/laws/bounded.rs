//! The laws on runs through queues whose broker stamps nothing: made of runs that a queue stamped, without its stamps.

use std::collections::BTreeMap;

use hopscope_record::kind::{Attempt, DepthReport, Phase, QueueCause, QueueStep, ValueMeaning};
use hopscope_scenario::plan::{Plan, PlanBroker};

use super::queues::PLAIN;
use super::*;
use crate::lawful::queued::Queued;

/// How many steps of a queue lie between two answers of its broker.
const EVERY: usize = 5;

/// What the ends of links and the broker's word tell of a run.
fn seen(shape: Queued) -> Recording {
    let mut recording = Recording::queued(shape);
    let mut plan = Plan::from_bytes(&recording.hello.plan).unwrap();
    plan.broker = Some(PlanBroker::new("RabbitMQ", "3", "hopscope.made-up."));
    recording.hello.plan = plan.to_bytes().unwrap();
    let mut events = std::mem::take(&mut recording.events);
    events.sort_by_key(|event| event.time);
    let received = |message| events.iter().find(|event| event.kind == Kind::RECEIVED && event.message == message);
    let (mut ready, mut steps, mut kept) = (BTreeMap::new(), BTreeMap::<_, usize>::new(), Vec::new());
    for event in &events {
        let Some(info) = event.kind.info().filter(|info| info.b.meaning == ValueMeaning::QueueStep) else {
            kept.push(*event);
            continue;
        };
        let step = QueueStep::from_value(event.b).unwrap();
        ready.insert(event.place, step.after);
        if info.attempt == Attempt::Closes && step.cause != QueueCause::AUTOMATIC {
            let b = QueueStep { before: 0, after: 0, cause: step.cause }.to_value();
            let place = received(event.message).map_or(event.place, |received| received.place);
            kept.push(Event { place, a: 0, b, ..*event });
        }
        let count = steps.entry(event.place).or_default();
        *count += 1;
        if count.is_multiple_of(EVERY) {
            kept.push(report(event.time + 1, event.place, step.after));
        }
    }
    let end = events.last().unwrap().time + 1_000;
    kept.push(Event { a: Phase::End as u64, ..Event::new(end, Kind::PHASE_BEGAN) });
    kept.extend(ready.iter().map(|(place, ready)| report(end + 1, *place, *ready)));
    let counts = &mut recording.end.as_mut().unwrap();
    counts.time = end + 2;
    counts.counts.retain(|row| row.counted != Counted::UNACKED);
    for row in counts.counts.iter_mut().filter(|row| row.counted == Counted::EVENTS) {
        row.count = kept.len() as u64;
    }
    // Nobody opens a delivery there.
    counts.counts.retain(|row| row.counted != Counted::OPEN_ATTEMPTS || row.index % 2 == 0);
    recording.events = kept;
    recording
}

fn report(time: i64, place: PlaceIndex, ready: u32) -> Event {
    let a = DepthReport { ready, consumers: 1 }.to_value();
    Event { place, a, ..Event::new(time, Kind::DEPTH_REPORTED) }
}

#[test]
fn what_is_seen_from_outside_holds_the_laws() {
    let recording = seen(PLAIN);
    let reports = judge(&recording);
    for report in &reports {
        assert_eq!((report.broken, report.undecided), (0, 0), "{report:?}");
    }
    let words = count(&recording.events, Kind::DEPTH_REPORTED);
    assert_eq!(of(&reports, TakeLowers).held, words);
    assert!(words > 100);
    for law in [Order, Little] {
        assert_eq!(of(&reports, law).not_applicable.map(Key::name), Some("law.not-applicable.not-stamped"));
    }
    let mut laws = Laws::new();
    for_frames(&recording.file(), |frame| laws.push(frame));
    let checked: Vec<_> = laws.queues().iter().map(|queue| (queue.stamped, queue.bounded, queue.held > 0)).collect();
    assert_eq!(checked, [(false, true, true), (false, true, true), (false, true, false)]);
}

#[test]
fn what_contradicts_it_is_red_and_what_cannot_be_told_is_free() {
    type Row = (&'static str, fn(&mut Recording), &'static [Law]);
    let table: &[Row] = &[
        ("an answer beyond what was published", |run| *answer(run) += 1_000, &[TakeLowers]),
        ("an answer with another program's consumer", |run| *answer(run) += 1 << 33, &[]),
        ("one too many at rest", |run| run.events.last_mut().unwrap().a += 1, &[TakeLowers]),
        (
            "a settling removed",
            |run| {
                let acked = run.events.iter().position(|event| event.kind == Kind::ACKED).unwrap();
                run.events.remove(acked);
            },
            &[TakeLowers, Conservation, OpenAtEnd, Accepted],
        ),
    ];
    for (what, alter, expected) in table {
        let mut recording = seen(Queued { replies: false, ..PLAIN });
        alter(&mut recording);
        assert_eq!(red(&judge(&recording)), *expected, "{what}");
    }
    let mut outside = seen(Queued { replies: false, ..PLAIN });
    *answer(&mut outside) += 1 << 33;
    let report = judge(&outside);
    assert_eq!(of(&report, TakeLowers).not_applicable.map(Key::name), Some("law.not-applicable.outside"));
}

#[test]
fn what_another_program_put_makes_free_what_it_lengthened() {
    let shape = Queued { replies: false, ..PLAIN };
    let free = |recording: &Recording| {
        let report = judge(recording);
        let takes = of(&report, TakeLowers);
        assert_eq!((takes.broken, takes.undecided), (0, 0), "{takes:?}");
        takes.not_applicable.map(Key::name)
    };
    // It is seen in the queue's length first, and known when it comes out: begun there, or by a program that was given a message.
    let mut begun = seen(shape);
    *answer(&mut begun) += 1_000;
    let mut came = begun.clone();
    begun.events.iter_mut().rfind(|event| event.kind == Kind::RECEIVED).unwrap().parent = MessageId::NONE;
    assert_eq!(free(&begun), Some("law.not-applicable.outside"));
    // Who has the message that caused it is at work on it still, and it has not come out twice.
    let at = came.events.iter().rposition(|event| event.kind == Kind::RECEIVED).unwrap();
    let child = Event { message: MessageId(u64::MAX), ..came.events[at] };
    came.events.insert(at + 1, child);
    assert_eq!(free(&came), Some("law.not-applicable.outside"));
    // Until then nobody knows.
    let mut cut = seen(shape);
    *answer(&mut cut) += 1_000;
    cut.end = None;
    assert_eq!((of(&judge(&cut), TakeLowers).broken, red(&judge(&cut))), (0, vec![]));
}

/// An answer in the middle.
fn answer(recording: &mut Recording) -> &mut u64 {
    let answers = recording.events.iter().filter(|event| event.kind == Kind::DEPTH_REPORTED).count();
    let mut all = recording.events.iter_mut().filter(|event| event.kind == Kind::DEPTH_REPORTED);
    &mut all.nth(answers / 2).unwrap().a
}

#[test]
fn no_prefix_breaks_a_law() {
    let whole = seen(PLAIN);
    for events in (0..whole.events.len()).step_by(37) {
        let mut cut = whole.clone();
        cut.events.truncate(events);
        cut.end = None;
        assert_eq!(red(&judge(&cut)), [], "after {events} events");
    }
}
