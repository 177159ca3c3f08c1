//! Publishes that say in their headers who else gets them.

use hopscope_amqp::{AMQPValue, FieldArray};
use lapin::options::{BasicGetOptions, QueueBindOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Confirmation};

use crate::support::{Client, arguments, broker, code, reply_text, text, within};

fn keys(keys: &[&str]) -> AMQPValue {
    AMQPValue::FieldArray(FieldArray::from(keys.iter().map(|key| text(key)).collect::<Vec<_>>()))
}

async fn publish(client: &Client, exchange: &str, key: &str, headers: &[(&str, AMQPValue)]) -> Confirmation {
    let properties = BasicProperties::default().with_headers(arguments(headers));
    client.publish_as(exchange, key, b"x", properties, true).await
}

/// The headers and the key of the next message of a queue.
async fn take(client: &Client, queue: &str) -> (FieldTable, String) {
    let got = within(client.channel.basic_get(queue.into(), BasicGetOptions { no_ack: true })).await.unwrap();
    let delivery = got.unwrap().delivery;
    (delivery.properties.headers().clone().unwrap(), delivery.routing_key.to_string())
}

#[tokio::test]
async fn copies_go_where_the_headers_say_and_hidden_ones_are_not_told_of() {
    let running = broker().await;
    let client = running.client().await;
    for queue in ["a", "b", "c"] {
        client.declare(queue, FieldTable::default()).await;
    }
    let mixed = AMQPValue::FieldArray(vec![text("b"), AMQPValue::LongInt(1), text("a")].into());
    let headers = [("CC", mixed.clone()), ("BCC", keys(&["c"])), ("k", text("v"))];
    assert!(matches!(publish(&client, "", "a", &headers).await, Confirmation::Ack(None)));
    for queue in ["a", "b", "c"] {
        assert_eq!(client.counts(queue).await.0, 1, "{queue}");
        let expected = arguments(&[("CC", mixed.clone()), ("k", text("v"))]);
        assert_eq!(take(&client, queue).await, (expected, "a".to_owned()));
    }
    // What finds no queue comes back as others would have got it.
    let Confirmation::Ack(Some(back)) = publish(&client, "", "none", &[("BCC", keys(&["nor this"]))]).await else {
        panic!("not returned");
    };
    assert_eq!(back.delivery.properties.headers().clone().unwrap(), FieldTable::default());
    // The keys count at every exchange.
    let (options, table) = (QueueBindOptions::default(), FieldTable::default());
    within(client.channel.queue_bind("b".into(), "amq.topic".into(), "x.*".into(), options, table)).await.unwrap();
    publish(&client, "amq.topic", "y", &[("BCC", keys(&["z", "x.y"]))]).await;
    assert_eq!(take(&client, "b").await.1, "y");
}

#[tokio::test]
async fn dead_letters_keep_their_recipients_where_no_other_key_is_set() {
    let running = broker().await;
    let client = running.client().await;
    for (dying, key) in [("plain", None), ("keyed", Some("other"))] {
        let mut table =
            arguments(&[("x-message-ttl", AMQPValue::LongInt(0)), ("x-dead-letter-exchange", text("amq.direct"))]);
        if let Some(key) = key {
            table.insert("x-dead-letter-routing-key".into(), text(key));
        }
        client.declare(dying, table).await;
    }
    for (queue, key) in [("by hidden", "hidden"), ("by other", "other")] {
        client.declare(queue, FieldTable::default()).await;
        let (options, table) = (QueueBindOptions::default(), FieldTable::default());
        within(client.channel.queue_bind(queue.into(), "amq.direct".into(), key.into(), options, table)).await.unwrap();
    }
    let headers = [("CC", keys(&["open"])), ("BCC", keys(&["hidden"]))];
    publish(&client, "", "plain", &headers).await;
    let (told, key) = take(&client, "by hidden").await;
    assert_eq!((told.inner().get("CC"), key.as_str()), (Some(&keys(&["open"])), "plain"));
    let Some(AMQPValue::FieldArray(deaths)) = told.inner().get("x-death") else { panic!("no death") };
    let AMQPValue::FieldTable(death) = &deaths.as_slice()[0] else { panic!("no table") };
    assert_eq!(death.inner().get("routing-keys"), Some(&keys(&["plain", "open"])));
    publish(&client, "", "keyed", &headers).await;
    let (told, key) = take(&client, "by other").await;
    assert_eq!((told.inner().get("CC"), key.as_str()), (None, "other"));
    assert_eq!(client.counts("by hidden").await.0, 0);
}

#[tokio::test]
async fn recipients_that_are_no_list_are_refused() {
    let running = broker().await;
    for (headers, mode, why) in [
        (arguments(&[("CC", text("q"))]), 2, "{unacceptable_type_in_header,\"CC\",longstr}"),
        (arguments(&[("BCC", AMQPValue::LongInt(1))]), 1, "{unacceptable_type_in_header,\"BCC\",signedint}"),
        (FieldTable::default(), 3, "{delivery_mode_unknown,3}"),
    ] {
        let client = running.client().await;
        let properties = BasicProperties::default().with_headers(headers).with_delivery_mode(mode);
        let confirm = client.channel.basic_publish("".into(), "q".into(), Default::default(), b"x", properties);
        let error = within(within(confirm).await.unwrap()).await.unwrap_err();
        assert_eq!((code(&error), reply_text(&error)), (406, format!("PRECONDITION_FAILED - invalid message: {why}")));
    }
}
