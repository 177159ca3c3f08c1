//! The recording as a Perfetto trace, in Perfetto's own format: docs/recording-perfetto.md tells the tracks.
//!
//! Every event of the recording is one track event that carries its fields: the beginning or the end of a slice where
//! something begins or ends, an instant otherwise. What stands beside them (the ends of attempts, the counters) carries
//! no fields. Memory holds the attempts that are open and the requests that are being worked on.

mod proto;
mod tracks;

use std::collections::{BTreeMap, BTreeSet};

use hopscope_record::frame::{MessageRow, Sample};
use hopscope_record::kind::{AWAITS_REPLY, Attempt, Stamper, Steps, ValueMeaning};
use hopscope_record::{Event, Kind, KindInfo, MessageId, PlaceIndex};
use prost::Message as _;

use self::proto::{
    BOOTTIME, COUNTER, Clock, ClockSnapshot, DebugAnnotation, INCREMENTAL_STATE_CLEARED, INSTANT, Interned,
    InternedData, NEEDS_INCREMENTAL_STATE, REALTIME, SLICE_BEGIN, SLICE_END, Trace, TracePacket, TrackDescriptor,
    TrackEvent,
};
use self::tracks::{Lane, Lanes, RUN};
use super::fields::{Cell, Fields, columns};
use super::values::{Form, field};
use super::{Encoder, ExportError, Format, Parts, distinct_kinds};

/// Slices, flows and counters.
pub(super) static PERFETTO: Format =
    Format { id: "perfetto", media_type: "application/octet-stream", extension: "pftrace", text: false, begin };

/// All packets are of one sequence: names that one gives, later ones use.
const SEQUENCE: u32 = 1;

