//! gRPC: a unary call over HTTP/2 and a loopback socket.

use super::calls::SOCKET_CALL_OPTIONS;
use super::{Protocol, ProtocolDescriptor, Stroke, Style};
use crate::kinds::Kind;
use crate::text;

/// The descriptor of gRPC.
pub(super) static DESCRIPTOR: ProtocolDescriptor = ProtocolDescriptor {
    protocol: Protocol::Grpc,
    id: "grpc",
    label: text!("protocol.grpc"),
    note: text!("protocol.grpc.note"),
    verb: text!("protocol.grpc.verb"),
    style: Style::Sync,
    connects: &[(Kind::Client, Kind::Service), (Kind::Service, Kind::Service)],
    options: SOCKET_CALL_OPTIONS,
    taking: &[],
    routed: &[],
    binding: &[],
    hue: "grpc",
    stroke: Stroke::Solid,
    socket: true,
};
