//! Bare sockets: what no client library would send, and peers that fall silent.

use std::time::Duration;

use amq_protocol::frame::{AMQPContentHeader, AMQPFrame, WriteContext, gen_frame, parse_frame};
use amq_protocol::protocol::{AMQPClass, basic, channel, connection, queue};
use amq_protocol::types::{AMQPValue, FieldTable, LongString};
use hopscope_amqp::Config;
use hopscope_amqp::TransitionKind::Requeued;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Heard, Running, arguments, broker, broker_with, within};

/// A client by hand.
pub(crate) struct Raw {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
}

impl Raw {
    pub(crate) async fn connect(running: &Running) -> Self {
        let stream = within(TcpStream::connect(running.broker.address())).await.unwrap();
        Self { stream, buffer: Vec::new() }
    }

    /// Up to an open connection with channel 1.
    pub(crate) async fn open(running: &Running) -> Self {
        Self::open_with(running, 0, 0).await
    }

    async fn open_with(running: &Running, frame_max: u32, heartbeat: u16) -> Self {
        let mut raw = Self::until_tune(running).await;
        raw.tune_ok(frame_max, heartbeat).await;
        raw.method(0, open("/")).await;
        assert!(matches!(raw.frame().await, AMQPFrame::Method(0, _)));
        raw.method(1, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {}))).await;
        assert!(matches!(raw.frame().await, AMQPFrame::Method(1, _)));
        raw
    }

    /// Asks to be told when it is blocked.
    async fn until_tune(running: &Running) -> Self {
        let mut raw = Self::connect(running).await;
        raw.bytes(b"AMQP\0\0\x09\x01").await;
        raw.frame().await;
        let capabilities = arguments(&[("connection.blocked", AMQPValue::Boolean(true))]);
        let properties = arguments(&[("capabilities", AMQPValue::FieldTable(capabilities))]);
        raw.start_ok_as(properties, "PLAIN", b"\0guest\0guest").await;
        let AMQPFrame::Method(0, AMQPClass::Connection(connection::AMQPMethod::Tune(tune))) = raw.frame().await else {
            panic!("no tune");
        };
        assert_eq!(tune.frame_max, 131_072);
        raw
    }

    async fn start_ok(&mut self, mechanism: &str, response: &[u8]) {
        self.start_ok_as(FieldTable::default(), mechanism, response).await;
    }

    async fn start_ok_as(&mut self, client_properties: FieldTable, mechanism: &str, response: &[u8]) {
        let start_ok = connection::StartOk {
            client_properties,
            mechanism: mechanism.into(),
            response: LongString::from(response),
            locale: "en_US".into(),
        };
        self.method(0, AMQPClass::Connection(connection::AMQPMethod::StartOk(start_ok))).await;
    }

    async fn tune_ok(&mut self, frame_max: u32, heartbeat: u16) {
        let tune_ok = connection::TuneOk { channel_max: 0, frame_max, heartbeat };
        self.method(0, AMQPClass::Connection(connection::AMQPMethod::TuneOk(tune_ok))).await;
    }

    pub(crate) async fn bytes(&mut self, bytes: &[u8]) {
        within(self.stream.write_all(bytes)).await.unwrap();
    }

    /// Whether a frame could be sent.
    pub(crate) async fn try_send(&mut self, frame: AMQPFrame) -> bool {
        let context = gen_frame(&frame)(WriteContext::from(Vec::new())).unwrap();
        within(self.stream.write_all(&context.write)).await.is_ok()
    }

    pub(crate) async fn send(&mut self, frame: AMQPFrame) {
        let context = gen_frame(&frame)(WriteContext::from(Vec::new())).unwrap();
        self.bytes(&context.write).await;
    }

    pub(crate) async fn method(&mut self, channel: u16, method: AMQPClass) {
        self.send(AMQPFrame::Method(channel, method)).await;
    }

    /// A heartbeat, before anything else.
    async fn heartbeat(&mut self) {
        let frame = self.any_frame().await;
        assert_eq!(frame, Some(AMQPFrame::Heartbeat));
    }

    /// The next frame that is no heartbeat; `None` at the end.
    pub(crate) async fn try_frame(&mut self) -> Option<AMQPFrame> {
        loop {
            let frame = self.any_frame().await;
            if frame != Some(AMQPFrame::Heartbeat) {
                return frame;
            }
        }
    }

    async fn any_frame(&mut self) -> Option<AMQPFrame> {
        loop {
            let parsed = match parse_frame(self.buffer.as_slice()) {
                Ok((rest, frame)) => Some((self.buffer.len() - rest.len(), frame)),
                Err(_) => None,
            };
            match parsed {
                Some((length, frame)) => {
                    self.buffer.drain(..length);
                    return Some(frame);
                }
                None => {
                    if !matches!(within(self.stream.read_buf(&mut self.buffer)).await, Ok(1..)) {
                        return None;
                    }
                }
            }
        }
    }

    pub(crate) async fn frame(&mut self) -> AMQPFrame {
        self.try_frame().await.unwrap()
    }

    /// The reply code with which the connection ends.
    async fn connection_ends(&mut self) -> u16 {
        loop {
            if let AMQPFrame::Method(0, AMQPClass::Connection(connection::AMQPMethod::Close(close))) =
                self.frame().await
            {
                self.method(0, AMQPClass::Connection(connection::AMQPMethod::CloseOk(connection::CloseOk {}))).await;
                assert_eq!(self.try_frame().await, None, "the broker closes");
                return close.reply_code;
            }
        }
    }

    /// How the channel ends next: code, text, class and method.
    pub(crate) async fn channel_close(&mut self) -> (u16, String, u16, u16) {
        loop {
            let AMQPFrame::Method(_, AMQPClass::Channel(channel::AMQPMethod::Close(close))) = self.frame().await else {
                continue;
            };
            return (close.reply_code, close.reply_text.to_string(), close.class_id, close.method_id);
        }
    }

    /// How the connection ends next: code, text, class and method.
    pub(crate) async fn connection_close(&mut self) -> (u16, String, u16, u16) {
        loop {
            let AMQPFrame::Method(0, AMQPClass::Connection(connection::AMQPMethod::Close(close))) = self.frame().await
            else {
                continue;
            };
            return (close.reply_code, close.reply_text.to_string(), close.class_id, close.method_id);
        }
    }

    pub(crate) async fn consume(&mut self, queue: &str) {
        let consume = basic::Consume { queue: queue.into(), ..basic::Consume::default() };
        self.method(1, AMQPClass::Basic(basic::AMQPMethod::Consume(consume))).await;
        let answer = self.frame().await;
        assert!(
            matches!(answer, AMQPFrame::Method(1, AMQPClass::Basic(basic::AMQPMethod::ConsumeOk(_)))),
            "{answer:?}"
        );
    }

    /// The next delivery's tag and length.
    pub(crate) async fn delivery(&mut self) -> (u64, usize) {
        let frame = self.frame().await;
        let AMQPFrame::Method(1, AMQPClass::Basic(basic::AMQPMethod::Deliver(deliver))) = frame else {
            panic!("{frame:?}");
        };
        let AMQPFrame::Header(1, header) = self.frame().await else { panic!("no header") };
        let mut length = 0;
        while (length as u64) < header.body_size {
            let AMQPFrame::Body(1, part) = self.frame().await else { panic!("no body") };
            length += part.len();
        }
        (deliver.delivery_tag, length)
    }
}

