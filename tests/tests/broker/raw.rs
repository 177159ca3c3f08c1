//! Bare sockets: what no client library would send, and peers that fall silent.

use std::time::Duration;

use amq_protocol::frame::AMQPFrame;
use amq_protocol::protocol::{AMQPClass, basic, channel, connection, queue};
use hopscope_amqp::Config;
use hopscope_amqp::TransitionKind::Requeued;
use tokio::io::AsyncReadExt as _;

use crate::socket::{Raw, header, publish};
use crate::support::{Heard, broker, broker_with, within};

#[tokio::test]
async fn contents_are_cut_at_the_agreed_size() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", Default::default()).await;
    client.publish("q", &[7; 10_000]).await;
    let mut raw = Raw::open_with(&running, 4096, 0).await;
    raw.consume("q").await;
    assert!(matches!(raw.frame().await, AMQPFrame::Method(1, _)));
    assert!(matches!(raw.frame().await, AMQPFrame::Header(1, _)));
    let mut parts = Vec::new();
    while parts.iter().sum::<usize>() < 10_000 {
        let AMQPFrame::Body(1, part) = raw.frame().await else { panic!("no body") };
        parts.push(part.len());
    }
    assert_eq!(parts, [4088, 4088, 1824]);
}

#[tokio::test]
async fn who_publishes_too_much_is_told_that_it_waits_and_when_it_goes_on() {
    let running = broker_with(Config { memory_max: 1000, ..Config::default() }).await;
    let client = running.client().await;
    client.declare("q", Default::default()).await;
    let mut raw = Raw::open_with(&running, 0, 1).await;
    let flow = channel::AMQPMethod::Flow(channel::Flow { active: true });
    raw.method(1, publish("q")).await;
    raw.send(header(1000)).await;
    raw.send(AMQPFrame::Body(1, vec![0; 1000])).await;
    let told = raw.frame().await;
    assert!(
        matches!(&told, AMQPFrame::Method(0, AMQPClass::Connection(connection::AMQPMethod::Blocked(_)))),
        "{told:?}"
    );
    // It is not heard now; its silence is not held against it, though it lasts longer than two heartbeats.
    raw.method(1, AMQPClass::Channel(flow)).await;
    for _ in 0..5 {
        raw.heartbeat().await;
    }
    client.counts("q").await;
    within(client.channel.queue_purge("q".into(), Default::default())).await.unwrap();
    let told = raw.frame().await;
    let unblocked = AMQPClass::Connection(connection::AMQPMethod::Unblocked(connection::Unblocked {}));
    assert_eq!(told, AMQPFrame::Method(0, unblocked));
    let answer = raw.frame().await;
    assert!(matches!(answer, AMQPFrame::Method(1, AMQPClass::Channel(channel::AMQPMethod::FlowOk(_)))), "{answer:?}");
}

#[tokio::test]
async fn who_never_says_anything_is_let_go() {
    let config = Config { handshake_timeout: Duration::from_millis(50), ..Config::default() };
    let running = broker_with(config).await;
    let mut raw = Raw::connect(&running).await;
    assert_eq!(raw.try_frame().await, None);
}

#[tokio::test]
async fn who_falls_silent_loses_what_it_had() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", Default::default()).await;
    let mut raw = Raw::open_with(&running, 0, 1).await;
    raw.consume("q").await;
    client.publish("q", b"x").await;
    assert_eq!(raw.delivery().await, (1, 1));
    // Half open: the socket lives, its owner does not answer. Two heartbeats without a word, and the copy is back.
    running.memory.until_steps("q", Requeued, 1).await;
    let beats = within(async {
        let mut bytes = Vec::new();
        let _ = raw.stream.read_to_end(&mut bytes).await;
        bytes.chunks(8).filter(|frame| *frame == [8, 0, 0, 0, 0, 0, 0, 206]).count()
    })
    .await;
    assert!(beats >= 2, "the broker has said that it lives {beats} times");
    running.memory.check("q");
}

#[tokio::test]
async fn a_socket_that_breaks_gives_everything_back() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", Default::default()).await;
    client.publish("q", b"x").await;
    let mut raw = Raw::open(&running).await;
    raw.consume("q").await;
    raw.delivery().await;
    // In the middle of a publish, too.
    raw.method(1, publish("q")).await;
    raw.send(header(10)).await;
    raw.send(AMQPFrame::Body(1, vec![1, 2, 3])).await;
    drop(raw);
    running.memory.until(|all| all.contains(&Heard::Closed(2))).await;
    assert_eq!(client.counts("q").await.0, 1);
    running.memory.check("q");
}

#[tokio::test]
async fn what_was_not_delivered_cannot_be_settled() {
    let running = broker().await;
    let ack = |delivery_tag, multiple| basic::AMQPMethod::Ack(basic::Ack { delivery_tag, multiple });
    let reject = basic::AMQPMethod::Reject(basic::Reject { delivery_tag: 7, requeue: true });
    for method in [ack(7, false), ack(7, true), ack(0, false), reject] {
        let mut raw = Raw::open(&running).await;
        // All there are, though there are none: no misuse.
        raw.method(1, AMQPClass::Basic(ack(0, true))).await;
        raw.method(1, AMQPClass::Basic(method)).await;
        let AMQPFrame::Method(1, AMQPClass::Channel(channel::AMQPMethod::Close(close))) = raw.frame().await else {
            panic!("no close");
        };
        assert_eq!(close.reply_code, 406);
    }
}

#[tokio::test]
async fn a_closing_channel_passes_over_what_comes_late() {
    let running = broker().await;
    let mut raw = Raw::open(&running).await;
    let declare = |queue: &str, passive| {
        let declare = queue::Declare { queue: queue.into(), passive, ..queue::Declare::default() };
        AMQPClass::Queue(queue::AMQPMethod::Declare(declare))
    };
    raw.method(1, declare("none", true)).await;
    raw.method(1, declare("late", false)).await;
    raw.method(1, publish("late")).await;
    raw.send(header(0)).await;
    let AMQPFrame::Method(1, AMQPClass::Channel(channel::AMQPMethod::Close(close))) = raw.frame().await else {
        panic!("no close");
    };
    assert_eq!((close.reply_code, close.class_id, close.method_id), (404, 50, 10));
    raw.method(1, AMQPClass::Channel(channel::AMQPMethod::CloseOk(channel::CloseOk {}))).await;
    raw.method(1, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {}))).await;
    assert!(matches!(raw.frame().await, AMQPFrame::Method(1, AMQPClass::Channel(channel::AMQPMethod::OpenOk(_)))));
    assert_eq!(running.broker.queue("late"), None);
}
