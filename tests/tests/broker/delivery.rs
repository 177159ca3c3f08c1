//! Publish, confirm, consume, get.

use hopscope_amqp::Routing;
use hopscope_amqp::TransitionKind::{Acked, Delivered, Enqueued, Purged};
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicGetOptions, BasicQosOptions, QueuePurgeOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Confirmation};

use crate::support::{Heard, arguments, broker, next, text, within};

#[tokio::test]
async fn a_message_is_published_confirmed_delivered_and_acked() {
    let running = broker().await;
    let client = running.client().await;
    assert_eq!(client.declare("q", FieldTable::default()).await.message_count(), 0);
    let properties = BasicProperties::default().with_message_id("m1".into());
    let confirm = client.publish_as("", "q", b"body", properties, false).await;
    assert!(matches!(confirm, Confirmation::Ack(None)), "{confirm:?}");
    assert_eq!(running.broker.queue("q").unwrap().ready, 1);

    let mut consumer = client.consume("q", "hs.7").await;
    let delivery = next(&mut consumer).await;
    assert_eq!(delivery.data, b"body");
    assert_eq!(delivery.properties.message_id().as_ref().unwrap().as_str(), "m1");
    assert!(!delivery.redelivered);
    assert_eq!(delivery.routing_key.as_str(), "q");
    within(delivery.ack(BasicAckOptions::default())).await.unwrap();
    client.close().await;

    let memory = running.stop().await;
    assert_eq!(memory.kinds("q"), [Enqueued, Delivered, Acked]);
    memory.check("q");
    let identities = memory.all().into_iter().filter_map(|heard| match heard {
        Heard::Step { delivery, mark: 1, .. } => Some(delivery),
        _ => None,
    });
    let delivery = Some((1, 1, "hs.7".to_owned(), 1));
    assert_eq!(identities.collect::<Vec<_>>(), [None, delivery.clone(), delivery]);
    assert!(memory.all().contains(&Heard::Routed(1, Routing::Routed(1))));
}

#[tokio::test]
async fn the_observer_hears_who_comes_and_goes_and_may_write_headers() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", FieldTable::default()).await;
    let properties = BasicProperties::default().with_headers(arguments(&[("mark-me", text("please"))]));
    client.publish_as("", "q", b"", properties, false).await;
    let mut consumer = client.consume("q", "tag").await;
    let delivery = next(&mut consumer).await;
    let headers = delivery.properties.headers().clone().unwrap();
    assert_eq!(headers.inner().get("marked"), Some(&text("yes")));
    assert_eq!(headers.inner().get("mark-me"), Some(&text("please")));
    within(client.channel.basic_cancel("tag".into(), BasicCancelOptions::default())).await.unwrap();
    client.close().await;
    let memory = running.stop().await;
    let q = || "q".to_owned();
    let told: Vec<_> =
        memory.all().into_iter().filter(|heard| !matches!(heard, Heard::Step { .. } | Heard::Routed(..))).collect();
    assert_eq!(
        told,
        [
            Heard::Opened(1),
            Heard::Declared(q()),
            Heard::Published(1),
            Heard::ConsumerAdded(q(), "tag".to_owned()),
            Heard::ConsumerGone(q(), "tag".to_owned()),
            Heard::Closed(1),
        ]
    );
}

#[tokio::test]
async fn prefetch_bounds_each_consumer_and_the_whole_channel() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", FieldTable::default()).await;
    for _ in 0..10 {
        client.publish("q", b"x").await;
    }
    within(client.channel.basic_qos(2, BasicQosOptions::default())).await.unwrap();
    let mut a = client.consume("q", "a").await;
    let mut b = client.consume("q", "b").await;
    assert_eq!(client.counts("q").await, (6, 2), "two each");
    let first = next(&mut a).await;
    within(first.ack(BasicAckOptions::default())).await.unwrap();
    assert_eq!(client.counts("q").await.0, 5, "one settled, one more out");
    // The whole channel may hold three: it holds four, so nothing more comes until two are settled.
    within(client.channel.basic_qos(3, BasicQosOptions { global: true })).await.unwrap();
    let tags = [next(&mut a).await.delivery_tag, next(&mut b).await.delivery_tag];
    within(client.channel.basic_ack(tags[0], BasicAckOptions::default())).await.unwrap();
    assert_eq!(client.counts("q").await.0, 5);
    within(client.channel.basic_ack(tags[1], BasicAckOptions::default())).await.unwrap();
    assert_eq!(client.counts("q").await.0, 4);
    client.close().await;
    running.stop().await.check("q");
}

