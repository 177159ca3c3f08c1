//! What frames make of commands, and how those that may not be are refused: code, text, class and method are RabbitMQ's.

use amq_protocol::frame::AMQPFrame;
use amq_protocol::protocol::{AMQPClass, basic, channel, confirm, exchange};
use hopscope_amqp::{BasicProperties, Config};
use tokio::io::AsyncReadExt as _;

use crate::socket::{Raw, header, publish};
use crate::support::{Heard, Running, broker, broker_with, within};

/// A frame as bytes; `length` is what it says of its payload's.
fn frame(kind: u8, channel: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend_from_slice(&channel.to_be_bytes());
    bytes.extend_from_slice(&(payload.len() as u32).to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes.push(206);
    bytes
}

/// A content header by its parts.
fn content_header(class: u16, weight: u16, size: u64, properties: &[u8]) -> Vec<u8> {
    let mut payload = Vec::new();
    payload.extend_from_slice(&class.to_be_bytes());
    payload.extend_from_slice(&weight.to_be_bytes());
    payload.extend_from_slice(&size.to_be_bytes());
    payload.extend_from_slice(properties);
    frame(2, 1, &payload)
}

/// `basic.publish` to queue `q` on channel 1.
fn publish_bytes() -> Vec<u8> {
    frame(1, 1, &[0, 60, 0, 40, 0, 0, 0, 1, b'q', 0])
}

fn body(bytes: &[u8]) -> Vec<u8> {
    frame(3, 1, bytes)
}

/// Frames, the text with which they end the connection, and the class and method that it names.
type Misuse = (Vec<Vec<u8>>, &'static str, (u16, u16));

/// How the connection ends that sends these bytes.
async fn ends(running: &Running, parts: &[Vec<u8>]) -> (u16, String, u16, u16) {
    let mut raw = Raw::open(running).await;
    raw.bytes(&parts.concat()).await;
    raw.connection_close().await
}

#[tokio::test]
async fn frames_out_of_their_order_are_told_of_in_rabbitmqs_words() {
    let running = broker().await;
    let no_method = "UNEXPECTED_FRAME - expected method frame, got non method frame instead";
    let no_header = "UNEXPECTED_FRAME - expected content header for class 60, got non content header frame instead";
    let no_body = "UNEXPECTED_FRAME - expected content body, got non content body frame instead";
    let other = "UNEXPECTED_FRAME - expected content header for class 60, got one for class 50 instead";
    let channel_open = frame(1, 1, &[0, 20, 0, 10, 0]);
    let plain = content_header(60, 0, 2, &[0, 0]);
    let cases: [Misuse; 11] = [
        (vec![body(b"x")], no_method, (0, 0)),
        (vec![plain.clone()], no_method, (0, 0)),
        // The channel is not open, and its frames are looked at nevertheless.
        (vec![frame(3, 9, b"x")], no_method, (0, 0)),
        (vec![publish_bytes(), body(b"x")], no_header, (60, 40)),
        (vec![publish_bytes(), channel_open.clone()], no_header, (60, 40)),
        (vec![publish_bytes(), content_header(60, 1, 0, &[0, 0])], no_header, (60, 40)),
        (vec![publish_bytes(), content_header(50, 0, 0, &[0, 0])], other, (60, 40)),
        (vec![publish_bytes(), plain.clone(), channel_open.clone()], no_body, (60, 40)),
        (vec![publish_bytes(), plain.clone(), body(b"x"), plain.clone()], no_body, (60, 40)),
        // More than was announced never ends.
        (vec![publish_bytes(), plain.clone(), body(b"xyz"), body(b"x"), publish_bytes()], no_body, (60, 40)),
        (vec![publish_bytes(), content_header(60, 0, 0, &[0, 0]), body(b"")], no_method, (0, 0)),
    ];
    for (parts, why, (class, method)) in cases {
        assert_eq!(ends(&running, &parts).await, (505, why.to_owned(), class, method), "{parts:?}");
    }
    let octets = "UNEXPECTED_FRAME - type 3, all octets = <<\"abc\">>";
    assert_eq!(ends(&running, &[frame(3, 0, b"abc")]).await, (505, octets.to_owned(), 0, 0));
    let unknown = "FRAME_ERROR - type 4, all octets = <<1,2>>: unknown_frame";
    assert_eq!(ends(&running, &[frame(4, 1, &[1, 2])]).await, (501, unknown.to_owned(), 0, 0));
    let fields = "FRAME_ERROR - cannot decode <<0,0,9>>";
    assert_eq!(ends(&running, &[frame(1, 1, &[0, 60, 0, 40, 0, 0, 9])]).await, (501, fields.to_owned(), 60, 40));
    let closed = "CHANNEL_ERROR - expected 'channel.open'";
    let two = |method: &[u8]| frame(1, 2, method);
    assert_eq!(ends(&running, &[two(&[0, 20, 0, 41])]).await, (504, closed.to_owned(), 20, 41));
    assert_eq!(ends(&running, &[two(&[0, 85, 0, 10, 0])]).await, (504, closed.to_owned(), 85, 10));
    let state = "CHANNEL_ERROR - unexpected method in connection state running";
    assert_eq!(ends(&running, &[frame(1, 0, &[0, 85, 0, 10, 0])]).await, (504, state.to_owned(), 85, 10));
    let misplaced = "COMMAND_INVALID - unimplemented method";
    assert_eq!(ends(&running, &[frame(1, 1, &[0, 20, 0, 41])]).await, (503, misplaced.to_owned(), 20, 41));
}

#[tokio::test]
async fn a_publish_on_a_channel_that_is_not_open_is_told_of_when_it_is_whole() {
    let running = broker().await;
    let mut raw = Raw::open(&running).await;
    let mut bytes = publish_bytes();
    bytes[2] = 7;
    raw.bytes(&bytes).await;
    // Meanwhile the connection lives.
    raw.method(1, AMQPClass::Confirm(confirm::AMQPMethod::Select(confirm::Select { nowait: false }))).await;
    assert!(matches!(raw.frame().await, AMQPFrame::Method(1, AMQPClass::Confirm(_))));
    let mut bytes = content_header(60, 0, 0, &[0, 0]);
    bytes[2] = 7;
    raw.bytes(&bytes).await;
    let expected = (504, "CHANNEL_ERROR - expected 'channel.open'".to_owned(), 60, 40);
    assert_eq!(raw.connection_close().await, expected);
}

#[tokio::test]
async fn unknown_methods_end_the_connection_without_a_word() {
    let running = broker().await;
    for name in [[0, 60, 0, 99], [0, 61, 0, 10]] {
        let mut raw = Raw::open(&running).await;
        raw.bytes(&frame(1, 1, &name)).await;
        assert_eq!(raw.try_frame().await, None);
    }
}

#[tokio::test]
async fn a_closing_channel_is_no_new_one() {
    let running = broker().await;
    let mut raw = Raw::open(&running).await;
    let passive = exchange::Declare { exchange: "none".into(), passive: true, ..exchange::Declare::default() };
    raw.method(1, AMQPClass::Exchange(exchange::AMQPMethod::Declare(passive))).await;
    // What belongs together is taken apart as ever, and passed over.
    raw.bytes(&[publish_bytes(), content_header(60, 0, 1, &[0, 0]), body(b"x")].concat()).await;
    raw.method(1, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {}))).await;
    let gone = (404, "NOT_FOUND - no exchange 'none' in vhost '/'".to_owned(), 40, 10);
    assert_eq!(raw.channel_close().await, gone);
    let second = (504, "CHANNEL_ERROR - second 'channel.open' seen".to_owned(), 20, 10);
    assert_eq!(raw.connection_close().await, second);
}

