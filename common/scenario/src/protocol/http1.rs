//! HTTP/1.1: a call over a loopback socket.

use super::calls::SOCKET_CALL_OPTIONS;
use super::{Protocol, ProtocolDescriptor, Stroke, Style};
use crate::kinds::Kind;
use crate::text;

/// The descriptor of HTTP/1.1.
pub(super) static DESCRIPTOR: ProtocolDescriptor = ProtocolDescriptor {
    protocol: Protocol::Http1,
    id: "http1",
    label: text!("protocol.http1"),
    note: text!("protocol.http1.note"),
    verb: text!("protocol.http1.verb"),
    style: Style::Sync,
    connects: &[(Kind::Client, Kind::Service), (Kind::Service, Kind::Service)],
    options: SOCKET_CALL_OPTIONS,
    taking: &[],
    routed: &[],
    binding: &[],
    hue: "http",
    stroke: Stroke::Solid,
    socket: true,
};
