use hopscope_record::frame::{FrameWriter, Measure, MessageRow, Sample, file_header};
use hopscope_record::kind::{ControlAction, Phase};
use hopscope_record::{Kind, NameIndex, PlaceIndex};
use proptest::prelude::*;

use super::synthetic::{Fate, MS, events, frames, hello};
use super::*;

pub(super) const ALL: [(i64, Fate); 6] = [
    (0, Fate::Answered),
    (50 * MS, Fate::Failed),
    (100 * MS, Fate::Refused),
    (150 * MS, Fate::TimedOut),
    (200 * MS, Fate::NotSent),
    (250 * MS, Fate::Open),
];

pub(super) fn filled(frames: &[Vec<u8>]) -> RunBuffer {
    let mut buffer = RunBuffer::new(Framing::Stream);
    for frame in frames {
        buffer.push(frame).unwrap();
    }
    buffer
}

/// All that a buffer holds, as one text.
pub(super) fn parts(buffer: &RunBuffer) -> String {
    let rows = (buffer.journeys().map(Journeys::rows), buffer.traces(), buffer.figures());
    let frames = (&buffer.frames, &buffer.held, &buffer.names, &buffer.losses, buffer.end(), buffer.head());
    let medians = (buffer.median_passage(), buffer.median_flight(), buffer.median_hold());
    let judge = buffer.judge();
    let judged = (judge.laws(), buffer.plan().map(|plan| judge.links(plan)), buffer.lost());
    let ahead = buffer.ahead.is_some();
    format!("{rows:?} {frames:?} {medians:?} {judged:?} {ahead} {:?}", buffer.tempos().map(Tempos::changes))
}

#[test]
fn every_fate_has_its_outcome_and_its_latency() {
    let buffer = filled(&frames(&events(&ALL), 4));
    let rows: Vec<_> = buffer.traces().iter().map(|trace| (trace.outcome, trace.answered, trace.hops)).collect();
    let expected = [
        (Outcome::Answered, Some(10_320_000), 1),
        (Outcome::Failed, Some(70_000), 1),
        (Outcome::Refused, Some(225_000), 1),
        (Outcome::TimedOut, Some(5_120_000), 1),
        (Outcome::NotSent, None, 0),
        (Outcome::Open, None, 1),
    ];
    assert_eq!(rows, expected);
    assert_eq!(buffer.traces()[1].began, 50 * MS);
}

#[test]
fn samples_of_the_surroundings_leave_all_else_as_it_is() {
    let (plain, mut writer) = (events(&ALL), FrameWriter::new());
    let mut frames = vec![writer.hello(&hello("made-up")).unwrap()];
    for (number, batch) in (1_i64..).zip(plain.chunks(4)) {
        frames.push(writer.events(batch.last().map_or(0, |event| event.time), batch).unwrap());
        let sample = Sample { time: number, values: vec![(Measure::OTHER_RUNS, number % 3), (Measure(300), 1)] };
        frames.push(writer.clock(&sample).unwrap());
    }
    frames.push(writer.end(&super::synthetic::end_after(&plain)).unwrap());
    let buffer = filled(&frames);
    assert_eq!(buffer.surroundings().samples, plain.chunks(4).len() as u64);
    assert_eq!(buffer.surroundings().other_runs, Some(2));
    let without = filled(&super::synthetic::frames(&plain, 4));
    assert_eq!(without.surroundings().samples, 0);
    assert_eq!(buffer.figures(), without.figures());
    assert_eq!(buffer.journeys().map(Journeys::rows), without.journeys().map(Journeys::rows));
}

#[test]
fn figures_are_the_folds() {
    let buffer = filled(&frames(&events(&ALL), 4));
    let figures = buffer.figures();
    assert_eq!((figures.intended, figures.not_sent, figures.sent, figures.completed), (6, 1, 5, 1));
    assert_eq!((figures.errors, figures.in_flight, figures.phase), (3, 1, Some(Phase::End)));
    let last = buffer.extent().unwrap().1;
    let expected = 5.0 / (last as f64 / 1e9);
    assert!((figures.rate.unwrap() - expected).abs() < 1e-9);
    assert_eq!(buffer.phases().first(), Some(&(Phase::Setup, -MS)));
}

#[test]
fn a_journey_goes_through_its_legs_by_its_own_stamps() {
    let buffer = filled(&frames(&events(&ALL), 100));
    let journey = buffer.journeys().unwrap().rows()[0];
    assert_eq!(journey.leg_at(20_000), Leg::Request(0.0));
    assert_eq!(journey.leg_at(70_000), Leg::Request(0.5));
    assert_eq!(journey.leg_at(120_000), Leg::Waiting);
    assert_eq!(journey.leg_at(120_000 + MS), Leg::Working);
    assert_eq!(journey.leg_at(journey.replied + 50_000), Leg::Reply(0.25));
    assert_eq!(journey.leg_at(journey.closed), Leg::Reply(1.0));
    assert_eq!(journey.leg_at(journey.closed + 1), Leg::Over);
    assert_eq!((journey.worker, journey.ending), (0, Ending::Completed));
    let failed = buffer.journeys().unwrap().rows()[1];
    assert_eq!(failed.leg_at(failed.sent + 10_000), Leg::Request(0.1));
    let open = buffer.journeys().unwrap().rows()[4];
    assert_eq!((open.leg_at(i64::MAX), open.ending), (Leg::Working, Ending::Open));
    assert_eq!(failed.ending, Ending::Failed);
}

