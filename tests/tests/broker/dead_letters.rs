//! Copies that die, and where they go.

use hopscope_amqp::TransitionKind::{DeadLettered, Delivered, Dropped, Enqueued, Expired, Nacked};
use hopscope_amqp::{AMQPValue, Cause, FieldTable as Table};
use lapin::BasicProperties;
use lapin::options::{BasicAckOptions, BasicGetOptions, BasicRejectOptions};
use lapin::types::FieldTable;

use crate::support::{Client, Heard, arguments, broker, next, text, within};

async fn declare(client: &Client, name: &str, more: &[(&str, AMQPValue)], to: &str) {
    let mut entries = vec![("x-dead-letter-exchange", text("")), ("x-dead-letter-routing-key", text(to))];
    entries.extend_from_slice(more);
    client.declare(name, arguments(&entries)).await;
}

async fn get(client: &Client, queue: &str) -> BasicProperties {
    let message = within(client.channel.basic_get(queue.into(), BasicGetOptions { no_ack: true })).await.unwrap();
    message.unwrap().delivery.properties
}

fn deaths(properties: &BasicProperties) -> Vec<Table> {
    let headers = properties.headers().clone().unwrap();
    let Some(AMQPValue::FieldArray(deaths)) = headers.inner().get("x-death").cloned() else { panic!("{headers:?}") };
    let tables = deaths.as_slice().iter().map(|death| match death {
        AMQPValue::FieldTable(death) => death.clone(),
        other => panic!("{other:?}"),
    });
    tables.collect()
}

#[tokio::test]
async fn a_rejected_copy_goes_on_with_its_story() {
    let running = broker().await;
    let client = running.client().await;
    declare(&client, "q", &[], "dead").await;
    client.declare("dead", FieldTable::default()).await;
    let properties = BasicProperties::default().with_expiration("60000".into()).with_app_id("app".into());
    client.publish_as("", "q", b"x", properties, false).await;
    let mut consumer = client.consume("q", "").await;
    let delivery = next(&mut consumer).await;
    within(delivery.reject(BasicRejectOptions { requeue: false })).await.unwrap();
    let properties = get(&client, "dead").await;
    assert_eq!(properties.expiration(), &None);
    assert_eq!(properties.app_id().clone().unwrap().as_str(), "app");
    let deaths = deaths(&properties);
    assert_eq!(deaths.len(), 1);
    let value = |name: &str| deaths[0].inner().get(name).cloned();
    assert_eq!(value("reason"), Some(text("rejected")));
    assert_eq!(value("queue"), Some(text("q")));
    assert_eq!(value("exchange"), Some(text("")));
    assert_eq!(value("count"), Some(AMQPValue::LongLongInt(1)));
    assert_eq!(value("original-expiration"), Some(text("60000")));
    assert_eq!(properties.headers().clone().unwrap().inner().get("x-first-death-queue"), Some(&text("q")));
    assert_eq!(running.memory.kinds("q"), [Enqueued, Delivered, Nacked, DeadLettered]);
    assert_eq!(running.memory.steps("dead")[0].cause, Cause::DeadLettered);
    let marks = running.memory.all().into_iter().filter_map(|heard| match heard {
        Heard::Step { queue, mark, .. } if queue == "dead" => Some(mark),
        _ => None,
    });
    assert!(marks.clone().count() > 0 && marks.into_iter().all(|mark| mark == 1), "the same publish");
}

#[tokio::test]
async fn expired_and_dropped_copies_go_on_too() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("dead", FieldTable::default()).await;
    declare(&client, "short", &[("x-message-ttl", AMQPValue::LongInt(10))], "dead").await;
    declare(&client, "small", &[("x-max-length", AMQPValue::LongInt(0))], "dead").await;
    client.publish("small", b"x").await;
    assert_eq!(deaths(&get(&client, "dead").await)[0].inner().get("reason"), Some(&text("maxlen")));
    client.publish("short", b"x").await;
    running.memory.until_steps("dead", Enqueued, 2).await;
    assert_eq!(deaths(&get(&client, "dead").await)[0].inner().get("reason"), Some(&text("expired")));
    assert_eq!(running.memory.kinds("small"), [Enqueued, Dropped, DeadLettered]);
    assert_eq!(running.memory.kinds("short"), [Enqueued, Expired, DeadLettered]);
}

#[tokio::test]
async fn a_copy_that_nobody_rejects_does_not_go_round_for_ever() {
    let running = broker().await;
    let client = running.client().await;
    declare(&client, "a", &[("x-max-length", AMQPValue::LongInt(0))], "b").await;
    declare(&client, "b", &[("x-max-length", AMQPValue::LongInt(0))], "a").await;
    client.publish("a", b"x").await;
    assert_eq!((client.counts("a").await.0, client.counts("b").await.0), (0, 0));
    assert_eq!(running.memory.kinds("a"), [Enqueued, Dropped, DeadLettered]);
    assert_eq!(running.memory.kinds("b"), [Enqueued, Dropped, DeadLettered]);
}

#[tokio::test]
async fn a_rejected_copy_that_waits_and_returns_counts_its_deaths() {
    let running = broker().await;
    let client = running.client().await;
    declare(&client, "work", &[], "wait").await;
    declare(&client, "wait", &[("x-message-ttl", AMQPValue::LongInt(5))], "work").await;
    client.publish("work", b"x").await;
    let mut consumer = client.consume("work", "").await;
    for _ in 0..2 {
        let delivery = next(&mut consumer).await;
        within(delivery.reject(BasicRejectOptions { requeue: false })).await.unwrap();
    }
    let last = next(&mut consumer).await;
    let deaths = deaths(&last.properties);
    let told: Vec<_> =
        deaths.iter().map(|death| (death.inner()["queue"].clone(), death.inner()["count"].clone())).collect();
    let two = AMQPValue::LongLongInt(2);
    assert_eq!(told, [(text("wait"), two.clone()), (text("work"), two)], "the newest first");
    within(last.ack(BasicAckOptions::default())).await.unwrap();
    client.counts("work").await;
    running.memory.check("work");
    running.memory.check("wait");
}
