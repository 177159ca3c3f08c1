//! What no client library would send: each misuse of frames ends the connection with RabbitMQ's code, text and method, or
//! without a word where RabbitMQ says none.

use amq_protocol::frame::AMQPFrame;
use amq_protocol::protocol::{AMQPClass, basic, channel, connection};
use hopscope_amqp::Config;
use tokio::io::AsyncReadExt as _;

use crate::socket::{HEADER, Raw, header, open, publish};
use crate::support::{Running, broker, broker_with, within};

#[tokio::test]
async fn another_protocol_is_told_which_one_is_spoken() {
    let running = broker().await;
    for begin in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"AMQP\0\x01\0\0", b"AMQP\x03\x01\0\0", b"AMQP\x01\x01\x08\0"] {
        let mut raw = Raw::connect(&running).await;
        raw.bytes(begin).await;
        let mut answer = Vec::new();
        // What was not read may end the connection hard; the answer has come before.
        let _ = within(raw.stream.read_to_end(&mut answer)).await;
        assert_eq!(answer, HEADER);
    }
    // 0-9 is near enough.
    let mut raw = Raw::connect(&running).await;
    raw.bytes(b"AMQP\x01\x01\0\x09").await;
    assert!(matches!(raw.frame().await, AMQPFrame::Method(0, _)));
}

type Step = Box<dyn Fn() -> AMQPFrame>;

fn method(channel: u16, method: AMQPClass) -> Step {
    Box::new(move || AMQPFrame::Method(channel, method.clone()))
}

/// What an open connection is told that sends these frames: code, text, class and method.
async fn told(running: &Running, steps: &[Step]) -> (u16, String, (u16, u16)) {
    let mut raw = Raw::open(running).await;
    for step in steps {
        raw.send(step()).await;
    }
    let close = raw.close().await;
    (close.reply_code, close.reply_text.to_string(), (close.class_id, close.method_id))
}

#[tokio::test]
async fn each_misuse_of_frames_is_told_in_rabbitmqs_words() {
    let running = broker().await;
    let channel_open = || AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {}));
    let close_ok = AMQPClass::Channel(channel::AMQPMethod::CloseOk(channel::CloseOk {}));
    let body = |bytes: &'static [u8]| -> Step { Box::new(|| AMQPFrame::Body(1, bytes.to_vec())) };
    let (no_method, of_publish) = ((0, 0), (60, 40));
    let no_content = "UNEXPECTED_FRAME - expected method frame, got non method frame instead";
    let no_header = "UNEXPECTED_FRAME - expected content header for class 60, got non content header frame instead";
    let no_body = "UNEXPECTED_FRAME - expected content body, got non content body frame instead";
    let no_open = "CHANNEL_ERROR - expected 'channel.open'";
    let in_running = "CHANNEL_ERROR - unexpected method in connection state running";
    let unimplemented = "COMMAND_INVALID - unimplemented method";
    let cases: Vec<(_, &str, _, Vec<Step>)> = vec![
        (505, no_content, no_method, vec![body(b"1")]),
        (505, no_content, no_method, vec![Box::new(|| header(1))]),
        (505, no_header, of_publish, vec![method(1, publish("q")), method(1, channel_open())]),
        (505, no_header, of_publish, vec![method(1, publish("q")), body(b"1")]),
        (505, no_body, of_publish, vec![method(1, publish("q")), Box::new(|| header(1)), method(1, publish("q"))]),
        (504, no_open, (20, 40), vec![method(2, AMQPClass::Channel(channel::AMQPMethod::Close(Default::default())))]),
        (505, no_content, no_method, vec![Box::new(|| AMQPFrame::Body(2, vec![1]))]),
        (504, "CHANNEL_ERROR - second 'channel.open' seen", (20, 10), vec![method(1, channel_open())]),
        (504, in_running, (20, 10), vec![method(0, channel_open())]),
        (504, in_running, of_publish, vec![method(0, publish("q"))]),
        (504, in_running, (10, 40), vec![method(0, open("/"))]),
        (503, unimplemented, (10, 40), vec![method(1, open("/"))]),
        (503, unimplemented, (20, 41), vec![method(1, close_ok)]),
        (
            505,
            "UNEXPECTED_FRAME - type 8, all octets = <<>>",
            no_method,
            vec![Box::new(|| AMQPFrame::InvalidHeartbeat(1))],
        ),
        (
            505,
            "UNEXPECTED_FRAME - type 3, all octets = <<\"ab\">>",
            no_method,
            vec![Box::new(|| AMQPFrame::Body(0, b"ab".to_vec()))],
        ),
    ];
    for (code, text, method, steps) in cases {
        assert_eq!(told(&running, &steps).await, (code, text.to_owned(), method));
    }
}

