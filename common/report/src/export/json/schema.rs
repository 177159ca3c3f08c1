//! The published JSON Schema of a recording, made from the table of kinds.
//!
//! The committed docs/recording.schema.json is compared with this by a test. The scenario's own schema stands beside it.

use hopscope_record::frame::MEASURES;
use hopscope_record::kind::{Attempt, QueueCause};
use hopscope_record::{KINDS, Kind, KindInfo};
use serde_json::{Map, Value, json};

use super::head::{END_REASONS, TIME};
use super::{FORMAT, VERSION};
use crate::export::values::{ACCOUNT, CAUSE, COMMITTED, CONSUMERS, DEPTH_BEFORE, Form, OFFSET, REPEATED, field};

/// The schema (JSON Schema, draft 2020-12).
#[must_use]
pub fn recording_schema() -> Value {
    let properties = json!({
        "format": {"const": FORMAT},
        "version": {"const": VERSION},
        "scenario": {"$ref": "scenario.schema.json"},
        "run": run(),
        "clocks": {"type": "array", "items": sample()},
        "losses": {"type": "array", "items": closed(&json!({
            "source": {"$ref": "#/$defs/u16"},
            "count": {"type": "integer", "minimum": 1},
            "from_ns": {"type": "integer"},
            "to_ns": {"type": "integer"},
        }))},
        "names": {"type": "array", "items": {"type": "string"}},
        "events": {"type": "array", "items": {"$ref": "#/$defs/event"}},
    });
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!("Hopscope recording"));
    if let Value::Object(root) = closed(&properties) {
        schema.extend(root);
    }
    schema.insert("$defs".to_owned(), definitions());
    Value::Object(schema)
}

/// An object with all of these properties and no others.
fn closed(properties: &Value) -> Value {
    let required: Vec<&String> = properties.as_object().map(|object| object.keys().collect()).unwrap_or_default();
    json!({"type": "object", "required": required, "properties": properties, "additionalProperties": false})
}

/// A sample: its time, and what the machine could tell.
fn sample() -> Value {
    let integer = json!({"type": "integer"});
    let names = std::iter::once(TIME).chain(MEASURES.iter().map(|(_, name)| *name));
    let properties: Map<String, Value> = names.map(|name| (name.to_owned(), integer.clone())).collect();
    json!({
        "type": "object",
        "required": [TIME],
        "properties": properties,
        "patternProperties": {"^[0-9]{1,5}$": integer},
        "additionalProperties": false,
    })
}

fn run() -> Value {
    let nanoseconds = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{9}Z$";
    let mut run = closed(&json!({
        "id": {"type": "string"},
        "key": {"$ref": "#/$defs/id"},
        "build": {"type": "string"},
        "started": {"description": "wall clock at time_ns 0", "type": "string", "pattern": nanoseconds},
        "seed": {"type": "integer", "minimum": 0},
        "duration": {"description": "a number and a unit, as in a scenario; null: until stopped", "type": ["string", "null"]},
        "kinds": {"type": "object", "additionalProperties": {"$ref": "#/$defs/u16"}},
        "whole": {"description": "the run came to its end, and no event was lost", "type": "boolean"},
        "end": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/end"}]},
    }));
    // Left out where it is zero.
    run["properties"]["warm_up"] = json!({"description": "a number and a unit, as in a scenario", "type": "string"});
    run
}

fn definitions() -> Value {
    let hex = |digits: u32| json!({"type": "string", "pattern": format!("^[0-9a-f]{{{digits}}}$")});
    let reasons: Vec<_> = END_REASONS.iter().map(|(_, word)| *word).collect();
    let mut events: Vec<Value> = KINDS.iter().map(event).collect();
    events.push(unknown_event());
    json!({
        "id": hex(16),
        "message": hex(14),
        "u16": {"type": "integer", "minimum": 0, "maximum": u16::MAX},
        "link": {"description": "its id; a number where the scenario has no such link", "type": ["string", "integer"]},
        "end": {
            "type": "object",
            "required": ["time_ns", "reason", "counts"],
            "properties": {
                "time_ns": {"type": "integer"},
                "reason": {"anyOf": [{"enum": reasons}, {"type": "integer"}]},
                "detail": {"type": ["string", "integer"]},
                "counts": {"type": "array", "items": {"oneOf": counts()}},
            },
            "additionalProperties": false,
        },
        "event": {"oneOf": events},
    })
}

fn counts() -> Vec<Value> {
    let count = json!({"type": "integer", "minimum": 0});
    vec![
        closed(&json!({"counted": {"const": "events"}, "source": count, "count": count})),
        closed(&json!({"counted": {"const": "open-attempts"}, "link": {"$ref": "#/$defs/link"}, "count": count})),
        closed(&json!({"counted": {"enum": ["ready", "unacked", "wanted"]}, "place": count, "count": count})),
        closed(&json!({"counted": {"type": "integer"}, "index": count, "count": count})),
    ]
}

