//! The protocols of links, one descriptor each, and the one list of them.
//!
//! A descriptor says what may be linked and what a person sees; how bytes travel is the server's.

mod amqp;
mod calls;
mod grpc;
mod http1;
mod in_process;
mod kafka;
mod network;
mod thrift;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::catalogue::Key;
use crate::fields::Field;
use crate::kinds::Kind;

pub(crate) use amqp::{ANY, BINDING_KEY, HEADERS, MATCH, ROUTING_KEY};
pub(crate) use calls::{METHOD, PATH};
pub use kafka::{GROUP, is_in_transactions};
pub use network::{NETWORK_PRESETS, NetworkPreset};

#[cfg(test)]
mod tests;

/// The option that says whether a caller waits for a reply, and what it says where none is waited for.
pub(crate) const MODE: &str = "mode";
pub(crate) const ONEWAY: &str = "oneway";

/// A protocol of links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// A direct call in one program.
    InProcess,
    /// HTTP/1.1 over a loopback socket.
    Http1,
    /// AMQP 0-9-1: messages through queues of a broker.
    Amqp,
    /// gRPC over a loopback socket.
    Grpc,
    /// Thrift over a loopback socket.
    Thrift,
    /// Kafka: records through topics of a broker.
    Kafka,
}

/// Whether the sender waits for a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Style {
    /// A call with its reply: T1 and T2; or a message that nobody answers.
    Sync,
    /// A message that is put somewhere and taken later: L1 and L2.
    Async,
}

/// How a link is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stroke {
    /// One line.
    Solid,
    /// A dotted line: nothing crosses a socket.
    Dotted,
    /// A dashed line: the sender does not wait for the receiver.
    Dashed,
}

/// What there is to know about a protocol.
#[derive(Debug)]
pub struct ProtocolDescriptor {
    /// The protocol.
    pub protocol: Protocol,
    /// How documents write it in a link's `protocol`.
    pub id: &'static str,
    /// What a person calls it.
    pub label: Key,
    /// One sentence for the chooser and the inspector.
    pub note: Key,
    /// What a message of it says it does, for captions and Issues ("called over HTTP").
    pub verb: Key,
    /// Whether the sender waits for a reply.
    pub style: Style,
    /// The kinds it may join, as (from, to).
    pub connects: &'static [(Kind, Kind)],
    /// The fields beside the ones that every link has.
    pub options: &'static [Field],
    /// The same where a link takes from what keeps messages.
    pub taking: &'static [Field],
    /// The same where a link calls a program that is no part of Hopscope.
    pub outside: &'static [Field],
    /// The same where a link publishes to an exchange.
    pub routed: &'static [Field],
    /// The same where a link binds a queue to an exchange.
    pub binding: &'static [Field],
    /// The name of its colour among the page's tokens, like `http` for `--http`.
    pub hue: &'static str,
    /// How a link of it is drawn.
    pub stroke: Stroke,
    /// Whether its messages cross a socket.
    pub socket: bool,
}

/// Every protocol, in the chooser's order; the first that may join two kinds is the one a new link gets.
pub static PROTOCOLS: &[&ProtocolDescriptor] = &[
    &http1::DESCRIPTOR,
    &grpc::DESCRIPTOR,
    &thrift::DESCRIPTOR,
    &in_process::DESCRIPTOR,
    &amqp::DESCRIPTOR,
    &kafka::DESCRIPTOR,
];

impl ProtocolDescriptor {
    /// The fields that some link of this protocol may have, each once.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> {
        let groups = [self.options, self.outside, self.taking, self.routed, self.binding];
        let all =
            groups.into_iter().enumerate().flat_map(|(group, fields)| fields.iter().map(move |field| (group, field)));
        let told = move |group: usize, name: &str| {
            groups.iter().take(group).any(|earlier| earlier.iter().any(|other| other.name == name))
        };
        all.filter(move |(group, field)| !told(*group, field.name)).map(|(_, field)| field)
    }
}

impl Protocol {
    /// How the line of a link of a document is drawn: who sends a call that nobody answers does not wait either.
    #[must_use]
    pub fn stroke_of(self, link: &Value) -> Stroke {
        let oneway = link.get(MODE).and_then(Value::as_str) == Some(ONEWAY);
        let may = || self.descriptor().options.iter().any(|option| option.name == MODE);
        if oneway && may() { Stroke::Dashed } else { self.descriptor().stroke }
    }

    /// The protocol's descriptor.
    #[must_use]
    pub fn descriptor(self) -> &'static ProtocolDescriptor {
        match self {
            Self::InProcess => &in_process::DESCRIPTOR,
            Self::Http1 => &http1::DESCRIPTOR,
            Self::Amqp => &amqp::DESCRIPTOR,
            Self::Grpc => &grpc::DESCRIPTOR,
            Self::Thrift => &thrift::DESCRIPTOR,
            Self::Kafka => &kafka::DESCRIPTOR,
        }
    }

    /// The protocol that documents write as `id`.
    #[must_use]
    pub fn find(id: &str) -> Option<Self> {
        PROTOCOLS.iter().find(|descriptor| descriptor.id == id).map(|descriptor| descriptor.protocol)
    }

    /// The fields that a link of this protocol may have between nodes of these kinds: one that takes from a queue or a topic has
    /// no policy of a sender, and one that binds a queue sends nothing.
    #[must_use]
    pub fn options_between(self, from: Kind, to: Kind) -> &'static [Field] {
        let descriptor = self.descriptor();
        match (from, to) {
            (_, Kind::External) => descriptor.outside,
            _ if descriptor.style == Style::Sync => descriptor.options,
            (Kind::Exchange, _) => descriptor.binding,
            (_, Kind::Exchange) => descriptor.routed,
            _ if from.keeps() => descriptor.taking,
            _ => descriptor.options,
        }
    }

    /// Whether any link may begin at such a node.
    #[must_use]
    pub fn leave(from: Kind) -> bool {
        PROTOCOLS.iter().any(|descriptor| descriptor.connects.iter().any(|(start, _)| *start == from))
    }

    /// The protocols that may join these kinds, in the chooser's order; empty where nothing may.
    pub fn between(from: Kind, to: Kind) -> impl Iterator<Item = Self> {
        PROTOCOLS
            .iter()
            .filter(move |descriptor| descriptor.connects.contains(&(from, to)))
            .map(|descriptor| descriptor.protocol)
    }
}
