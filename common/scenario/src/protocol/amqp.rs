//! AMQP 0-9-1: messages through queues of a broker.

use super::calls::{RETRY, TIMEOUT};
use super::network::NETWORK;
use super::{Protocol, ProtocolDescriptor, Stroke, Style};
use crate::fields::{Field, Presence, ValueType};
use crate::kinds::Kind;
use crate::text;

/// The descriptor of AMQP 0-9-1.
pub(super) static DESCRIPTOR: ProtocolDescriptor = ProtocolDescriptor {
    protocol: Protocol::Amqp,
    id: "amqp",
    label: text!("protocol.amqp"),
    note: text!("protocol.amqp.note"),
    verb: text!("protocol.amqp.verb"),
    style: Style::Async,
    connects: &[(Kind::Client, Kind::Queue), (Kind::Service, Kind::Queue), (Kind::Queue, Kind::Service)],
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
    taking: &[NETWORK],
    hue: "amqp",
    stroke: Stroke::Dashed,
    socket: true,
};
