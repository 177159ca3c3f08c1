//! The export as JSON.

use crate::lawful::{self, Shape};
use crate::recording::{Recording, for_frames};
use hopscope_record::frame::{Counted, End, EndCount, EndReason, Loss, MEASURES, Measure, MessageRow, Sample};
use hopscope_record::kind::{
    AWAITS_REPLY, Admission, ControlAction, Deaths, DisconnectReason, EffectMark, LATE, LagReport, NotSentReason,
    Outcome, Phase, Position, QueueCause, QueueStep,
};
use hopscope_record::{Event, KINDS, Kind, LinkIndex, MessageId, NameIndex, PlaceIndex, SourceId, TraceId};
use hopscope_report::export::json::{JSON, recording_schema};
use hopscope_report::export::{Export, ExportError, Survey};
use hopscope_report::frames::ReadError;
use proptest::prelude::*;
use serde_json::{Map, Value};

const USUAL: Shape =
    Shape { messages: 500, period: 1_000_000, work: 400_000, sources: 3, workers: 4, unusual: 10, seed: 42 };

fn survey(file: &[u8]) -> Survey {
    let mut survey = Survey::new();
    for_frames(file, |frame| survey.push(frame));
    survey
}

/// The document, and its longest chunk.
fn export_chunks(file: &[u8]) -> (Vec<u8>, usize) {
    let mut export = survey(file).begin(&JSON).unwrap();
    let (mut document, mut longest) = (Vec::new(), 0);
    for_frames(file, |frame| {
        export.push(frame)?;
        while let Some(chunk) = export.next_chunk() {
            longest = longest.max(chunk.len());
            document.extend(chunk);
        }
        Ok::<_, ExportError>(())
    });
    document.extend(export.finish().unwrap());
    (document, longest)
}

pub(crate) fn export(recording: &Recording) -> String {
    String::from_utf8(export_chunks(&recording.file()).0).unwrap()
}