/// A level of a place: its name, and what a kind does to it.
type Level = (&'static str, fn(&Steps) -> i8);

/// The levels of a place.
const LEVELS: [Level; 4] = [
    ("waiting", |steps| steps.waiting),
    ("busy", |steps| steps.busy),
    ("ready", |steps| steps.ready),
    ("unacked", |steps| steps.unacked),
];

/// Fields that the track and the time of an event say already.
const SAID: [&str; 3] = ["time_ns", "node", "instance"];

fn begin(parts: &Parts<'_>, out: &mut Vec<u8>) -> Result<Box<dyn Encoder>, ExportError> {
    let names = Names::new(parts);
    let zero = parts.hello.unix_ns_at_zero;
    let at_zero = |id| Clock { clock_id: Some(id), timestamp: Some(instant(zero, 0)) };
    let clocks = ClockSnapshot {
        // So that times can be shown as the wall clock's.
        clocks: vec![at_zero(BOOTTIME), at_zero(REALTIME)],
        primary_trace_clock: Some(BOOTTIME),
    };
    put(out, TracePacket { clock_snapshot: Some(clocks), ..TracePacket::default() });
    let data = names.given();
    put(
        out,
        TracePacket {
            interned_data: Some(data),
            sequence_flags: Some(INCREMENTAL_STATE_CLEARED),
            ..TracePacket::default()
        },
    );
    tracks::of_plan(parts.plan).into_iter().for_each(|track| describe(out, track));
    surroundings(parts.clocks, zero, out);
    Ok(Box::new(Perfetto {
        fields: Fields::new(parts.hello, parts.plan, parts.names),
        names,
        zero,
        lanes: Lanes::default(),
        open: BTreeMap::new(),
        work: BTreeMap::new(),
        levels: BTreeMap::new(),
        carried: BTreeMap::new(),
        in_phase: false,
    }))
}

/// The figures of the surroundings, each a counter of the run.
fn surroundings(samples: &[Sample], zero: i64, out: &mut Vec<u8>) {
    let measures: BTreeSet<_> = samples.iter().flat_map(|sample| &sample.values).map(|(measure, _)| *measure).collect();
    measures.into_iter().for_each(|measure| describe(out, tracks::of_measure(measure)));
    for sample in samples {
        for (measure, value) in &sample.values {
            let counter = TrackEvent { counter_value: Some(*value), ..bare(COUNTER, tracks::surroundings(*measure)) };
            put_at(zero, sample.time, counter, out);
        }
    }
}

struct Perfetto {
    fields: Fields,
    names: Names,
    /// Wall clock at the run's zero.
    zero: i64,
    lanes: Lanes,
    /// Where each open attempt's slice is.
    open: BTreeMap<MessageId, Slice>,
    /// Where each message's work is.
    work: BTreeMap<MessageId, Slice>,
    levels: BTreeMap<(PlaceIndex, usize), i64>,
    /// What messages carry that were wanted and have no slice yet.
    carried: BTreeMap<MessageId, MessageRow>,
    in_phase: bool,
}

/// A slice that has not ended.
#[derive(Clone, Copy)]
struct Slice {
    place: PlaceIndex,
    track: u64,
}

impl Encoder for Perfetto {
    fn event(&mut self, event: &Event, carries: Option<&MessageRow>, out: &mut Vec<u8>) {
        let info = self.fields.kind(event.kind).1;
        match info {
            Some(info) if info.a.meaning == ValueMeaning::Phase => self.phase(event, out),
            Some(info) if info.attempt == Attempt::Opens => {
                let track = self.begin(Lane::Open, event, out);
                let label = self.names.link(event).unwrap_or_else(|| self.names.kind(event));
                let mut slice = self.track_event(event, None, SLICE_BEGIN, track, label);
                if let Some(row) = self.carried.remove(&event.message) {
                    let annotate =
                        |name, cell| slice.debug_annotations.push(annotation(self.names.annotation(name), cell));
                    self.fields.carried(&row, &mut { annotate });
                }
                if info.by == Stamper::Queue && !event.parent.is_none() {
                    slice.flow_ids.push(event.parent.0);
                }
                self.put(event, slice, out);
            }
            Some(info) if info.attempt == Attempt::Closes && !event.is_late() => self.close(event, info, out),
            Some(_) if event.kind == Kind::STARTED => {
                let track = self.begin(Lane::Work, event, out);
                let slice = self.track_event(event, None, SLICE_BEGIN, track, self.names.work);
                self.put(event, slice, out);
            }
            Some(_) if event.kind == Kind::FINISHED => match self.finish(Lane::Work, event.message) {
                Some(slice) => {
                    let slice = TrackEvent {
                        name_iid: None,
                        flow_ids: Vec::new(),
                        ..self.track_event(event, None, SLICE_END, slice.track, 0)
                    };
                    self.put(event, slice, out);
                }
                None => self.instant(event, None, out),
            },
            _ => self.instant(event, carries, out),
        }
        match carries {
            Some(row) => drop(self.carried.insert(event.message, *row)),
            // What is not sent has no slice that could say it.
            None if event.kind == Kind::NOT_SENT => drop(self.carried.remove(&event.message)),
            None => {}
        }
        if let Some(info) = info {
            self.count(event, info, out);
        }
    }

    fn end(&mut self, _: &mut Vec<u8>) {}
}

impl Perfetto {
    fn phase(&mut self, event: &Event, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.in_phase, true) {
            self.put(event, bare(SLICE_END, RUN), out);
        }
        let slice = self.track_event(event, None, SLICE_BEGIN, RUN, self.names.phase(event.a, event));
        self.put(event, slice, out);
    }

    /// An attempt's closing event, and then the end of its slice.
    fn close(&mut self, event: &Event, info: &KindInfo, out: &mut Vec<u8>) {
        let stays = info.a.meaning == ValueMeaning::Marks && event.a & AWAITS_REPLY != 0;
        let slice = if stays { self.open.get(&event.message).copied() } else { self.finish(Lane::Open, event.message) };
        let Some(slice) = slice else { return self.instant(event, None, out) };
        let closing = self.track_event(event, None, INSTANT, slice.track, self.names.kind(event));
        self.put(event, closing, out);
        if !stays {
            self.put(event, bare(SLICE_END, slice.track), out);
        }
    }

    fn instant(&self, event: &Event, carries: Option<&MessageRow>, out: &mut Vec<u8>) {
        let track = match self.fields.place(event.place) {
            Some(_) => tracks::thread(event.place),
            None => RUN,
        };
        self.put(event, self.track_event(event, carries, INSTANT, track, self.names.kind(event)), out);
    }

    /// Takes a lane for a slice that begins with the event. One of the same message that has not ended ends here: no
    /// lawful recording has it.
    fn begin(&mut self, lane: Lane, event: &Event, out: &mut Vec<u8>) -> u64 {
        if let Some(former) = self.finish(lane, event.message) {
            self.put(event, bare(SLICE_END, former.track), out);
        }
        let place = if self.fields.place(event.place).is_some() { event.place } else { PlaceIndex::NONE };
        let (track, new) = self.lanes.take(place, lane);
        new.into_iter().for_each(|track| describe(out, track));
        self.slices(lane).insert(event.message, Slice { place, track });
        track
    }

    /// Gives the lane of a slice back that ends.
    fn finish(&mut self, lane: Lane, message: MessageId) -> Option<Slice> {
        let slice = self.slices(lane).remove(&message)?;
        self.lanes.give(slice.place, lane, slice.track);
        Some(slice)
    }

    const fn slices(&mut self, lane: Lane) -> &mut BTreeMap<MessageId, Slice> {
        match lane {
            Lane::Open => &mut self.open,
            Lane::Work => &mut self.work,
        }
    }

    /// What the event does to the levels of its place.
    fn count(&mut self, event: &Event, info: &KindInfo, out: &mut Vec<u8>) {
        let place = event.place;
        if self.fields.place(place).is_none() || info.steps.only_if_a.is_some_and(|a| a != event.a) {
            return;
        }
        for (number, (name, step)) in LEVELS.iter().enumerate() {
            let held = self.levels.get(&(place, number)).copied().unwrap_or(0);
            // Copies are the queue's: only what waits and works at the place ends with what runs it.
            let emptied = info.steps.empties && matches!(*name, "waiting" | "busy");
            let step = if emptied { -held } else { i64::from(step(&info.steps)) };
            if step == 0 {
                continue;
            }
            let level = self.levels.entry((place, number)).or_insert_with(|| {
                describe(out, tracks::of_level(place, number, name));
                0
            });
            *level += step;
            let level = *level;
            let counter = TrackEvent { counter_value: Some(level), ..bare(COUNTER, tracks::counter(place, number)) };
            self.put(event, counter, out);
        }
    }

    /// A track event that stands for the event and carries its fields.
    fn track_event(&self, event: &Event, carries: Option<&MessageRow>, kind: i32, track: u64, name: u64) -> TrackEvent {
        let mut annotations = Vec::with_capacity(8);
        self.fields.of(event, carries, &mut |name, cell| {
            if !SAID.contains(&name) {
                annotations.push(annotation(self.names.annotation(name), cell));
            }
        });
        TrackEvent {
            name_iid: Some(name),
            category_iids: vec![CATEGORY],
            debug_annotations: annotations,
            flow_ids: if event.message.is_none() { Vec::new() } else { vec![event.message.0] },
            ..bare(kind, track)
        }
    }

    /// Writes a track event at the event's time.
    fn put(&self, event: &Event, track_event: TrackEvent, out: &mut Vec<u8>) {
        put_at(self.zero, event.time, track_event, out);
    }
}

