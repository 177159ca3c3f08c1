//! gRPC: a unary call over HTTP/2 and a loopback socket.

use super::calls::{ADDRESS, METHOD, RETRY, SOCKET_CALL_OPTIONS, TIMEOUT, TO_SERVICES};
use super::network::NETWORK;
use super::{Protocol, ProtocolDescriptor, Stroke, Style};
use crate::fields::{Field, Literal, Presence};
use crate::text;

/// The descriptor of gRPC.
pub(super) static DESCRIPTOR: ProtocolDescriptor = ProtocolDescriptor {
    protocol: Protocol::Grpc,
    id: "grpc",
    label: text!("protocol.grpc"),
    note: text!("protocol.grpc.note"),
    verb: text!("protocol.grpc.verb"),
    style: Style::Sync,
    connects: TO_SERVICES,
    options: SOCKET_CALL_OPTIONS,
    outside: &[
        Field {
            name: METHOD,
            label: text!("field.method"),
            value: ADDRESS,
            presence: Presence::Default(Literal::Text("/hopscope.v1.Node/Call")),
        },
        TIMEOUT,
        RETRY,
        NETWORK,
    ],
    taking: &[],
    routed: &[],
    binding: &[],
    hue: "grpc",
    stroke: Stroke::Solid,
    socket: true,
};