#[tokio::test]
async fn a_publish_is_checked_in_rabbitmqs_order() {
    let running = broker_with(Config { message_max: 4, ..Config::default() }).await;
    let publish = |exchange: &str, immediate| {
        let publish = basic::Publish { exchange: exchange.into(), immediate, ..basic::Publish::default() };
        AMQPClass::Basic(basic::AMQPMethod::Publish(publish))
    };
    let large = [content_header(60, 0, 5, &[0, 0]), body(b"12345")].concat();
    // Their properties announce a text and have none.
    let broken = content_header(60, 0, 0, &[128, 0]);
    let mut raw = Raw::open(&running).await;
    raw.method(1, publish("none", true)).await;
    raw.bytes(&large).await;
    assert_eq!(raw.connection_close().await, (540, "NOT_IMPLEMENTED - immediate=true".to_owned(), 60, 40));
    let mut raw = Raw::open(&running).await;
    raw.method(1, publish("none", false)).await;
    raw.bytes(&large).await;
    let size = "PRECONDITION_FAILED - message size 5 is larger than configured max size 4";
    assert_eq!(raw.channel_close().await, (406, size.to_owned(), 60, 40));
    let mut raw = Raw::open(&running).await;
    raw.method(1, publish("none", false)).await;
    raw.bytes(&broken).await;
    let gone = "NOT_FOUND - no exchange 'none' in vhost '/'";
    assert_eq!(raw.channel_close().await, (404, gone.to_owned(), 60, 40));
    let mut raw = Raw::open(&running).await;
    raw.method(1, publish("", false)).await;
    raw.bytes(&broken).await;
    assert_eq!(raw.connection_close().await, (541, "INTERNAL_ERROR".to_owned(), 0, 0));
}