/// Writes a track event at a time of the run.
fn put_at(zero: i64, time: i64, track_event: TrackEvent, out: &mut Vec<u8>) {
    put(
        out,
        TracePacket {
            timestamp: Some(instant(zero, time)),
            sequence_flags: Some(NEEDS_INCREMENTAL_STATE),
            track_event: Some(track_event),
            ..TracePacket::default()
        },
    );
}

/// The category of everything that stands for an event of the recording.
const CATEGORY: u64 = 1;

/// A time of the run on the trace's clock, ns since 1970. What lies before is told as 1970.
fn instant(zero: i64, time: i64) -> u64 {
    u64::try_from(zero.saturating_add(time)).unwrap_or(0)
}

fn bare(kind: i32, track: u64) -> TrackEvent {
    TrackEvent { kind: Some(kind), track_uuid: Some(track), ..TrackEvent::default() }
}

fn describe(out: &mut Vec<u8>, track: TrackDescriptor) {
    put(out, TracePacket { track_descriptor: Some(track), ..TracePacket::default() });
}

fn put(out: &mut Vec<u8>, packet: TracePacket) {
    let packet = TracePacket { trusted_packet_sequence_id: Some(SEQUENCE), ..packet };
    // A vector grows as far as it must; nothing else can fail.
    let _ = Trace { packet: vec![packet] }.encode(out);
}

