//! The export as a Perfetto trace, taken apart packet by packet.

use std::collections::{BTreeMap, BTreeSet};

use hopscope_record::frame::Measure;
use hopscope_record::state::State;
use hopscope_record::{Event, PlaceIndex};
use hopscope_report::export::Format;
use prost::Message as _;

use crate::csv::carrying;
use crate::exports::written;
use crate::json::all_parts;
use crate::lawful::{self, Shape};
use crate::recording::Recording;

#[path = "../../src/export/perfetto/proto.rs"]
#[allow(dead_code, reason = "what only the writer needs is not needed here")]
mod proto;

use proto::{COUNTER, INSTANT, SLICE_BEGIN, SLICE_END, Trace, TrackDescriptor, TrackEvent};

const USUAL: Shape =
    Shape { messages: 2_000, period: 1_000_000, work: 4_000_000, sources: 3, workers: 4, unusual: 10, seed: 42 };

/// A trace as a viewer reads it.
struct Read {
    tracks: BTreeMap<u64, TrackDescriptor>,
    fields: BTreeMap<u64, String>,
    names: BTreeMap<u64, String>,
    /// With their times.
    events: Vec<(u64, TrackEvent)>,
}

fn read(recording: &Recording) -> Read {
    let bytes = written(Format::find("perfetto").unwrap(), &recording.file()).0;
    let trace = Trace::decode(bytes.as_slice()).unwrap();
    assert_eq!(trace.encode_to_vec(), bytes, "packets hold more than is known of them");
    let mut read =
        Read { tracks: BTreeMap::new(), fields: BTreeMap::new(), names: BTreeMap::new(), events: Vec::new() };
    for packet in trace.packet {
        assert_eq!(packet.trusted_packet_sequence_id, Some(1));
        if let Some(data) = packet.interned_data {
            let named = |rows: Vec<proto::Interned>| rows.into_iter().map(|row| (row.iid.unwrap(), row.name.unwrap()));
            read.fields.extend(named(data.debug_annotation_names));
            read.names.extend(named(data.event_names));
        }
        if let Some(track) = packet.track_descriptor {
            if let Some(parent) = track.parent_uuid {
                assert!(read.tracks.contains_key(&parent), "{track:?}");
            }
            assert!(read.tracks.insert(track.uuid.unwrap(), track).is_none(), "a track is described twice");
        }
        if let Some(event) = packet.track_event {
            assert!(read.tracks.contains_key(&event.track_uuid.unwrap()), "{event:?}");
            read.events.push((packet.timestamp.unwrap(), event));
        }
    }
    read
}

impl Read {
    /// What an event says, by field.
    fn fields(&self, event: &TrackEvent) -> BTreeMap<&str, String> {
        let value = |note: &proto::DebugAnnotation| {
            let numbers = note.uint_value.map(|n| n.to_string()).or(note.int_value.map(|n| n.to_string()));
            note.string_value.clone().or(numbers).or(note.bool_value.map(|so| so.to_string())).unwrap()
        };
        let notes = event.debug_annotations.iter();
        notes.map(|note| (self.fields[&note.name_iid.unwrap()].as_str(), value(note))).collect()
    }

    /// The events that stand for events of the recording.
    fn recorded(&self) -> impl Iterator<Item = &(u64, TrackEvent)> {
        self.events.iter().filter(|(_, event)| !event.category_iids.is_empty())
    }
}

#[test]
fn every_event_is_in_it_once_with_its_fields() {
    for recording in [all_parts(), Recording::of(lawful::run(USUAL))] {
        let read = read(&recording);
        let mut expected = recording.events.clone();
        expected.sort_by_key(|event| event.time);
        assert_eq!(read.recorded().count(), expected.len());
        for ((time, found), event) in read.recorded().zip(&expected) {
            let wall = recording.hello.unix_ns_at_zero + event.time;
            assert_eq!(*time, wall.cast_unsigned());
            let fields = read.fields(found);
            let kinds = &recording.hello.kinds;
            let name = kinds.iter().find(|(kind, _)| *kind == event.kind).map(|(_, name)| name.clone());
            assert_eq!(fields["kind"], name.unwrap_or_else(|| event.kind.0.to_string()));
            let id = |bits: u64, digits: usize| (bits != 0).then(|| format!("{bits:0digits$x}"));
            assert_eq!(fields.get("trace").cloned(), id(event.trace.0, 16));
            assert_eq!(fields.get("message").cloned(), id(event.message.message(), 14));
            assert_eq!(fields.get("parent").cloned(), id(event.parent.0, 16));
            let flow: Vec<u64> = [event.message.0].into_iter().filter(|message| *message != 0).collect();
            assert!(found.kind == Some(SLICE_END) || found.flow_ids.starts_with(&flow), "{found:?}");
        }
    }
}

