//! The service: it receives requests, works, calls its outgoing links in order, and replies.

use super::work::WORKS;
use super::{Kind, KindDescriptor};
use crate::fields::{ChoiceOption, Field, Literal, Presence, ValueType};
use crate::quantity::Dimension;
use crate::text;

/// Largest waiting room that may be asked for.
const MAX_ROOM: i64 = 1_000_000;

/// A probability of one, in millionths.
const CERTAIN: u64 = 1_000_000;

/// The service's descriptor.
pub(super) static DESCRIPTOR: KindDescriptor = KindDescriptor {
    kind: Kind::Service,
    id: "service",
    label: text!("kind.service"),
    inline: text!("kind.service.inline"),
    palette: text!("palette.services"),
    note: text!("kind.service.note"),
    starts_traffic: false,
    fields: &[
        Field {
            name: "replicas",
            label: text!("field.replicas"),
            value: ValueType::Integer { min: 1, max: 64 },
            presence: Presence::Default(Literal::Integer(1)),
        },
        Field {
            name: "workers",
            label: text!("field.workers"),
            value: ValueType::Integer { min: 1, max: 1_024 },
            presence: Presence::Default(Literal::Integer(1)),
        },
        Field {
            name: "room",
            label: text!("field.room"),
            value: ValueType::Integer { min: 0, max: MAX_ROOM },
            presence: Presence::Optional,
        },
        Field {
            name: "work",
            label: text!("field.work"),
            value: ValueType::Variant { tag: "distribution", options: WORKS },
            presence: Presence::RequiredWith(Literal::Nested),
        },
        Field {
            name: "effort",
            label: text!("field.effort"),
            value: ValueType::Choice {
                options: &[
                    ChoiceOption { id: "waiting", label: text!("effort.waiting") },
                    ChoiceOption { id: "burning", label: text!("effort.burning") },
                ],
            },
            presence: Presence::Default(Literal::Text("waiting")),
        },
        Field {
            name: "failure",
            label: text!("field.failure"),
            value: ValueType::Quantity { dimension: Dimension::Share, min: 0, max: CERTAIN },
            presence: Presence::Default(Literal::Text("0 %")),
        },
        Field { name: "body", label: text!("field.body"), value: ValueType::Steps, presence: Presence::Optional },
    ],
};
