//! Transactions: what waits for its commit, and what does not.

use amq_protocol::frame::AMQPFrame;
use amq_protocol::protocol::{AMQPClass, basic, channel, confirm, tx};
use hopscope_amqp::{AMQPValue, TransitionKind};
use lapin::options::{BasicAckOptions, BasicGetOptions, BasicNackOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel};

use crate::socket::{Raw, header, publish as raw_publish};
use crate::support::{Client, Heard, Running, arguments, broker, next, text, within};

/// A transactional channel of a client.
async fn transactional(client: &Client) -> Channel {
    let channel = within(client.connection.create_channel()).await.unwrap();
    within(channel.tx_select()).await.unwrap();
    within(channel.tx_select()).await.unwrap();
    channel
}

async fn publish(channel: &Channel, queue: &str, body: &[u8]) {
    let (options, properties) = (Default::default(), BasicProperties::default());
    within(channel.basic_publish("".into(), queue.into(), options, body, properties)).await.unwrap();
}

/// Resolves when the broker has done what the channel was told before.
async fn done(channel: &Channel) {
    within(channel.tx_select()).await.unwrap();
}

async fn get(channel: &Channel, queue: &str) -> Option<(u64, bool, Vec<u8>)> {
    let got = within(channel.basic_get(queue.into(), BasicGetOptions::default())).await.unwrap()?;
    Some((got.delivery.delivery_tag, got.delivery.redelivered, got.delivery.data.clone()))
}

async fn with_queue() -> (Running, Client, Channel) {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", FieldTable::default()).await;
    let channel = transactional(&client).await;
    (running, client, channel)
}

#[tokio::test]
async fn publishes_take_effect_at_the_commit_in_their_order() {
    let (running, client, channel) = with_queue().await;
    for body in [b"1", b"2"] {
        publish(&channel, "q", body).await;
    }
    done(&channel).await;
    assert_eq!(client.counts("q").await.0, 0);
    assert!(!running.memory.all().contains(&Heard::Published(1)), "told of when it takes effect");
    within(channel.tx_rollback()).await.unwrap();
    within(channel.tx_commit()).await.unwrap();
    assert_eq!(client.counts("q").await.0, 0);
    for body in [b"3", b"4"] {
        publish(&channel, "q", body).await;
    }
    within(channel.tx_commit()).await.unwrap();
    assert_eq!(client.counts("q").await.0, 2);
    for (tag, body) in [(1, b"3"), (2, b"4")] {
        assert_eq!(get(&channel, "q").await, Some((tag, false, body.to_vec())));
    }
    // What was not committed goes with its channel.
    publish(&channel, "q", b"5").await;
    within(channel.close(200, "done".into())).await.unwrap();
    assert_eq!(client.counts("q").await.0, 2);
    running.memory.check("q");
}

#[tokio::test]
async fn settlements_take_effect_at_the_commit() {
    let (running, client, channel) = with_queue().await;
    for body in [b"1", b"2", b"3"] {
        client.publish("q", body).await;
        get(&channel, "q").await.unwrap();
    }
    within(channel.basic_ack(1, BasicAckOptions::default())).await.unwrap();
    within(channel.basic_nack(3, BasicNackOptions { requeue: true, multiple: false })).await.unwrap();
    done(&channel).await;
    assert_eq!(running.broker.queue("q").unwrap().unacked, 3);
    within(channel.tx_commit()).await.unwrap();
    let queue = running.broker.queue("q").unwrap();
    assert_eq!((queue.ready, queue.unacked), (1, 1));
    // Rolled back, a delivery is the channel's as before.
    within(channel.basic_ack(2, BasicAckOptions::default())).await.unwrap();
    within(channel.tx_rollback()).await.unwrap();
    within(channel.basic_ack(2, BasicAckOptions::default())).await.unwrap();
    within(channel.tx_commit()).await.unwrap();
    assert_eq!(running.broker.queue("q").unwrap().unacked, 0);
    // Settled and not committed, it comes back when the channel closes.
    assert_eq!(get(&channel, "q").await, Some((4, true, b"3".to_vec())));
    within(channel.basic_ack(4, BasicAckOptions::default())).await.unwrap();
    within(channel.close(200, "done".into())).await.unwrap();
    assert_eq!(client.counts("q").await.0, 1);
    running.memory.check("q");
}

#[tokio::test]
async fn a_settlement_that_waits_leaves_no_room_for_another_delivery() {
    let (running, client, channel) = with_queue().await;
    within(channel.basic_qos(1, BasicQosOptions { global: true })).await.unwrap();
    let consume = channel.basic_consume("q".into(), "".into(), Default::default(), FieldTable::default());
    let mut consumer = within(consume).await.unwrap();
    client.publish("q", b"1").await;
    client.publish("q", b"2").await;
    let first = next(&mut consumer).await;
    within(channel.basic_ack(first.delivery_tag, BasicAckOptions::default())).await.unwrap();
    done(&channel).await;
    let delivered =
        |kinds: Vec<TransitionKind>| kinds.into_iter().filter(|it| *it == TransitionKind::Delivered).count();
    assert_eq!(delivered(running.memory.kinds("q")), 1);
    within(channel.tx_commit()).await.unwrap();
    assert_eq!(next(&mut consumer).await.data, b"2");
}