fn open(vhost: &str) -> AMQPClass {
    AMQPClass::Connection(connection::AMQPMethod::Open(connection::Open { virtual_host: vhost.into() }))
}

pub(crate) fn publish(key: &str) -> AMQPClass {
    let publish = basic::Publish { routing_key: key.into(), ..basic::Publish::default() };
    AMQPClass::Basic(basic::AMQPMethod::Publish(publish))
}

pub(crate) fn header(size: u64) -> AMQPFrame {
    AMQPFrame::Header(1, AMQPContentHeader { class_id: 60, body_size: size, properties: Default::default() })
}

#[tokio::test]
async fn another_protocol_is_told_which_one_is_spoken() {
    let running = broker().await;
    let mut raw = Raw::connect(&running).await;
    raw.bytes(b"GET / HTTP/1.1\r\n\r\n").await;
    let mut answer = Vec::new();
    // What was not read may end the connection hard; the answer has come before.
    let _ = within(raw.stream.read_to_end(&mut answer)).await;
    assert_eq!(answer, b"AMQP\0\0\x09\x01");
}

#[tokio::test]
async fn each_misuse_of_frames_has_its_reply_code() {
    let running = broker().await;
    type Step = Box<dyn Fn() -> AMQPFrame>;
    let method =
        |channel: u16, method: AMQPClass| -> Step { Box::new(move || AMQPFrame::Method(channel, method.clone())) };
    let close_ok = AMQPClass::Channel(channel::AMQPMethod::CloseOk(channel::CloseOk {}));
    let channel_open = AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {}));
    let channel_close = AMQPClass::Channel(channel::AMQPMethod::Close(channel::Close::default()));
    let cases: Vec<(&str, u16, Vec<Step>)> = vec![
        ("a body without a method", 505, vec![Box::new(|| AMQPFrame::Body(1, vec![1]))]),
        ("a header without a method", 505, vec![Box::new(|| header(1))]),
        ("a method in the middle of a content", 505, vec![method(1, publish("q")), method(1, publish("q"))]),
        ("a body instead of a header", 505, vec![method(1, publish("q")), Box::new(|| AMQPFrame::Body(1, vec![1]))]),
        ("a channel that is not open", 504, vec![method(2, channel_close.clone())]),
        ("a channel that is open", 504, vec![method(1, channel_open.clone())]),
        ("a channel method on channel 0", 504, vec![method(0, channel_open)]),
        ("a connection method on a channel", 503, vec![method(1, open("/"))]),
        ("an open connection opened", 504, vec![method(0, open("/"))]),
        ("an answer to nothing", 503, vec![method(1, close_ok)]),
        ("a heartbeat of a channel", 505, vec![Box::new(|| AMQPFrame::InvalidHeartbeat(1))]),
    ];
    for (name, code, steps) in cases {
        let mut raw = Raw::open(&running).await;
        for step in steps {
            raw.send(step()).await;
        }
        assert_eq!(raw.connection_ends().await, code, "{name}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_frames_end_the_connection() {
    let running = broker().await;
    let mut huge = vec![3, 0, 1];
    huge.extend_from_slice(&200_000_u32.to_be_bytes());
    let cases: [(&str, u16, &[u8]); 4] = [
        ("a wrong end", 501, &[1, 0, 1, 0, 0, 0, 4, 0, 60, 0, 40, 7]),
        ("a wrong type", 501, &[7, 0, 1, 0, 0, 0, 4, 0, 60, 0, 40, 206]),
        ("too large", 501, &huge),
        ("arguments that cannot be read", 501, &[1, 0, 1, 0, 0, 0, 5, 0, 60, 0, 40, 1, 206]),
    ];
    for (name, code, bytes) in cases {
        let mut raw = Raw::open(&running).await;
        raw.bytes(bytes).await;
        let AMQPFrame::Method(0, AMQPClass::Connection(connection::AMQPMethod::Close(close))) = raw.frame().await
        else {
            panic!("{name}");
        };
        assert_eq!(close.reply_code, code, "{name}");
    }
}

#[tokio::test]
async fn the_handshake_has_its_rules() {
    let running = broker().await;
    for (mechanism, response) in
        [("PLAIN", &b"\0guest\0wrong"[..]), ("PLAIN", b"guest"), ("AMQPLAIN", b""), ("PLAIN", b"\0other\0guest")]
    {
        let mut raw = Raw::connect(&running).await;
        raw.bytes(b"AMQP\0\0\x09\x01").await;
        raw.frame().await;
        raw.start_ok(mechanism, response).await;
        assert_eq!(raw.try_frame().await, None, "a client that did not ask to be told is not");
    }
    for (frame_max, code) in [(4095, 530), (131_073, 530)] {
        let mut raw = Raw::until_tune(&running).await;
        raw.tune_ok(frame_max, 0).await;
        assert_eq!(raw.connection_ends().await, code);
    }
    let mut raw = Raw::until_tune(&running).await;
    raw.tune_ok(4096, 0).await;
    raw.method(0, open("/elsewhere")).await;
    assert_eq!(raw.connection_ends().await, 530);
    let mut raw = Raw::connect(&running).await;
    raw.bytes(b"AMQP\0\0\x09\x01").await;
    raw.frame().await;
    raw.method(0, open("/")).await;
    assert_eq!(raw.connection_ends().await, 503);
}

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
