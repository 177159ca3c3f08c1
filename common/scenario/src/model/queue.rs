//! The queue: what it keeps, for how long, and what becomes of the rest.

use serde::{Deserialize, Serialize};

use crate::quantity::Time;

/// A queue: the highest priority first, else first in, first out; its consumers take turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// Most messages that may be ready at once. Without it there is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// What happens beyond.
    #[serde(default)]
    pub overflow: Overflow,
    /// How long a message may be ready, in whole milliseconds; without it, for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Time>,
    /// The id of the queue that what is rejected, expires or is dropped goes on to; without it, it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letters: Option<String>,
    /// The highest priority that a message may have, 1 to 9; without it all are alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priorities: Option<u8>,
    /// Whether it outlives its broker.
    #[serde(default)]
    pub durability: Durability,
    /// How many messages one consumer may hold that it has not settled yet.
    pub prefetch: u16,
    /// When a consumer settles a message.
    pub ack: AckTime,
}

/// What a queue does that is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overflow {
    /// It refuses what is published.
    #[default]
    RejectPublish,
    /// It takes it, and drops the message at its head.
    DropHead,
}

/// What becomes of a queue and its messages when its broker stops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// They are gone.
    #[default]
    Transient,
    /// The queue is durable and its messages persistent: they are there again when the broker is.
    Durable,
    /// The same, kept by a majority of the broker's nodes (RabbitMQ's quorum queues); of a broker of one node, by that.
    Quorum,
    /// A log (RabbitMQ's streams): messages are persistent and stay when they are taken, and each consumer reads all of them.
    Stream,
}

impl Overflow {
    /// Whether it is the usual one, which a plan does not write.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl Durability {
    /// Whether it is the usual one, which a plan does not write.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// When a consumer acknowledges a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AckTime {
    /// When its work is done and its reply, if one is awaited, is confirmed: nothing is lost when a consumer dies.
    AfterWork,
    /// When it has arrived: what a consumer that dies had not done is lost.
    BeforeWork,
}
