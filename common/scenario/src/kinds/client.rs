//! The client: it starts traffic by a schedule.

use super::{Kind, KindDescriptor};
use crate::fields::{Field, Literal, Presence, ValueType, VariantOption};
use crate::quantity::Dimension;
use crate::text;

/// Fastest rate of one client, in millionths per second: 100,000/s.
const MAX_RATE: u64 = 100_000 * 1_000_000;
/// Slowest rate: one in 1,000 s.
const MIN_RATE: u64 = 1_000;
/// Largest body of a request.
const MAX_PAYLOAD_BYTES: u64 = 1 << 20;

static OPEN_LOAD: &[Field] = &[
    Field {
        name: "rate",
        label: text!("field.load.rate"),
        value: ValueType::Quantity { dimension: Dimension::Rate, min: MIN_RATE, max: MAX_RATE },
        presence: Presence::RequiredWith(Literal::Text("20/s")),
    },
    Field {
        name: "in_flight",
        label: text!("field.load.in-flight"),
        value: ValueType::Integer { min: 1, max: 100_000 },
        presence: Presence::Default(Literal::Integer(1_000)),
    },
    Field {
        name: "count",
        label: text!("field.load.count"),
        value: ValueType::Integer { min: 1, max: 1_000_000_000 },
        presence: Presence::Optional,
    },
];

/// The client's descriptor.
pub(super) static DESCRIPTOR: KindDescriptor = KindDescriptor {
    kind: Kind::Client,
    id: "client",
    label: text!("kind.client"),
    inline: text!("kind.client.inline"),
    palette: text!("palette.traffic"),
    note: text!("kind.client.note"),
    starts_traffic: true,
    fields: &[
        Field {
            name: "load",
            label: text!("field.load"),
            value: ValueType::Variant {
                tag: "kind",
                options: &[
                    // The first is what a new client gets: with work as scattered, waiting shows at once.
                    VariantOption { id: "poisson", label: text!("load.poisson"), fields: OPEN_LOAD },
                    VariantOption { id: "constant", label: text!("load.constant"), fields: OPEN_LOAD },
                ],
            },
            presence: Presence::RequiredWith(Literal::Nested),
        },
        Field {
            name: "payload",
            label: text!("field.payload"),
            value: ValueType::Group {
                fields: &[Field {
                    name: "bytes",
                    label: text!("field.payload.bytes"),
                    value: ValueType::Quantity { dimension: Dimension::Size, min: 0, max: MAX_PAYLOAD_BYTES },
                    presence: Presence::Default(Literal::Text("256 B")),
                }],
            },
            presence: Presence::Default(Literal::Nested),
        },
    ],
};
