//! The service: it receives requests, works, calls its outgoing links in order, and replies.

use super::{Kind, KindDescriptor};
use crate::fields::{Field, Literal, Presence, ValueType, VariantOption};
use crate::quantity::Dimension;
use crate::text;

/// Longest work of one request: one hour.
const MAX_WORK_NS: u64 = 3_600_000_000_000;

static MEAN: &[Field] = &[Field {
    name: "mean",
    label: text!("field.work.mean"),
    value: ValueType::Quantity { dimension: Dimension::Time, min: 0, max: MAX_WORK_NS },
    presence: Presence::RequiredWith(Literal::Text("40 ms")),
}];

/// How long work may take.
pub(crate) static WORKS: &[VariantOption] = &[
    // The first is what a new service gets.
    VariantOption { id: "exponential", label: text!("work.exponential"), fields: MEAN },
    VariantOption { id: "constant", label: text!("work.constant"), fields: MEAN },
];

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
            name: "work",
            label: text!("field.work"),
            value: ValueType::Variant { tag: "distribution", options: WORKS },
            presence: Presence::RequiredWith(Literal::Nested),
        },
        Field { name: "body", label: text!("field.body"), value: ValueType::Steps, presence: Presence::Optional },
    ],
};
