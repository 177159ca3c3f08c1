//! Many messages, many connections, many queues: every copy accounted for.

use futures_util::future::join_all;
use hopscope_amqp::TransitionKind;
use hopscope_amqp::TransitionKind::{Acked, Delivered, Enqueued, Requeued};
use lapin::options::{BasicAckOptions, BasicNackOptions, BasicPublishOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Confirmation};

use crate::support::{Running, broker, next, within};

const MESSAGES: u32 = 10_000;

async fn publish_all(running: &Running, queue: &str, count: u32) {
    let client = running.client().await;
    let mut confirms = Vec::new();
    for n in 0..count {
        let options = BasicPublishOptions::default();
        let body = n.to_be_bytes();
        let publish = client.channel.basic_publish("".into(), queue.into(), options, &body, BasicProperties::default());
        confirms.push(within(publish).await.unwrap());
    }
    for confirm in within(join_all(confirms)).await {
        assert!(matches!(confirm.unwrap(), Confirmation::Ack(None)));
    }
    client.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_messages_arrive_once_and_in_order() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", FieldTable::default()).await;
    within(client.channel.basic_qos(100, BasicQosOptions::default())).await.unwrap();
    let mut consumer = client.consume("q", "").await;
    let consume = async {
        for n in 0..MESSAGES {
            let delivery = next(&mut consumer).await;
            assert_eq!(delivery.data, n.to_be_bytes());
            if n % 50 == 49 {
                within(delivery.ack(BasicAckOptions { multiple: true })).await.unwrap();
            }
        }
    };
    tokio::join!(publish_all(&running, "q", MESSAGES), consume);
    assert_eq!(client.counts("q").await, (0, 1));
    assert_eq!(running.broker.queue("q").unwrap().unacked, 0);
    let kinds = running.memory.kinds("q");
    let count = |kind: TransitionKind| kinds.iter().filter(|other| **other == kind).count();
    assert_eq!((count(Enqueued), count(Delivered), count(Acked)), (10_000, 10_000, 10_000));
    running.memory.check("q");
    assert_eq!(running.broker.memory(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_clients_share_a_queue_and_some_fail() {
    const CLIENTS: u32 = 8;
    const EACH: u32 = 250;
    let running = broker().await;
    let owner = running.client().await;
    owner.declare("q", FieldTable::default()).await;
    let publishers = join_all((0..CLIENTS).map(|_| publish_all(&running, "q", EACH)));
    // Each takes some, gives one back, and leaves with what it has.
    let failing = join_all((0..CLIENTS).map(async |_| {
        let client = running.client().await;
        within(client.channel.basic_qos(5, BasicQosOptions::default())).await.unwrap();
        let mut consumer = client.consume("q", "").await;
        for _ in 0..20 {
            within(next(&mut consumer).await.ack(BasicAckOptions::default())).await.unwrap();
        }
        let nack = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
        within(next(&mut consumer).await.nack(nack)).await.unwrap();
        next(&mut consumer).await;
        client.close().await;
    }));
    tokio::join!(publishers, failing);
    running.memory.until_steps("q", Requeued, 2 * CLIENTS as usize).await;
    assert_eq!(owner.counts("q").await, (CLIENTS * EACH - CLIENTS * 20, 0));
    running.memory.check("q");
}

#[tokio::test]
async fn a_thousand_queues_of_a_fanout_share_one_body() {
    const QUEUES: usize = 1000;
    let running = broker().await;
    let client = running.client().await;
    for n in 0..QUEUES {
        let name = format!("q{n}");
        client.declare(&name, FieldTable::default()).await;
        let bind = client.channel.queue_bind(
            name.as_str().into(),
            "amq.fanout".into(),
            "".into(),
            Default::default(),
            FieldTable::default(),
        );
        within(bind).await.unwrap();
    }
    client.publish_as("amq.fanout", "", &[0; 100_000], BasicProperties::default(), false).await;
    assert_eq!(running.broker.queues().iter().filter(|queue| queue.ready == 1).count(), QUEUES);
    assert!(running.broker.memory() < 1_000_000);
}