#[test]
fn tempos_tell_what_travels_what_is_held_and_what_is_idle() {
    let buffer = filled(&frames(&events(&[(0, Fate::Answered), (50 * MS, Fate::Answered)]), 100));
    let tempos = buffer.tempos().unwrap();
    let one = |at: i64| {
        [
            (at + 20_000, Tempo::Flying),
            (at + 120_000, Tempo::Held),
            (at + 120_000 + 10 * MS, Tempo::Flying),
            (at + 320_000 + 10 * MS, Tempo::Idle),
        ]
    };
    assert_eq!(tempos.changes(), [one(0), one(50 * MS)].concat());
    assert_eq!(tempos.at(20 * MS), Span { tempo: Tempo::Idle, from: 320_000 + 10 * MS, to: 50 * MS + 20_000 });
    assert_eq!(tempos.at(-5).from, i64::MIN);
    assert_eq!(tempos.at(90 * MS).to, i64::MAX);
}

#[test]
fn medians_are_near_the_middle() {
    let buffer = filled(&frames(&events(&[(0, Fate::Answered), (50 * MS, Fate::Answered)]), 100));
    let near = |value: Option<i64>, wanted: i64| (value.unwrap() - wanted).abs() * 25 < wanted;
    assert!(near(buffer.median_passage(), 10_300_000));
    assert!(near(buffer.median_flight(), 100_000));
    assert!(near(buffer.median_hold(), 10_000_000));
    assert_eq!(Median::default().value(), None);
}

#[test]
fn events_of_a_trace_are_decoded_from_its_frames() {
    let all = events(&ALL);
    let buffer = filled(&frames(&all, 3));
    for (row, trace) in (0..).zip(buffer.traces()) {
        let wanted: Vec<_> = all.iter().filter(|event| event.trace == trace.id).copied().collect();
        assert_eq!(buffer.events_of(row), wanted);
        assert_eq!(buffer.find_trace(trace.id), Some(row));
    }
    assert_eq!(buffer.events_of(99), []);
}

#[test]
fn journeys_of_an_instant_are_those_of_a_scan_also_where_only_the_receiver_goes_on() {
    let calls: Vec<_> = (0..900).map(|n| (n * MS, ALL[n as usize % ALL.len()].1)).collect();
    let buffer = filled(&frames(&events(&calls), 500));
    let journeys = buffer.journeys().unwrap();
    for time in (0..920 * MS).step_by(7_300_000) {
        let found: Vec<_> = journeys.alive_between(time, time + MS).map(|(row, _)| row).collect();
        let goes_on = |row: &Journey| row.received != ABSENT && row.finished == ABSENT && row.replied == ABSENT;
        let left = |row: &Journey| if row.finished == ABSENT { row.replied } else { row.finished };
        let over = |row: &Journey| row.closed != ABSENT && !goes_on(row) && row.closed.max(left(row)) < time;
        let open = |row: &Journey| row.sent <= time + MS && !over(row);
        let scanned: Vec<_> = (0..).zip(journeys.rows()).filter(|(_, row)| open(row)).map(|(at, _)| at).collect();
        assert_eq!(found, scanned);
    }
}

#[test]
fn workers_are_numbered_from_the_first_free_one() {
    let calls: Vec<_> = (0..4).map(|n| (n * 4 * MS, Fate::Answered)).collect();
    let buffer = filled(&frames(&events(&calls), 500));
    let workers: Vec<_> = buffer.journeys().unwrap().rows().iter().map(|row| row.worker).collect();
    assert_eq!(workers, [0, 1, 2, 0]);
}

#[test]
fn density_spreads_every_event() {
    let all = events(&ALL);
    let buffer = filled(&frames(&all, 5));
    let density = buffer.density(16);
    let total: u64 = density.iter().sum();
    assert!(total.abs_diff(all.len() as u64) <= 8, "{density:?}");
}

#[test]
fn beyond_the_bound_figures_go_on_and_rows_do_not() {
    let calls: Vec<_> = (0..10).map(|n| (n * 20 * MS, Fate::Answered)).collect();
    let mut buffer = RunBuffer::with_limit(Framing::Stream, 4);
    for frame in frames(&events(&calls), 6) {
        buffer.push(&frame).unwrap();
    }
    assert_eq!(buffer.journeys().unwrap().len(), 4);
    assert_eq!(buffer.figures().completed, 10);
    assert!(buffer.kept_until().is_some_and(|time| time > 60 * MS));
}

