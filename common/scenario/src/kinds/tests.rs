use serde_json::json;

use super::*;
use crate::fields::{Field, Literal, Presence, ValueType};
use crate::model::Node;

#[test]
fn every_kind_is_listed_once_and_found_by_its_id() {
    for descriptor in KINDS {
        assert!(std::ptr::eq(descriptor.kind.descriptor(), *descriptor));
        assert_eq!(Kind::find(descriptor.id), Some(descriptor.kind));
        assert_eq!(serde_json::to_value(descriptor.kind).unwrap(), descriptor.id);
        let same = KINDS.iter().filter(|other| other.id == descriptor.id);
        assert_eq!(same.count(), 1);
    }
    assert_eq!(Kind::find("mainframe"), None);
}

#[test]
fn a_new_node_of_every_kind_reads_and_prints_back() {
    for descriptor in KINDS {
        let value = descriptor.new_node("n1", "one", 10, -20);
        let node: Node = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(node.kind.kind(), descriptor.kind);
        assert_eq!(
            serde_json::to_string(&node).unwrap(),
            serde_json::to_string(&value).unwrap(),
            "the descriptor and the model differ in order or defaults"
        );
    }
}

#[test]
fn the_defaults_of_new_nodes() {
    assert_eq!(
        Kind::Client.descriptor().new_node("n1", "buyers", 0, 0),
        json!({"id": "n1", "name": "buyers", "x": 0, "y": 0, "kind": "client",
            "load": {"kind": "poisson", "rate": "20/s", "in_flight": 1000}, "payload": {"bytes": "256 B", "content": "binary"}})
    );
    assert_eq!(
        Kind::Service.descriptor().new_node("n2", "shop", 0, 0),
        json!({"id": "n2", "name": "shop", "x": 0, "y": 0, "kind": "service",
            "replicas": 1, "workers": 1, "work": {"distribution": "exponential", "mean": "40 ms"}, "effort": "waiting",
            "failure": "0 %"})
    );
}

fn check_default(field: &Field) {
    match &field.value {
        ValueType::Group { fields } => fields.iter().for_each(check_default),
        ValueType::Variant { options, .. } => {
            assert!(!options.is_empty(), "{}", field.name);
            for option in *options {
                option.fields.iter().for_each(check_default);
            }
        }
        ValueType::Integer { min, max } => {
            if let Some(value) = field.default_value() {
                let number = value.as_i64().unwrap();
                assert!((*min..=*max).contains(&number), "{}", field.name);
            }
        }
        ValueType::Quantity { dimension, min, max } => {
            if let Some(value) = field.default_value() {
                let text = value.as_str().unwrap();
                let base = dimension.parse(text).unwrap();
                assert!((*min..=*max).contains(&base), "{}", field.name);
                assert_eq!(dimension.print(base), text, "not the canonical spelling");
            }
        }
        ValueType::List { fields, min, max } => {
            assert!(min <= max, "{}", field.name);
            fields.iter().for_each(check_default);
        }
        ValueType::Id | ValueType::Node { .. } | ValueType::Steps => {}
        ValueType::Choice { options } => {
            if let Some(value) = field.default_value() {
                assert!(options.iter().any(|option| value == option.id), "{}", field.name);
            }
        }
        ValueType::Text { min_chars, .. } => {
            if let Presence::Default(Literal::Text(text)) = field.presence {
                assert!(text.len() >= *min_chars, "{}", field.name);
            }
        }
    }
}

fn options_agree(field: &Field) {
    if let ValueType::Variant { options, .. } = &field.value {
        let all: Vec<_> = options.iter().flat_map(|option| option.fields).collect();
        for one in &all {
            options_agree(one);
            for other in all.iter().filter(|other| other.name == one.name) {
                let (one, other) = (&one.value, &other.value);
                let same = match (one, other) {
                    (ValueType::Quantity { dimension: a, .. }, ValueType::Quantity { dimension: b, .. }) => a == b,
                    _ => std::mem::discriminant(one) == std::mem::discriminant(other),
                };
                assert!(same, "{}: what one option holds cannot be taken over by another", field.name);
            }
        }
    }
}

#[test]
fn a_field_that_two_options_have_is_of_one_type() {
    for descriptor in KINDS {
        descriptor.fields.iter().for_each(options_agree);
    }
}

#[test]
fn every_default_is_within_its_own_range() {
    for descriptor in KINDS {
        descriptor.fields.iter().for_each(check_default);
    }
}
