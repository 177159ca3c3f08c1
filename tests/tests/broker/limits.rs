//! Time to live, length, memory.

use futures_util::future::join_all;
use hopscope_amqp::TransitionKind::{Delivered, Dropped, Enqueued, Expired};
use hopscope_amqp::{AMQPValue, Cause, Config, QueueOptions, Routing};
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicGetOptions, BasicPublishOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Confirmation};

use crate::support::{Heard, arguments, broker, broker_with, next, text, within};

#[tokio::test]
async fn messages_expire_by_the_queues_limit_and_by_their_own() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("by-queue", arguments(&[("x-message-ttl", AMQPValue::LongInt(20))])).await;
    client.declare("own", FieldTable::default()).await;
    client.publish("by-queue", b"x").await;
    let properties = BasicProperties::default().with_expiration("30".into());
    client.publish_as("", "own", b"x", properties, false).await;
    running.memory.until_steps("by-queue", Expired, 1).await;
    running.memory.until_steps("own", Expired, 1).await;
    assert_eq!(running.memory.steps("by-queue")[1].cause, Cause::QueueTtl);
    assert_eq!(running.memory.steps("own")[1].cause, Cause::MessageTtl);
    assert_eq!(client.counts("own").await.0, 0);
}

#[tokio::test]
async fn a_message_without_time_reaches_a_waiting_consumer_only() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", arguments(&[("x-message-ttl", AMQPValue::LongInt(0))])).await;
    client.publish("q", b"lost").await;
    assert_eq!(running.memory.kinds("q"), [Enqueued, Expired]);
    let mut consumer = client.consume("q", "").await;
    client.publish("q", b"found").await;
    assert_eq!(next(&mut consumer).await.data, b"found");
    assert_eq!(running.memory.kinds("q"), [Enqueued, Expired, Enqueued, Delivered]);
}

#[tokio::test]
async fn a_full_queue_drops_its_oldest() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", arguments(&[("x-max-length", AMQPValue::LongInt(2))])).await;
    for n in 0..3_u8 {
        assert!(matches!(client.publish("q", &[n]).await, Confirmation::Ack(None)));
    }
    assert_eq!(client.counts("q").await.0, 2);
    let oldest = within(client.channel.basic_get("q".into(), BasicGetOptions::default())).await.unwrap().unwrap();
    assert_eq!(oldest.data, [1]);
    assert_eq!(running.memory.kinds("q"), [Enqueued, Enqueued, Enqueued, Dropped, Delivered]);
    running.memory.check("q");
}

#[tokio::test]
async fn a_full_queue_that_rejects_nacks_the_publish() {
    let running = broker().await;
    let client = running.client().await;
    let table = arguments(&[("x-max-length", AMQPValue::LongInt(1)), ("x-overflow", text("reject-publish"))]);
    client.declare("q", table).await;
    assert!(matches!(client.publish("q", b"1").await, Confirmation::Ack(None)));
    assert!(matches!(client.publish("q", b"2").await, Confirmation::Nack(None)));
    assert_eq!(client.counts("q").await.0, 1);
    assert!(running.memory.all().contains(&Heard::Routed(2, Routing::Refused(0))));
    assert_eq!(running.memory.kinds("q"), [Enqueued]);
}

#[tokio::test]
async fn the_highest_priority_is_delivered_first_and_dropped_first() {
    let running = broker().await;
    let client = running.client().await;
    let table = [("x-max-priority", AMQPValue::LongInt(3)), ("x-max-length", AMQPValue::LongInt(3))];
    client.declare("q", arguments(&table)).await;
    for priority in [0, 3, 1, 2_u8] {
        let properties = BasicProperties::default().with_priority(priority);
        client.publish_as("", "q", &[priority], properties, false).await;
    }
    let mut order = Vec::new();
    let options = BasicGetOptions { no_ack: true };
    while let Some(got) = within(client.channel.basic_get("q".into(), options)).await.unwrap() {
        order.push(got.data[0]);
    }
    assert_eq!(order, [2, 1, 0], "the one at the head went when it was full");
    running.memory.check("q");
    // What expires does so at the head: one behind a copy that does not is passed over by no one.
    let table = [("x-max-priority", AMQPValue::LongInt(1))];
    client.declare("behind", arguments(&table)).await;
    let brief = BasicProperties::default().with_expiration("1".into());
    client.publish_as("", "behind", b"high", BasicProperties::default().with_priority(1), false).await;
    client.publish_as("", "behind", b"low", brief, false).await;
    let got = within(client.channel.basic_get("behind".into(), options)).await.unwrap().unwrap();
    assert_eq!(got.data, b"high");
    running.memory.until_steps("behind", Expired, 1).await;
}

