//! The exchange: it keeps nothing, and hands each message on to the queues that are bound to it for such.

use super::{Kind, KindDescriptor};
use crate::fields::{ChoiceOption, Field, Literal, Presence, ValueType};
use crate::text;

/// The exchange's descriptor.
pub(super) static DESCRIPTOR: KindDescriptor = KindDescriptor {
    kind: Kind::Exchange,
    id: "exchange",
    label: text!("kind.exchange"),
    inline: text!("kind.exchange.inline"),
    palette: text!("palette.messaging"),
    note: text!("kind.exchange.note"),
    starts_traffic: false,
    fields: &[
        Field {
            name: "type",
            label: text!("field.exchange.type"),
            value: ValueType::Choice {
                options: &[
                    ChoiceOption { id: "topic", label: text!("exchange.topic") },
                    ChoiceOption { id: "direct", label: text!("exchange.direct") },
                    ChoiceOption { id: "fanout", label: text!("exchange.fanout") },
                    ChoiceOption { id: "headers", label: text!("exchange.headers") },
                ],
            },
            presence: Presence::Default(Literal::Text("topic")),
        },
        Field {
            name: "alternate",
            label: text!("field.exchange.alternate"),
            value: ValueType::Node { kind: Kind::Exchange },
            presence: Presence::Optional,
        },
    ],
};
