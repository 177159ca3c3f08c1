//! Much at a time: queues, connections, messages. Memory has its bound, and afterwards all of it is given back.

use anyhow::{Context as _, Result, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use lapin::Connection;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, ConnectionProperties};
use serde_json::Value;

use super::Broker;

const QUEUES: usize = 10_000;
const CONNECTIONS: usize = 1_000;
const MESSAGES: usize = 1_000_000;
/// Bytes of each of these messages.
const BODY: usize = 64;

#[tokio::test]
async fn ten_thousand_queues_and_a_thousand_connections_are_held_and_given_back() -> Result<()> {
    let broker = Broker::start(&[], "").await?;
    let (connection, channel) = broker.channel("%2f").await?;
    let exclusive = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
    for queue in 0..QUEUES {
        let last = queue + 1 == QUEUES;
        let options = QueueDeclareOptions { nowait: !last, ..exclusive };
        channel.queue_declare(format!("q{queue}").into(), options, FieldTable::default()).await?;
    }
    let uri = format!("amqp://guest:guest@{}/%2f", broker.amqp);
    let connections: Vec<Connection> = stream::iter(0..CONNECTIONS - 1)
        .map(|_| Connection::connect(&uri, ConnectionProperties::default()))
        .buffer_unordered(32)
        .try_collect()
        .await?;
    ensure!(length(&broker, "/api/queues").await? == QUEUES);
    ensure!(length(&broker, "/api/connections").await? == CONNECTIONS);
    // Each can be used: a message through the last queue, by the last connection.
    let other = connections.last().context("no connection")?.create_channel().await?;
    other.confirm_select(ConfirmSelectOptions::default()).await?;
    super::publish(&other, &format!("q{}", QUEUES - 1)).await?;
    ensure!(ready(&broker).await? == 1);
    connection.close(200, "done".into()).await?;
    for connection in connections {
        connection.close(200, "done".into()).await?;
    }
    // Exclusive queues go with their connection, and close-ok comes after.
    ensure!(length(&broker, "/api/queues").await? == 0);
    ensure!(length(&broker, "/api/connections").await? == 0);
    Ok(())
}

#[tokio::test]
async fn a_million_messages_wait_within_the_memory_that_is_counted_for_them() -> Result<()> {
    let broker = Broker::start(&["--memory", "800"], "").await?;
    let before = broker.process.memory()?;
    let (_connection, channel) = broker.channel("%2f").await?;
    let options = QueueDeclareOptions::default();
    channel.queue_declare("many".into(), options, FieldTable::default()).await?;
    let mut last = None;
    for _ in 0..MESSAGES {
        let publish = BasicPublishOptions::default();
        let properties = BasicProperties::default();
        last = Some(channel.basic_publish("".into(), "many".into(), publish, &[b'x'; BODY], properties).await?);
    }
    last.context("nothing was published")?.await?;
    let counted = usize::try_from(broker.get("/").await?["memory"].as_u64().context("no memory")?)?;
    ensure!(ready(&broker).await? == MESSAGES as u64);
    let grown = broker.process.memory()?.saturating_sub(before);
    ensure!(grown < counted, "{grown} bytes are taken, and {counted} counted");
    channel.basic_qos(1_000, BasicQosOptions::default()).await?;
    let consume = BasicConsumeOptions::default();
    let mut consumer = channel.basic_consume("many".into(), "one".into(), consume, FieldTable::default()).await?;
    for number in 1..=MESSAGES {
        let delivery = consumer.next().await.context("the consumer has ended")??;
        if number % 500 == 0 {
            delivery.ack(BasicAckOptions { multiple: true }).await?;
        }
    }
    // Answered after what was acknowledged before it.
    let passive = QueueDeclareOptions { passive: true, ..options };
    let queue = channel.queue_declare("many".into(), passive, FieldTable::default()).await?;
    ensure!(queue.message_count() == 0);
    ensure!(broker.get("/").await?["memory"] == 0);
    Ok(())
}

async fn length(broker: &Broker, list: &str) -> Result<usize> {
    Ok(broker.get(list).await?.as_array().context("no list")?.len())
}

/// Ready copies of all queues.
async fn ready(broker: &Broker) -> Result<u64> {
    let queues = broker.get("/api/queues").await?;
    Ok(queues.as_array().context("no list")?.iter().filter_map(|queue: &Value| queue["ready"].as_u64()).sum())
}
