//! In-process: a direct call, the baseline of one program.

use super::calls::CALL_OPTIONS;
use super::{Protocol, ProtocolDescriptor, Stroke, Style};
use crate::kinds::Kind;
use crate::text;

/// The descriptor of the direct call.
pub(super) static DESCRIPTOR: ProtocolDescriptor = ProtocolDescriptor {
    protocol: Protocol::InProcess,
    id: "in-process",
    label: text!("protocol.in-process"),
    note: text!("protocol.in-process.note"),
    verb: text!("protocol.in-process.verb"),
    style: Style::Sync,
    connects: &[(Kind::Client, Kind::Service), (Kind::Service, Kind::Service)],
    options: CALL_OPTIONS,
    outside: &[],
    taking: &[],
    routed: &[],
    binding: &[],
    hue: "in-process",
    stroke: Stroke::Dotted,
    socket: false,
};