/// A recording with an event of every kind, and every part that may be there.
pub(crate) fn all_parts() -> Recording {
    let (trace, message) = (TraceId::new(SourceId(1), 7), MessageId::new(SourceId(1), 7, 2));
    let at = |time, kind, place, a, b| Event {
        trace,
        message,
        place: PlaceIndex(place),
        link: LinkIndex(0),
        a,
        b,
        ..Event::new(time, kind)
    };
    let parent = MessageId::new(SourceId(1), 6, 1);
    let run = |time, phase: Phase| Event { a: phase as u64, ..Event::new(time, Kind::PHASE_BEGAN) };
    let connection =
        |time, kind, a, b| Event { place: PlaceIndex(0), link: LinkIndex(0), a, b, ..Event::new(time, kind) };
    let mut recording = Recording::of(vec![
        run(-2_000_000, Phase::Setup),
        connection(-1_000_000, Kind::CONNECTED, 85_000, 0),
        run(0, Phase::Measured),
        at(1_010, Kind::INTENDED, 0, 1_000, 0),
        at(1_020, Kind::NOT_SENT, 0, NotSentReason::InFlightCap as u64, 0),
        Event { parent, ..at(1_030, Kind::SENT, 0, 0, 256) },
        at(2_000, Kind::RECEIVED, 1, Admission::TurnedAway as u64, 256),
        at(2_010, Kind::STARTED, 1, 0, 0),
        at(2_020, Kind::EFFECT, 1, 3, (-100_i64).cast_unsigned()),
        at(2_030, Kind::EFFECT, 1, EffectMark { effect: 3, repeated: true }.to_value(), 7),
        at(3_000, Kind::FINISHED, 1, Outcome::Failed as u64, 0),
        at(3_010, Kind::REPLIED, 2, 200, 512),
        at(4_000, Kind::TIMED_OUT, 0, 2_970, 0),
        at(4_010, Kind::RETRIED, 0, 100_000, 3),
        at(5_000, Kind::COMPLETED, 0, 200 | LATE, 512),
        at(5_010, Kind::FAILED, 0, 0, 2),
        at(5_020, Kind::CANCELLED, 0, LATE, 0),
        at(5_030, Kind::REFUSED, 0, 503, 0),
        at(5_040, Kind::HANDED_OVER, 0, 0, 0),
        connection(6_000, Kind::DISCONNECTED, DisconnectReason::Broken as u64, 1),
        Event { parent, ..at(6_010, Kind::PUBLISHED, 0, 0, 256) },
        at(6_020, Kind::ENQUEUED, 1, 1, step(0, 1, QueueCause::PUBLISHED)),
        at(6_030, Kind::CONFIRMED, 0, AWAITS_REPLY, 0),
        Event { parent, ..at(6_040, Kind::DELIVERED, 1, 2, step(1, 0, QueueCause::CONSUMER)) },
        at(6_050, Kind::RECEIVED, 0, Admission::Taken as u64, 256),
        at(6_060, Kind::REQUEUED, 1, 3, step(0, 1, QueueCause::CHANNEL_LOST)),
        at(6_070, Kind::ACKED, 1, 4, step(1, 1, QueueCause::ACK)),
        at(6_080, Kind::NACKED, 1, 5, step(1, 1, QueueCause::REJECTED)),
        at(6_090, Kind::DEAD_LETTERED, 1, 6, step(1, 1, QueueCause::REJECTED)),
        at(6_100, Kind::EXPIRED, 1, 7, step(1, 0, QueueCause::MESSAGE_TTL)),
        at(6_110, Kind::DROPPED, 1, 8, step(5, 7, QueueCause(200))),
        at(6_120, Kind::PURGED, 1, 9, u64::MAX),
        at(6_121, Kind::X_DEATH, 1, 1, Deaths { count: 3, cause: QueueCause::QUEUE_TTL }.to_value()),
        at(6_122, Kind::X_DEATH, 1, 2, 1 << 40),
        at(6_123, Kind::REDELIVERED, 1, 0, 0),
        at(6_125, Kind::DEPTH_REPORTED, 1, 7 | 2 << 32, 900),
        Event { place: PlaceIndex(1), a: ControlAction::Crash as u64, ..Event::new(6_126, Kind::CONTROL) },
        Event { link: LinkIndex(0), a: ControlAction::Delay as u64, b: 50_000_000, ..Event::new(6_127, Kind::CONTROL) },
        Event { place: PlaceIndex(1), ..Event::new(6_128, Kind::PROCESS_EXITED) },
        at(6_130, Kind::CONFIRMED, 0, LATE, Position { partition: 2, offset: 41 }.to_value()),
        at(6_131, Kind::FETCHED, 1, 41, 0),
        at(6_132, Kind::COMMITTED, 1, 42, 700),
        at(6_133, Kind::REBALANCE_STARTED, 1, 3, 0),
        at(6_134, Kind::REBALANCE_ENDED, 1, 1, 0),
        at(6_135, Kind::LAG_REPORTED, 1, LagReport { end: 43, committed: 42 }.to_value(), 800),
        at(6_136, Kind::TRANSACTION_COMMITTED, 1, 7, 900),
        at(6_137, Kind::TRANSACTION_ABORTED, 1, 6, 1),
        at(6_140, Kind::CONFIRM_REFUSED, 0, 1, 0),
        at(6_150, Kind::RETURNED, 0, 312, 0),
        // What this build does not know is shown as it is.
        Event { link: LinkIndex(9), place: PlaceIndex(9), ..at(7_000, Kind::STARTED, 0, 1, u64::MAX) },
        at(7_001, Kind::FINISHED, 1, 99, 0),
        at(7_002, Kind::FAILED, 0, 500, 77),
        at(7_003, Kind::HEDGED, 1, 3, 4),
        at(7_004, Kind(999), 1, 5, 6),
    ]);
    recording.names = vec!["connection refused", "a \"quoted\"\nline", "k17"];
    let (key, value, event_time) = (Some(NameIndex(2)), Some(-42), Some(-5));
    recording.messages = vec![MessageRow { message: message.message(), key, value, event_time, bytes: 256 }];
    recording.hello.kinds.push((Kind::HEDGED, "Hedged".to_owned()));
    let all = MEASURES.iter().zip(1..).map(|((measure, _), value)| (*measure, value));
    recording.clocks = vec![
        Sample { time: 2_500, values: all.chain([(Measure(300), -1)]).collect() },
        Sample { time: 7_500, values: vec![(Measure::SPAN_NS, 5_000), (Measure::OTHER_RUNS, 2)] },
    ];
    recording.losses = vec![Loss { source: SourceId(2), count: 12, from: 500, to: 900 }];
    recording.end = Some(End {
        time: 8_000,
        reason: EndReason::FAILED,
        detail: Some(NameIndex(1)),
        counts: vec![
            EndCount::events(SourceId(1), 20),
            EndCount::open_attempts(LinkIndex(0), 1),
            EndCount::open_attempts(LinkIndex(9), 0),
            EndCount { counted: Counted::READY, index: 1, count: 2 },
            EndCount { counted: Counted::UNACKED, index: 1, count: 3 },
            EndCount { counted: Counted::WANTED, index: 0, count: 9 },
            EndCount { counted: Counted(17), index: 3, count: 4 },
        ],
    });
    recording
}