#[tokio::test]
async fn properties_that_cannot_be_are_refused() {
    let running = broker().await;
    let properties = BasicProperties::default;
    let cases = [
        (
            properties().with_user_id("other".into()).with_expiration("x".into()),
            "user_id property set to 'other' but authenticated user was 'guest'",
        ),
        (properties().with_expiration("10s".into()), "invalid expiration '10s': {leftover_string,\"s\"}"),
        (properties().with_expiration("-1".into()), "invalid expiration '-1': {value_negative,-1}"),
        (properties().with_reply_to("amq.rabbitmq.reply-to".into()), "fast reply consumer does not exist"),
    ];
    for (properties, why) in cases {
        let mut raw = Raw::open(&running).await;
        raw.method(1, publish("q")).await;
        let AMQPFrame::Header(_, mut header) = header(0) else { panic!("no header") };
        header.properties = properties;
        raw.send(AMQPFrame::Header(1, header)).await;
        assert_eq!(raw.channel_close().await, (406, format!("PRECONDITION_FAILED - {why}"), 60, 40));
    }
}

#[tokio::test]
async fn confirms_count_from_one_however_often_they_are_asked_for() {
    let running = broker().await;
    let mut raw = Raw::open(&running).await;
    let select = |nowait| AMQPClass::Confirm(confirm::AMQPMethod::Select(confirm::Select { nowait }));
    // Before, nothing counts.
    raw.method(1, publish("q")).await;
    raw.send(header(0)).await;
    raw.method(1, select(true)).await;
    for number in 1..=3 {
        raw.method(1, publish("q")).await;
        raw.send(header(0)).await;
        let frame = raw.frame().await;
        let AMQPFrame::Method(1, AMQPClass::Basic(basic::AMQPMethod::Ack(ack))) = frame else { panic!("{frame:?}") };
        assert_eq!((ack.delivery_tag, ack.multiple), (number, false));
        raw.method(1, select(false)).await;
        assert!(matches!(raw.frame().await, AMQPFrame::Method(1, AMQPClass::Confirm(_))));
    }
}

