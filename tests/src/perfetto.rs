//! A Perfetto trace as a viewer reads it: packets, names given once, tracks within tracks.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use prost::Message as _;
use serde_json::Value;

use crate::fields::Fields;

#[path = "../../common/report/src/export/perfetto/proto.rs"]
#[allow(dead_code, reason = "what only the writer needs is not needed here")]
mod proto;

use proto::{DebugAnnotation, Interned, Trace, TrackDescriptor, TrackEvent};

/// The category of what stands for an event of the recording.
const EVENT: &str = "event";

/// The events that a trace tells, in its order; `zero` is the wall clock at the run's time 0.
///
/// # Errors
/// When it is no trace, or an event says what nothing names.
pub(crate) fn events(trace: &[u8], zero: i64) -> Result<Vec<Fields>> {
    let decoded = Trace::decode(trace)?;
    ensure!(decoded.encode_to_vec() == trace, "packets hold more than is known of them");
    let mut reader = Reader::default();
    let mut events = Vec::new();
    for packet in decoded.packet {
        if let Some(data) = packet.interned_data {
            reader.categories.extend(named(data.event_categories)?);
            reader.fields.extend(named(data.debug_annotation_names)?);
        }
        if let Some(track) = packet.track_descriptor {
            reader.tracks.insert(track.uuid.context("a track without a number")?, track);
        }
        if let Some(event) = packet.track_event
            && reader.is_recorded(&event)?
        {
            let time = i64::try_from(packet.timestamp.context("an event without a time")?)? - zero;
            events.push(reader.event(&event, time)?);
        }
    }
    Ok(events)
}

fn named(rows: Vec<Interned>) -> Result<Vec<(u64, String)>> {
    rows.into_iter().map(|row| row.iid.zip(row.name).context("half a name")).collect()
}

/// What was told so far that later packets use.
#[derive(Default)]
struct Reader {
    categories: BTreeMap<u64, String>,
    fields: BTreeMap<u64, String>,
    tracks: BTreeMap<u64, TrackDescriptor>,
}

impl Reader {
    fn is_recorded(&self, event: &TrackEvent) -> Result<bool> {
        let names = event.category_iids.iter().map(|iid| self.categories.get(iid).context("an unknown category"));
        Ok(names.collect::<Result<Vec<_>>>()?.iter().any(|name| *name == EVENT))
    }

    /// Its annotations, and what its time and its track say.
    fn event(&self, event: &TrackEvent, time: i64) -> Result<Fields> {
        let mut fields = Fields::new();
        fields.insert("time_ns".to_owned(), time.into());
        for note in &event.debug_annotations {
            let name = note.name_iid.and_then(|iid| self.fields.get(&iid)).context("an unknown field")?;
            let before = fields.insert(name.clone(), value(note)?);
            ensure!(before.is_none(), "{name} is told twice");
        }
        let mut track = self.track(event.track_uuid)?;
        while track.thread.is_none() {
            let Some(parent) = track.parent_uuid else { return Ok(fields) };
            track = self.track(Some(parent))?;
        }
        let process = self.track(track.parent_uuid)?.process.as_ref().context("a thread of no process")?;
        fields.insert("node".to_owned(), process.process_name().into());
        fields.insert("instance".to_owned(), track.thread.as_ref().context("no thread")?.thread_name().into());
        Ok(fields)
    }

    fn track(&self, uuid: Option<u64>) -> Result<&TrackDescriptor> {
        uuid.and_then(|uuid| self.tracks.get(&uuid)).context("a track that is not described")
    }
}

fn value(note: &DebugAnnotation) -> Result<Value> {
    let number = note.uint_value.map(Value::from).or(note.int_value.map(Value::from));
    let value = number.or(note.bool_value.map(Value::from)).or(note.string_value.clone().map(Value::from));
    value.context("a field without a value")
}
