//! The fields that are the same whatever a node's kind or a link's protocol is, and the limits of a whole scenario.
//!
//! With the descriptors of [`crate::kinds`] and [`crate::protocol`] this is the whole shape of a document.

use serde_json::{Map, Value};

use crate::checks::{CHECK_TAG, METRICS, metric_of};
use crate::disturb::{DISTURBANCE_TAG, DISTURBANCES, action_of};
use crate::fields::{self, ChoiceOption, Field, Literal, Presence, ValueType};
use crate::kinds::Kind;
use crate::plan::{Broker, Placement};
use crate::protocol::Protocol;
use crate::quantity::{Dimension, Time};
use crate::text;

/// Most nodes of a scenario.
pub const MAX_NODES: usize = 1_000;
/// Most links of a scenario.
pub const MAX_LINKS: usize = 4_000;
/// Most replicas of all services together; each is a server.
pub const MAX_REPLICAS: usize = 1_000;
/// Longest text of a document, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 4 << 20;
/// Most characters of an id.
pub const MAX_ID_CHARS: usize = 64;
/// Farthest a node may stand from the canvas's origin, in canvas units.
const MAX_POSITION: i64 = 1_000_000;
/// Greatest seed: the greatest integer that every JSON reader keeps exactly (RFC 8259, section 6).
pub const MAX_SEED: u64 = (1 << 53) - 1;

/// Longest run, one that goes on until it is stopped included: an hour.
pub const MAX_DURATION: Time = Time(3_600_000_000_000);

/// Most characters of a broker's address.
const MAX_BROKER_CHARS: usize = 400;

/// Most characters of the ports that are fixed.
const MAX_PORTS_CHARS: usize = 2_000;

/// Longest warm-up: a tenth of that.
pub const MAX_WARM_UP: Time = Time(MAX_DURATION.0 / 10);

const NAME: Field = Field {
    name: "name",
    label: text!("field.name"),
    value: ValueType::Text { min_chars: 1, max_chars: 80, multiline: false },
    presence: Presence::Required,
};

const fn position(name: &'static str, label: crate::catalogue::Key) -> Field {
    Field {
        name,
        label,
        value: ValueType::Integer { min: -MAX_POSITION, max: MAX_POSITION },
        presence: Presence::Optional,
    }
}

const fn id(name: &'static str, label: crate::catalogue::Key) -> Field {
    Field { name, label, value: ValueType::Id, presence: Presence::Required }
}

const fn words(name: &'static str, label: crate::catalogue::Key, max_chars: usize) -> Field {
    Field {
        name,
        label,
        value: ValueType::Text { min_chars: 0, max_chars, multiline: true },
        presence: Presence::Default(Literal::Text("")),
    }
}

/// The scenario's own fields, beside `format`, `version` and the lists.
pub static SCENARIO_FIELDS: &[Field] =
    &[NAME, words("question", text!("field.question"), 400), words("about", text!("field.about"), 4_000)];

/// The fields of every node, beside `kind`.
pub static NODE_FIELDS: &[Field] =
    &[id("id", text!("field.id")), NAME, position("x", text!("field.x")), position("y", text!("field.y"))];

/// The fields of every link, beside `protocol`.
pub static LINK_FIELDS: &[Field] =
    &[id("id", text!("field.id")), id("from", text!("field.from")), id("to", text!("field.to"))];

/// The settings of a run, which are no part of a scenario.
pub static SETTINGS_FIELDS: &[Field] = &[
    Field {
        name: "seed",
        label: text!("field.seed"),
        value: ValueType::Integer { min: 0, max: MAX_SEED as i64 },
        presence: Presence::Default(Literal::Integer(42)),
    },
    Field {
        name: "warm_up",
        label: text!("field.warm-up"),
        value: ValueType::Quantity { dimension: Dimension::Time, min: 0, max: MAX_WARM_UP.0 },
        presence: Presence::Default(Literal::Text("0 s")),
    },
    Field {
        name: "duration",
        label: text!("field.duration"),
        value: ValueType::Quantity { dimension: Dimension::Time, min: 1_000_000, max: MAX_DURATION.0 },
        presence: Presence::Default(Literal::Text("5 s")),
    },
    Field {
        name: "broker",
        label: text!("field.broker"),
        value: ValueType::Text { min_chars: 1, max_chars: MAX_BROKER_CHARS, multiline: false },
        presence: Presence::Default(Literal::Text(Broker::BUILT_IN)),
    },
    Field {
        name: "kafka",
        label: text!("field.kafka-broker"),
        value: ValueType::Text { min_chars: 1, max_chars: MAX_BROKER_CHARS, multiline: false },
        presence: Presence::Default(Literal::Text(Broker::BUILT_IN)),
    },
    Field {
        name: "placement",
        label: text!("field.placement"),
        value: ValueType::Choice {
            options: &[
                ChoiceOption { id: Placement::Tasks.as_str(), label: text!("placement.tasks") },
                ChoiceOption { id: Placement::Processes.as_str(), label: text!("placement.processes") },
            ],
        },
        presence: Presence::Default(Literal::Text(Placement::Tasks.as_str())),
    },
    Field {
        name: "ports",
        label: text!("field.ports"),
        value: ValueType::Text { min_chars: 0, max_chars: MAX_PORTS_CHARS, multiline: false },
        presence: Presence::Default(Literal::Text("")),
    },
];

