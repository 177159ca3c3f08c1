//! A broker of AMQP 0-9-1 for clients that know RabbitMQ: the default exchange and direct, topic, fanout and headers
//! exchanges, bound to queues and to one another, with alternates; queues with limits, dead letters, a time of their own and
//! direct reply-to; confirms, transactions, prefetch, priorities of consumers, the single active one, acknowledgements in all
//! their forms.
//!
//! Each virtual host has its queues and exchanges for itself, and a lock of its own; a connection is open in one of them.
//! Clients come from this machine only, as one of [`Config::users`], by PLAIN or AMQPLAIN.
//!
//! [`serve`] starts one on a listener. Everything is in memory: `durable` is accepted, and lives as long as the broker.
//! What decides inside a queue is [`hopscope_rules::queue`]; what happens is told to an [`Observer`], under its virtual
//! host's lock and before any effect of it can be seen. This package stamps and records nothing itself, and knows no scenario.
//!
//! Memory is bounded: beyond [`Config::memory_max`] nothing more is read from connections that publish, a client that
//! reads too slowly gets no more deliveries until it has caught up, and one that does not read at all is not read from.

mod broker;
mod config;
mod connection;
mod exchange;
mod fault;
#[doc(hidden)]
pub mod fuzzing;
mod memory;
mod message;
mod observer;
mod outbox;
mod recipients;
mod server;
mod state;
mod status;
mod term;
mod users;
mod virtual_host;
mod wire;

pub use amq_protocol::protocol::BasicProperties;
pub use amq_protocol::types::{AMQPValue, FieldArray, FieldTable, LongString, ShortString};
pub use broker::{Broker, QueueOptions, Refusal};
pub use config::Config;
pub use hopscope_rules::queue::{Cause, Transition, TransitionKind};
pub use observer::{ConnectionId, ConnectionInfo, ConsumerInfo, Delivery, Incoming, Observer, QueueInfo, Routing};
pub use server::{Serving, serve};
pub use status::{BindingStatus, ConnectionState, ConnectionStatus, ExchangeStatus, QueueStatus};
pub use users::User;
pub use virtual_host::{DEFAULT_VIRTUAL_HOST, VirtualHost};