#[tokio::test]
async fn bytes_that_are_no_frames_end_the_connection() {
    let running = broker().await;
    let mut huge = vec![3, 0, 1];
    huge.extend_from_slice(&200_000_u32.to_be_bytes());
    let cases: [(_, _, _, &[u8]); 6] = [
        (
            501,
            "FRAME_ERROR - type 1, all octets = <<0,60,0,40>>: {invalid_frame_end_marker,7}",
            (0, 0),
            &[1, 0, 1, 0, 0, 0, 4, 0, 60, 0, 40, 7],
        ),
        (
            501,
            "FRAME_ERROR - type 7, all octets = <<0,60,0,40>>: unknown_frame",
            (0, 0),
            &[7, 0, 1, 0, 0, 0, 4, 0, 60, 0, 40, 206],
        ),
        (501, "FRAME_ERROR - type 8, all octets = <<1>>: unknown_frame", (0, 0), &[8, 0, 0, 0, 0, 0, 1, 1, 206]),
        (501, "FRAME_ERROR - type 3, all octets = <<>>: {frame_too_large,200000,131064}", (0, 0), &huge),
        (501, "FRAME_ERROR - cannot decode <<1>>", (60, 40), &[1, 0, 1, 0, 0, 0, 5, 0, 60, 0, 40, 1, 206]),
        (541, "INTERNAL_ERROR", (0, 0), &[1, 0, 0, 0, 0, 0, 5, 0, 10, 0, 50, 1, 206]),
    ];
    for (code, text, method, bytes) in cases {
        let mut raw = Raw::open(&running).await;
        raw.bytes(bytes).await;
        let AMQPFrame::Method(0, AMQPClass::Connection(connection::AMQPMethod::Close(close))) = raw.frame().await
        else {
            panic!("{text}");
        };
        let told = (close.reply_code, close.reply_text.as_str(), (close.class_id, close.method_id));
        assert_eq!(told, (code, text, method));
    }
    for unknown in [&[1, 0, 1, 0, 0, 0, 4, 0, 60, 0, 99, 206][..], &[1, 0, 0, 0, 0, 0, 4, 0, 61, 0, 10, 206]] {
        let mut raw = Raw::open(&running).await;
        raw.bytes(unknown).await;
        assert_eq!(raw.try_frame().await, None, "RabbitMQ has no word for a method that it does not know");
    }
}

#[tokio::test]
async fn before_the_limits_are_agreed_no_fault_is_told() {
    let running = broker().await;
    let (mut raw, _) = Raw::until_start(&running).await;
    raw.method(0, open("/")).await;
    assert_eq!(raw.try_frame().await, None);
    let (mut raw, _) = Raw::until_start(&running).await;
    raw.method(1, publish("q")).await;
    assert_eq!(raw.try_frame().await, None);
    // Larger than anything that may come before a size is agreed.
    let (mut raw, _) = Raw::until_start(&running).await;
    raw.bytes(&[1, 0, 0, 0, 0, 16, 1]).await;
    assert_eq!(raw.try_frame().await, None);
    for (channel_max, frame_max) in [(2047, 4095), (2047, 131_073), (2047, 0), (0, 131_072), (2048, 131_072)] {
        let mut raw = Raw::until_tune(&running).await;
        raw.tune_ok_as(channel_max, frame_max, 0).await;
        assert_eq!(raw.try_frame().await, None, "{channel_max}, {frame_max}");
    }
    let mut raw = Raw::until_tune(&running).await;
    raw.method(0, open("/")).await;
    assert_eq!(raw.try_frame().await, None);
}

#[tokio::test]
async fn what_stands_in_place_of_an_open_is_told() {
    let running = broker().await;
    let close = connection::AMQPMethod::Close(connection::Close::default());
    let cases = [
        (0, open("/elsewhere"), 530, "NOT_ALLOWED - vhost /elsewhere not found", (10, 40)),
        (
            0,
            AMQPClass::Connection(close),
            504,
            "CHANNEL_ERROR - unexpected method in connection state opening",
            (10, 50),
        ),
        (1, publish(""), 505, "UNEXPECTED_FRAME - type 1, all octets = <<0,60,0,40,0,0,0,0,0>>", (0, 0)),
    ];
    for (channel, method, code, text, failed) in cases {
        let mut raw = Raw::until_tune(&running).await;
        raw.tune_ok(4096, 0).await;
        raw.method(channel, method).await;
        let close = raw.close().await;
        let told = (close.reply_code, close.reply_text.as_str(), (close.class_id, close.method_id));
        assert_eq!(told, (code, text, failed));
    }
}

#[tokio::test]
async fn channels_are_counted_and_their_numbers_are_not() {
    let running = broker_with(Config { channel_max: 2, ..Config::default() }).await;
    let (mut raw, _) = Raw::until_start(&running).await;
    raw.start_ok("PLAIN", b"\0guest\0guest").await;
    raw.frame().await;
    raw.tune_ok_as(2, 131_072, 0).await;
    raw.method(0, open("/")).await;
    raw.frame().await;
    for number in [7, 9] {
        raw.method(number, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {}))).await;
        assert!(matches!(raw.frame().await, AMQPFrame::Method(_, AMQPClass::Channel(_))));
    }
    raw.method(1, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {}))).await;
    let close = raw.close().await;
    let text = "NOT_ALLOWED - number of channels opened (2) has reached the negotiated channel_max (2)";
    assert_eq!((close.reply_code, close.reply_text.as_str(), close.class_id), (530, text, 0));
}

#[tokio::test]
async fn a_secret_may_be_updated() {
    let running = broker().await;
    let mut raw = Raw::open(&running).await;
    let update = connection::UpdateSecret { new_secret: "guest".into(), reason: "".into() };
    raw.method(0, AMQPClass::Connection(connection::AMQPMethod::UpdateSecret(update))).await;
    let answer = raw.frame().await;
    assert!(matches!(answer, AMQPFrame::Method(0, AMQPClass::Connection(connection::AMQPMethod::UpdateSecretOk(_)))));
    let get = basic::Get { queue: "none".into(), no_ack: false };
    raw.method(1, AMQPClass::Basic(basic::AMQPMethod::Get(get))).await;
    assert!(matches!(raw.frame().await, AMQPFrame::Method(1, AMQPClass::Channel(channel::AMQPMethod::Close(_)))));
}
