//! One event, one line.

use std::io::Write;

use hopscope_record::frame::Hello;
use hopscope_record::kind::{Attempt, LATE, QueueStep, ValueMeaning};
use hopscope_record::{Event, KindInfo, LinkIndex, MessageId, NameIndex, PlaceIndex};
use hopscope_scenario::plan::Plan;

use super::values::{Form, field, word};

/// Writes events as lines. Holds every text that an event can name, ready for JSON.
pub(super) struct Lines {
    /// For each number of a kind that Hello names: its field, and whether it is the kind that this build means by it.
    kinds: Vec<(u16, String, bool)>,
    /// For each place its fields.
    places: Vec<String>,
    /// For each link its field.
    links: Vec<String>,
    /// For each row of names its text.
    names: Vec<String>,
}

impl Lines {
    pub(super) fn new(hello: &Hello, plan: &Plan, names: &[String]) -> Result<Self, serde_json::Error> {
        let mut kinds = Vec::new();
        for (kind, name) in super::head::distinct_kinds(hello) {
            kinds.push((kind.0, format!(r#","kind":{}"#, quoted(name)?), kind.name() == Some(name)));
        }
        kinds.sort_unstable_by_key(|(number, ..)| *number);
        let place = |place: &hopscope_scenario::plan::Place| {
            let node = plan.nodes.get(place.node as usize).map_or("", |node| &node.id);
            Ok(format!(r#","node":{},"instance":{}"#, quoted(node)?, quoted(&place.instance())?))
        };
        Ok(Self {
            kinds,
            places: plan.places.iter().map(place).collect::<Result<_, serde_json::Error>>()?,
            links: plan
                .links
                .iter()
                .map(|link| Ok(format!(r#","link":{}"#, quoted(&link.id)?)))
                .collect::<Result<_, serde_json::Error>>()?,
            names: names.iter().map(|name| quoted(name)).collect::<Result<_, _>>()?,
        })
    }

    /// Appends the event. Fields that say nothing are left out; the order of the others is fixed.
    pub(super) fn write(&self, event: &Event, out: &mut Vec<u8>) {
        put(out, format_args!(r#"{{"time_ns":{}"#, event.time));
        let info = self.write_kind(event, out);
        self.write_site(event.place, event.link, out);
        if !event.trace.is_none() {
            put(out, format_args!(r#","trace":"{:016x}""#, event.trace.0));
        }
        if !event.message.is_none() {
            write_message(event.message, out);
        }
        if !event.parent.is_none() {
            put(out, format_args!(r#","parent":"{:016x}""#, event.parent.0));
        }
        match info {
            Some(info) => self.write_values(event, info, out),
            None => put(out, format_args!(r#","a":"{:016x}","b":"{:016x}""#, event.a, event.b)),
        }
        out.push(b'}');
    }

    /// Writes the kind by the name that the recording gives it, or else by its number, and gives its row if that name
    /// is this build's too.
    fn write_kind(&self, event: &Event, out: &mut Vec<u8>) -> Option<&'static KindInfo> {
        let row = self.kinds.binary_search_by_key(&event.kind.0, |(number, ..)| *number).ok();
        match row.and_then(|row| self.kinds.get(row)) {
            Some((_, text, known)) => {
                out.extend_from_slice(text.as_bytes());
                event.kind.info().filter(|_| *known)
            }
            None => {
                put(out, format_args!(r#","kind":{}"#, event.kind.0));
                None
            }
        }
    }

    fn write_site(&self, place: PlaceIndex, link: LinkIndex, out: &mut Vec<u8>) {
        match self.places.get(place.0 as usize) {
            Some(text) => out.extend_from_slice(text.as_bytes()),
            None if place.is_none() => {}
            None => put(out, format_args!(r#","place":{}"#, place.0)),
        }
        match self.links.get(usize::from(link.0)) {
            Some(text) => out.extend_from_slice(text.as_bytes()),
            None if link.is_none() => {}
            None => put(out, format_args!(r#","link":{}"#, link.0)),
        }
    }

    fn write_values(&self, event: &Event, info: &KindInfo, out: &mut Vec<u8>) {
        let late = event.is_late();
        let a = if info.attempt == Attempt::Closes { event.a & !LATE } else { event.a };
        self.write_value("a", info.a.meaning, a, out);
        self.write_value("b", info.b.meaning, event.b, out);
        if late {
            out.extend_from_slice(br#","late":true"#);
        }
    }

    fn write_value(&self, raw: &str, meaning: ValueMeaning, value: u64, out: &mut Vec<u8>) {
        let write_raw = |out: &mut Vec<u8>| {
            if value != 0 {
                put(out, format_args!(r#","{raw}":"{value:016x}""#));
            }
        };
        let Some((name, form)) = field(meaning) else { return write_raw(out) };
        let text = match form {
            Form::Signed => return put(out, format_args!(r#","{name}":{}"#, value.cast_signed())),
            Form::Unsigned => None,
            Form::Name if value == 0 => return,
            Form::Name => {
                NameIndex::from_value(value).and_then(|row| self.names.get(row.0 as usize)).map(String::as_str)
            }
            Form::Word(words) => {
                if let Some(word) = word(words, value) {
                    return put(out, format_args!(r#","{name}":"{word}""#));
                }
                None
            }
            Form::Mark(mark) if value == mark => return put(out, format_args!(r#","{name}":true"#)),
            Form::Mark(_) => return write_raw(out),
            Form::Step => {
                return match QueueStep::from_value(value) {
                    Some(step) => write_step(step, out),
                    None => write_raw(out),
                };
            }
        };
        match text {
            Some(text) => put(out, format_args!(r#","{name}":{text}"#)),
            None => put(out, format_args!(r#","{name}":{value}"#)),
        }
    }
}

/// A step of a queue in three fields; the cause by its name, or by its number where it has none.
fn write_step(step: QueueStep, out: &mut Vec<u8>) {
    let QueueStep { before, after, cause } = step;
    put(out, format_args!(r#","depth_before":{before},"depth":{after},"cause":"#));
    match cause.name() {
        Some(name) => put(out, format_args!(r#""{name}""#)),
        None => put(out, format_args!("{}", cause.0)),
    }
}

/// The message in two fields: what all its attempts share, and the attempt.
fn write_message(message: MessageId, out: &mut Vec<u8>) {
    put(out, format_args!(r#","message":"{:014x}","attempt":{}"#, message.message(), message.attempt()));
}

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to memory cannot fail.
    let _ = out.write_fmt(text);
}

fn quoted(text: &str) -> Result<String, serde_json::Error> {
    serde_json::to_string(text)
}
