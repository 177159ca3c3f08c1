//! The queue: it keeps messages until a consumer takes them, first in, first out, within the limits that it has.

use super::{Kind, KindDescriptor};
use crate::fields::{ChoiceOption, Field, Literal, Presence, ValueType};
use crate::quantity::Dimension;
use crate::text;

/// Longest queue that may be asked for. A queue's length in an event has 27 bits; this is less.
const MAX_CAPACITY: i64 = 10_000_000;
/// Greatest prefetch: AMQP 0-9-1 carries it in 16 bits (section 1.8, basic.qos), and 0 means no limit there.
const MAX_PREFETCH: i64 = 65_535;
/// Longest time that a message may be given: a day.
const MAX_TTL_NS: u64 = 86_400_000_000_000;
/// Shortest: brokers count in milliseconds.
const MIN_TTL_NS: u64 = 1_000_000;
/// Highest priority (AMQP 0-9-1, section 1.8.3.2: 0 to 9).
pub(super) const MAX_PRIORITY: i64 = 9;

/// The queue's descriptor.
pub(super) static DESCRIPTOR: KindDescriptor = KindDescriptor {
    kind: Kind::Queue,
    id: "queue",
    label: text!("kind.queue"),
    inline: text!("kind.queue.inline"),
    palette: text!("palette.messaging"),
    note: text!("kind.queue.note"),
    starts_traffic: false,
    fields: &[
        Field {
            name: "capacity",
            label: text!("field.queue.capacity"),
            value: ValueType::Integer { min: 1, max: MAX_CAPACITY },
            presence: Presence::Optional,
        },
        Field {
            name: "overflow",
            label: text!("field.queue.overflow"),
            value: ValueType::Choice {
                options: &[
                    ChoiceOption { id: "reject-publish", label: text!("overflow.reject-publish") },
                    ChoiceOption { id: "drop-head", label: text!("overflow.drop-head") },
                ],
            },
            presence: Presence::Default(Literal::Text("reject-publish")),
        },
        Field {
            name: "ttl",
            label: text!("field.queue.ttl"),
            value: ValueType::Quantity { dimension: Dimension::Time, min: MIN_TTL_NS, max: MAX_TTL_NS },
            presence: Presence::Optional,
        },
        Field {
            name: "dead_letters",
            label: text!("field.queue.dead-letters"),
            value: ValueType::Node { kind: Kind::Queue },
            presence: Presence::Optional,
        },
        Field {
            name: "priorities",
            label: text!("field.queue.priorities"),
            value: ValueType::Integer { min: 1, max: MAX_PRIORITY },
            presence: Presence::Optional,
        },
        Field {
            name: "durability",
            label: text!("field.queue.durability"),
            value: ValueType::Choice {
                options: &[
                    ChoiceOption { id: "transient", label: text!("durability.transient") },
                    ChoiceOption { id: "durable", label: text!("durability.durable") },
                    ChoiceOption { id: "quorum", label: text!("durability.quorum") },
                    ChoiceOption { id: "stream", label: text!("durability.stream") },
                ],
            },
            presence: Presence::Default(Literal::Text("transient")),
        },
        Field {
            name: "prefetch",
            label: text!("field.queue.prefetch"),
            value: ValueType::Integer { min: 1, max: MAX_PREFETCH },
            presence: Presence::Default(Literal::Integer(1)),
        },
        Field {
            name: "ack",
            label: text!("field.queue.ack"),
            value: ValueType::Choice {
                options: &[
                    ChoiceOption { id: "after-work", label: text!("ack.after-work") },
                    ChoiceOption { id: "before-work", label: text!("ack.before-work") },
                ],
            },
            presence: Presence::Default(Literal::Text("after-work")),
        },
    ],
};
