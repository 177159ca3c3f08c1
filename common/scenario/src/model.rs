//! The scenario as types: what validation hands out and everything after it works on.
//!
//! A value of these types came from [`crate::model`]'s one gate, validation, or from code that upholds the same rules;
//! nothing here checks them again. The editor, which must keep what a person is still typing, edits the JSON document
//! instead. Serialising is canonical: keys in the order of the fields below, defaults written out, quantities in their
//! one spelling; so printing a parsed canonical document gives the same bytes.

mod check;
mod client;
mod disturbance;
mod exchange;
mod kafka;
mod queue;
mod service;
mod thrift;
mod topic;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::kinds::Kind;
use crate::protocol::Protocol;
use crate::quantity::Time;

pub use check::{Check, Comparison, Limit};
pub use client::{
    Arrivals, Bursts, Client, Closed, Content, EventTimes, Keys, Load, OpenLoad, Payload, Priorities, Ramp, Values,
};
pub use disturbance::Disturbance;
pub use exchange::{Exchange, ExchangeType};
pub use kafka::{Acks, Commit, Compression, Idempotence, Partitioner, Producing, Reading};
pub use queue::{AckTime, Durability, Overflow, Queue};
pub use service::{Apply, BodyStep, Branch, Choice, Effort, Service, Spread, Work};
pub use thrift::{Encoding, Framing, Mode, Thrift};
pub use topic::{Compaction, Topic};

/// What the document's `format` says.
pub const FORMAT: &str = "hopscope-scenario";

/// The newest version of the document that this build writes and reads.
pub const VERSION: u32 = 1;

/// A whole scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Always [`FORMAT`].
    pub format: String,
    /// Always [`VERSION`].
    pub version: u32,
    /// What the person calls it.
    pub name: String,
    /// What the scenario asks, one sentence; may be empty.
    pub question: String,
    /// What to look at while it runs, a paragraph; may be empty.
    pub about: String,
    /// The nodes, in the order of the document; their position is their index in the plan.
    pub nodes: Vec<Node>,
    /// The links, in the order of the document: a service calls its outgoing links in this order.
    pub links: Vec<Link>,
    /// Limits that the person set.
    pub checks: Vec<Check>,
    /// What is done to a run while it runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disturbances: Vec<Disturbance>,
}

/// One node on the canvas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Stable and unique among nodes, like `n1`; the seed key of the node's draws.
    pub id: String,
    /// Unique among nodes; what a person reads.
    pub name: String,
    /// Left edge on the canvas in whole canvas units; without it the page lays the node out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<i32>,
    /// Top edge on the canvas in whole canvas units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<i32>,
    /// What it is (the document's `kind`) with the fields of that kind, written beside the ones above.
    #[serde(flatten)]
    pub kind: NodeKind,
}

/// What a node is, with the fields of its kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum NodeKind {
    /// Sends requests by a schedule.
    Client(Client),
    /// Receives requests, works, calls its outgoing links in order, replies.
    Service(Service),
    /// Keeps messages until a consumer takes them.
    Queue(Queue),
    /// Keeps records in partitions, for every group that reads them.
    Topic(Topic),
    /// Hands each message on to the queues that are bound to it for such.
    Exchange(Exchange),
    /// A program that is no part of Hopscope.
    External {},
}

impl NodeKind {
    /// The kind without its fields, the key of its descriptor.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Client(_) => Kind::Client,
            Self::Service(_) => Kind::Service,
            Self::Queue(_) => Kind::Queue,
            Self::Topic(_) => Kind::Topic,
            Self::Exchange(_) => Kind::Exchange,
            Self::External {} => Kind::External,
        }
    }
}

/// A directed connection between two nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Stable and unique among links, like `l1`.
    pub id: String,
    /// The id of the node that calls.
    pub from: String,
    /// The id of the node that is called.
    pub to: String,
    /// How.
    pub protocol: Protocol,
    /// How long the caller waits for the reply to one attempt; without it, for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Time>,
    /// What the caller does about an attempt that did not go well; without it, nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// The id of the queue that replies to this link's messages come back through; without it nobody replies to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replies: Option<String>,
    /// What a round trip between its ends takes longer than on this machine; without it, nothing. Half of it is added each way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Work>,
    /// What only its protocol has, written beside the ones above.
    #[serde(flatten)]
    pub options: Map<String, Value>,
}

/// When a caller tries again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "policy", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Retry {
    /// After always the same delay.
    FixedDelay {
        /// Tries in all, the first included; 2 to 255.
        attempts: u8,
        /// From the end of an attempt to the next.
        delay: Time,
    },
}