fn step(before: u32, after: u32, cause: QueueCause) -> u64 {
    QueueStep { before, after, cause }.to_value()
}

#[test]
fn the_export_is_the_golden_file() {
    let recording = all_parts();
    assert!(KINDS.iter().all(|info| recording.events.iter().any(|event| event.kind == info.kind)));
    let golden = include_str!("../golden/recording.json");
    assert!(export(&recording) == golden, "not tests/golden/recording.json:\n{}", export(&recording));
}

#[test]
fn the_published_schema_is_the_table_of_kinds() {
    let committed = include_str!("../../../../docs/recording.schema.json");
    let current = serde_json::to_string_pretty(&recording_schema()).unwrap() + "\n";
    assert!(
        committed == current,
        "docs/recording.schema.json is out of date: \
         cargo run --release -p hopscope-report --example recording_schema > docs/recording.schema.json"
    );
}

#[test]
fn exports_are_as_the_schema_says_and_altered_ones_are_not() {
    let scenario: Value = serde_json::from_str(include_str!("../../../../docs/scenario.schema.json")).unwrap();
    let registry =
        jsonschema::Registry::new().add("json-schema:///scenario.schema.json", scenario).unwrap().prepare().unwrap();
    let schema = recording_schema();
    let validator = jsonschema::options().with_registry(&registry).build(&schema).unwrap();
    let cut = Recording { end: None, ..all_parts() };
    for recording in [all_parts(), cut, Recording::of(lawful::run(USUAL)), Recording::of(Vec::new())] {
        let document: Value = serde_json::from_str(&export(&recording)).unwrap();
        let errors: Vec<_> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0]);
    }
    let document: Value = serde_json::from_str(&export(&all_parts())).unwrap();
    for (path, value) in [
        ("/scenario/nodes/0/mood", Value::from(1)),
        ("/run/started", Value::from("now")),
        ("/run/end/reason", Value::from("bored")),
        ("/events/3/scheduled_ns", Value::from("1 ms")),
        ("/events/3/value", Value::from("42")),
        ("/events/5/key", Value::from("k17")),
        ("/events/5/status", Value::from(200)),
        ("/events/5/trace", Value::from("7")),
        ("/losses/0/count", Value::from(0)),
        ("/clocks/0/cpu_steal_ppm", Value::from("3 %")),
        ("/clocks/0/mood", Value::from(1)),
    ] {
        let mut altered = document.clone();
        let (parent, field) = path.rsplit_once('/').unwrap();
        altered.pointer_mut(parent).unwrap()[field] = value;
        assert!(!validator.is_valid(&altered), "{path}");
    }
}

#[test]
fn events_come_last_and_each_has_its_line() {
    let recording = Recording::of(lawful::run(USUAL));
    let text = export(&recording);
    let document: Map<String, Value> = serde_json::from_str(&text).unwrap();
    let keys: Vec<_> = document.keys().collect();
    assert_eq!(keys, ["format", "version", "scenario", "run", "clocks", "losses", "names", "events"]);
    let lines = text.lines().filter(|line| line.starts_with("    {\"time_ns\":")).count();
    assert_eq!(lines, recording.events.len());
}

#[test]
fn chunks_are_bounded_and_frames_leave_no_trace_in_the_text() {
    let shape = Shape { messages: 20_000, ..USUAL };
    let mut recording = Recording::of(lawful::run(shape));
    recording.batch = 60_000;
    let (expected, longest) = export_chunks(&recording.file());
    assert!(expected.len() > 5_000_000);
    assert!(longest < 70_000, "{longest}");
    for batch in [1_000, 4_097] {
        recording.batch = batch;
        let file = recording.file();
        assert!(export_chunks(&file).0 == expected);
        // Also when the caller takes no chunk until the end.
        let mut export = survey(&file).begin(&JSON).unwrap();
        for_frames(&file, |frame| export.push(frame));
        assert!(export.finish().unwrap() == expected);
    }
}

