//! Thrift: a call, or a message that nobody answers, over a loopback socket.

use super::calls::{RETRY, TIMEOUT, TO_SERVICES};
use super::network::NETWORK;
use super::{MODE as MODE_NAME, ONEWAY, Protocol, ProtocolDescriptor, Stroke, Style};
use crate::fields::{ChoiceOption, Field, Literal, Presence, ValueType};
use crate::text;

static OPTIONS: &[Field] = &[FRAMING, ENCODING, MODE, TIMEOUT, RETRY, NETWORK];

/// The descriptor of Thrift.
pub(super) static DESCRIPTOR: ProtocolDescriptor = ProtocolDescriptor {
    protocol: Protocol::Thrift,
    id: "thrift",
    label: text!("protocol.thrift"),
    note: text!("protocol.thrift.note"),
    verb: text!("protocol.thrift.verb"),
    style: Style::Sync,
    connects: TO_SERVICES,
    options: OPTIONS,
    outside: OPTIONS,
    taking: &[],
    routed: &[],
    binding: &[],
    hue: "thrift",
    stroke: Stroke::Solid,
    socket: true,
};

const FRAMING: Field = Field {
    name: "framing",
    label: text!("field.thrift.framing"),
    value: ValueType::Choice {
        options: &[
            ChoiceOption { id: "header", label: text!("framing.header") },
            ChoiceOption { id: "framed", label: text!("framing.framed") },
            ChoiceOption { id: "buffered", label: text!("framing.buffered") },
        ],
    },
    presence: Presence::Default(Literal::Text("header")),
};

const ENCODING: Field = Field {
    name: "encoding",
    label: text!("field.thrift.encoding"),
    value: ValueType::Choice {
        options: &[
            ChoiceOption { id: "binary", label: text!("encoding.binary") },
            ChoiceOption { id: "compact", label: text!("encoding.compact") },
        ],
    },
    presence: Presence::Default(Literal::Text("binary")),
};

const MODE: Field = Field {
    name: MODE_NAME,
    label: text!("field.thrift.mode"),
    value: ValueType::Choice {
        options: &[
            ChoiceOption { id: "call", label: text!("mode.call") },
            ChoiceOption { id: ONEWAY, label: text!("mode.oneway") },
        ],
    },
    presence: Presence::Default(Literal::Text("call")),
};
