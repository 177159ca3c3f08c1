//! The figures of made-up runs.

use crate::lawful::{self, Shape};
use crate::recording::{Recording, for_frames};
use hopscope_record::frame::{EndCount, EndReason, Loss, Measure, Sample};
use hopscope_record::kind::{AWAITS_REPLY, LATE, LinkCount, Phase};
use hopscope_record::{Event, Kind, LinkIndex, MessageId, PlaceIndex, SourceId, TraceId};
use hopscope_report::stats::{LinkStats, Span, Stats};
use hopscope_scenario::plan::RunSettings;
use hopscope_scenario::quantity::Time;
use proptest::prelude::*;

const MS: i64 = 1_000_000;

fn gather(events: Vec<Event>) -> Stats {
    let mut stats = Stats::new();
    for_frames(&Recording::of(events).file(), |frame| stats.push(frame));
    stats
}

fn phase(time: i64, phase: Phase) -> Event {
    Event { a: phase as u64, ..Event::new(time, Kind::PHASE_BEGAN) }
}

/// Message `n`, wanted 1 ms before it is sent, with what closes it.
fn call(n: u64, sent: i64, closing: &[(i64, Kind, u64)]) -> Vec<Event> {
    let (trace, message) = (TraceId::new(SourceId(1), n), MessageId::new(SourceId(1), n, 1));
    let at =
        |time, kind, a| Event { trace, message, a, place: PlaceIndex(0), link: LinkIndex(0), ..Event::new(time, kind) };
    let wanted = at(sent - MS / 2, Kind::INTENDED, (sent - MS).cast_unsigned());
    let closing = closing.iter().map(|(time, kind, a)| at(*time, *kind, *a));
    [wanted, at(sent, Kind::SENT, 0)].into_iter().chain(closing).collect()
}

fn only(stats: &Stats) -> &LinkStats {
    stats.links().next().unwrap()
}

/// A call of 40 ms of work within 100 ms of load, which then takes 30 ms to drain.
#[test]
fn traces_as_wholes_have_their_figures() {
    let of = |time, kind, place, b| {
        let (trace, message) = (TraceId::new(SourceId(1), 1), MessageId::new(SourceId(1), 1, 1));
        let a = if kind == Kind::INTENDED { 10 * MS.cast_unsigned() } else { 0 };
        Event { trace, message, a, b, place: PlaceIndex(place), link: LinkIndex(0), ..Event::new(time, kind) }
    };
    let mut recording = Recording::of(vec![
        phase(0, Phase::Measured),
        of(10 * MS, Kind::INTENDED, 0, 0),
        of(10 * MS, Kind::SENT, 0, 100),
        of(20 * MS, Kind::RECEIVED, 1, 100),
        of(20 * MS, Kind::STARTED, 1, 0),
        of(60 * MS, Kind::REPLIED, 1, 50),
        of(60 * MS, Kind::FINISHED, 1, 0),
        of(70 * MS, Kind::COMPLETED, 0, 50),
        phase(100 * MS, Phase::Drain),
        phase(130 * MS, Phase::End),
    ]);
    let used = |time, lasts, ns| Sample { time, values: vec![(Measure::SPAN_NS, lasts), (Measure::CPU_NS, ns)] };
    recording.clocks = vec![
        used(0, 10 * MS, 7),
        used(50 * MS, 50 * MS, 300),
        used(90 * MS, 40 * MS, 200),
        used(120 * MS, 30 * MS, 90),
        used(130 * MS, 10 * MS, 9),
    ];
    let mut stats = Stats::new();
    for_frames(&recording.file(), |frame| stats.push(frame));
    let finished = stats.traces().finished();
    assert_eq!((finished.count(), finished.max(), stats.traces().stale().max()), (1, Some(60_000_000), Some(0)));
    assert_eq!(stats.drain(), Some(30_000_000));
    assert_eq!(stats.bytes_per_trace(), Some(150.0), "the request and the reply, each once");
    assert_eq!(
        stats.cpu_per_trace(),
        Some(530.0),
        "of the measured phase alone, and the share of what reaches over it"
    );
    let utilisation = |places, workers| stats.utilisation(places, workers).unwrap();
    assert!((utilisation(1..2, 1) - 0.4).abs() < 1e-9);
    assert!((utilisation(1..3, 2) - 0.1).abs() < 1e-9, "two replicas with two workers each");
}