#[test]
fn a_recording_that_grows_is_exported_as_it_was_at_the_first_reading() {
    let mut recording = Recording::of(lawful::run(USUAL));
    recording.batch = 100;
    let (short, long) = {
        let whole = recording.file();
        recording.events.truncate(300);
        recording.end = None;
        (recording.file(), whole)
    };
    let expected = export_chunks(&short).0;
    let mut export = survey(&short).begin(&JSON).unwrap();
    for_frames(&long, |frame| export.push(frame));
    assert!(export.finish().unwrap() == expected);
    let document: Value = serde_json::from_slice(&expected).unwrap();
    assert_eq!((&document["run"]["end"], &document["run"]["whole"]), (&Value::Null, &Value::Bool(false)));
}

#[test]
fn frames_that_are_not_the_recordings_are_refused() {
    let file = Recording { batch: 100, ..Recording::of(lawful::run(USUAL)) }.file();
    assert!(matches!(Survey::new().begin(&JSON).map(|_| ()), Err(ExportError::Empty)));
    let shortened = survey(&file).begin(&JSON).unwrap().finish();
    assert!(matches!(shortened, Err(ExportError::Shortened { found: 0, .. })));
    let mut skipping = Survey::new();
    let mut seen = 0;
    let mut refused = None;
    for_frames(&file, |frame| {
        seen += 1;
        if seen != 3 && refused.is_none() {
            refused = skipping.push(frame).err();
        }
        Ok::<_, ExportError>(())
    });
    assert!(matches!(refused, Some(ExportError::Read(ReadError::OutOfOrder { expected: 2, number: 3 }))));
    let mut plan = Recording::of(Vec::new());
    plan.hello.plan = b"{}".to_vec();
    assert!(matches!(survey(&plan.file()).begin(&JSON).map(|_: Export| ()), Err(ExportError::Plan(_))));
}

/// Reads an event back from its line, by the names in the document's head alone.
fn read_event(line: &Map<String, Value>, names: &[&str]) -> Event {
    let hex = |key: &str| line.get(key).map(|text| u64::from_str_radix(text.as_str().unwrap(), 16).unwrap());
    let number = |key: &str| line.get(key).map(|value| value.as_u64().unwrap());
    let kind = match &line["kind"] {
        Value::String(name) => KINDS.iter().find(|info| info.name == name).unwrap().kind,
        number => Kind(u16::try_from(number.as_u64().unwrap()).unwrap()),
    };
    let worded = |key: &str, words: &[(&str, u64)]| match line.get(key)? {
        Value::String(word) => words.iter().find(|(other, _)| other == word).map(|(_, value)| *value),
        value => value.as_u64(),
    };
    let error = line.get("error").map_or(0, |error| match error {
        Value::String(text) => names.iter().position(|name| name == text).unwrap() as u64 + 1,
        value => value.as_u64().unwrap(),
    });
    let phases = [("setup", 0), ("warm-up", 1), ("measured", 2), ("drain", 3), ("end", 4)];
    let reasons = if kind == Kind::NOT_SENT {
        [("in-flight-cap", 1), ("stopped", 2), ("", 0)]
    } else {
        [("closed", 0), ("closed-by-peer", 1), ("broken", 2)]
    };
    if let Some(consumers) = number("consumers") {
        let a = number("depth").unwrap() | consumers << 32;
        return Event { a, b: number("duration_ns").unwrap(), ..read_event(&without_report(line), names) };
    }
    if let Some(end) = number("log_end") {
        let a = end | number("committed").unwrap() << 32;
        return Event { a, b: number("duration_ns").unwrap(), ..read_event(&without_report(line), names) };
    }
    if kind == Kind::COMMITTED && line.contains_key("offset") {
        let a = number("offset").unwrap();
        return Event { a, b: number("duration_ns").unwrap(), ..read_event(&without_report(line), names) };
    }
    let a = line
        .get("scheduled_ns")
        .map(|value| value.as_i64().unwrap().cast_unsigned())
        .or(number("duration_ns"))
        .or(number("status"))
        .or(worded("phase", &phases))
        .or(worded("admission", &[("admitted", 0), ("turned-away", 1), ("taken", 2)]))
        .or(worded("outcome", &[("done", 0), ("failed", 1), ("abandoned", 2)]))
        .or(worded("reason", &reasons))
        .or(worded("action", &ControlAction::ALL.map(|(action, word)| (word, action as u64))))
        .or(number("ordinal"))
        .or(number("member"))
        .or(number("offset").filter(|_| !line.contains_key("partition")))
        .or(number("effect").map(|effect| effect | u64::from(line.contains_key("repeated")) << 63))
        .or(line.get("awaits_reply").map(|_| AWAITS_REPLY))
        .or(hex("a"))
        .unwrap_or(0);
    let b = number("bytes")
        .filter(|_| kind != Kind::INTENDED)
        .or(number("next_attempt"))
        .or(number("argument"))
        .or(number("partition").map(|partition| number("offset").unwrap() | (partition + 1) << 48))
        .or(read_step(line))
        .or(line.get("amount").map(|amount| amount.as_i64().unwrap().cast_unsigned()))
        .or(hex("b"))
        .unwrap_or(0)
        | error;
    let place = match (line.get("node"), line.get("instance")) {
        (Some(node), Some(instance)) => {
            let places = [("n1", "client"), ("n2", "replica 1"), ("n3", "replica 1")];
            places.iter().position(|place| place.0 == node && place.1 == instance).unwrap() as u64
        }
        _ => number("place").unwrap_or(u64::from(u32::MAX)),
    };
    let link = match line.get("link") {
        Some(Value::String(id)) => u16::try_from(["l1", "l2"].iter().position(|link| link == id).unwrap()).unwrap(),
        Some(number) => u16::try_from(number.as_u64().unwrap()).unwrap(),
        None => u16::MAX,
    };
    let message = hex("message").map_or(0, |message| message << 8 | number("attempt").unwrap());
    Event {
        time: line["time_ns"].as_i64().unwrap(),
        kind,
        trace: TraceId(hex("trace").unwrap_or(0)),
        message: MessageId(message),
        parent: MessageId(hex("parent").unwrap_or(0)),
        a: if line.contains_key("late") { a | LATE } else { a },
        b,
        place: PlaceIndex(u32::try_from(place).unwrap()),
        link: LinkIndex(link),
    }
}

