//! The topic: it keeps records in partitions, in each by the order of their coming, for every group that reads them.

use super::{Kind, KindDescriptor};
use crate::fields::{Field, Literal, Presence, ValueType};
use crate::text;

/// Most partitions: each has a place of its own for every group that reads the topic.
const MAX_PARTITIONS: i64 = 64;

/// The topic's descriptor.
pub(super) static DESCRIPTOR: KindDescriptor = KindDescriptor {
    kind: Kind::Topic,
    id: "topic",
    label: text!("kind.topic"),
    inline: text!("kind.topic.inline"),
    palette: text!("palette.messaging"),
    note: text!("kind.topic.note"),
    starts_traffic: false,
    fields: &[Field {
        name: "partitions",
        label: text!("field.topic.partitions"),
        value: ValueType::Integer { min: 1, max: MAX_PARTITIONS },
        presence: Presence::Default(Literal::Integer(3)),
    }],
};