#[tokio::test]
async fn consumers_take_turns() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", FieldTable::default()).await;
    let mut a = client.consume("q", "a").await;
    let mut b = client.consume("q", "b").await;
    for n in 0..6_u8 {
        client.publish("q", &[n]).await;
    }
    let mut got = Vec::new();
    for _ in 0..3 {
        got.push((next(&mut a).await.data[0], next(&mut b).await.data[0]));
    }
    assert_eq!(got, [(0, 1), (2, 3), (4, 5)]);
}

#[tokio::test]
async fn without_acknowledgement_a_delivery_is_acked_at_once() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", FieldTable::default()).await;
    let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    let mut consumer = client.consume_as("q", "", options).await.unwrap();
    assert!(consumer.tag().as_str().starts_with("amq.ctag-"));
    client.publish("q", b"x").await;
    next(&mut consumer).await;
    assert_eq!(running.broker.queue("q").unwrap().unacked, 0);
    assert_eq!(running.memory.kinds("q"), [Enqueued, Delivered, Acked]);
}

#[tokio::test]
async fn get_says_how_many_are_left() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", FieldTable::default()).await;
    let get = || client.channel.basic_get("q".into(), BasicGetOptions::default());
    assert!(within(get()).await.unwrap().is_none());
    for n in 0..3_u8 {
        client.publish("q", &[n]).await;
    }
    for n in 0..3_u8 {
        let message = within(get()).await.unwrap().unwrap();
        assert_eq!((message.data[0], message.message_count), (n, u32::from(2 - n)));
    }
    within(client.channel.basic_ack(3, BasicAckOptions { multiple: true })).await.unwrap();
    assert_eq!(client.counts("q").await.0, 0);
    assert_eq!(running.broker.queue("q").unwrap().unacked, 0);
    running.memory.check("q");
}

#[tokio::test]
async fn a_purge_takes_what_is_ready_only() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", FieldTable::default()).await;
    for _ in 0..3 {
        client.publish("q", b"x").await;
    }
    within(client.channel.basic_get("q".into(), BasicGetOptions::default())).await.unwrap().unwrap();
    assert_eq!(within(client.channel.queue_purge("q".into(), QueuePurgeOptions::default())).await.unwrap(), 2);
    assert_eq!(running.broker.queue("q").unwrap().unacked, 1);
    assert_eq!(running.memory.kinds("q"), [Enqueued, Enqueued, Enqueued, Delivered, Purged, Purged]);
    running.memory.check("q");
}

#[tokio::test]
async fn a_body_of_a_megabyte_comes_whole() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", FieldTable::default()).await;
    let body: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
    client.publish("q", &body).await;
    let mut consumer = client.consume("q", "").await;
    assert!(next(&mut consumer).await.data == body);
}

#[tokio::test]
async fn a_reply_goes_straight_to_who_asked() {
    let running = broker().await;
    let (asks, answers) = (running.client().await, running.client().await);
    answers.declare("q", FieldTable::default()).await;
    let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    let mut replies = asks.consume_as("amq.rabbitmq.reply-to", "replies", options).await.unwrap();
    let properties =
        BasicProperties::default().with_reply_to("amq.rabbitmq.reply-to".into()).with_correlation_id("c".into());
    asks.publish_as("", "q", b"?", properties, false).await;
    let mut requests = answers.consume("q", "").await;
    let request = next(&mut requests).await;
    let address = request.properties.reply_to().clone().unwrap();
    assert!(address.as_str().starts_with("amq.rabbitmq.reply-to."));
    let reply = BasicProperties::default().with_correlation_id("c".into());
    answers.publish_as("", address.as_str(), b"!", reply, false).await;
    let reply = next(&mut replies).await;
    assert_eq!((reply.data.as_slice(), reply.properties.correlation_id().clone().unwrap().as_str()), (&b"!"[..], "c"));
    assert!(running.memory.all().contains(&Heard::Routed(2, Routing::Direct)));
    // Who has gone gets nothing.
    asks.close().await;
    let returned = answers.publish_as("", address.as_str(), b"!", BasicProperties::default(), true).await;
    assert!(matches!(returned, Confirmation::Ack(Some(_))), "{returned:?}");
}
