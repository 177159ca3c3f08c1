//! The exchanges of a run, and their bindings: declared over a connection, at any broker alike.

use std::sync::Arc;

use hopscope_record::LinkIndex;
use hopscope_scenario::model::ExchangeType;
use lapin::options::{ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ConnectionProperties, ExchangeKind};

use super::BrokerError;
use super::stamps::QueueSite;
use crate::transport::messaging::BrokerAddress;

/// AMQP's reply code of a close that is no error.
const REPLY_SUCCESS: u16 = 200;

/// What a run's broker has to know.
#[derive(Clone, Debug, Default)]
pub struct Sites {
    /// The queues.
    pub queues: Vec<QueueSite>,
    /// The exchanges, whose bindings lead to those.
    pub exchanges: Vec<ExchangeSite>,
}

/// An exchange of the plan.
#[derive(Clone, Debug)]
pub struct ExchangeSite {
    /// Its name at the broker.
    pub name: Arc<str>,
    /// By what it hands messages on.
    pub routing: ExchangeType,
    /// The name of the exchange that gets what it cannot hand on.
    pub alternate: Option<Arc<str>>,
    /// The queues that are bound to it.
    pub bindings: Vec<BindingSite>,
    /// The links that publish to it.
    pub publishing: Vec<LinkIndex>,
}

/// A binding.
#[derive(Clone, Debug)]
pub struct BindingSite {
    /// The queue's name at the broker.
    pub queue: Arc<str>,
    /// The binding key.
    pub key: String,
    /// The headers that are wanted.
    pub headers: Vec<(String, String)>,
    /// Whether one of them is enough.
    pub any: bool,
}

impl BindingSite {
    /// The arguments of its declaration.
    fn arguments(&self, routing: ExchangeType) -> FieldTable {
        let mut arguments = FieldTable::default();
        if routing == ExchangeType::Headers {
            let text = |text: &str| AMQPValue::LongString(text.into());
            for (name, value) in &self.headers {
                arguments.insert(name.as_str().into(), text(value));
            }
            arguments.insert("x-match".into(), text(if self.any { "any" } else { "all" }));
        }
        arguments
    }
}

/// Declares exchanges and binds their queues, which are there. An exchange goes with the last of its bindings, where a broker
/// that Hopscope cannot reach any more removes its queues.
///
/// # Errors
/// When the broker refuses one.
pub(super) async fn declare(channel: &Channel, exchanges: &[ExchangeSite]) -> Result<(), BrokerError> {
    for exchange in exchanges {
        let refused = |error: lapin::Error| BrokerError::refused(&exchange.name, &error);
        let mut arguments = FieldTable::default();
        if let Some(alternate) = &exchange.alternate {
            arguments.insert("alternate-exchange".into(), AMQPValue::LongString(alternate.as_ref().into()));
        }
        let kind = match exchange.routing {
            ExchangeType::Topic => ExchangeKind::Topic,
            ExchangeType::Direct => ExchangeKind::Direct,
            ExchangeType::Fanout => ExchangeKind::Fanout,
            ExchangeType::Headers => ExchangeKind::Headers,
        };
        let options = ExchangeDeclareOptions { auto_delete: true, ..ExchangeDeclareOptions::default() };
        let name = || exchange.name.as_ref().into();
        channel.exchange_declare(name(), kind, options, arguments).await.map_err(refused)?;
        for binding in &exchange.bindings {
            let (queue, key) = (binding.queue.as_ref().into(), binding.key.as_str().into());
            let bound = channel.queue_bind(
                queue,
                name(),
                key,
                QueueBindOptions::default(),
                binding.arguments(exchange.routing),
            );
            bound.await.map_err(refused)?;
        }
    }
    Ok(())
}

/// The same over a connection of its own, which is closed again.
///
/// # Errors
/// As [`declare`], and when the broker cannot be reached.
pub(super) async fn declare_at(address: &BrokerAddress, exchanges: &[ExchangeSite]) -> Result<(), BrokerError> {
    if exchanges.is_empty() {
        return Ok(());
    }
    let unreachable = |error: lapin::Error| BrokerError::unreachable(address, &error);
    let properties = ConnectionProperties::default().with_connection_name("hopscope".into());
    let connection = Connection::connect(address.with_password(), properties).await.map_err(unreachable)?;
    let channel = connection.create_channel().await.map_err(unreachable)?;
    declare(&channel, exchanges).await?;
    connection.close(REPLY_SUCCESS, "declared".into()).await.map_err(unreachable)
}

/// Removes what the broker has not removed by itself.
pub(super) async fn remove(channel: &Channel, exchanges: &[ExchangeSite]) {
    for exchange in exchanges {
        // One that is not there any more is what is wanted.
        let _ = channel.exchange_delete(exchange.name.as_ref().into(), ExchangeDeleteOptions::default()).await;
    }
}