#[test]
fn a_resumed_stream_overlaps_and_changes_nothing() {
    let frames = frames(&events(&ALL), 4);
    let mut buffer = RunBuffer::new(Framing::Stream);
    for frame in &frames[..4] {
        buffer.push(frame).unwrap();
    }
    buffer.push(&frames[4][..10]).unwrap();
    assert_eq!(buffer.next_frame(), 4);
    buffer.resume();
    for frame in [&frames[0]].into_iter().chain(&frames[2..]) {
        buffer.push(frame).unwrap();
    }
    assert_eq!(parts(&buffer), parts(&filled(&frames)));
}

/// Rows stand before their messages' first events, if not always right before.
#[test]
fn a_trace_knows_what_its_root_carries() {
    let events = events(&ALL[..3]);
    let roots: Vec<_> = events.iter().filter(|event| event.kind == Kind::INTENDED).collect();
    let row = |root: usize, key| MessageRow {
        message: roots[root].message.message(),
        key,
        value: Some(root as i64),
        event_time: Some(-5),
        bytes: 64,
    };
    let rows = [row(1, None), row(2, Some(NameIndex(0)))];
    let (before, after) = events.split_at(4);
    let mut writer = FrameWriter::new();
    let frames = [
        writer.hello(&hello("made-up")).unwrap(),
        writer.names(NameIndex(0), &["k3"]).unwrap(),
        writer.messages(0, &rows).unwrap(),
        writer.events(before.last().unwrap().time, before).unwrap(),
        writer.events(after.last().unwrap().time, after).unwrap(),
    ];
    let buffer = filled(&frames);
    let told: Vec<_> = buffer.traces().iter().map(|trace| trace.carries).collect();
    assert_eq!(told, [None, Some(rows[0]), Some(rows[1])]);
    let keys: Vec<_> = buffer.traces().iter().map(|trace| buffer.key_of(trace)).collect();
    assert_eq!(keys, [None, None, Some("k3")]);
}

#[test]
fn another_run_and_damage_are_errors_and_keep_what_is_there() {
    let frames = frames(&events(&ALL), 4);
    let mut buffer = filled(&frames[..4]);
    let other = FrameWriter::new().hello(&hello("another")).unwrap();
    assert!(matches!(buffer.push(&other), Err(BufferError::OtherRun(_))));
    buffer.resume();
    let mut damaged = frames[4].clone();
    *damaged.last_mut().unwrap() ^= 1;
    assert!(matches!(buffer.push(&damaged), Err(BufferError::Decode(_))));
    assert!(matches!(buffer.fill(&damaged), Err(BufferError::Decode(_))));
    assert_eq!(parts(&buffer), parts(&filled(&frames[..4])));
    let mut empty = RunBuffer::new(Framing::Stream);
    assert!(matches!(empty.push(&frames[2]), Err(BufferError::NoHello(2))));
}

#[test]
fn names_and_kinds_are_found() {
    let buffer = filled(&frames(&events(&ALL), 4));
    assert_eq!(buffer.name(1), Some("connection refused"));
    assert_eq!(buffer.name(0), None);
    assert_eq!(buffer.kind_name(Kind::SENT), Some("Sent"));
    assert_eq!(buffer.kind_name(Kind(60_000)), None);
}

pub(super) fn fate() -> impl Strategy<Value = Fate> {
    prop::sample::select(ALL.map(|(_, fate)| fate).to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_split_of_the_bytes_gives_the_same_buffer(
        fates in prop::collection::vec(fate(), 1..40),
        batch in 1_usize..30,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        file in any::<bool>(),
    ) {
        let calls: Vec<_> = (0..).map(|n| n * 3 * MS).zip(fates).collect();
        let frames = frames(&events(&calls), batch);
        let (framing, mut bytes) = if file { (Framing::File, file_header().to_vec()) } else { (Framing::Stream, Vec::new()) };
        bytes.extend(frames.concat());
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.sort_unstable();
        cuts.push(bytes.len());
        let mut buffer = RunBuffer::new(framing);
        let mut from = 0;
        for cut in cuts {
            buffer.push(&bytes[from..cut]).unwrap();
            from = cut;
        }
        prop_assert_eq!(parts(&buffer), parts(&filled(&frames)));
    }
}

/// What was done is told as it was at any time, in replay as live.
#[test]
fn what_was_done_to_the_run_is_so_from_its_time_on() {
    let done = |time, action: ControlAction| Event {
        place: PlaceIndex(1),
        a: action as u64,
        ..Event::new(time, Kind::CONTROL)
    };
    let mut events = events(&ALL);
    events.extend([done(60 * MS, ControlAction::Crash), done(120 * MS, ControlAction::Start)]);
    events.sort_by_key(|event| event.time);
    let buffer = filled(&frames(&events, 4));
    assert_eq!(buffer.controls().len(), 2);
    let down = |time| buffer.disturbed(time).map(|state| state.places()[1].disturbed.crashed);
    assert_eq!([59, 60, 119, 120].map(|ms| down(ms * MS)), [None, Some(1), Some(1), Some(0)]);
}