#[test]
fn a_schedule_is_missed_by_one_request() {
    let mut events = vec![phase(0, Phase::WarmUp), phase(40 * MS, Phase::Measured), phase(120 * MS, Phase::Drain)];
    events.extend(call(1, 10 * MS, &[(11 * MS, Kind::COMPLETED, 200)]));
    events.extend(call(2, 60 * MS, &[(61 * MS, Kind::COMPLETED, 200)]));
    let settings =
        RunSettings { warm_up: Time(40_000_000), duration: Some(Time(60_000_000)), ..RunSettings::default() };
    let offer = |wanted, reason, lossy: bool| {
        let mut recording = Recording::of(events.clone());
        let end = recording.end.as_mut().unwrap();
        end.reason = reason;
        end.counts.push(EndCount::wanted(PlaceIndex(0), wanted));
        if lossy {
            recording.losses.push(Loss { source: SourceId(1), count: 1, from: 0, to: 0 });
        }
        let mut stats = Stats::new();
        for_frames(&recording.file(), |frame| stats.push(frame));
        stats.offers(&settings).next()
    };
    let of = |wanted, reason| offer(wanted, reason, false).unwrap();
    let kept = of(2, EndReason::LOAD_DONE);
    assert!(!kept.is_missed() && of(3, EndReason::LOAD_DONE).is_missed());
    // Both requests in 120 ms, where 100 ms of load wanted as many.
    assert_eq!((kept.span, kept.reached), (Span { from: 0, to: 120 * MS }, 2));
    assert_eq!(kept.wanted_per_second(), Some(20.0));
    assert!((kept.reached_per_second().unwrap() - 2.0 / 0.12).abs() < 1e-9);
    // For less than the second that a generator may be behind.
    assert_eq!(of(0, EndReason::STOPPED).wanted_per_second(), None);
    // An event that was lost may have been the third.
    let lossy = |wanted| offer(wanted, EndReason::LOAD_DONE, true).unwrap().is_missed();
    assert!(!lossy(3) && lossy(4));
}

#[test]
fn only_what_was_wanted_in_the_measured_phase_counts() {
    let done = |time| [(time, Kind::COMPLETED, 200)];
    let mut events = vec![
        phase(-100 * MS, Phase::WarmUp),
        phase(0, Phase::Measured),
        phase(100 * MS, Phase::Drain),
        phase(150 * MS, Phase::End),
    ];
    events.extend(call(1, -50 * MS, &done(10 * MS)));
    events.extend(call(2, 10 * MS, &done(30 * MS)));
    events.extend(call(3, 90 * MS, &done(120 * MS)));
    events.extend(call(4, 110 * MS, &done(115 * MS)));
    let stats = gather(events);
    let link = only(&stats);
    assert_eq!((link.count(LinkCount::Intended), link.count(LinkCount::Completed), link.open), (2, 2, 0));
    // Of the good replies, those of 1 and 2 came while the phase lasted.
    assert_eq!(link.completed_in_phase, 2);
    let ends = (link.completed.min(), link.completed.max(), link.answered().min(), link.answered().max());
    let ns = |ms: i64| Some((ms * MS).unsigned_abs());
    assert_eq!(ends, (ns(20), ns(30), ns(21), ns(31)));
    assert_eq!(stats.span(), Some(Span { from: 0, to: 100 * MS }));
    assert_eq!(stats.span().unwrap().per_second(link.completed_in_phase), Some(20.0));
}

#[test]
fn a_late_reply_is_in_no_figure_of_latency() {
    let mut events = vec![phase(0, Phase::Measured)];
    events.extend(call(1, 2 * MS, &[(12 * MS, Kind::TIMED_OUT, 10), (20 * MS, Kind::COMPLETED, 200 | LATE)]));
    events.extend(call(2, 3 * MS, &[]));
    let stats = gather(events);
    let link = only(&stats);
    let counts = [LinkCount::Sent, LinkCount::TimedOut, LinkCount::Completed].map(|count| link.count(count));
    assert_eq!((counts, link.late, link.open), ([2, 1, 0], 1, 1));
    assert_eq!((link.completed.count(), link.answered().count(), link.completed_in_phase), (0, 1, 0));
    assert_eq!(stats.answered().max(), Some((11 * MS).unsigned_abs()));
}

