//! What is done to the events of a recording to break a law, and how verdicts are read. Used by the tests of made-up
//! recordings and by those of real runs.

use hopscope_record::kind::{LATE, QueueStep};
use hopscope_record::{Event, Kind, MessageId, PlaceIndex, TraceId};
use hopscope_report::laws::{Law, LawReport};

pub(crate) fn red(reports: &[LawReport]) -> Vec<Law> {
    reports.iter().filter(|report| report.broken > 0).map(|report| report.law).collect()
}

pub(crate) fn of(reports: &[LawReport], law: Law) -> &LawReport {
    reports.iter().find(|report| report.law == law).unwrap()
}

pub(crate) fn count(events: &[Event], kind: Kind) -> u64 {
    events.iter().filter(|event| event.kind == kind).count() as u64
}

/// The event of this kind of this attempt.
pub(crate) fn stamp(events: &mut [Event], message: MessageId, kind: Kind) -> &mut Event {
    events.iter_mut().find(|event| event.message == message && event.kind == kind).unwrap()
}

pub(crate) fn has(events: &[Event], message: MessageId, kind: Kind) -> bool {
    events.iter().any(|event| event.message == message && event.kind == kind)
}

pub(crate) fn remove(events: &mut Vec<Event>, message: MessageId, kind: Kind) {
    events.retain(|event| !(event.message == message && event.kind == kind));
}

pub(crate) fn copy(events: &mut Vec<Event>, message: MessageId, kind: Kind) {
    let copied = *stamp(events, message, kind);
    events.push(Event { time: copied.time + 1, ..copied });
}

/// Two copies that were ready together in this queue change places; gives the trace of the second delivery, the one that
/// is late then.
pub(crate) fn swap(events: &mut [Event], queue: PlaceIndex) -> TraceId {
    let put = |event: &Event| {
        let enqueued = |other: &&Event| other.kind == Kind::ENQUEUED && other.message == event.parent;
        events.iter().find(enqueued).unwrap().a
    };
    let taken: Vec<_> = events.iter().filter(|event| event.kind == Kind::DELIVERED && event.place == queue).collect();
    let pair = taken.windows(2).find(|pair| put(pair[1]) < pair[0].a).unwrap();
    let (first, second) = (*pair[0], *pair[1]);
    stamp(events, first.message, Kind::DELIVERED).parent = second.parent;
    stamp(events, second.message, Kind::DELIVERED).parent = first.parent;
    second.trace
}

/// The steps of the event's queue from it on have ordinals that are one too high.
pub(crate) fn skip(events: &mut [Event], from: Event) -> TraceId {
    let later = events.iter_mut().filter(|event| event.place == from.place && event.a >= from.a);
    later.for_each(|event| event.a += 1);
    from.trace
}

/// The step that a queue stamps with the event is another one.
pub(crate) fn step(events: &mut [Event], at: Event, change: fn(QueueStep) -> QueueStep) -> TraceId {
    stamp(events, at.message, at.kind).b = change(QueueStep::from_value(at.b).unwrap()).to_value();
    at.trace
}

/// What came late is not marked so.
pub(crate) fn unmark(events: &mut [Event], late: Event) -> TraceId {
    assert!(late.is_late());
    stamp(events, late.message, late.kind).a &= !LATE;
    late.trace
}
