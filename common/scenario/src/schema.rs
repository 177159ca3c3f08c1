//! The published JSON Schema of a scenario, made from the descriptors.
//!
//! It says what one element alone may hold; what elements mean together (ids that must exist, circles, directions) only
//! [`crate::validate`] can say. The committed `docs/scenario.schema.json` is compared with this by a test.

use serde_json::{Map, Value, json};

use crate::catalogue::{Args, Key, Language, plain};
use crate::checks::{CHECK_TAG, MAX_CHECKS, METRICS};
use crate::disturb::{DISTURBANCE_TAG, DISTURBANCES, MAX_DISTURBANCES};
use crate::fields::{Field, ValueType, VariantOption};
use crate::kinds::KINDS;
use crate::model::{FORMAT, VERSION};
use crate::protocol::PROTOCOLS;
use crate::quantity::Dimension;
use crate::shape::{LINK_FIELDS, MAX_LINKS, MAX_NODES, NODE_FIELDS, SCENARIO_FIELDS};
use crate::steps::{STEP_TAG, STEPS};

#[cfg(test)]
mod tests;

/// The schema (JSON Schema, draft 2020-12).
#[must_use]
pub fn scenario_schema() -> Value {
    let nodes = KINDS.iter().map(|kind| element("kind", kind.id, kind.note, NODE_FIELDS.iter().chain(kind.fields)));
    let links = PROTOCOLS
        .iter()
        .map(|protocol| element("protocol", protocol.id, protocol.note, LINK_FIELDS.iter().chain(protocol.fields())));
    let mut root =
        object(SCENARIO_FIELDS, &[("format", json!({"const": FORMAT})), ("version", json!({"const": VERSION}))]);
    if let Some(properties) = root.get_mut("properties").and_then(Value::as_object_mut) {
        let list = |most: usize, item: &str| json!({"type": "array", "maxItems": most, "items": {"$ref": item}});
        properties.insert("nodes".to_owned(), list(MAX_NODES, "#/$defs/node"));
        properties.insert("links".to_owned(), list(MAX_LINKS, "#/$defs/link"));
        properties.insert("checks".to_owned(), list(MAX_CHECKS, "#/$defs/check"));
        properties.insert("disturbances".to_owned(), list(MAX_DISTURBANCES, "#/$defs/disturbance"));
    }
    if let Some(required) = root.get_mut("required").and_then(Value::as_array_mut) {
        required.extend([Value::from("nodes"), Value::from("links")]);
    }
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!("Hopscope scenario"));
    schema.extend(root);
    let definitions = json!({
        "id": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
        "time": quantity(Dimension::Time),
        "rate": quantity(Dimension::Rate),
        "size": quantity(Dimension::Size),
        "throughput": quantity(Dimension::Throughput),
        "step": one_of(STEP_TAG, STEPS),
        "share": quantity(Dimension::Share),
        "number": quantity(Dimension::Number),
        "check": one_of(CHECK_TAG, METRICS),
        "disturbance": one_of(DISTURBANCE_TAG, DISTURBANCES),
        "node": {"oneOf": nodes.collect::<Vec<_>>()},
        "link": {"oneOf": links.collect::<Vec<_>>()},
    });
    schema.insert("$defs".to_owned(), definitions);
    Value::Object(schema)
}

/// A node of one kind, or a link of one protocol: `tag` says which.
fn element(tag: &str, id: &str, note: Key, fields: impl IntoIterator<Item = &'static Field>) -> Value {
    let mut schema = Map::new();
    schema.insert("description".to_owned(), Value::from(english(note)));
    schema.extend(object(fields, &[(tag, json!({"const": id}))]));
    Value::Object(schema)
}

/// An object of these fields and nothing else; `fixed` are required and come first.
fn object(fields: impl IntoIterator<Item = &'static Field>, fixed: &[(&str, Value)]) -> Map<String, Value> {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, schema) in fixed {
        properties.insert((*name).to_owned(), schema.clone());
        required.push(Value::from(*name));
    }
    for field in fields {
        properties.insert(field.name.to_owned(), field_schema(field));
        if field.is_required() {
            required.push(Value::from(field.name));
        }
    }
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema.insert("required".to_owned(), Value::Array(required));
    schema.insert("additionalProperties".to_owned(), Value::Bool(false));
    schema
}

fn field_schema(field: &Field) -> Value {
    let mut schema = Map::new();
    schema.insert("title".to_owned(), Value::from(english(field.label)));
    let shape = match &field.value {
        ValueType::Integer { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
        ValueType::Quantity { dimension, min, max } => json!({
            "$ref": format!("#/$defs/{}", definition(*dimension)),
            "description": format!("{} to {}", dimension.print(*min), dimension.print(*max)),
        }),
        ValueType::Text { min_chars, max_chars, .. } => {
            json!({"type": "string", "minLength": min_chars, "maxLength": max_chars})
        }
        ValueType::Id => json!({"$ref": "#/$defs/id"}),
        ValueType::Choice { options } => {
            json!({"enum": options.iter().map(|option| option.id).collect::<Vec<_>>()})
        }
        ValueType::Node { kind } => {
            let kind = english(kind.descriptor().inline);
            json!({"$ref": "#/$defs/id", "description": format!("the id of a {kind}")})
        }
        ValueType::Group { fields } => Value::Object(object(*fields, &[])),
        ValueType::List { fields, min, max } => {
            json!({"type": "array", "minItems": min, "maxItems": max, "items": object(*fields, &[])})
        }
        ValueType::Steps => json!({"type": "array", "items": {"$ref": "#/$defs/step"}}),
        ValueType::Variant { tag, options } => one_of(tag, options),
    };
    if let Value::Object(shape) = shape {
        schema.extend(shape);
    }
    if let (false, Some(default)) = (field.is_required(), field.default_value()) {
        schema.insert("default".to_owned(), default);
    }
    Value::Object(schema)
}

fn one_of(tag: &str, options: &[VariantOption]) -> Value {
    let options = options.iter().map(|option| object(option.fields, &[(tag, json!({"const": option.id}))]));
    json!({"oneOf": options.collect::<Vec<_>>()})
}

fn definition(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Time => "time",
        Dimension::Rate => "rate",
        Dimension::Size => "size",
        Dimension::Throughput => "throughput",
        Dimension::Share => "share",
        Dimension::Number => "number",
    }
}

fn quantity(dimension: Dimension) -> Value {
    let units: Vec<_> = dimension.spellings().collect();
    let description = match dimension {
        Dimension::Number => "a plain number, with at most three decimals".to_owned(),
        _ => format!("a plain number and a unit: {}", dimension.allowed()),
    };
    json!({
        "type": "string",
        "description": description,
        "pattern": format!("^\\s*[0-9]+(\\.[0-9]+)?\\s*({})\\s*$", units.join("|")),
    })
}

fn english(key: Key) -> String {
    plain(Language::English, key, &Args::new())
}
