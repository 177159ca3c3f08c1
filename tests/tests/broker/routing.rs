//! Exchanges, bindings, what finds no queue.

use hopscope_amqp::{AMQPValue, Routing};
use lapin::options::{
    ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Confirmation, ExchangeKind};

use crate::support::{Client, Heard, Running, arguments, broker, text, within};

async fn exchange(client: &Client, name: &str, kind: ExchangeKind) {
    let options = ExchangeDeclareOptions::default();
    within(client.channel.exchange_declare(name.into(), kind, options, FieldTable::default())).await.unwrap();
}

async fn bind(client: &Client, queue: &str, exchange: &str, key: &str, table: FieldTable) {
    let bind = client.channel.queue_bind(queue.into(), exchange.into(), key.into(), QueueBindOptions::default(), table);
    within(bind).await.unwrap();
}

async fn with_queues(running: &Running) -> Client {
    let client = running.client().await;
    for name in ["a", "b"] {
        client.declare(name, FieldTable::default()).await;
    }
    client
}

async fn ready(client: &Client) -> (u32, u32) {
    (client.counts("a").await.0, client.counts("b").await.0)
}

async fn publish(client: &Client, exchange: &str, key: &str) -> Confirmation {
    client.publish_as(exchange, key, b"x", BasicProperties::default(), false).await
}

#[tokio::test]
async fn direct_fanout_and_topic_find_their_queues() {
    let running = broker().await;
    let client = with_queues(&running).await;
    exchange(&client, "d", ExchangeKind::Direct).await;
    bind(&client, "a", "d", "one", FieldTable::default()).await;
    bind(&client, "b", "d", "two", FieldTable::default()).await;
    publish(&client, "d", "one").await;
    assert_eq!(ready(&client).await, (1, 0));
    bind(&client, "a", "amq.fanout", "", FieldTable::default()).await;
    bind(&client, "b", "amq.fanout", "", FieldTable::default()).await;
    publish(&client, "amq.fanout", "whatever").await;
    assert_eq!(ready(&client).await, (2, 1));
    bind(&client, "a", "amq.topic", "*.b", FieldTable::default()).await;
    bind(&client, "b", "amq.topic", "a.#", FieldTable::default()).await;
    publish(&client, "amq.topic", "a.b").await;
    publish(&client, "amq.topic", "a.c.d").await;
    assert_eq!(ready(&client).await, (3, 3));
    assert!(running.memory.all().contains(&Heard::Routed(3, Routing::Routed(2))));
    let unbind = client.channel.queue_unbind("b".into(), "amq.topic".into(), "a.#".into(), FieldTable::default());
    within(unbind).await.unwrap();
    publish(&client, "amq.topic", "a.c.d").await;
    assert_eq!(ready(&client).await, (3, 3));
}

#[tokio::test]
async fn headers_find_their_queue() {
    let running = broker().await;
    let client = with_queues(&running).await;
    exchange(&client, "h", ExchangeKind::Headers).await;
    let pair = [("k", text("v")), ("n", AMQPValue::LongInt(1))];
    bind(&client, "a", "h", "", arguments(&pair)).await;
    bind(&client, "b", "h", "", arguments(&[("x-match", text("any")), pair[0].clone(), pair[1].clone()])).await;
    for headers in [&pair[..1], &pair[..]] {
        let properties = BasicProperties::default().with_headers(arguments(headers));
        client.publish_as("h", "", b"x", properties, false).await;
    }
    assert_eq!(ready(&client).await, (1, 2));
}

#[tokio::test]
async fn what_finds_no_queue_is_dropped_or_returned() {
    let running = broker().await;
    let client = with_queues(&running).await;
    assert!(matches!(publish(&client, "", "nowhere").await, Confirmation::Ack(None)));
    let properties = BasicProperties::default().with_message_id("m".into());
    let confirm = client.publish_as("amq.direct", "nowhere", b"back", properties, true).await;
    let Confirmation::Ack(Some(returned)) = confirm else { panic!("{confirm:?}") };
    assert_eq!((returned.reply_code, returned.reply_text.as_str()), (312, "NO_ROUTE"));
    assert_eq!((returned.delivery.data.as_slice(), returned.delivery.routing_key.as_str()), (&b"back"[..], "nowhere"));
    let heard = running.memory.all();
    assert!(heard.contains(&Heard::Routed(1, Routing::Unroutable)));
    assert!(heard.contains(&Heard::Routed(2, Routing::Returned)));
}

#[tokio::test]
async fn exchanges_and_queues_go_when_they_were_to_go() {
    let running = broker().await;
    let client = with_queues(&running).await;
    let options = ExchangeDeclareOptions { auto_delete: true, ..ExchangeDeclareOptions::default() };
    let declare = client.channel.exchange_declare("brief".into(), ExchangeKind::Fanout, options, Default::default());
    within(declare).await.unwrap();
    bind(&client, "a", "brief", "", FieldTable::default()).await;
    let delete = client.channel.queue_delete("a".into(), QueueDeleteOptions::default());
    assert_eq!(within(delete).await.unwrap(), 0);
    let passive = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
    let look = client.channel.exchange_declare("brief".into(), ExchangeKind::Fanout, passive, Default::default());
    assert_eq!(crate::support::code(&within(look).await.unwrap_err()), 404);

    let client = running.client().await;
    exchange(&client, "d", ExchangeKind::Direct).await;
    within(client.channel.exchange_delete("d".into(), ExchangeDeleteOptions::default())).await.unwrap();
    within(client.channel.exchange_delete("d".into(), ExchangeDeleteOptions::default())).await.unwrap();
    let options = QueueDeclareOptions { auto_delete: true, ..QueueDeclareOptions::default() };
    let queue = client.declare_as("", options, FieldTable::default()).await.unwrap();
    let name = queue.name().as_str().to_owned();
    assert!(name.starts_with("amq.gen-"), "{name}");
    client.consume(&name, "only").await;
    within(client.channel.basic_cancel("only".into(), Default::default())).await.unwrap();
    assert_eq!(running.broker.queue(&name), None);
    assert!(running.memory.all().contains(&Heard::Deleted(name)));
}
