//! By lapin, with the options of a run's ends.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use futures_util::StreamExt as _;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use tokio::time::{Instant, timeout_at};

use super::Told;

/// Messages that a consumer may hold that it has not settled.
const HELD: u16 = 256;

/// A publisher. Clones share it.
#[derive(Clone)]
pub(super) struct Publisher {
    channel: Channel,
    _connection: Arc<Connection>,
    queue: Arc<str>,
    body: Arc<[u8]>,
}

impl Publisher {
    pub(super) async fn open(to: &str, queue: &str, body: Arc<[u8]>) -> Result<Self> {
        let (connection, channel) = channel(to).await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Self { channel, _connection: connection.into(), queue: queue.into(), body })
    }

    /// Resolves when the broker has confirmed it.
    pub(super) async fn publish(self) -> Result<()> {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let (queue, properties) = (self.queue.as_ref().into(), BasicProperties::default());
        let sent = self.channel.basic_publish("".into(), queue, options, &self.body, properties).await?;
        ensure!(matches!(sent.await?, Confirmation::Ack(None)), "it was refused or came back");
        Ok(())
    }
}

/// Takes each message as it comes, and acknowledges it.
pub(super) async fn read(from: &str, queue: &str, until: Instant, told: &Told) -> Result<()> {
    let (_connection, channel) = channel(from).await?;
    channel.basic_qos(HELD, BasicQosOptions::default()).await?;
    let options = BasicConsumeOptions::default();
    let mut deliveries = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await?;
    while let Ok(delivery) = timeout_at(until, deliveries.next()).await {
        delivery.context("the consumer has ended")??.ack(BasicAckOptions::default()).await?;
        told.another();
    }
    Ok(())
}

async fn channel(at: &str) -> Result<(Connection, Channel)> {
    let url = format!("amqp://guest:guest@{at}/%2f");
    let connection = Connection::connect(&url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    Ok((connection, channel))
}
