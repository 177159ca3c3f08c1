//! The laws: lawful recordings hold them, prefix by prefix, and altered ones break those that they should.

use crate::lawful::{self, Shape};
use crate::recording::{Recording, end_of, for_frames};
use hopscope_record::frame::{Counted, Loss};
use hopscope_record::kind::{Admission, LATE};
use hopscope_record::{Event, Kind, LinkIndex, MessageId, PlaceIndex, SourceId, TraceId};
use hopscope_report::laws::Law::{
    Accepted, Closing, Conservation, Intended, Little, OpenAtEnd, Order, ReplyAfterRequest, Steps, TakeLowers,
};
use hopscope_report::laws::{LAWS, Law, LawReport, Laws, MOST_BREACHES};
use hopscope_scenario::catalogue::{Key, Language, plain};
use proptest::prelude::*;

#[path = "laws/altering.rs"]
mod altering;
#[path = "laws/bounded.rs"]
mod bounded;
#[path = "laws/queues.rs"]
mod queues;

use altering::{copy, count, has, of, red, remove, stamp, unmark};

const USUAL: Shape =
    Shape { messages: 120, period: 300_000, work: 400_000, sources: 3, workers: 3, unusual: 15, seed: 42 };

fn judge(recording: &Recording) -> Vec<LawReport> {
    let mut laws = Laws::new();
    for_frames(&recording.file(), |frame| laws.push(frame));
    laws.report()
}

/// The third attempt on this link with such an event.
fn victim(events: &[Event], link: u16, such: impl Fn(&Event) -> bool) -> Event {
    *events.iter().filter(|event| event.link.0 == link && such(event)).nth(2).unwrap()
}

/// An attempt on this link that was answered in time.
fn answered(events: &[Event], link: u16) -> Event {
    victim(events, link, |event| event.kind == Kind::COMPLETED && !event.is_late())
}

/// Alters the recording and gives the trace at fault.
type Tamper = fn(&mut Recording) -> TraceId;

