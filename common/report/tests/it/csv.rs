//! The exports as tables.

use std::collections::BTreeMap;

use hopscope_record::frame::MessageRow;
use hopscope_record::kind::Attempt;
use hopscope_record::{Event, Kind, MessageId, NameIndex, PlaceIndex};
use hopscope_report::export::Format;
use serde_json::Value;

use crate::exports::written;
use crate::json::{all_parts, export};
use crate::lawful::{self, Shape};
use crate::recording::Recording;

const USUAL: Shape =
    Shape { messages: 3_000, period: 1_000_000, work: 400_000, sources: 3, workers: 4, unusual: 10, seed: 42 };

/// The rows of a table: what is not empty, by column.
fn rows(format: &str, recording: &Recording) -> Vec<BTreeMap<String, String>> {
    let table = written(Format::find(format).unwrap(), &recording.file()).0;
    let mut reader = ::csv::Reader::from_reader(table.as_slice());
    let columns = reader.headers().unwrap().clone();
    let full = |row: ::csv::StringRecord| {
        let cells = columns.iter().zip(row.iter()).filter(|(_, cell)| !cell.is_empty());
        cells.map(|(column, cell)| (column.to_owned(), cell.to_owned())).collect()
    };
    reader.records().map(|row| full(row.unwrap())).collect()
}

#[test]
fn a_row_per_event_says_what_its_line_of_json_says() {
    for recording in [all_parts(), Recording::of(lawful::run(USUAL))] {
        let document: Value = serde_json::from_str(&export(&recording)).unwrap();
        let cell = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let events = document["events"].as_array().unwrap().iter().map(|event| {
            let fields = event.as_object().unwrap().iter();
            fields.map(|(name, value)| (name.clone(), cell(value))).collect::<BTreeMap<_, _>>()
        });
        assert!(rows("csv", &recording).into_iter().eq(events));
    }
}

/// The times of an attempt's events.
fn times(events: &[Event], message: MessageId) -> BTreeMap<&'static str, i64> {
    let mut times = BTreeMap::new();
    for event in events.iter().filter(|event| event.message == message) {
        let info = event.kind.info().unwrap();
        let column = match (info.attempt, event.kind) {
            (Attempt::Opens, _) => "sent_ns",
            (Attempt::Closes, _) if event.is_late() => "late_ns",
            (Attempt::Closes, _) | (_, Kind::NOT_SENT) => "completed_ns",
            (_, Kind::INTENDED) => "intended_ns",
            (_, Kind::RECEIVED) => "received_ns",
            (_, Kind::STARTED) => "started_ns",
            (_, Kind::FINISHED) => "finished_ns",
            (_, Kind::REPLIED) => "replied_ns",
            _ => continue,
        };
        times.insert(column, event.time);
    }
    times
}

#[test]
fn a_row_per_message_has_the_times_of_its_events() {
    let recording = Recording::of(lawful::run(Shape { messages: 400, ..USUAL }));
    let rows = rows("csv-messages", &recording);
    let mut messages: Vec<_> = recording.events.iter().map(|event| event.message).filter(|id| !id.is_none()).collect();
    messages.sort_unstable();
    messages.dedup();
    assert_eq!(rows.len(), messages.len());
    for row in &rows {
        let message = u64::from_str_radix(&row["message"], 16).unwrap();
        let message = MessageId(message << 8 | row["attempt"].parse::<u64>().unwrap());
        assert!(messages.binary_search(&message).is_ok());
        let found = row.iter().filter(|(column, _)| column.ends_with("_ns") && *column != "scheduled_ns");
        let found: BTreeMap<&str, i64> = found.map(|(column, time)| (column.as_str(), time.parse().unwrap())).collect();
        assert_eq!(found, times(&recording.events, message), "{row:?}");
        let (from, to) = if row["link"] == "l1" { ("n1", "n2") } else { ("n2", "n3") };
        assert_eq!((row["from"].as_str(), row["to"].as_str()), (from, to));
    }
    let outcomes: std::collections::BTreeSet<_> = rows.iter().map(|row| row["outcome"].as_str()).collect();
    let all = ["Cancelled", "Completed", "Failed", "NotSent", "Refused", "TimedOut"];
    assert!(outcomes.into_iter().eq(all));
    let completed = rows.iter().find(|row| row["outcome"] == "Completed" && row["link"] == "l1").unwrap();
    for (column, cell) in [("status", "200"), ("bytes", "256"), ("reply_bytes", "256"), ("work", "done")] {
        assert_eq!(completed[column], cell);
    }
    assert_eq!((completed["admission"].as_str(), completed["to_instance"].as_str()), ("admitted", "replica 1"));
}