/// The fields that any event may have, after its kind.
fn common(kind: &Value) -> Map<String, Value> {
    let fields = json!({
        "time_ns": {"type": "integer"},
        "kind": kind,
        "node": {"type": "string"},
        "instance": {"type": "string"},
        "place": {"description": "in place of node and instance, where the scenario has no such place", "type": "integer"},
        "link": {"$ref": "#/$defs/link"},
        "trace": {"$ref": "#/$defs/id"},
        "message": {"$ref": "#/$defs/message"},
        "attempt": {"type": "integer", "minimum": 0, "maximum": 255},
        "parent": {"$ref": "#/$defs/id"},
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn event(info: &KindInfo) -> Value {
    let mut properties = common(&json!({"const": info.name}));
    let mut required = vec!["time_ns", "kind"];
    for (raw, value) in [("a", info.a), ("b", info.b)] {
        let Some((name, form)) = field(value.meaning) else {
            properties.insert(raw.to_owned(), json!({"$ref": "#/$defs/id"}));
            continue;
        };
        if matches!(form, Form::Mark(_) | Form::Step | Form::Deaths | Form::Position) {
            // What these cannot say is written as it is.
            properties.insert(raw.to_owned(), json!({"$ref": "#/$defs/id"}));
        } else if form != Form::Name {
            required.push(name);
        }
        if form == Form::Report {
            required.push(CONSUMERS);
            let consumers = json!({"description": "those that take from the queue", "type": "integer", "minimum": 0});
            properties.insert(CONSUMERS.to_owned(), consumers);
        }
        if form == Form::Position {
            let offset = json!({"description": "its offset there", "type": "integer", "minimum": 0});
            properties.insert(OFFSET.to_owned(), offset);
        }
        if form == Form::Lag {
            required.push(COMMITTED);
            let committed = json!({"description": "what the group has committed", "type": "integer", "minimum": 0});
            properties.insert(COMMITTED.to_owned(), committed);
        }
        if form == Form::Deaths {
            properties.insert(CAUSE.to_owned(), cause());
        }
        if form == Form::Effect {
            properties.insert(ACCOUNT.to_owned(), json!({"description": "the account", "type": "string"}));
            properties
                .insert(REPEATED.to_owned(), json!({"description": "its key was known: not applied", "const": true}));
        }
        if form == Form::Step {
            properties.insert(DEPTH_BEFORE.to_owned(), json!({"description": "L1", "type": "integer", "minimum": 0}));
            properties.insert(CAUSE.to_owned(), cause());
        }
        properties.insert(name.to_owned(), value_schema(form, value.words));
    }
    if info.kind == Kind::INTENDED {
        properties.extend(carried());
    }
    if info.attempt == Attempt::Closes {
        properties.insert("late".to_owned(), json!({"const": true}));
    }
    json!({
        "description": info.at,
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": false,
    })
}

/// What a message carries, where its sender tells it.
fn carried() -> Map<String, Value> {
    let fields = json!({
        "bytes": {"description": "bytes of the request's body", "type": "integer", "minimum": 0},
        "key": {"description": "what the request is about", "type": ["string", "integer"]},
        "value": {"description": "a number that it carries", "type": "integer"},
        "event_time_ns": {"description": "when that happened which it tells of", "type": "integer"},
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn value_schema(form: Form, words: &str) -> Value {
    match form {
        Form::Signed => json!({"description": words, "type": "integer"}),
        Form::Unsigned => json!({"description": words, "type": "integer", "minimum": 0}),
        Form::Name => json!({"description": words, "type": ["string", "integer"]}),
        Form::Mark(_) => json!({"description": words, "const": true}),
        Form::Report => json!({"description": "ready copies, by the broker's word", "type": "integer", "minimum": 0}),
        Form::Step => json!({"description": "L2", "type": "integer", "minimum": 0}),
        Form::Deaths => json!({"description": "how often", "type": "integer", "minimum": 0}),
        Form::Position => json!({"description": "the record's partition", "type": "integer", "minimum": 0}),
        Form::Lag => json!({"description": "the offset of the next record", "type": "integer", "minimum": 0}),
        Form::Effect => json!({"description": "its number in the plan", "type": "integer", "minimum": 0}),
        Form::Word(list) => {
            let list: Vec<_> = list.iter().map(|(_, word)| *word).collect();
            json!({"anyOf": [{"enum": list}, {"type": "integer", "minimum": 0}]})
        }
    }
}

fn cause() -> Value {
    let names: Vec<_> = (0..=u8::MAX).filter_map(|number| QueueCause(number).name()).collect();
    json!({"anyOf": [{"enum": names}, {"type": "integer", "minimum": 0, "maximum": u8::MAX}]})
}

/// An event of a kind that this version does not know: both values as they are.
fn unknown_event() -> Value {
    let known: Vec<_> = KINDS.iter().map(|info| info.name).collect();
    let mut properties = common(&json!({"type": ["string", "integer"], "not": {"enum": known}}));
    properties.insert("a".to_owned(), json!({"$ref": "#/$defs/id"}));
    properties.insert("b".to_owned(), json!({"$ref": "#/$defs/id"}));
    json!({
        "description": "a kind that is not known to this version",
        "type": "object",
        "required": ["time_ns", "kind", "a", "b"],
        "properties": properties,
        "additionalProperties": false,
    })
}