#[tokio::test]
async fn what_cannot_be_is_told_at_once() {
    let (running, ..) = with_queue().await;
    // Nothing is committed: that would come too late.
    let ack = basic::AMQPMethod::Ack(basic::Ack { delivery_tag: 7, multiple: false });
    let publish = basic::Publish { exchange: "none".into(), routing_key: "q".into(), ..basic::Publish::default() };
    let cases = [
        (ack, (406, "PRECONDITION_FAILED - unknown delivery tag 7", 60, 80)),
        (basic::AMQPMethod::Publish(publish), (404, "NOT_FOUND - no exchange 'none' in vhost '/'", 60, 40)),
    ];
    for (wrong, (code, text, class, id)) in cases {
        let mut raw = Raw::open(&running).await;
        raw.method(1, method(tx::AMQPMethod::Select(tx::Select {}))).await;
        let publishes = matches!(wrong, basic::AMQPMethod::Publish(_));
        raw.method(1, AMQPClass::Basic(wrong)).await;
        if publishes {
            raw.send(header(0)).await;
        }
        assert_eq!(raw.channel_close().await, (code, text.to_owned(), class, id));
    }
}

fn method(method: tx::AMQPMethod) -> AMQPClass {
    AMQPClass::Tx(method)
}

fn confirm_select() -> AMQPClass {
    AMQPClass::Confirm(confirm::AMQPMethod::Select(confirm::Select { nowait: false }))
}

#[tokio::test]
async fn a_channel_is_transactional_or_has_confirms() {
    let running = broker().await;
    let select = || method(tx::AMQPMethod::Select(tx::Select {}));
    let commit = || method(tx::AMQPMethod::Commit(tx::Commit {}));
    let rollback = || method(tx::AMQPMethod::Rollback(tx::Rollback {}));
    let cases = [
        (vec![confirm_select(), select()], "cannot switch from confirm to tx mode", (90, 10)),
        (vec![select(), confirm_select()], "cannot switch from tx to confirm mode", (85, 10)),
        (vec![commit()], "channel is not transactional", (90, 20)),
        (vec![rollback()], "channel is not transactional", (90, 30)),
    ];
    for (methods, why, (class, id)) in cases {
        let mut raw = Raw::open(&running).await;
        for method in methods {
            raw.method(1, method).await;
        }
        assert_eq!(raw.channel_close().await, (406, format!("PRECONDITION_FAILED - {why}"), class, id));
    }
    let mut raw = Raw::open(&running).await;
    raw.method(1, method(tx::AMQPMethod::SelectOk(tx::SelectOk {}))).await;
    let expected = (503, "COMMAND_INVALID - unimplemented method".to_owned(), 90, 11);
    assert_eq!(raw.connection_close().await, expected);
}

#[tokio::test]
async fn what_no_queue_takes_comes_back_before_the_commit_is_told() {
    let running = broker().await;
    let mut raw = Raw::open(&running).await;
    raw.method(1, method(tx::AMQPMethod::Select(tx::Select {}))).await;
    raw.frame().await;
    let publish = basic::Publish { routing_key: "none".into(), mandatory: true, ..basic::Publish::default() };
    raw.method(1, AMQPClass::Basic(basic::AMQPMethod::Publish(publish))).await;
    raw.send(header(0)).await;
    raw.method(1, method(tx::AMQPMethod::Commit(tx::Commit {}))).await;
    let frame = raw.frame().await;
    let AMQPFrame::Method(1, AMQPClass::Basic(basic::AMQPMethod::Return(back))) = frame else { panic!("{frame:?}") };
    assert_eq!((back.reply_code, back.reply_text.as_str()), (312, "NO_ROUTE"));
    assert!(matches!(raw.frame().await, AMQPFrame::Header(1, _)));
    let frame = raw.frame().await;
    assert!(matches!(frame, AMQPFrame::Method(1, AMQPClass::Tx(tx::AMQPMethod::CommitOk(_)))), "{frame:?}");
}

#[tokio::test]
async fn a_full_queue_lets_a_commit_fail_in_part() {
    let running = broker().await;
    let client = running.client().await;
    let limits = [("x-max-length", AMQPValue::LongInt(1)), ("x-overflow", text("reject-publish"))];
    client.declare("full", arguments(&limits)).await;
    let mut raw = Raw::open(&running).await;
    raw.method(1, method(tx::AMQPMethod::Select(tx::Select {}))).await;
    for _ in 0..2 {
        raw.method(1, raw_publish("full")).await;
        raw.send(header(0)).await;
    }
    raw.method(1, method(tx::AMQPMethod::Commit(tx::Commit {}))).await;
    let expected = (406, "PRECONDITION_FAILED - partial tx completion".to_owned(), 90, 20);
    assert_eq!(raw.channel_close().await, expected);
    raw.method(1, AMQPClass::Channel(channel::AMQPMethod::CloseOk(channel::CloseOk {}))).await;
    assert_eq!(client.counts("full").await.0, 1);
}
