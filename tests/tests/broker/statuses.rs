//! What the broker tells its owner of itself.

use hopscope_amqp::{AMQPValue, Config, ConnectionState};
use lapin::ExchangeKind;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;

use crate::socket::{Raw, header, publish};
use crate::support::{arguments, broker, broker_with, text, within};

#[tokio::test]
async fn queues_are_told_as_they_were_declared() {
    let running = broker().await;
    let client = running.client().await;
    let options = QueueDeclareOptions { durable: true, auto_delete: true, ..QueueDeclareOptions::default() };
    let table = arguments(&[("x-max-length", AMQPValue::LongInt(5)), ("x-overflow", text("drop-head"))]);
    client.declare_as("b", options, table).await.unwrap();
    let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
    client.declare_as("a", options, FieldTable::default()).await.unwrap();
    client.publish("b", b"x").await;
    client.publish("b", b"x").await;
    let _got = within(client.channel.basic_get("b".into(), Default::default())).await.unwrap().unwrap();
    let [a, b] = &running.broker.queues()[..] else { panic!("two queues") };
    assert_eq!((a.name.as_str(), a.exclusive, a.durable, a.auto_delete), ("a", true, false, false));
    assert_eq!((b.name.as_str(), b.exclusive, b.durable, b.auto_delete), ("b", false, true, true));
    assert_eq!((b.vhost.as_str(), b.ready, b.unacked, b.consumers), ("/", 1, 1, 0));
    let told = serde_json::to_string(&b.arguments).unwrap();
    assert_eq!(told, r#"{"x-max-length":5,"x-overflow":"drop-head"}"#);
}

#[tokio::test]
async fn exchanges_and_bindings_are_told_with_those_that_are_always_there() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", FieldTable::default()).await;
    let options = ExchangeDeclareOptions { durable: true, internal: true, ..ExchangeDeclareOptions::default() };
    let declare = client.channel.exchange_declare("e".into(), ExchangeKind::Headers, options, FieldTable::default());
    within(declare).await.unwrap();
    let table = arguments(&[("x-match", text("any"))]);
    let bind = client.channel.queue_bind("q".into(), "e".into(), "k".into(), QueueBindOptions::default(), table);
    within(bind).await.unwrap();
    let exchanges = running.broker.exchanges();
    let told: Vec<_> = exchanges.iter().map(|it| (it.name.as_str(), it.kind.as_str(), it.durable)).collect();
    let expected = [
        ("", "direct", true),
        ("amq.direct", "direct", true),
        ("amq.fanout", "fanout", true),
        ("amq.headers", "headers", true),
        ("amq.match", "headers", true),
        ("amq.rabbitmq.trace", "topic", true),
        ("amq.topic", "topic", true),
        ("e", "headers", true),
    ];
    assert_eq!(told, expected);
    assert!(
        exchanges
            .iter()
            .all(|it| it.internal == (it.name == "e" || it.name == "amq.rabbitmq.trace") && !it.auto_delete)
    );
    let [default, own] = &running.broker.bindings()[..] else { panic!("two bindings") };
    assert_eq!((default.source.as_str(), default.destination.as_str(), default.routing_key.as_str()), ("", "q", "q"));
    assert_eq!((own.source.as_str(), own.destination.as_str(), own.routing_key.as_str()), ("e", "q", "k"));
    assert_eq!(
        (own.destination_type.as_str(), serde_json::to_string(&own.arguments).unwrap().as_str()),
        ("queue", r#"{"x-match":"any"}"#)
    );
}

#[tokio::test]
async fn connections_are_told_with_who_waits() {
    let running = broker_with(Config { memory_max: 1000, ..Config::default() }).await;
    let client = running.client().await;
    client.declare("q", FieldTable::default()).await;
    let mut raw = Raw::open(&running).await;
    let states = || running.broker.connection_statuses().into_iter().map(|it| it.state).collect::<Vec<_>>();
    assert_eq!(states(), [ConnectionState::Running; 2]);
    raw.method(1, publish("q")).await;
    raw.send(header(1000)).await;
    raw.send(amq_protocol::frame::AMQPFrame::Body(1, vec![0; 1000])).await;
    // `connection.blocked`: from then on it waits.
    raw.frame().await;
    assert_eq!(states(), [ConnectionState::Running, ConnectionState::Blocked]);
    within(client.channel.queue_purge("q".into(), Default::default())).await.unwrap();
    raw.frame().await;
    assert_eq!(states(), [ConnectionState::Running; 2]);
    let [first, _] = &running.broker.connection_statuses()[..] else { panic!("two connections") };
    assert_eq!((first.id, first.user.as_str(), first.vhost.as_str(), first.channels), (1, "guest", "/", 1));
    assert!(first.peer.ip().is_loopback());
}