/// An attempt of a message on link 0, stamped at these places and times.
fn stamps(number: u64, kinds: &[(i64, Kind, u32, u64, u64)]) -> Vec<Event> {
    let message = MessageId::new(hopscope_record::SourceId(1), number, 1);
    let stamp = |&(time, kind, place, a, b): &(i64, Kind, u32, u64, u64)| Event {
        message,
        trace: hopscope_record::TraceId(number),
        link: hopscope_record::LinkIndex(0),
        place: PlaceIndex(place),
        a,
        b,
        ..Event::new(time, kind)
    };
    kinds.iter().map(stamp).collect()
}

/// Two messages that were wanted, the first of which was sent; both tell what they carry, the second has no key.
pub(crate) fn carrying() -> Recording {
    let sent = [(2, Kind::INTENDED, 0, 1, 0), (3, Kind::SENT, 0, 0, 64), (4, Kind::COMPLETED, 0, 200, 0)];
    let not_sent = [(6, Kind::INTENDED, 0, 5, 0), (7, Kind::NOT_SENT, 0, 1, 0)];
    let mut recording = Recording::of([stamps(1, &sent), stamps(2, &not_sent)].concat());
    let first = MessageRow {
        message: recording.events[0].message.message(),
        key: Some(NameIndex(1)),
        value: Some(7),
        event_time: Some(-9),
        bytes: 64,
    };
    recording.names.push("k3");
    recording.messages = vec![first, MessageRow { message: first.message + 1, key: None, event_time: None, ..first }];
    recording
}

#[test]
fn a_message_says_what_it_carries() {
    let rows = rows("csv-messages", &carrying());
    let cells = |row: &BTreeMap<String, String>| {
        ["key", "value", "event_time_ns", "bytes", "outcome"].map(|column| row.get(column).cloned().unwrap_or_default())
    };
    assert_eq!(cells(&rows[0]), ["k3", "7", "-9", "64", "Completed"]);
    assert_eq!(cells(&rows[1]), ["", "7", "", "64", "NotSent"]);
}

#[test]
fn deliveries_and_publishes_have_rows_too() {
    use hopscope_record::kind::AWAITS_REPLY;
    let publish = [
        (1, Kind::PUBLISHED, 0, 0, 100),
        (2, Kind::ENQUEUED, 1, 1, 0),
        (3, Kind::CONFIRMED, 0, AWAITS_REPLY, 0),
        (9, Kind::COMPLETED, 0, 200, 7),
    ];
    // Settled as it is handed out, and worked on afterwards.
    let delivery = [
        (4, Kind::DELIVERED, 1, 2, 0),
        (5, Kind::ACKED, 1, 3, 0),
        (6, Kind::RECEIVED, 2, 0, 100),
        (7, Kind::STARTED, 2, 0, 0),
        (8, Kind::FINISHED, 2, 0, 0),
    ];
    let recording = Recording::of([stamps(1, &publish), stamps(2, &delivery)].concat());
    let rows = rows("csv-messages", &recording);
    let cells = |row: &BTreeMap<String, String>, columns: &[&str]| -> Vec<String> {
        columns.iter().map(|column| row.get(*column).cloned().unwrap_or_default()).collect()
    };
    let columns = ["sent_ns", "confirmed_ns", "received_ns", "finished_ns", "completed_ns", "outcome", "reply_bytes"];
    assert_eq!(rows.len(), 2);
    assert_eq!(cells(&rows[0], &columns), ["4", "", "6", "8", "5", "Acked", ""]);
    assert_eq!(cells(&rows[1], &columns), ["1", "3", "", "", "9", "Completed", "7"]);
}

#[test]
fn rows_are_written_as_messages_end_and_not_at_the_recordings_end() {
    // Ten attempts after each other that all time out: their replies never come.
    let attempt = |number: u64| {
        let time = number.cast_signed() * 10;
        stamps(number, &[(time, Kind::SENT, 0, 0, 0), (time + 5, Kind::TIMED_OUT, 0, 5, 0)])
    };
    let mut recording = Recording::of((1..=30_000).flat_map(attempt).collect());
    // One of the first gets its reply after all, long after its row was written.
    recording.events.extend(stamps(7, &[(400_000, Kind::COMPLETED, 0, 200 | hopscope_record::kind::LATE, 0)]));
    let rows = rows("csv-messages", &recording);
    assert_eq!(rows.len(), 30_001);
    let of_seven: Vec<_> = rows.iter().filter(|row| row["message"] == "00010000000007").collect();
    assert_eq!((of_seven[0]["outcome"].as_str(), of_seven[1]["late_ns"].as_str()), ("TimedOut", "400000"));
    assert!(!of_seven[1].contains_key("sent_ns"));
    // The longest are written first; the last 10,000 are held back to the end.
    let first = rows.iter().take(20_000).map(|row| row["sent_ns"].parse::<i64>().unwrap());
    assert!(first.eq((1..=20_000).map(|number| number * 10)));
}