/// Whether a text may be an id: 1 to [`MAX_ID_CHARS`] ASCII letters, digits, `-` and `_`.
#[must_use]
pub fn is_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=MAX_ID_CHARS).contains(&text.len()) && text.bytes().all(allowed)
}

/// The kind that a node of a document names, if it is known.
#[must_use]
pub fn kind_of(node: &Value) -> Option<Kind> {
    Kind::find(node.get("kind")?.as_str()?)
}

/// The protocol that a link of a document names, if it is known.
#[must_use]
pub fn protocol_of(link: &Value) -> Option<Protocol> {
    Protocol::find(link.get("protocol")?.as_str()?)
}

/// Writes out everything that a document leaves to defaults; what is there stays as it is, valid or not.
pub fn complete(document: &mut Value) {
    let Value::Object(root) = document else {
        return;
    };
    fields::complete(SCENARIO_FIELDS, root);
    for list in ["nodes", "links", "checks"] {
        root.entry(list).or_insert_with(|| Value::Array(Vec::new()));
    }
    for_each_object(root, "nodes", |node, kind| {
        if let Some(kind) = kind.and_then(Kind::find) {
            fields::complete(kind.descriptor().fields, node);
        }
    });
    let kinds = kinds(root);
    for_each_object(root, "links", |link, protocol| {
        if let Some(protocol) = protocol.and_then(Protocol::find) {
            fields::complete(options_of(protocol, link, &kinds), link);
        }
    });
}

/// The kinds of nodes by their ids, where both are known.
fn kinds(root: &Map<String, Value>) -> Vec<(String, Kind)> {
    let nodes = root.get("nodes").and_then(Value::as_array).into_iter().flatten();
    nodes.filter_map(|node| Some((node.get("id")?.as_str()?.to_owned(), kind_of(node)?))).collect()
}

/// The fields that a link may have beside those of every link, by its ends.
fn options_of(protocol: Protocol, link: &Map<String, Value>, kinds: &[(String, Kind)]) -> &'static [Field] {
    let end = |name: &str| {
        let end = link.get(name).and_then(Value::as_str)?;
        kinds.iter().find(|(id, _)| id == end).map(|(_, kind)| *kind)
    };
    // Whatever an end is that names nothing, it keeps no messages.
    let other = Kind::Client;
    protocol.options_between(end("from").unwrap_or(other), end("to").unwrap_or(other))
}

/// Calls `change` on every object of a list, with the text of its `kind` or `protocol`.
fn for_each_object(root: &mut Map<String, Value>, list: &str, change: impl Fn(&mut Map<String, Value>, Option<&str>)) {
    let tag = if list == "nodes" { "kind" } else { "protocol" };
    let Some(Value::Array(items)) = root.get_mut(list) else {
        return;
    };
    for item in items {
        if let Value::Object(object) = item {
            let chosen = object.get(tag).and_then(Value::as_str).map(str::to_owned);
            change(object, chosen.as_deref());
        }
    }
}

/// A valid document in its canonical form, as its model would be written.
#[must_use]
pub fn canonical(document: &Value) -> Value {
    let mut document = document.clone();
    complete(&mut document);
    let Value::Object(root) = &document else { return document };
    let mut canonical = fields::canonical(&["format", "version"], &[SCENARIO_FIELDS], root);
    let kinds = kinds(root);
    for list in ["nodes", "links", "checks"] {
        let items = root.get(list).and_then(Value::as_array).into_iter().flatten();
        canonical[list] = items.map(|item| canonical_element(item, &kinds)).collect();
    }
    if let Some(Value::Array(items)) = root.get("disturbances").filter(|list| list != &&Value::Array(Vec::new())) {
        canonical["disturbances"] = items.iter().map(|item| canonical_element(item, &kinds)).collect();
    }
    canonical
}

/// A node, a link, a check or a disturbance; which, its tag says.
fn canonical_element(element: &Value, kinds: &[(String, Kind)]) -> Value {
    let Value::Object(object) = element else { return element.clone() };
    if metric_of(element).is_some() {
        return fields::canonical_option(CHECK_TAG, METRICS, object);
    }
    if action_of(element).is_some() {
        return fields::canonical_option(DISTURBANCE_TAG, DISTURBANCES, object);
    }
    let (own, tag, special) = match (kind_of(element), protocol_of(element)) {
        (Some(kind), _) => (NODE_FIELDS, "kind", kind.descriptor().fields),
        (None, Some(protocol)) => (LINK_FIELDS, "protocol", options_of(protocol, object, kinds)),
        (None, None) => return element.clone(),
    };
    let mut canonical = fields::canonical(&[], &[own], object);
    if let (Value::Object(canonical), Value::Object(special)) =
        (&mut canonical, fields::canonical(&[tag], &[special], object))
    {
        canonical.extend(special);
    }
    canonical
}
