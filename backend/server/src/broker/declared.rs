//! What a queue of a run is declared with, in RabbitMQ's words: the same on every broker.

use std::sync::Arc;

use hopscope_amqp::{AMQPValue, FieldTable};
use hopscope_scenario::model::{Durability, Overflow};
use hopscope_scenario::quantity::Time;

/// Brokers count in these.
const MILLISECOND: u64 = 1_000_000;

/// What a queue is declared with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// Most ready copies; none: no limit.
    pub capacity: Option<u32>,
    /// What happens beyond.
    pub overflow: Overflow,
    /// How long a copy may be ready; none: for ever.
    pub ttl: Option<Time>,
    /// The name of the queue that dead letters go on to.
    pub dead_letters: Option<Arc<str>>,
    /// The highest priority that is told from others.
    pub priorities: Option<u8>,
    /// Whether it outlives its broker.
    pub durability: Durability,
}

impl Declared {
    /// Whether it is declared as durable.
    #[must_use]
    pub fn durable(&self) -> bool {
        self.durability != Durability::Transient
    }

    /// Whether copies stay there when they are taken.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.durability == Durability::Stream
    }

    /// Whether copies may leave it with nobody taking them.
    #[must_use]
    pub fn loses(&self) -> bool {
        self.ttl.is_some() || (self.capacity.is_some() && self.overflow == Overflow::DropHead)
    }

    /// Whether copies go on from it to another queue.
    #[must_use]
    pub fn buries(&self) -> bool {
        self.dead_letters.is_some()
    }

    /// The arguments of its declaration that every broker takes; which type of queue a RabbitMQ makes of it is not among them.
    #[must_use]
    pub fn arguments(&self) -> FieldTable {
        let mut arguments = FieldTable::default();
        let mut number = |name: &'static str, number: i64| {
            arguments.insert(name.into(), AMQPValue::LongLongInt(number));
        };
        if let Some(capacity) = self.capacity {
            number("x-max-length", capacity.into());
        }
        if let Some(Time(ns)) = self.ttl {
            number("x-message-ttl", i64::try_from(ns / MILLISECOND).unwrap_or(i64::MAX));
        }
        if let Some(priorities) = self.priorities {
            number("x-max-priority", priorities.into());
        }
        let mut text = |name: &'static str, text: &str| {
            arguments.insert(name.into(), AMQPValue::LongString(text.into()));
        };
        if self.capacity.is_some() {
            let overflow = match self.overflow {
                Overflow::RejectPublish => "reject-publish",
                Overflow::DropHead => "drop-head",
            };
            text("x-overflow", overflow);
        }
        if let Some(queue) = &self.dead_letters {
            // The default exchange leads to the queue of that name.
            text("x-dead-letter-exchange", "");
            text("x-dead-letter-routing-key", queue);
        }
        arguments
    }
}
