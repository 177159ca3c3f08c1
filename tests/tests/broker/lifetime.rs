//! How connections, queues and the broker itself end.

use futures_util::StreamExt as _;
use hopscope_amqp::TransitionKind::{Delivered, Enqueued, Nacked, Purged};
use hopscope_amqp::{Cause, Config, serve};
use lapin::options::{BasicAckOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use tokio::net::{TcpListener, TcpStream};

use crate::socket::Raw;
use crate::support::{Heard, broker, broker_with, next, within};

#[tokio::test]
async fn the_end_tells_every_client_and_leaves_nothing() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", FieldTable::default()).await;
    client.publish("q", b"x").await;
    let mut consumer = client.consume("q", "").await;
    next(&mut consumer).await;
    let address = running.broker.address();
    let memory = running.stop().await;
    memory.check("q");
    assert!(memory.all().contains(&Heard::Closed(1)));
    // The client has heard: its consumer ends with the broker's word.
    let end = within(consumer.next()).await;
    let error = end.and_then(Result::err).expect("an error ends it");
    assert_eq!(crate::support::code(&error), 320);
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn the_end_does_not_wait_for_ever() {
    let config = Config { close_timeout: std::time::Duration::from_millis(50), ..Config::default() };
    let running = broker_with(config).await;
    let silent = Raw::open(&running).await;
    let unopened = Raw::connect(&running).await;
    running.stop().await;
    drop((silent, unopened));
}

#[tokio::test]
async fn dropping_the_broker_ends_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (broker, serving) = serve(listener, Config::default(), (), std::future::pending()).unwrap();
    let uri = format!("amqp://guest:guest@{}/%2f", broker.address());
    let connection = within(lapin::Connection::connect(&uri, Default::default())).await.unwrap();
    assert_eq!(broker.connections(), 1);
    drop(serving);
    let channel = within(async {
        // The first may still get through.
        loop {
            if let Err(error) = connection.create_channel().await {
                break error;
            }
        }
    })
    .await;
    assert!(!matches!(channel.kind(), lapin::ErrorKind::ProtocolError(_)), "without a word: {channel}");
}

#[tokio::test]
async fn an_exclusive_queue_goes_with_its_connection() {
    let running = broker().await;
    let client = running.client().await;
    let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
    client.declare_as("own", options, FieldTable::default()).await.unwrap();
    client.publish("own", b"x").await;
    client.close().await;
    assert_eq!(running.broker.queue("own"), None);
    assert_eq!(running.memory.kinds("own"), [Enqueued, Purged]);
    let all = running.memory.all();
    let at = |wanted: Heard| all.iter().position(|heard| *heard == wanted);
    assert!(at(Heard::Deleted("own".to_owned())) < at(Heard::Closed(1)));
}

#[tokio::test]
async fn a_deleted_queue_takes_its_consumers_and_deliveries_along() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", FieldTable::default()).await;
    let mut consumer = client.consume("q", "tag").await;
    client.publish("q", b"x").await;
    let delivery = next(&mut consumer).await;
    let delete = client.channel.queue_delete("q".into(), QueueDeleteOptions::default());
    assert_eq!(within(delete).await.unwrap(), 0);
    assert!(within(consumer.next()).await.is_none(), "the consumer was cancelled");
    // Settling what has gone is no misuse.
    within(delivery.ack(BasicAckOptions::default())).await.unwrap();
    client.declare("q", FieldTable::default()).await;
    assert_eq!(running.memory.kinds("q"), [Enqueued, Delivered, Nacked]);
    assert_eq!(running.memory.steps("q")[2].cause, Cause::Deleted);
}
