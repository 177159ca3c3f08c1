//! AMQP 0-9-1: messages through queues of a broker.

use super::calls::{RETRY, TIMEOUT};
use super::network::NETWORK;
use super::{Protocol, ProtocolDescriptor, Stroke, Style};
use crate::fields::{ChoiceOption, Field, Presence, ValueType};
use crate::kinds::Kind;
use crate::text;

/// A link's own fields at an exchange.
pub(crate) const ROUTING_KEY: &str = "routing_key";
pub(crate) const BINDING_KEY: &str = "binding_key";
pub(crate) const HEADERS: &str = "headers";
pub(crate) const MATCH: &str = "match";
/// The choice of [`MATCH`] by which one header is enough.
pub(crate) const ANY: &str = "any";

/// A key has at most 255 bytes (AMQP 0-9-1, shortstr); of characters outside ASCII validation counts the bytes.
const KEY: ValueType = ValueType::Text { min_chars: 0, max_chars: 255, multiline: false };
/// `name=value, name=value`.
const NAMED: ValueType = ValueType::Text { min_chars: 0, max_chars: 1_000, multiline: false };

/// The descriptor of AMQP 0-9-1.
pub(super) static DESCRIPTOR: ProtocolDescriptor = ProtocolDescriptor {
    protocol: Protocol::Amqp,
    id: "amqp",
    label: text!("protocol.amqp"),
    note: text!("protocol.amqp.note"),
    verb: text!("protocol.amqp.verb"),
    style: Style::Async,
    connects: &[
        (Kind::Client, Kind::Queue),
        (Kind::Service, Kind::Queue),
        (Kind::Queue, Kind::Service),
        (Kind::Client, Kind::Exchange),
        (Kind::Service, Kind::Exchange),
        (Kind::Exchange, Kind::Queue),
    ],
    options: &[
        TIMEOUT,
        RETRY,
        Field {
            name: "replies",
            label: text!("field.replies"),
            value: ValueType::Node { kind: Kind::Queue },
            presence: Presence::Optional,
        },
        NETWORK,
    ],
    outside: &[],
    taking: &[NETWORK],
    routed: &[
        Field { name: ROUTING_KEY, label: text!("field.routing-key"), value: KEY, presence: Presence::Optional },
        Field { name: HEADERS, label: text!("field.headers"), value: NAMED, presence: Presence::Optional },
        TIMEOUT,
        RETRY,
        NETWORK,
    ],
    binding: &[
        Field { name: BINDING_KEY, label: text!("field.binding-key"), value: KEY, presence: Presence::Optional },
        Field { name: HEADERS, label: text!("field.headers"), value: NAMED, presence: Presence::Optional },
        Field {
            name: MATCH,
            label: text!("field.match"),
            value: ValueType::Choice {
                options: &[
                    ChoiceOption { id: "all", label: text!("match.all") },
                    ChoiceOption { id: ANY, label: text!("match.any") },
                ],
            },
            presence: Presence::Optional,
        },
    ],
    hue: "amqp",
    stroke: Stroke::Dashed,
    socket: true,
};