#[test]
fn the_slice_of_a_message_says_what_it_carries() {
    let read = read(&carrying());
    let told: Vec<_> =
        read.recorded().map(|(_, event)| read.fields(event)).filter(|it| it.contains_key("value")).collect();
    let kinds: Vec<_> = told.iter().map(|fields| fields["kind"].as_str()).collect();
    assert_eq!(kinds, ["Intended", "Sent", "Intended"]);
    let carried = ["key", "value", "event_time_ns", "bytes"].map(|field| told[1][field].as_str());
    assert_eq!(carried, ["k3", "7", "-9", "64"]);
}

#[test]
fn slices_on_a_track_never_overlap_and_end_once() {
    let read = read(&Recording::of(lawful::run(USUAL)));
    let mut open = BTreeMap::<u64, u32>::new();
    let mut names = BTreeSet::new();
    for (_, event) in &read.events {
        let track = event.track_uuid.unwrap();
        let depth = open.entry(track).or_default();
        match event.kind.unwrap() {
            SLICE_BEGIN => {
                *depth += 1;
                names.insert(read.names[&event.name_iid.unwrap()].as_str());
            }
            SLICE_END => *depth = depth.checked_sub(1).unwrap(),
            INSTANT | COUNTER => {}
            other => panic!("{other}"),
        }
        assert!(*depth <= 1, "two at once on {:?}", read.tracks[&track]);
    }
    assert_eq!(names, BTreeSet::from(["buyers → shop", "shop → stock", "work", "measured"]));
    // All that began has ended, but for the phase.
    let left: Vec<_> = open.into_iter().filter(|(_, depth)| *depth > 0).collect();
    assert_eq!(left, [(1, 1)]);
}

#[test]
fn nodes_are_processes_and_places_are_their_threads() {
    let read = read(&all_parts());
    let process = |track: &TrackDescriptor| track.process.as_ref().map(|process| process.process_name().to_owned());
    let processes: Vec<_> = read.tracks.values().filter_map(process).collect();
    assert_eq!(processes, ["buyers", "shop", "stock"]);
    let threads = read.tracks.values().filter_map(|track| track.thread.as_ref());
    let threads: Vec<_> = threads.map(|thread| (thread.pid(), thread.thread_name().to_owned())).collect();
    assert_eq!(threads, [(1, "client".to_owned()), (2, "replica 1".to_owned()), (3, "replica 1".to_owned())]);
}

#[test]
fn counters_are_the_levels_that_the_events_come_to() {
    let recording = Recording::of(lawful::run(USUAL));
    let read = read(&recording);
    let counters = read.events.iter().filter(|(_, event)| event.kind == Some(COUNTER));
    let mut last = BTreeMap::<(u64, &str), Vec<i64>>::new();
    for (_, event) in counters {
        let track = &read.tracks[&event.track_uuid.unwrap()];
        let key = (track.parent_uuid.unwrap(), track.name());
        last.entry(key).or_default().push(event.counter_value.unwrap());
    }
    let mut state = State::new(3, 2);
    let mut expected = BTreeMap::<(u32, &str), Vec<i64>>::new();
    for event in &recording.events {
        let place = |state: &State, place: PlaceIndex| state.places().get(place.0 as usize).copied();
        let before = place(&state, event.place);
        state.apply(event);
        let Some((before, after)) = before.zip(place(&state, event.place)) else { continue };
        for (name, before, after) in [("waiting", before.waiting, after.waiting), ("busy", before.busy, after.busy)] {
            if before != after {
                expected.entry((event.place.0, name)).or_default().push(after);
            }
        }
    }
    let expected: Vec<_> = expected.into_values().collect();
    assert_eq!(last.into_values().collect::<Vec<_>>(), expected);
    assert!(expected.len() == 4 && expected.iter().all(|levels| levels.len() > 1_000));
}

#[test]
fn the_surroundings_are_counters_of_the_run() {
    let recording = all_parts();
    let read = read(&recording);
    let counters = read.events.iter().filter(|(_, event)| event.kind == Some(COUNTER));
    let ours = counters.filter_map(|(time, event)| {
        let track = &read.tracks[&event.track_uuid.unwrap()];
        (track.parent_uuid == Some(1)).then(|| (*time, track.name().to_owned(), event.counter_value.unwrap()))
    });
    let expected = recording.clocks.iter().flat_map(|sample| {
        let time = (recording.hello.unix_ns_at_zero + sample.time).cast_unsigned();
        let name = |measure: Measure| measure.name().map_or_else(|| measure.0.to_string(), str::to_owned);
        sample.values.iter().map(move |(measure, value)| (time, name(*measure), *value))
    });
    assert!(ours.eq(expected));
}

#[test]
fn a_recording_that_no_law_holds_for_is_written_all_the_same() {
    let mut recording = Recording::of(lawful::run(Shape { messages: 50, ..USUAL }));
    let twice: Vec<Event> = recording.events.iter().flat_map(|event| [*event, *event]).collect();
    recording.events = twice;
    assert_eq!(read(&recording).recorded().count(), recording.events.len());
}
