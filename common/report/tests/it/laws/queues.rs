//! The laws on runs through queues.

use super::altering::{skip, step, swap};
use super::*;
use crate::lawful::queued::Queued;
use hopscope_record::kind::QueueStep;

/// Nothing unusual: every message is published, delivered, worked on and answered.
pub(super) const PLAIN: Queued = Queued {
    messages: 150,
    period: 150_000,
    work: 200_000,
    consumers: 1,
    prefetch: 3,
    acks_after_work: true,
    replies: true,
    unusual: 0,
    seed: 42,
};

/// Everything that may become of a message.
const RICH: Queued = Queued { messages: 200, unusual: 6, ..PLAIN };

/// Acknowledged on arrival.
const EARLY: Queued = Queued { acks_after_work: false, ..PLAIN };

/// Of which run; what is altered; the laws that turn red; those that turn red also in a cut recording.
struct Row(Queued, &'static str, Tamper, &'static [Law], &'static [Law]);

const REQUESTS: PlaceIndex = PlaceIndex(1);

/// An event of a kind on a link, from when the queue has grown.
fn one(recording: &Recording, kind: Kind, link: u16) -> Event {
    *recording.events.iter().filter(|event| event.kind == kind && event.link.0 == link).nth(60).unwrap()
}

fn without(kind: Kind, link: u16) -> impl Fn(&mut Recording) -> TraceId {
    move |recording| {
        let Event { trace, message, .. } = one(recording, kind, link);
        remove(&mut recording.events, message, kind);
        trace
    }
}

fn doubled(kind: Kind, link: u16) -> impl Fn(&mut Recording) -> TraceId {
    move |recording| {
        let Event { trace, message, .. } = one(recording, kind, link);
        copy(&mut recording.events, message, kind);
        trace
    }
}

/// Puts one stamp of an attempt so many ns after another.
fn moved(kind: Kind, other: Kind, link: u16, by: i64) -> impl Fn(&mut Recording) -> TraceId {
    move |recording| {
        let Event { trace, message, time, .. } = one(recording, other, link);
        stamp(&mut recording.events, message, kind).time = time + by;
        trace
    }
}

/// Alters the step that a queue stamps.
fn stepped(kind: Kind, change: fn(QueueStep) -> QueueStep) -> impl Fn(&mut Recording) -> TraceId {
    move |recording| {
        let at = one(recording, kind, 1);
        step(&mut recording.events, at, change)
    }
}

/// The first step of this kind at the queue of requests is removed.
fn step_removed(kind: Kind) -> impl Fn(&mut Recording) -> TraceId {
    move |recording| {
        let event = *recording.events.iter().find(|event| event.kind == kind && event.place == REQUESTS).unwrap();
        recording.events.retain(|other| *other != event);
        event.trace
    }
}

const TABLE: &[Row] = &[
    Row(
        PLAIN,
        "a delivery removed",
        |r| without(Kind::DELIVERED, 1)(r),
        &[TakeLowers, Closing, Steps, Conservation, Little, OpenAtEnd, Accepted],
        &[],
    ),
    Row(PLAIN, "two deliveries swapped", |r| swap(&mut r.events, REQUESTS), &[Order], &[Order]),
    Row(
        PLAIN,
        "a delivery copied",
        |r| doubled(Kind::DELIVERED, 1)(r),
        &[TakeLowers, Closing, Conservation, OpenAtEnd, Accepted],
        &[TakeLowers, Closing],
    ),
    Row(PLAIN, "a delivery of a copy that was never put", never_put, &[Steps, Little], &[Steps]),
    Row(
        PLAIN,
        "a depth off by one",
        |r| stepped(Kind::DELIVERED, |step| QueueStep { before: step.before + 1, after: step.after + 1, ..step })(r),
        &[TakeLowers, Little],
        &[TakeLowers],
    ),
    Row(
        PLAIN,
        "L2 off by one",
        |r| stepped(Kind::DELIVERED, |step| QueueStep { after: step.after + 1, ..step })(r),
        &[TakeLowers, Little],
        &[TakeLowers],
    ),
    Row(
        PLAIN,
        "L1 off by one",
        |r| stepped(Kind::ACKED, |step| QueueStep { before: step.before + 1, ..step })(r),
        &[TakeLowers],
        &[TakeLowers],
    ),
    Row(PLAIN, "the last depth off by one", last_depth, &[TakeLowers, Conservation, Little], &[TakeLowers]),
    Row(PLAIN, "an ordinal gap", ordinal_gap, &[TakeLowers], &[]),
    Row(
        PLAIN,
        "a take stamped as one that gives back",
        acked_as_requeued,
        &[TakeLowers, Conservation, Little, OpenAtEnd],
        &[TakeLowers],
    ),
    Row(PLAIN, "Acked removed", |r| without(Kind::ACKED, 1)(r), &[TakeLowers, OpenAtEnd, Accepted], &[]),
    Row(
        PLAIN,
        "Acked copied",
        |r| doubled(Kind::ACKED, 1)(r),
        &[TakeLowers, Closing, OpenAtEnd, Accepted],
        &[TakeLowers],
    ),
    Row(
        PLAIN,
        "Enqueued removed",
        |r| without(Kind::ENQUEUED, 0)(r),
        &[TakeLowers, Steps, Conservation, Little, OpenAtEnd, Accepted],
        &[],
    ),
    Row(
        PLAIN,
        "Enqueued copied",
        |r| doubled(Kind::ENQUEUED, 0)(r),
        &[TakeLowers, Conservation, OpenAtEnd, Accepted],
        &[TakeLowers],
    ),
    Row(
        PLAIN,
        "Received before its Delivered",
        |r| moved(Kind::RECEIVED, Kind::DELIVERED, 1, -1)(r),
        &[ReplyAfterRequest],
        &[ReplyAfterRequest],
    ),
    Row(
        PLAIN,
        "work before its delivery has arrived",
        |r| moved(Kind::STARTED, Kind::RECEIVED, 1, -1)(r),
        &[ReplyAfterRequest],
        &[ReplyAfterRequest],
    ),
    Row(
        PLAIN,
        "Acked before the work is done",
        |r| moved(Kind::FINISHED, Kind::ACKED, 1, 1)(r),
        &[ReplyAfterRequest],
        &[ReplyAfterRequest],
    ),
    Row(
        EARLY,
        "Acked before the delivery has arrived",
        |r| moved(Kind::RECEIVED, Kind::ACKED, 1, 1)(r),
        &[ReplyAfterRequest],
        &[ReplyAfterRequest],
    ),
    Row(
        PLAIN,
        "Enqueued after its confirm",
        |r| moved(Kind::CONFIRMED, Kind::ENQUEUED, 0, -1)(r),
        &[ReplyAfterRequest],
        &[ReplyAfterRequest],
    ),
    Row(
        PLAIN,
        "Completed before its Published",
        |r| moved(Kind::COMPLETED, Kind::PUBLISHED, 0, -1)(r),
        &[ReplyAfterRequest, Steps],
        &[ReplyAfterRequest, Steps],
    ),
    Row(PLAIN, "Finished removed", |r| without(Kind::FINISHED, 1)(r), &[Steps, Accepted], &[]),
    Row(PLAIN, "Received removed", |r| without(Kind::RECEIVED, 1)(r), &[Steps, Accepted], &[]),
    Row(PLAIN, "Received copied", |r| doubled(Kind::RECEIVED, 1)(r), &[Steps, Accepted], &[Steps]),
    Row(PLAIN, "a reply's Received removed", |r| without(Kind::RECEIVED, 3)(r), &[Steps, Accepted], &[]),
    Row(
        PLAIN,
        "Published removed, by a client",
        |r| without(Kind::PUBLISHED, 0)(r),
        &[Closing, Steps, Intended, Accepted],
        &[],
    ),
    Row(PLAIN, "Published removed, by a service", |r| without(Kind::PUBLISHED, 2)(r), &[Closing, Steps, Accepted], &[]),
    Row(PLAIN, "Published copied", |r| doubled(Kind::PUBLISHED, 2)(r), &[Closing, Accepted], &[Closing]),
    Row(PLAIN, "Confirmed removed", |r| without(Kind::CONFIRMED, 0)(r), &[Conservation, Accepted], &[]),
    Row(PLAIN, "Confirmed copied", |r| doubled(Kind::CONFIRMED, 0)(r), &[Closing, Accepted], &[Closing]),
    Row(PLAIN, "Completed removed", |r| without(Kind::COMPLETED, 0)(r), &[OpenAtEnd, Accepted], &[]),
    Row(PLAIN, "End's ready copies off by one", |r| end_off(r, Counted::READY), &[OpenAtEnd], &[]),
    Row(PLAIN, "End's unacked copies off by one", |r| end_off(r, Counted::UNACKED), &[OpenAtEnd], &[]),
    Row(PLAIN, "End's open deliveries off by one", deliveries_off, &[OpenAtEnd], &[]),
    Row(
        RICH,
        "Requeued removed",
        |r| step_removed(Kind::REQUEUED)(r),
        // It was delivered again at once: no wait is missing.
        &[TakeLowers, Steps, Conservation, OpenAtEnd, Accepted],
        &[],
    ),
    Row(RICH, "Nacked removed", |r| step_removed(Kind::NACKED)(r), &[TakeLowers, OpenAtEnd, Accepted], &[]),
    Row(
        RICH,
        "Expired removed",
        |r| step_removed(Kind::EXPIRED)(r),
        &[TakeLowers, Conservation, Little, OpenAtEnd, Accepted],
        &[],
    ),
    Row(
        RICH,
        "Dropped removed",
        |r| step_removed(Kind::DROPPED)(r),
        &[TakeLowers, Conservation, Little, OpenAtEnd, Accepted],
        &[],
    ),
    Row(
        RICH,
        "Purged removed",
        |r| step_removed(Kind::PURGED)(r),
        &[TakeLowers, Conservation, Little, OpenAtEnd, Accepted],
        &[],
    ),
    Row(RICH, "the mark of a late reply removed", late_unmarked, &[Closing], &[Closing]),
];

fn never_put(recording: &mut Recording) -> TraceId {
    let Event { trace, message, .. } = one(recording, Kind::DELIVERED, 1);
    stamp(&mut recording.events, message, Kind::DELIVERED).parent = MessageId::new(SourceId(77), 1, 1);
    trace
}

fn last_depth(recording: &mut Recording) -> TraceId {
    let last = *recording.events.iter().rfind(|event| event.place == REQUESTS).unwrap();
    step(&mut recording.events, last, |step| QueueStep { before: step.before + 1, after: step.after + 1, ..step })
}

fn ordinal_gap(recording: &mut Recording) -> TraceId {
    let from = one(recording, Kind::DELIVERED, 1);
    skip(&mut recording.events, from)
}

fn acked_as_requeued(recording: &mut Recording) -> TraceId {
    let Event { trace, message, .. } = one(recording, Kind::ACKED, 1);
    stamp(&mut recording.events, message, Kind::ACKED).kind = Kind::REQUEUED;
    trace
}

fn deliveries_off(recording: &mut Recording) -> TraceId {
    let counts = &mut recording.end.as_mut().unwrap().counts;
    counts.iter_mut().find(|row| row.counted == Counted::OPEN_ATTEMPTS && row.index == 1).unwrap().count += 1;
    TraceId::NONE
}

fn late_unmarked(recording: &mut Recording) -> TraceId {
    let late = *recording.events.iter().find(|event| event.kind == Kind::COMPLETED && event.is_late()).unwrap();
    unmark(&mut recording.events, late)
}

#[test]
fn each_alteration_turns_its_laws_red_and_no_other_and_names_the_trace() {
    for Row(shape, what, tamper, expected, expected_cut) in TABLE {
        let mut recording = Recording::queued(*shape);
        assert_eq!(red(&judge(&recording)), [], "{what}");
        let trace = tamper(&mut recording);
        let reports = judge(&recording);
        assert_eq!(red(&reports), *expected, "{what}");
        for law in expected.iter().filter(|law| **law != Accepted) {
            let breaches = &of(&reports, *law).breaches;
            assert!(!breaches.is_empty(), "{what}: {law:?}");
            for breach in breaches {
                assert_eq!(breach.trace, trace, "{what}: {law:?} {breach:?}");
                let text = plain(Language::English, breach.text, &breach.args);
                assert!(!text.contains(['{', '}']) && text.ends_with('.'), "{what}: {text}");
                assert!(!breach.times.is_empty(), "{what}: {text}");
            }
        }
        recording.end = None;
        assert_eq!(red(&judge(&recording)), *expected_cut, "{what}, cut");
    }
}

#[test]
fn a_run_through_queues_holds_each_law_with_its_denominator() {
    let recording = Recording::queued(PLAIN);
    let n = PLAIN.messages;
    let held: Vec<_> = judge(&recording).iter().map(|report| (report.law, report.held, report.checked())).collect();
    let all = |law, count| (law, count, count);
    let expected = [
        // A publish and a delivery there, a publish and a delivery back.
        all(ReplyAfterRequest, 4 * n),
        // Put, taken and acknowledged, there and back.
        all(TakeLowers, 6 * n),
        all(Closing, 4 * n),
        // Besides each attempt: a copy taken there, one back, and the reply.
        all(Steps, 7 * n),
        all(Intended, n),
        // Two publishes, and the two queues.
        all(Conservation, 2 * n + 2),
        all(Order, 2 * n),
        all(Little, 2),
        // Four links, and ready and unacked of three queues.
        all(OpenAtEnd, 10),
        all(Accepted, recording.events.len() as u64),
    ];
    assert_eq!(held, expected);
}

#[test]
fn each_queue_says_how_many_of_its_steps_were_checked() {
    let mut laws = Laws::new();
    let recording = Recording::queued(PLAIN);
    for_frames(&recording.file(), |frame| laws.push(frame));
    let queues: Vec<_> = laws.queues().into_iter().map(|queue| (queue.name, queue.stamped, queue.held)).collect();
    let n = 3 * PLAIN.messages;
    assert_eq!(queues, [("orders".into(), true, n), ("answers".into(), true, n), ("dead".into(), false, 0)]);
    let sum: u64 = laws.queues().iter().map(hopscope_report::laws::QueueReport::checked).sum();
    assert_eq!(sum, of(&laws.report(), TakeLowers).checked());
}

#[test]
fn where_copies_go_back_or_consumers_are_several_no_order_is_promised() {
    let quiet = Queued { replies: false, ..PLAIN };
    let reason = |shape| of(&judge(&Recording::queued(shape)), Order).not_applicable.map(Key::name);
    assert_eq!(reason(quiet), None);
    assert_eq!(reason(Queued { consumers: 2, ..quiet }), Some("law.not-applicable.consumers"));
    // Of both queues, only the one of replies has nothing that goes back.
    let recording = Recording::queued(RICH);
    let answered = recording.events.iter().filter(|event| event.kind == Kind::DELIVERED && event.link.0 == 3).count();
    assert!(count(&recording.events, Kind::REQUEUED) > 0);
    assert!(of(&judge(&recording), Order).held >= answered as u64);
}

#[test]
fn an_unconfirmed_publish_is_unknown_only_where_its_connection_ended() {
    let mut recording = Recording::queued(RICH);
    recording.events.retain(|event| event.kind != Kind::DISCONNECTED);
    let events = &recording.events;
    let closed = |event: &Event| {
        let answers = [Kind::CONFIRMED, Kind::CONFIRM_REFUSED, Kind::FAILED];
        answers.into_iter().any(|kind| has(events, event.message, kind))
    };
    let published = |event: &&Event| event.kind == Kind::PUBLISHED;
    let unknown = events.iter().filter(published).filter(|event| !closed(event)).count() as u64;
    assert!(unknown > 2);
    assert_eq!(of(&judge(&recording), Conservation).broken, unknown);
}

#[test]
fn a_confirmed_publish_that_no_queue_has_is_undecided() {
    let mut recording = Recording::queued(RICH);
    let returned = *recording.events.iter().find(|event| event.kind == Kind::RETURNED).unwrap();
    remove(&mut recording.events, returned.message, Kind::RETURNED);
    let reports = judge(&recording);
    assert_eq!((red(&reports), of(&reports, Conservation).undecided), (vec![Accepted], 1));
}

#[test]
fn what_a_queue_may_have_lost_is_undecided() {
    for kind in [Kind::ENQUEUED, Kind::DELIVERED, Kind::ACKED] {
        let mut recording = Recording::queued(PLAIN);
        let lost = one(&recording, kind, if kind == Kind::ENQUEUED { 0 } else { 1 });
        remove(&mut recording.events, lost.message, kind);
        recording.end.as_mut().unwrap().counts.remove(0);
        recording.losses = vec![Loss { source: SourceId(1), count: 1, from: lost.time, to: lost.time }];
        let reports = judge(&recording);
        assert_eq!(red(&reports), [], "{kind:?}");
        let report = of(&reports, TakeLowers);
        assert_eq!((report.undecided, report.held), (1, 6 * PLAIN.messages - 2), "{kind:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn lawful_runs_through_queues_hold_all_laws_and_no_prefix_breaks_one(
        seed: u64, consumers in 1..4_u32, prefetch in 1..5_usize, acks_after_work: bool, replies: bool,
        unusual in 0..25_u64, period in 20_000..400_000_u64, reversed: bool,
    ) {
        let work = 150_000;
        let shape = Queued { messages: 25, period, work, consumers, prefetch, acks_after_work, replies, unusual, seed };
        let mut recording = Recording { batch: 1, ..Recording::queued(shape) };
        if reversed {
            // Events of one instant come in any order.
            recording.events.reverse();
        }
        let mut laws = Laws::new();
        for_frames(&recording.file(), |frame| {
            laws.push(frame).unwrap();
            prop_assert_eq!(red(&laws.report()), []);
            Ok::<_, TestCaseError>(())
        });
        for report in laws.report() {
            prop_assert_eq!((report.broken, report.undecided), (0, 0), "{:?}", report.law);
        }
    }
}
