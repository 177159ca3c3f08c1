//! Who of several consumers takes.

use hopscope_amqp::AMQPValue;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;

use crate::support::{arguments, broker, code, next, reply_text, within};

#[tokio::test]
async fn the_consumer_of_the_highest_priority_takes_while_it_has_credit() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", FieldTable::default()).await;
    within(client.channel.basic_qos(2, BasicQosOptions::default())).await.unwrap();
    let of = |priority| arguments(&[("x-priority", priority)]);
    let mut low = client.consume_with("q", "low", of(AMQPValue::ShortShortInt(-3))).await.unwrap();
    let mut usual = client.consume("q", "usual").await;
    let mut high = client.consume_with("q", "high", of(AMQPValue::LongLongInt(1 << 40))).await.unwrap();
    for n in 0..5_u8 {
        client.publish("q", &[n]).await;
    }
    let mut got = vec![next(&mut high).await, next(&mut high).await];
    got.extend([next(&mut usual).await, next(&mut usual).await, next(&mut low).await]);
    assert_eq!(got.iter().map(|delivery| delivery.data[0]).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    // The low one has credit, and the high one again: it goes first.
    within(got[1].ack(BasicAckOptions::default())).await.unwrap();
    client.publish("q", &[5]).await;
    assert_eq!(next(&mut high).await.data[0], 5);
    running.memory.check("q");
}

#[tokio::test]
async fn only_the_active_consumer_takes_and_the_next_when_it_goes() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", arguments(&[("x-single-active-consumer", AMQPValue::Boolean(true))])).await;
    within(client.channel.basic_qos(1, BasicQosOptions::default())).await.unwrap();
    let mut first = client.consume("q", "first").await;
    let other = running.client().await;
    let mut second = other.consume("q", "second").await;
    let preferred = running.client().await;
    let high = arguments(&[("x-priority", AMQPValue::LongInt(1))]);
    let mut high = preferred.consume_with("q", "high", high).await.unwrap();
    for n in 0..3_u8 {
        client.publish("q", &[n]).await;
    }
    assert_eq!(next(&mut first).await.data[0], 0);
    assert_eq!(client.counts("q").await, (2, 3), "the active one has no credit, and the others wait");
    // What it had stays with its channel; the rest goes to the one of the highest priority.
    within(client.channel.basic_cancel("first".into(), BasicCancelOptions::default())).await.unwrap();
    assert_eq!([next(&mut high).await.data[0], next(&mut high).await.data[0]], [1, 2]);
    preferred.close().await;
    assert_eq!(
        [next(&mut second).await.data[0], next(&mut second).await.data[0]],
        [1, 2],
        "given back, for the next one"
    );
    client.close().await;
    assert_eq!(next(&mut second).await.data[0], 0);
    running.memory.check("q");
}

#[tokio::test]
async fn a_queue_with_a_single_active_consumer_is_never_consumed_exclusively() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", arguments(&[("x-single-active-consumer", AMQPValue::Boolean(true))])).await;
    let options = BasicConsumeOptions { exclusive: true, ..BasicConsumeOptions::default() };
    let error = client.consume_as("q", "", options).await.err().unwrap();
    assert_eq!(code(&error), 403);
    assert_eq!(reply_text(&error), "ACCESS_REFUSED - queue 'q' in vhost '/' in exclusive use");
}