#[tokio::test]
async fn channels_are_counted_and_not_their_numbers() {
    let running = broker_with(Config { channel_max: 2, ..Config::default() }).await;
    let mut raw = Raw::open(&running).await;
    let open = || AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {}));
    raw.method(900, open()).await;
    assert!(matches!(raw.frame().await, AMQPFrame::Method(900, _)));
    raw.method(2, open()).await;
    let why = "NOT_ALLOWED - number of channels opened (2) has reached the negotiated channel_max (2)";
    assert_eq!(raw.connection_close().await, (530, why.to_owned(), 0, 0));
}

#[tokio::test]
async fn a_connection_that_ends_without_a_word_gives_everything_back() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", Default::default()).await;
    client.publish("q", b"x").await;
    let mut raw = Raw::open(&running).await;
    raw.consume("q").await;
    raw.delivery().await;
    raw.bytes(&frame(1, 1, &[0, 60, 0, 99])).await;
    let mut rest = Vec::new();
    let _ = within(raw.stream.read_to_end(&mut rest)).await;
    running.memory.until(|all| all.contains(&Heard::Closed(2))).await;
    assert_eq!(client.counts("q").await.0, 1);
}

#[tokio::test]
async fn what_rabbitmq_does_not_do_is_not_done() {
    let running = broker().await;
    let flow = |active| AMQPClass::Channel(channel::AMQPMethod::Flow(channel::Flow { active }));
    let mut raw = Raw::open(&running).await;
    raw.method(1, flow(true)).await;
    assert!(matches!(raw.frame().await, AMQPFrame::Method(1, AMQPClass::Channel(channel::AMQPMethod::FlowOk(_)))));
    raw.method(1, flow(false)).await;
    assert_eq!(raw.connection_close().await, (540, "NOT_IMPLEMENTED - active=false".to_owned(), 20, 20));
    let mut raw = Raw::open(&running).await;
    let traced = basic::Publish { exchange: "amq.rabbitmq.trace".into(), ..basic::Publish::default() };
    raw.method(1, AMQPClass::Basic(basic::AMQPMethod::Publish(traced))).await;
    raw.send(header(0)).await;
    let internal = "ACCESS_REFUSED - cannot publish to internal exchange 'amq.rabbitmq.trace' in vhost '/'";
    assert_eq!(raw.channel_close().await, (403, internal.to_owned(), 60, 40));
    let misplaced = || "COMMAND_INVALID - unimplemented method".to_owned();
    let cancel_ok = basic::AMQPMethod::CancelOk(basic::CancelOk { consumer_tag: "tag".into() });
    let flow_ok = channel::AMQPMethod::FlowOk(channel::FlowOk { active: true });
    for (method, (class, id)) in [(AMQPClass::Basic(cancel_ok), (60, 31)), (AMQPClass::Channel(flow_ok), (20, 21))] {
        let mut raw = Raw::open(&running).await;
        raw.method(1, method).await;
        assert_eq!(raw.connection_close().await, (503, misplaced(), class, id));
    }
}

#[tokio::test]
async fn a_prefetch_of_consumers_ends_that_of_the_channel() {
    let running = broker().await;
    let client = running.client().await;
    client.declare("q", Default::default()).await;
    for _ in 0..2 {
        client.publish("q", b"x").await;
    }
    let mut raw = Raw::open(&running).await;
    let qos =
        |global| AMQPClass::Basic(basic::AMQPMethod::Qos(basic::Qos { prefetch_count: u16::from(global), global }));
    raw.method(1, qos(true)).await;
    raw.frame().await;
    raw.consume("q").await;
    assert_eq!(raw.delivery().await.0, 1);
    raw.method(1, qos(false)).await;
    assert!(matches!(raw.frame().await, AMQPFrame::Method(1, AMQPClass::Basic(basic::AMQPMethod::QosOk(_)))));
    assert_eq!(raw.delivery().await.0, 2);
}