/// What is altered; the laws that turn red; those that turn red also where the recording is cut before its end, because
/// what is wrong is there and nothing has to come any more.
struct Row(&'static str, Tamper, &'static [Law], &'static [Law]);

fn without(kind: Kind, link: u16) -> impl Fn(&mut Recording) -> TraceId {
    move |recording| {
        let Event { trace, message, .. } = answered(&recording.events, link);
        remove(&mut recording.events, message, kind);
        trace
    }
}

fn doubled(kind: Kind) -> impl Fn(&mut Recording) -> TraceId {
    move |recording| {
        let Event { trace, message, .. } = answered(&recording.events, 1);
        copy(&mut recording.events, message, kind);
        trace
    }
}

/// Puts one stamp of an attempt 1 ns before another.
fn moved(kind: Kind, before: Kind) -> impl Fn(&mut Recording) -> TraceId {
    move |recording| {
        let Event { trace, message, .. } = answered(&recording.events, 1);
        let time = stamp(&mut recording.events, message, before).time;
        stamp(&mut recording.events, message, kind).time = time - 1;
        trace
    }
}

const TABLE: &[Row] = &[
    Row(
        "a reply before its request",
        |r| moved(Kind::COMPLETED, Kind::SENT)(r),
        &[ReplyAfterRequest],
        &[ReplyAfterRequest],
    ),
    Row(
        "a reply received before it is sent",
        |r| moved(Kind::COMPLETED, Kind::REPLIED)(r),
        &[ReplyAfterRequest],
        &[ReplyAfterRequest],
    ),
    Row(
        "a request received before it is sent",
        |r| moved(Kind::RECEIVED, Kind::SENT)(r),
        &[ReplyAfterRequest],
        &[ReplyAfterRequest],
    ),
    Row(
        "work before its request",
        |r| moved(Kind::STARTED, Kind::RECEIVED)(r),
        &[ReplyAfterRequest],
        &[ReplyAfterRequest],
    ),
    Row(
        "work that ends before it begins",
        |r| moved(Kind::FINISHED, Kind::STARTED)(r),
        &[ReplyAfterRequest],
        &[ReplyAfterRequest],
    ),
    Row(
        "a reply before the work is done",
        |r| moved(Kind::REPLIED, Kind::FINISHED)(r),
        &[ReplyAfterRequest],
        &[ReplyAfterRequest],
    ),
    Row("a call that takes no time", all_at_once, &[ReplyAfterRequest], &[ReplyAfterRequest]),
    Row("a closing event removed", |r| without(Kind::COMPLETED, 1)(r), &[OpenAtEnd, Accepted], &[]),
    Row("a closing event copied", |r| doubled(Kind::COMPLETED)(r), &[Closing, Accepted], &[]),
    Row("closed a second time", closed_twice, &[Closing, Accepted], &[Closing]),
    Row("Sent removed, on a service's call", |r| without(Kind::SENT, 1)(r), &[Closing, Steps, Accepted], &[]),
    Row("Sent removed, on a client's call", |r| without(Kind::SENT, 0)(r), &[Closing, Steps, Intended, Accepted], &[]),
    Row("Sent copied", |r| doubled(Kind::SENT)(r), &[Closing, Accepted], &[Closing]),
    Row("Received removed", |r| without(Kind::RECEIVED, 1)(r), &[Steps, Accepted], &[]),
    Row("Received copied", |r| doubled(Kind::RECEIVED)(r), &[Steps, Accepted], &[Steps]),
    Row("Started removed", |r| without(Kind::STARTED, 1)(r), &[Steps, Accepted], &[]),
    Row("Finished removed", |r| without(Kind::FINISHED, 1)(r), &[Steps, Accepted], &[]),
    Row("Replied removed", |r| without(Kind::REPLIED, 1)(r), &[Steps, Accepted], &[]),
    Row("work on a request that was turned away", worked_though_turned_away, &[Steps, Accepted], &[Steps]),
    Row("the mark of a late reply removed", late_mark_removed, &[Closing], &[Closing]),
    Row("a reply marked late without a timeout", late_mark_added, &[Closing, OpenAtEnd], &[]),
    Row("the end of the wait removed, its late reply kept", wait_removed, &[Closing, OpenAtEnd, Accepted], &[]),
    Row("an event moved to another attempt", moved_to_another_attempt, &[Closing, OpenAtEnd], &[]),
    Row("Intended removed", |r| without(Kind::INTENDED, 0)(r), &[Intended, Accepted], &[]),
    Row("Intended with neither Sent nor NotSent", not_sent_removed, &[Intended, Accepted], &[]),
    Row("Intended both sent and not sent", not_sent_added, &[Intended, Accepted], &[]),
    Row("End's open attempts off by one", |r| end_off(r, Counted::OPEN_ATTEMPTS), &[OpenAtEnd], &[]),
    Row("End's accepted events off by one", |r| end_off(r, Counted::EVENTS), &[Accepted], &[]),
];

fn all_at_once(recording: &mut Recording) -> TraceId {
    let Event { trace, message, .. } = answered(&recording.events, 1);
    let time = stamp(&mut recording.events, message, Kind::SENT).time;
    recording.events.iter_mut().filter(|event| event.message == message).for_each(|event| event.time = time);
    trace
}

fn closed_twice(recording: &mut Recording) -> TraceId {
    let closing = answered(&recording.events, 1);
    let sent = stamp(&mut recording.events, closing.message, Kind::SENT).time;
    recording.events.push(Event { kind: Kind::FAILED, time: sent + 1, a: 0, ..closing });
    closing.trace
}

fn worked_though_turned_away(recording: &mut Recording) -> TraceId {
    let is_turned_away = |event: &Event| event.kind == Kind::RECEIVED && event.a == Admission::TurnedAway as u64;
    let received = victim(&recording.events, 0, is_turned_away);
    recording.events.push(Event { kind: Kind::STARTED, time: received.time + 1, a: 0, b: 0, ..received });
    received.trace
}

fn late_mark_removed(recording: &mut Recording) -> TraceId {
    let late = victim(&recording.events, 0, Event::is_late);
    unmark(&mut recording.events, late)
}

fn late_mark_added(recording: &mut Recording) -> TraceId {
    let Event { trace, message, .. } = answered(&recording.events, 1);
    stamp(&mut recording.events, message, Kind::COMPLETED).a |= LATE;
    trace
}

fn wait_removed(recording: &mut Recording) -> TraceId {
    let late = victim(&recording.events, 0, Event::is_late);
    assert!(has(&recording.events, late.message, Kind::TIMED_OUT));
    remove(&mut recording.events, late.message, Kind::TIMED_OUT);
    late.trace
}

fn moved_to_another_attempt(recording: &mut Recording) -> TraceId {
    let Event { trace, message, .. } = answered(&recording.events, 1);
    stamp(&mut recording.events, message, Kind::COMPLETED).message = message.with_attempt(2);
    trace
}

fn not_sent_removed(recording: &mut Recording) -> TraceId {
    let given_up = victim(&recording.events, 0, |event| event.kind == Kind::NOT_SENT);
    remove(&mut recording.events, given_up.message, Kind::NOT_SENT);
    given_up.trace
}

fn not_sent_added(recording: &mut Recording) -> TraceId {
    let reply = answered(&recording.events, 0);
    let sent = *stamp(&mut recording.events, reply.message, Kind::SENT);
    recording.events.push(Event { kind: Kind::NOT_SENT, a: 1, b: 0, ..sent });
    sent.trace
}

fn end_off(recording: &mut Recording, counted: Counted) -> TraceId {
    let end = recording.end.as_mut().unwrap();
    end.counts.iter_mut().find(|row| row.counted == counted).unwrap().count += 1;
    TraceId::NONE
}

#[test]
fn each_alteration_turns_its_laws_red_and_no_other_and_names_the_trace() {
    let lawful = Recording::of(lawful::run(USUAL));
    assert_eq!(red(&judge(&lawful)), []);
    for Row(what, tamper, expected, expected_cut) in TABLE {
        let mut recording = lawful.clone();
        let trace = tamper(&mut recording);
        let reports = judge(&recording);
        let expected: Vec<_> = LAWS.iter().copied().filter(|law| expected.contains(law)).collect();
        assert_eq!(red(&reports), expected, "{what}");
        for law in expected.iter().filter(|law| **law != Accepted) {
            let breaches = &of(&reports, *law).breaches;
            assert_eq!(of(&reports, *law).broken, 1, "{what}: {law:?}");
            assert_eq!(breaches.iter().map(|breach| breach.trace).collect::<Vec<_>>(), [trace], "{what}: {law:?}");
        }
        recording.end = None;
        assert_eq!(red(&judge(&recording)), *expected_cut, "{what}, cut");
    }
}

#[test]
fn every_breach_is_a_whole_sentence() {
    for Row(what, tamper, ..) in TABLE {
        let mut recording = Recording::of(lawful::run(USUAL));
        tamper(&mut recording);
        for breach in judge(&recording).iter().flat_map(|report| &report.breaches) {
            let text = plain(Language::English, breach.text, &breach.args);
            assert!(!text.contains(['{', '}']) && text.ends_with('.'), "{what}: {text}");
            assert!(!breach.times.is_empty(), "{what}");
        }
    }
}

#[test]
fn a_lawful_recording_holds_each_law_with_its_denominator() {
    let events = lawful::run(USUAL);
    let sent = count(&events, Kind::SENT);
    let expected = [
        (ReplyAfterRequest, sent),
        (Closing, sent),
        (Steps, sent),
        (Intended, USUAL.messages),
        (OpenAtEnd, 2),
        (Accepted, events.len() as u64),
    ];
    let reports = judge(&Recording::of(events));
    let applicable: Vec<_> = reports.iter().filter(|report| report.not_applicable.is_none()).collect();
    assert_eq!(applicable.len(), expected.len());
    for (report, (law, held)) in applicable.into_iter().zip(expected) {
        assert_eq!((report.law, report.held, report.broken, report.undecided), (law, held, 0, 0));
        assert_eq!((report.checked(), report.not_applicable), (held, None));
    }
}

#[test]
fn a_scenario_without_a_queue_has_no_laws_of_queues() {
    let reports = judge(&Recording::of(lawful::run(USUAL)));
    for law in [TakeLowers, Conservation, Order, Little] {
        let report = of(&reports, law);
        let reason = report.not_applicable.map(Key::name);
        assert_eq!((report.checked(), report.undecided, reason), (0, 0, Some("law.not-applicable.no-queue")));
    }
}

#[test]
fn what_may_have_been_lost_is_undecided() {
    let mut recording = Recording::of(lawful::run(USUAL));
    let Event { message, .. } = answered(&recording.events, 0);
    for kind in [Kind::INTENDED, Kind::RECEIVED, Kind::COMPLETED] {
        remove(&mut recording.events, message, kind);
    }
    let accepted = end_of(&recording.events).counts[0];
    recording.end.as_mut().unwrap().counts[0] = accepted;
    recording.losses = vec![Loss { source: SourceId(1), count: 3, from: 0, to: 1 }];
    let reports = judge(&recording);
    assert_eq!(red(&reports), []);
    let undecided = reports.iter().filter(|report| report.undecided > 0).map(|report| report.law);
    assert_eq!(undecided.collect::<Vec<_>>(), [Closing, Steps, Intended, OpenAtEnd]);
}

#[test]
fn attempts_that_are_open_at_the_end_are_lawful_if_end_counts_them() {
    let mut events = lawful::run(Shape { unusual: 0, ..USUAL });
    let Event { message, .. } = answered(&events, 1);
    for kind in [Kind::FINISHED, Kind::REPLIED, Kind::COMPLETED] {
        remove(&mut events, message, kind);
    }
    let reports = judge(&Recording::of(events));
    assert!(reports.iter().all(|report| report.broken == 0 && report.undecided == 0), "{reports:?}");
}

#[test]
fn a_request_of_an_outside_program_needs_no_sent_event() {
    let (trace, message) = (TraceId::new(SourceId(9), 1), MessageId::new(SourceId(9), 1, 1));
    let at = |time, kind| Event { trace, message, place: PlaceIndex(1), ..Event::new(time, kind) };
    let answered = [at(1, Kind::RECEIVED), at(2, Kind::STARTED), at(3, Kind::FINISHED), at(4, Kind::REPLIED)];
    let reports = judge(&Recording::of(answered.to_vec()));
    assert_eq!(red(&reports), []);
    assert_eq!((of(&reports, Steps).held, of(&reports, Closing).checked()), (1, 0));
}

#[test]
fn a_request_given_up_while_it_waits_is_answered_without_work() {
    let (trace, message) = (TraceId::new(SourceId(1), 1), MessageId::new(SourceId(1), 1, 1));
    let parent = MessageId::new(SourceId(1), 2, 1);
    let at = |time, kind, a| Event { trace, message, a, link: LinkIndex(1), ..Event::new(time, kind) };
    let sent = Event { parent, ..at(1, Kind::SENT, 0) };
    let events = vec![sent, at(2, Kind::RECEIVED, 0), at(3, Kind::REPLIED, 500), at(4, Kind::FAILED, 500)];
    assert_eq!(red(&judge(&Recording::of(events.clone()))), []);
    // But nobody can have done the work.
    let mut good = events;
    good[3].kind = Kind::COMPLETED;
    assert_eq!(red(&judge(&Recording::of(good))), [Steps]);
}

#[test]
fn breaches_beyond_the_most_are_counted() {
    let mut events = lawful::run(USUAL);
    for event in &mut events {
        if event.kind == Kind::COMPLETED {
            event.time = -1;
        }
    }
    let replies = count(&events, Kind::COMPLETED);
    let reports = judge(&Recording::of(events));
    let report = of(&reports, ReplyAfterRequest);
    assert_eq!((report.broken, report.breaches.len()), (replies, MOST_BREACHES));
}

#[test]
fn counts_that_nobody_handed_in_are_not_applicable() {
    let mut recording = Recording::of(lawful::run(USUAL));
    recording.end.as_mut().unwrap().counts.clear();
    let reports = judge(&recording);
    for law in [OpenAtEnd, Accepted] {
        let report = of(&reports, law);
        assert_eq!(
            (report.checked(), report.not_applicable.map(Key::name)),
            (0, Some("law.not-applicable.not-counted"))
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn lawful_recordings_hold_all_laws_and_no_prefix_breaks_one(
        seed: u64, sources in 1..5_u16, workers in 1..4_usize, unusual in 0..40_u64, period in 10_000..400_000_u64,
        reversed: bool,
    ) {
        let shape = Shape { messages: 40, period, work: 100_000, sources, workers, unusual, seed };
        let mut events = lawful::run(shape);
        if reversed {
            // Events of one instant come in any order.
            events.reverse();
        }
        let recording = Recording { batch: 1, ..Recording::of(events) };
        let mut laws = Laws::new();
        for_frames(&recording.file(), |frame| {
            laws.push(frame).unwrap();
            prop_assert_eq!(red(&laws.report()), []);
            Ok::<_, TestCaseError>(())
        });
        for report in laws.report() {
            prop_assert_eq!((report.broken, report.undecided), (0, 0), "{:?}", report.law);
            prop_assert_eq!(report.held == 0, report.not_applicable.is_some(), "{:?}", report.law);
        }
    }
}

#[test]
fn a_worker_may_go_on_after_its_reply_where_its_body_does() {
    let mut recording = Recording::of(lawful::run(USUAL));
    let Event { message, .. } = answered(&recording.events, 0);
    let replied = stamp(&mut recording.events, message, Kind::REPLIED).time;
    stamp(&mut recording.events, message, Kind::FINISHED).time = replied + 1;
    assert_eq!(red(&judge(&recording)), [ReplyAfterRequest]);
    recording.hello.plan = crate::recording::replying_early();
    assert_eq!(red(&judge(&recording)), []);
    let started = stamp(&mut recording.events, message, Kind::STARTED).time;
    stamp(&mut recording.events, message, Kind::FINISHED).time = started - 1;
    assert_eq!(red(&judge(&recording)), [ReplyAfterRequest]);
}
