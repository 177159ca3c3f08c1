//! The topic: it keeps records in partitions, in each by the order of their coming, for every group that reads them.

use super::{Kind, KindDescriptor};
use crate::fields::{ChoiceOption, Field, Literal, Presence, ValueType};
use crate::quantity::Dimension;
use crate::text;

/// Most partitions: each has a place of its own for every group that reads the topic.
const MAX_PARTITIONS: i64 = 64;
/// Shortest time that records are kept for: a broker removes whole segments, and looks for them from time to time.
const MIN_RETENTION_NS: u64 = 1_000_000_000;
/// Longest: a day.
const MAX_RETENTION_NS: u64 = 86_400_000_000_000;

/// The topic's descriptor.
pub(super) static DESCRIPTOR: KindDescriptor = KindDescriptor {
    kind: Kind::Topic,
    id: "topic",
    label: text!("kind.topic"),
    inline: text!("kind.topic.inline"),
    palette: text!("palette.messaging"),
    note: text!("kind.topic.note"),
    starts_traffic: false,
    fields: &[
        Field {
            name: "partitions",
            label: text!("field.topic.partitions"),
            value: ValueType::Integer { min: 1, max: MAX_PARTITIONS },
            presence: Presence::Default(Literal::Integer(3)),
        },
        Field {
            name: "retention",
            label: text!("field.topic.retention"),
            value: ValueType::Quantity { dimension: Dimension::Time, min: MIN_RETENTION_NS, max: MAX_RETENTION_NS },
            presence: Presence::Optional,
        },
        Field {
            name: "compaction",
            label: text!("field.topic.compaction"),
            value: ValueType::Choice {
                options: &[
                    ChoiceOption { id: "off", label: text!("compaction.off") },
                    ChoiceOption { id: "on", label: text!("compaction.on") },
                ],
            },
            presence: Presence::Default(Literal::Text("off")),
        },
    ],
};