/// The line without what a broker said.
fn without_report(line: &Map<String, Value>) -> Map<String, Value> {
    let said = ["depth", "consumers", "duration_ns", "log_end", "committed", "offset"];
    line.iter()
        .filter(|(name, _)| !said.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn read_step(line: &Map<String, Value>) -> Option<u64> {
    let length = |key: &str| line.get(key).map(|value| u32::try_from(value.as_u64().unwrap()).unwrap());
    let cause = match line.get("cause")? {
        Value::String(name) => QueueCause::find(name).unwrap(),
        number => QueueCause(u8::try_from(number.as_u64().unwrap()).unwrap()),
    };
    // A consumer's word has a cause and no length.
    Some(step(length("depth_before").unwrap_or(0), length("depth").unwrap_or(0), cause))
}

fn read_back(recording: &Recording) -> Vec<Event> {
    let document: Value = serde_json::from_str(&export(recording)).unwrap();
    let events = document["events"].as_array().unwrap();
    events.iter().map(|line| read_event(line.as_object().unwrap(), &recording.names)).collect()
}

#[test]
fn a_runs_events_can_be_read_back_one_for_one() {
    let recording = Recording::of(lawful::run(USUAL));
    assert!(read_back(&recording) == recording.events);
}

pub(crate) fn any_event() -> impl Strategy<Value = Event> {
    let number = prop_oneof![0..4_u64, Just(LATE), Just(LATE | 200), any::<u64>()];
    let kind = prop_oneof![9 => 0..13_u16, 9 => 31..46_u16, 4 => 48..53_u16, 1 => 60..70_u16, 1 => 95..98_u16, 1 => any::<u16>()];
    let ids =
        (prop_oneof![Just(0), any::<u64>()], prop_oneof![Just(0), any::<u64>()], prop_oneof![Just(0), any::<u64>()]);
    let place = prop_oneof![0..4_u32, Just(u32::MAX), any::<u32>()];
    let link = prop_oneof![0..3_u16, Just(u16::MAX), any::<u16>()];
    (any::<i64>(), kind, ids, number.clone(), number, place, link).prop_map(
        |(time, kind, (trace, message, parent), a, b, place, link)| Event {
            trace: TraceId(trace),
            message: MessageId(message),
            parent: MessageId(parent),
            a,
            b,
            place: PlaceIndex(place),
            link: LinkIndex(link),
            ..Event::new(time, Kind(kind))
        },
    )
}

proptest! {
    #[test]
    fn any_events_can_be_read_back(mut events in prop::collection::vec(any_event(), 0..40)) {
        events.sort_by_key(|event| event.time);
        let mut recording = Recording::of(Vec::new());
        recording.events = events;
        prop_assert_eq!(read_back(&recording), recording.events);
    }
}
