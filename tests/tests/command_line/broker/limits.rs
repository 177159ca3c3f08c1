//! Much at a time: queues, connections, messages. Memory has its bound, and afterwards all of it is given back.

use amq_protocol::frame::{AMQPContentHeader, AMQPFrame, ProtocolVersion, WriteContext, gen_frame};
use amq_protocol::protocol::{AMQPClass, basic, channel, connection};
use anyhow::{Context as _, Result, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use lapin::options::{BasicGetOptions, ConfirmSelectOptions, QueueDeclareOptions, QueuePurgeOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Connection, ConnectionProperties};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

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
    let before = broker.process.process()?.memory()?;
    let (_connection, channel) = broker.channel("%2f").await?;
    channel.queue_declare("many".into(), QueueDeclareOptions::default(), FieldTable::default()).await?;
    let flooding = flood(&broker, "many", MESSAGES).await?;
    while ready(&broker).await? < MESSAGES as u64 {
        tokio::task::yield_now().await;
    }
    let counted = broker.get("/").await?["memory"].as_u64().context("no memory")?;
    let grown = broker.process.process()?.memory()?.saturating_sub(before);
    ensure!(grown < counted, "{grown} bytes are taken, and {counted} counted");
    let first = channel.basic_get("many".into(), BasicGetOptions { no_ack: true }).await?.context("none is there")?;
    ensure!(first.message_count as usize == MESSAGES - 1 && first.delivery.data == [b'x'; BODY]);
    ensure!(channel.queue_purge("many".into(), QueuePurgeOptions::default()).await? as usize == MESSAGES - 1);
    ensure!(broker.get("/").await?["memory"] == 0);
    drop(flooding);
    Ok(())
}

/// Publishes as fast as bytes are taken, by a client that awaits no word; its socket has to stay open until all are there.
async fn flood(broker: &Broker, queue: &str, messages: usize) -> Result<TcpStream> {
    let start_ok = connection::StartOk {
        mechanism: "PLAIN".into(),
        response: "\0guest\0guest".into(),
        locale: "en_US".into(),
        ..connection::StartOk::default()
    };
    let tune_ok = connection::TuneOk { channel_max: 1, frame_max: 131_072, heartbeat: 0 };
    let open = connection::Open { virtual_host: "/".into() };
    let publish = basic::Publish { routing_key: queue.into(), ..basic::Publish::default() };
    let header = AMQPContentHeader { class_id: 60, body_size: BODY as u64, properties: BasicProperties::default() };
    let of_connection = |method| AMQPFrame::Method(0, AMQPClass::Connection(method));
    let opening = [
        AMQPFrame::ProtocolHeader(ProtocolVersion::amqp_0_9_1()),
        of_connection(connection::AMQPMethod::StartOk(start_ok)),
        of_connection(connection::AMQPMethod::TuneOk(tune_ok)),
        of_connection(connection::AMQPMethod::Open(open)),
        AMQPFrame::Method(1, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {}))),
    ];
    let message = [
        AMQPFrame::Method(1, AMQPClass::Basic(basic::AMQPMethod::Publish(publish))),
        AMQPFrame::Header(1, header),
        AMQPFrame::Body(1, vec![b'x'; BODY]),
    ];
    let mut socket = TcpStream::connect(broker.amqp).await?;
    socket.write_all(&written(&opening)?).await?;
    const AT_ONCE: usize = 1_000;
    ensure!(messages.is_multiple_of(AT_ONCE));
    let many = written(&message)?.repeat(AT_ONCE);
    for _ in 0..messages / AT_ONCE {
        socket.write_all(&many).await?;
    }
    Ok(socket)
}

fn written(frames: &[AMQPFrame]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for frame in frames {
        bytes = gen_frame(frame)(WriteContext::from(bytes)).context("a frame that cannot be written")?.write;
    }
    Ok(bytes)
}

async fn length(broker: &Broker, list: &str) -> Result<usize> {
    Ok(broker.get(list).await?.as_array().context("no list")?.len())
}

/// Ready copies of all queues.
async fn ready(broker: &Broker) -> Result<u64> {
    let queues = broker.get("/api/queues").await?;
    Ok(queues.as_array().context("no list")?.iter().filter_map(|queue: &Value| queue["ready"].as_u64()).sum())
}
