//! Alternate exchanges: where goes what finds no way.

use hopscope_amqp::{AMQPValue, Routing};
use lapin::options::{ExchangeBindOptions, ExchangeDeclareOptions, QueueBindOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Confirmation, ExchangeKind};

use crate::support::{Client, Heard, arguments, broker, code, reply_text, text, within};

async fn declare(client: &Client, name: &str, kind: ExchangeKind, alternate: Option<AMQPValue>) -> lapin::Result<()> {
    let mut table = arguments(&[("anything", AMQPValue::LongInt(1))]);
    if let Some(alternate) = alternate {
        table.insert("alternate-exchange".into(), alternate);
    }
    let options = ExchangeDeclareOptions::default();
    within(client.channel.exchange_declare(name.into(), kind, options, table)).await
}

async fn bind(client: &Client, queue: &str, exchange: &str, key: &str) {
    let (options, table) = (QueueBindOptions::default(), FieldTable::default());
    within(client.channel.queue_bind(queue.into(), exchange.into(), key.into(), options, table)).await.unwrap();
}

async fn publish(client: &Client, exchange: &str, key: &str) -> Confirmation {
    client.publish_as(exchange, key, b"x", BasicProperties::default(), true).await
}

#[tokio::test]
async fn what_finds_no_way_goes_through_the_alternate() {
    let running = broker().await;
    let client = running.client().await;
    for queue in ["straight", "rest"] {
        client.declare(queue, FieldTable::default()).await;
    }
    declare(&client, "first", ExchangeKind::Direct, Some(text("second"))).await.unwrap();
    // It need not be there, and what goes to it is lost then; it is no circle when it names one that came before.
    assert!(matches!(publish(&client, "first", "k").await, Confirmation::Ack(Some(_))));
    declare(&client, "second", ExchangeKind::Direct, Some(text("first"))).await.unwrap();
    assert!(matches!(publish(&client, "first", "k").await, Confirmation::Ack(Some(_))));
    bind(&client, "straight", "first", "k").await;
    bind(&client, "rest", "second", "other").await;
    assert!(matches!(publish(&client, "first", "k").await, Confirmation::Ack(None)));
    assert_eq!((client.counts("straight").await.0, client.counts("rest").await.0), (1, 0));
    // Mandatory, and routed.
    assert!(matches!(publish(&client, "first", "other").await, Confirmation::Ack(None)));
    assert_eq!((client.counts("straight").await.0, client.counts("rest").await.0), (1, 1));
    assert!(running.memory.all().contains(&Heard::Routed(4, Routing::Routed(1))));
}

#[tokio::test]
async fn an_exchange_in_the_middle_has_its_alternate_too() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", FieldTable::default()).await;
    client.declare("rest", FieldTable::default()).await;
    declare(&client, "middle", ExchangeKind::Direct, Some(text("amq.fanout"))).await.unwrap();
    bind(&client, "q", "middle", "k").await;
    bind(&client, "q", "amq.topic", "#").await;
    bind(&client, "rest", "amq.fanout", "").await;
    let (options, table) = (ExchangeBindOptions::default(), FieldTable::default());
    let bind = client.channel.exchange_bind("middle".into(), "amq.topic".into(), "a.*".into(), options, table);
    within(bind).await.unwrap();
    publish(&client, "amq.topic", "a.b").await;
    assert_eq!((client.counts("q").await.0, client.counts("rest").await.0), (1, 1));
}

#[tokio::test]
async fn an_alternate_is_part_of_what_an_exchange_is() {
    let running = broker().await;
    let client = running.client().await;
    declare(&client, "with", ExchangeKind::Direct, Some(text("amq.fanout"))).await.unwrap();
    declare(&client, "with", ExchangeKind::Direct, Some(text("amq.fanout"))).await.unwrap();
    declare(&client, "without", ExchangeKind::Direct, None).await.unwrap();
    let told = "PRECONDITION_FAILED - inequivalent arg 'alternate-exchange' for exchange";
    let cases = [
        ("with", None, "'with' in vhost '/': received none but current is the value 'amq.fanout' of type 'longstr'"),
        ("with", Some(text("other")), "'with' in vhost '/': received 'other' but current is 'amq.fanout'"),
        ("with", Some(AMQPValue::LongInt(5)), "'with' in vhost '/': received '5' but current is 'amq.fanout'"),
        (
            "without",
            Some(text("other")),
            "'without' in vhost '/': received the value 'other' of type 'longstr' but current is none",
        ),
    ];
    for (name, alternate, expected) in cases {
        let client = running.client().await;
        let error = declare(&client, name, ExchangeKind::Direct, alternate).await.unwrap_err();
        assert_eq!((code(&error), reply_text(&error)), (406, format!("{told} {expected}")));
    }
    let error = declare(&client, "new", ExchangeKind::Direct, Some(AMQPValue::Boolean(true))).await.unwrap_err();
    let expected =
        "PRECONDITION_FAILED - invalid type 'bool' for arg 'alternate-exchange' in exchange 'new' in vhost '/'";
    assert_eq!((code(&error), reply_text(&error).as_str()), (406, expected));
}
