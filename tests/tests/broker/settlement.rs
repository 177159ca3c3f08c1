//! Ack, nack, reject, recover; what comes back and where to.

use hopscope_amqp::Cause;
use hopscope_amqp::TransitionKind::{Acked, Nacked, Requeued};
use lapin::options::{
    BasicAckOptions, BasicGetOptions, BasicNackOptions, BasicQosOptions, BasicRecoverOptions, BasicRejectOptions,
};
use lapin::types::FieldTable;

use crate::support::{Client, Running, broker, next, within};

async fn with_messages(running: &Running, count: u8) -> Client {
    let client = running.client().await;
    client.declare("q", FieldTable::default()).await;
    for n in 0..count {
        client.publish("q", &[n]).await;
    }
    client
}

async fn get_all(client: &Client) -> Vec<(u8, bool)> {
    let mut got = Vec::new();
    let options = BasicGetOptions { no_ack: true };
    while let Some(message) = within(client.channel.basic_get("q".into(), options)).await.unwrap() {
        got.push((message.data[0], message.redelivered));
    }
    got
}

#[tokio::test]
async fn multiple_settles_all_up_to_a_tag() {
    let running = broker().await;
    let client = with_messages(&running, 5).await;
    let mut consumer = client.consume("q", "").await;
    for _ in 0..5 {
        next(&mut consumer).await;
    }
    within(client.channel.basic_ack(2, BasicAckOptions { multiple: true })).await.unwrap();
    client.counts("q").await;
    assert_eq!(running.broker.queue("q").unwrap().unacked, 3);
    within(client.channel.basic_nack(0, BasicNackOptions { multiple: true, requeue: false })).await.unwrap();
    client.counts("q").await;
    assert_eq!(running.broker.queue("q").unwrap().unacked, 0);
    let kinds = running.memory.kinds("q");
    let count = |kind| kinds.iter().filter(|other| **other == kind).count();
    assert_eq!((count(Acked), count(Nacked)), (2, 3));
    running.memory.check("q");
}

#[tokio::test]
async fn a_requeued_copy_returns_to_its_old_place() {
    let running = broker().await;
    let client = with_messages(&running, 4).await;
    for _ in 0..3 {
        within(client.channel.basic_get("q".into(), BasicGetOptions::default())).await.unwrap();
    }
    within(client.channel.basic_reject(3, BasicRejectOptions { requeue: true })).await.unwrap();
    within(client.channel.basic_nack(1, BasicNackOptions { requeue: true, multiple: false })).await.unwrap();
    assert_eq!(get_all(&client).await, [(0, true), (2, true), (3, false)]);
    running.memory.check("q");
}

#[tokio::test]
async fn recover_brings_everything_back() {
    let running = broker().await;
    let client = with_messages(&running, 3).await;
    for _ in 0..2 {
        within(client.channel.basic_get("q".into(), BasicGetOptions::default())).await.unwrap();
    }
    within(client.channel.basic_recover(BasicRecoverOptions { requeue: true })).await.unwrap();
    assert_eq!(get_all(&client).await, [(0, true), (1, true), (2, false)]);
    let causes = running.memory.steps("q").into_iter().filter(|step| step.kind == Requeued).map(|step| step.cause);
    assert_eq!(causes.collect::<Vec<_>>(), [Cause::Recover, Cause::Recover]);
}

#[tokio::test]
async fn what_a_lost_channel_had_goes_to_the_next_consumer() {
    let running = broker().await;
    let client = with_messages(&running, 3).await;
    let other = running.client().await;
    within(client.channel.basic_qos(2, BasicQosOptions::default())).await.unwrap();
    let mut lost = client.consume("q", "lost").await;
    for _ in 0..2 {
        next(&mut lost).await;
    }
    let mut stays = other.consume("q", "stays").await;
    assert_eq!(next(&mut stays).await.data[0], 2);
    within(client.channel.close(200, "enough".into())).await.unwrap();
    let got = [next(&mut stays).await, next(&mut stays).await].map(|it| (it.data[0], it.redelivered));
    assert_eq!(got, [(0, true), (1, true)]);
    let causes = running.memory.steps("q").into_iter().filter(|step| step.kind == Requeued).map(|step| step.cause);
    assert_eq!(causes.collect::<Vec<_>>(), [Cause::ChannelLost, Cause::ChannelLost]);
    running.memory.check("q");
}

#[tokio::test]
async fn what_a_lost_connection_had_comes_back() {
    let running = broker().await;
    let client = with_messages(&running, 2).await;
    let other = running.client().await;
    let mut consumer = client.consume("q", "lost").await;
    for _ in 0..2 {
        next(&mut consumer).await;
    }
    client.close().await;
    assert_eq!(other.counts("q").await, (2, 0));
    assert_eq!(get_all(&other).await, [(0, true), (1, true)]);
    running.memory.check("q");
}
