//! The queue: it keeps messages until a consumer takes them, first in, first out.

use super::{Kind, KindDescriptor};
use crate::fields::{ChoiceOption, Field, Literal, Presence, ValueType};
use crate::text;

/// Longest queue that may be asked for. A queue's length in an event has 27 bits; this is less.
const MAX_CAPACITY: i64 = 10_000_000;
/// Greatest prefetch: AMQP 0-9-1 carries it in 16 bits (section 1.8, basic.qos), and 0 means no limit there.
const MAX_PREFETCH: i64 = 65_535;

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
