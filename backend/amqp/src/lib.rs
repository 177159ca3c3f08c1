//! A broker of AMQP 0-9-1 for clients that know RabbitMQ: the default exchange and direct, topic, fanout and headers
//! exchanges, bound to queues and to one another, with alternates; queues with limits, dead letters, a time of their own and
//! direct reply-to; confirms, transactions, prefetch, priorities of consumers, the single active one, acknowledgements in all
//! their forms.
//!
//! [`serve`] starts one on a listener. Everything is in memory: `durable` is accepted, and lives as long as the broker.
//! What decides inside a queue is [`hopscope_rules::queue`]; what happens is told to an [`Observer`], under the broker's
//! lock and before any effect of it can be seen. This package stamps and records nothing itself, and knows no scenario.
//!
//! Memory is bounded: beyond [`Config::memory_max`] nothing more is read from connections that publish, a client that
//! reads too slowly gets no more deliveries until it has caught up, and one that does not read at all is not read from.

mod broker;
mod config;
mod connection;
mod exchange;
mod fault;
mod memory;
mod message;
mod observer;
mod outbox;
mod recipients;
mod server;
mod state;
mod term;
mod wire;

pub use amq_protocol::protocol::BasicProperties;
pub use amq_protocol::types::{AMQPValue, FieldArray, FieldTable, LongString, ShortString};
pub use broker::{Broker, QueueOptions, QueueStatus, Refusal};
pub use config::Config;
pub use hopscope_rules::queue::{Cause, Transition, TransitionKind};
pub use observer::{ConnectionId, ConnectionInfo, ConsumerInfo, Delivery, Incoming, Observer, QueueInfo, Routing};
pub use server::{Serving, serve};