fn annotation(name: u64, cell: Cell<'_>) -> DebugAnnotation {
    let named = DebugAnnotation { name_iid: Some(name), ..DebugAnnotation::default() };
    match cell {
        Cell::Signed(number) => DebugAnnotation { int_value: Some(number), ..named },
        Cell::Unsigned(number) => DebugAnnotation { uint_value: Some(number), ..named },
        Cell::Id(bits) => DebugAnnotation { string_value: Some(format!("{bits:016x}")), ..named },
        Cell::Message(bits) => DebugAnnotation { string_value: Some(format!("{bits:014x}")), ..named },
        Cell::Text(text) => DebugAnnotation { string_value: Some(text.to_owned()), ..named },
        Cell::True => DebugAnnotation { bool_value: Some(true), ..named },
    }
}

/// Names by number: given once, so that an event carries numbers.
struct Names {
    /// Names of slices and instants; the number is the position + 1.
    events: Vec<String>,
    /// Names of fields, likewise.
    fields: Vec<&'static str>,
    /// For each link the number of its name.
    links: Vec<u64>,
    /// For each number of a kind the number of its name.
    kinds: BTreeMap<u16, u64>,
    /// For each phase the number of its name.
    phases: Vec<(u64, u64)>,
    work: u64,
    other: u64,
}

impl Names {
    fn new(parts: &Parts<'_>) -> Self {
        let mut events = Vec::new();
        let mut give = |name: String| {
            events.push(name);
            events.len() as u64
        };
        let node = |node: u32| parts.plan.nodes.get(node as usize).map_or("", |node| node.name.as_str());
        let links =
            parts.plan.links.iter().map(|link| give(format!("{} → {}", node(link.from), node(link.to)))).collect();
        let kinds = distinct_kinds(parts.hello).map(|(kind, name)| (kind.0, give(name.to_owned()))).collect();
        let words = match field(ValueMeaning::Phase) {
            Some((_, Form::Word(words))) => words,
            _ => &[],
        };
        let phases = words.iter().map(|(value, word)| (*value, give((*word).to_owned()))).collect();
        let (work, other) = (give("work".to_owned()), give("event".to_owned()));
        Self { links, kinds, phases, work, other, fields: columns(), events }
    }

    fn given(&self) -> InternedData {
        let row = |(index, name): (usize, &str)| Interned { iid: Some(index as u64 + 1), name: Some(name.to_owned()) };
        InternedData {
            event_categories: vec![Interned { iid: Some(CATEGORY), name: Some("event".to_owned()) }],
            event_names: self.events.iter().map(String::as_str).enumerate().map(row).collect(),
            debug_annotation_names: self.fields.iter().copied().enumerate().map(row).collect(),
        }
    }

    fn link(&self, event: &Event) -> Option<u64> {
        self.links.get(usize::from(event.link.0)).copied()
    }

    fn kind(&self, event: &Event) -> u64 {
        self.kinds.get(&event.kind.0).copied().unwrap_or(self.other)
    }

    fn phase(&self, value: u64, event: &Event) -> u64 {
        let phase = self.phases.iter().find(|(phase, _)| *phase == value);
        phase.map_or_else(|| self.kind(event), |(_, name)| *name)
    }

    fn annotation(&self, name: &str) -> u64 {
        self.fields.iter().position(|field| *field == name).map_or(0, |index| index as u64 + 1)
    }
}
