//! The kinds of nodes, one descriptor each, and the one list of them.
//!
//! A descriptor says what a person sees in the palette and the inspector and what validation allows; what a node does
//! when it runs is not here.

pub(crate) mod client;
mod exchange;
mod external;
mod queue;
mod service;
mod topic;
pub(crate) mod work;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::catalogue::Key;
use crate::fields::{self, Field};

pub(crate) use work::WORKS;

#[cfg(test)]
mod tests;

/// A kind of node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Sends requests by a schedule.
    Client,
    /// Receives requests, works, calls on, replies.
    Service,
    /// Keeps messages until a consumer takes them.
    Queue,
    /// Keeps records in partitions, for every group that reads them.
    Topic,
    /// Hands each message on to the queues that are bound to it for such.
    Exchange,
    /// A program that is no part of Hopscope: it is called, and what it does is not seen.
    External,
}

/// What there is to know about a kind of node.
#[derive(Debug)]
pub struct KindDescriptor {
    /// The kind.
    pub kind: Kind,
    /// How documents write it in a node's `kind`.
    pub id: &'static str,
    /// What a person calls one of them; also the stem of a new node's name.
    pub label: Key,
    /// The same within a sentence ("a client").
    pub inline: Key,
    /// The palette's group.
    pub palette: Key,
    /// One sentence for the palette's tip.
    pub note: Key,
    /// Whether a run needs at least one: it starts traffic.
    pub starts_traffic: bool,
    /// The fields beside the ones that every node has.
    pub fields: &'static [Field],
}

/// Every kind, in the palette's order.
pub static KINDS: &[&KindDescriptor] = &[
    &client::DESCRIPTOR,
    &service::DESCRIPTOR,
    &external::DESCRIPTOR,
    &queue::DESCRIPTOR,
    &exchange::DESCRIPTOR,
    &topic::DESCRIPTOR,
];

impl Kind {
    /// The kind's descriptor.
    #[must_use]
    pub fn descriptor(self) -> &'static KindDescriptor {
        match self {
            Self::Client => &client::DESCRIPTOR,
            Self::Service => &service::DESCRIPTOR,
            Self::Queue => &queue::DESCRIPTOR,
            Self::Topic => &topic::DESCRIPTOR,
            Self::Exchange => &exchange::DESCRIPTOR,
            Self::External => &external::DESCRIPTOR,
        }
    }

    /// Whether it keeps messages between those who put them there and those who take them.
    #[must_use]
    pub fn keeps(self) -> bool {
        matches!(self, Self::Queue | Self::Topic)
    }

    /// The kind that documents write as `id`.
    #[must_use]
    pub fn find(id: &str) -> Option<Self> {
        KINDS.iter().find(|descriptor| descriptor.id == id).map(|descriptor| descriptor.kind)
    }
}

impl KindDescriptor {
    /// A new node of this kind as the document holds it, with its defaults.
    #[must_use]
    pub fn new_node(&self, id: &str, name: &str, x: i32, y: i32) -> Value {
        let mut node = Map::new();
        node.insert("id".to_owned(), Value::from(id));
        node.insert("name".to_owned(), Value::from(name));
        node.insert("x".to_owned(), Value::from(x));
        node.insert("y".to_owned(), Value::from(y));
        node.insert("kind".to_owned(), Value::from(self.id));
        node.extend(fields::defaults(self.fields));
        Value::Object(node)
    }
}
