//! HTTP/1.1: a call over a loopback socket.

use super::calls::{ADDRESS, PATH, RETRY, SOCKET_CALL_OPTIONS, TIMEOUT, TO_SERVICES};
use super::network::NETWORK;
use super::{Protocol, ProtocolDescriptor, Stroke, Style};
use crate::fields::{Field, Literal, Presence};
use crate::text;

/// The descriptor of HTTP/1.1.
pub(super) static DESCRIPTOR: ProtocolDescriptor = ProtocolDescriptor {
    protocol: Protocol::Http1,
    id: "http1",
    label: text!("protocol.http1"),
    note: text!("protocol.http1.note"),
    verb: text!("protocol.http1.verb"),
    style: Style::Sync,
    connects: TO_SERVICES,
    options: SOCKET_CALL_OPTIONS,
    outside: &[
        Field {
            name: PATH,
            label: text!("field.path"),
            value: ADDRESS,
            presence: Presence::Default(Literal::Text("/")),
        },
        TIMEOUT,
        RETRY,
        NETWORK,
    ],
    taking: &[],
    routed: &[],
    binding: &[],
    hue: "http",
    stroke: Stroke::Solid,
    socket: true,
};