#[tokio::test]
async fn memory_that_is_short_blocks_who_publishes_and_no_one_else() {
    const COUNT: usize = 200;
    let running = broker_with(Config { memory_max: 200_000, ..Config::default() }).await;
    let (publisher, consumer) = (running.client().await, running.client().await);
    publisher.declare("q", FieldTable::default()).await;
    let publish = async {
        let body = vec![0; 10_000];
        let mut confirms = Vec::new();
        for _ in 0..COUNT {
            let options = BasicPublishOptions::default();
            let publish = publisher.channel.basic_publish("".into(), "q".into(), options, &body, Default::default());
            confirms.push(within(publish).await.unwrap());
        }
        for confirm in within(join_all(confirms)).await {
            assert!(matches!(confirm.unwrap(), Confirmation::Ack(None)));
        }
    };
    // The other connection lives, and what it takes makes room, until all is through.
    let mut most = 0;
    let consume = async {
        running.memory.until_steps("q", Enqueued, 15).await;
        let mut deliveries = consumer.consume("q", "").await;
        for _ in 0..COUNT {
            most = most.max(running.broker.memory());
            within(next(&mut deliveries).await.ack(BasicAckOptions::default())).await.unwrap();
        }
    };
    tokio::join!(publish, consume);
    // A batch of frames may go beyond the limit before it is looked at.
    assert!(most > 150_000 && most < 200_000 + 64 * 11_000, "{most}");
    consumer.counts("q").await;
    assert_eq!(running.broker.memory(), 0);
    running.memory.check("q");
}

#[tokio::test]
async fn a_consumer_that_does_not_read_holds_back_only_itself() {
    const COUNT: u32 = 200;
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", FieldTable::default()).await;
    let mut slow = crate::socket::Raw::open(&running).await;
    slow.consume("q").await;
    let body = vec![0; 100_000];
    for _ in 0..COUNT {
        client.publish("q", &body).await;
    }
    // Sockets and outbox hold some; the rest waits where it can be seen, and others can take it.
    let (ready, _) = client.counts("q").await;
    assert!(ready > 0, "20 MB cannot all be on their way");
    let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    let mut quick = client.consume_as("q", "", options).await.unwrap();
    for _ in 0..ready {
        next(&mut quick).await;
    }
    // What the slow one has it still gets, in order, once it reads.
    let held = COUNT - ready;
    for tag in 1..=u64::from(held) {
        assert_eq!(slow.delivery().await, (tag, 100_000));
    }
    running.memory.check("q");
}

#[tokio::test]
async fn the_owner_declares_and_deletes_without_a_client() {
    let running = broker_with(Config { queues_max: 2, ..Config::default() }).await;
    let options =
        QueueOptions { arguments: arguments(&[("x-max-length", AMQPValue::LongInt(1))]), ..QueueOptions::default() };
    running.broker.declare_queue("a", &options).unwrap();
    running.broker.declare_queue("a", &options).unwrap();
    running.broker.declare_queue("b", &QueueOptions::default()).unwrap();
    let refused = |name: &str| running.broker.declare_queue(name, &QueueOptions::default()).unwrap_err().code;
    assert_eq!((refused("a"), refused("amq.x"), refused(""), refused("c")), (406, 403, 403, 406));
    let names: Vec<_> = running.broker.queues().into_iter().map(|queue| queue.name).collect();
    assert_eq!(names, ["a", "b"]);
    let client = running.client().await;
    assert_eq!(client.declare("b", FieldTable::default()).await.message_count(), 0);
    assert!(running.broker.delete_queue("b") && !running.broker.delete_queue("b"));
}
