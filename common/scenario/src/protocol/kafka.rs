//! Kafka: records through topics of a broker, read by groups.

use serde_json::{Map, Value};

use super::calls::{RETRY, TIMEOUT};
use super::{Protocol, ProtocolDescriptor, Stroke, Style};
use crate::fields::{ChoiceOption, Field, Literal, Presence, ValueType};
use crate::kinds::Kind;
use crate::quantity::Dimension;
use crate::text;

/// What a group is called that is not called as the service that reads.
pub const GROUP: &str = "group";

/// The option that says when a member commits, and what it says where it does so together with what it has published.
const COMMITS: &str = "commit";
const TRANSACTION: &str = "transaction";

/// Whether a link reads in transactions.
#[must_use]
pub fn is_in_transactions(link: &Map<String, Value>) -> bool {
    link.get(COMMITS).is_some_and(|said| said == TRANSACTION)
}

/// Longest time that a record may wait for others: a second.
const MAX_LINGER_NS: u64 = 1_000_000_000;
/// Most records that a member may have at once.
const MAX_IN_FLIGHT: i64 = 10_000;

/// The descriptor of Kafka.
pub(super) static DESCRIPTOR: ProtocolDescriptor = ProtocolDescriptor {
    protocol: Protocol::Kafka,
    id: "kafka",
    label: text!("protocol.kafka"),
    note: text!("protocol.kafka.note"),
    verb: text!("protocol.kafka.verb"),
    style: Style::Async,
    connects: &[(Kind::Client, Kind::Topic), (Kind::Service, Kind::Topic), (Kind::Topic, Kind::Service)],
    options: &[ACKS, IDEMPOTENCE, PARTITIONER, LINGER, COMPRESSION, TIMEOUT, RETRY],
    outside: &[],
    taking: &[NAMED, COMMIT, IN_FLIGHT],
    routed: &[],
    binding: &[],
    hue: "kafka",
    stroke: Stroke::Dashed,
    socket: true,
};

const ACKS: Field = Field {
    name: "acks",
    label: text!("field.kafka.acks"),
    value: ValueType::Choice {
        options: &[
            ChoiceOption { id: "all", label: text!("acks.all") },
            ChoiceOption { id: "leader", label: text!("acks.leader") },
        ],
    },
    presence: Presence::Default(Literal::Text("all")),
};

const IDEMPOTENCE: Field = Field {
    name: "idempotence",
    label: text!("field.kafka.idempotence"),
    value: ValueType::Choice {
        options: &[
            ChoiceOption { id: "off", label: text!("idempotence.off") },
            ChoiceOption { id: "on", label: text!("idempotence.on") },
        ],
    },
    presence: Presence::Default(Literal::Text("off")),
};

const PARTITIONER: Field = Field {
    name: "partitioner",
    label: text!("field.kafka.partitioner"),
    value: ValueType::Choice {
        options: &[
            ChoiceOption { id: "key", label: text!("partitioner.key") },
            ChoiceOption { id: "round-robin", label: text!("partitioner.round-robin") },
        ],
    },
    presence: Presence::Default(Literal::Text("key")),
};

const LINGER: Field = Field {
    name: "linger",
    label: text!("field.kafka.linger"),
    value: ValueType::Quantity { dimension: Dimension::Time, min: 0, max: MAX_LINGER_NS },
    presence: Presence::Default(Literal::Text("0 s")),
};

const COMPRESSION: Field = Field {
    name: "compression",
    label: text!("field.kafka.compression"),
    value: ValueType::Choice {
        options: &[
            ChoiceOption { id: "none", label: text!("compression.none") },
            ChoiceOption { id: "lz4", label: text!("compression.lz4") },
            ChoiceOption { id: "snappy", label: text!("compression.snappy") },
        ],
    },
    presence: Presence::Default(Literal::Text("none")),
};

const NAMED: Field = Field {
    name: GROUP,
    label: text!("field.kafka.group"),
    value: ValueType::Text { min_chars: 1, max_chars: 100, multiline: false },
    presence: Presence::Optional,
};

const COMMIT: Field = Field {
    name: COMMITS,
    label: text!("field.kafka.commit"),
    value: ValueType::Choice {
        options: &[
            ChoiceOption { id: "after-work", label: text!("commit.after-work") },
            ChoiceOption { id: "automatic", label: text!("commit.automatic") },
            ChoiceOption { id: TRANSACTION, label: text!("commit.transaction") },
        ],
    },
    presence: Presence::Default(Literal::Text("after-work")),
};

const IN_FLIGHT: Field = Field {
    name: "in_flight",
    label: text!("field.kafka.in-flight"),
    value: ValueType::Integer { min: 1, max: MAX_IN_FLIGHT },
    presence: Presence::Default(Literal::Integer(1)),
};