#[test]
fn a_publish_is_answered_by_its_reply_where_it_awaits_one() {
    let mut events = vec![phase(0, Phase::Measured)];
    let publish =
        |event: Event| Event { kind: if event.kind == Kind::SENT { Kind::PUBLISHED } else { event.kind }, ..event };
    let confirmed = |at, marks| (at, Kind::CONFIRMED, marks);
    let both = [confirmed(12 * MS, AWAITS_REPLY), (50 * MS, Kind::COMPLETED, 200)];
    events.extend(call(1, 10 * MS, &both).into_iter().map(publish));
    events.extend(call(2, 20 * MS, &[confirmed(25 * MS, 0)]).into_iter().map(publish));
    let stats = gather(events);
    let link = only(&stats);
    let ns = |ms: i64| Some((ms * MS).unsigned_abs());
    assert_eq!((link.count(LinkCount::Sent), link.open), (2, 0));
    assert_eq!((link.confirmed.count(), link.confirmed.min(), link.confirmed.max()), (2, ns(2), ns(5)));
    assert_eq!((link.completed.count(), link.completed.max()), (1, ns(40)));
    assert_eq!((link.answered().count(), link.answered().min(), link.answered().max()), (2, ns(6), ns(41)));
}

#[test]
fn a_message_is_answered_by_its_last_attempt() {
    let second = |event: Event| Event { message: event.message.with_attempt(2), ..event };
    let retried = |n, time| {
        let found = call(n, time, &[(time, Kind::RETRIED, 5)]).into_iter().find(|event| event.kind == Kind::RETRIED);
        found.unwrap()
    };
    let mut events = vec![phase(0, Phase::Measured)];
    // 1: times out after 10 ms, its second attempt is good after 8 more, and then the first reply comes.
    events.extend(call(1, 2 * MS, &[(12 * MS, Kind::TIMED_OUT, 10), (30 * MS, Kind::COMPLETED, 200 | LATE)]));
    events.push(retried(1, 12 * MS));
    events.extend(call(1, 17 * MS, &[(20 * MS, Kind::COMPLETED, 200)]).into_iter().skip(1).map(second));
    // 2: fails, and its second attempt too.
    events.extend(call(2, 3 * MS, &[(4 * MS, Kind::FAILED, 500)]));
    events.push(retried(2, 4 * MS));
    events.extend(call(2, 9 * MS, &[(10 * MS, Kind::FAILED, 500)]).into_iter().skip(1).map(second));
    // 3: waits for its second attempt.
    events.extend(call(3, 5 * MS, &[(6 * MS, Kind::REFUSED, 503)]));
    events.push(retried(3, 6 * MS));
    events.sort_by_key(|event| event.time);
    let stats = gather(events);
    let link = only(&stats);
    let counts = [LinkCount::Intended, LinkCount::Sent, LinkCount::Retried].map(|count| link.count(count));
    assert_eq!((counts, link.late, link.open), ([3, 5, 3], 1, 0));
    let (answered, ns) = (link.answered(), |ms: i64| Some((ms * MS).unsigned_abs()));
    assert_eq!((answered.count(), answered.min(), answered.max()), (2, ns(8), ns(19)));
    assert_eq!((link.completed.count(), link.completed.max()), (1, ns(3)));
}

#[test]
fn before_the_measured_phase_there_are_no_figures() {
    let stats = gather(call(1, 2 * MS, &[(3 * MS, Kind::COMPLETED, 200)]));
    assert_eq!((stats.links().count(), stats.span(), stats.answered().count()), (0, None, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn counts_add_up(seed: u64, unusual in 0..40_u64, period in 10_000..400_000_u64) {
        let shape = Shape { messages: 200, period, work: 100_000, sources: 3, workers: 2, unusual, seed };
        let stats = gather(lawful::run(shape));
        for link in stats.links() {
            let closed = [
                LinkCount::Completed, LinkCount::Failed, LinkCount::TimedOut, LinkCount::Refused, LinkCount::Cancelled,
            ];
            let closed: u64 = closed.into_iter().map(|count| link.count(count)).sum();
            prop_assert_eq!(link.count(LinkCount::Sent), closed + link.open);
            prop_assert_eq!(link.completed.count(), link.count(LinkCount::Completed));
        }
        let root = only(&stats);
        prop_assert_eq!(root.count(LinkCount::Intended), root.count(LinkCount::NotSent) + root.answered().count());
        prop_assert_eq!(stats.answered().count(), root.answered().count());
    }
}
