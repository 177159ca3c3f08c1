//! A client by hand, on a bare socket: what no client library would send can be sent, and everything that comes is seen.

use amq_protocol::frame::{AMQPContentHeader, AMQPFrame, WriteContext, gen_frame, parse_frame};
use amq_protocol::protocol::{AMQPClass, basic, channel, connection};
use amq_protocol::types::{AMQPValue, FieldTable, LongString};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Running, arguments, within};

/// What every connection begins with.
pub(crate) const HEADER: &[u8] = b"AMQP\0\0\x09\x01";

/// A client by hand.
pub(crate) struct Raw {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
    /// Channels that the broker offers.
    channels: u16,
}

impl Raw {
    pub(crate) async fn connect(running: &Running) -> Self {
        let stream = within(TcpStream::connect(running.broker.address())).await.unwrap();
        Self { stream, buffer: Vec::new(), channels: 0 }
    }

    /// Up to an open connection with channel 1.
    pub(crate) async fn open(running: &Running) -> Self {
        Self::open_with(running, 0, 0).await
    }

    pub(crate) async fn open_with(running: &Running, frame_max: u32, heartbeat: u16) -> Self {
        let mut raw = Self::until_tune(running).await;
        raw.tune_ok(frame_max, heartbeat).await;
        raw.method(0, open("/")).await;
        assert!(matches!(raw.frame().await, AMQPFrame::Method(0, _)));
        raw.method(1, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {}))).await;
        assert!(matches!(raw.frame().await, AMQPFrame::Method(1, _)));
        raw
    }

    /// Asks to be told when it is blocked.
    pub(crate) async fn until_tune(running: &Running) -> Self {
        let (mut raw, _) = Self::until_start(running).await;
        let capabilities = arguments(&[("connection.blocked", AMQPValue::Boolean(true))]);
        let properties = arguments(&[("capabilities", AMQPValue::FieldTable(capabilities))]);
        raw.start_ok_as(properties, "PLAIN", b"\0guest\0guest").await;
        raw.tune().await;
        raw
    }

    /// `connection.tune` comes.
    pub(crate) async fn tune(&mut self) {
        let AMQPFrame::Method(0, AMQPClass::Connection(connection::AMQPMethod::Tune(tune))) = self.frame().await else {
            panic!("no tune");
        };
        assert_eq!(tune.frame_max, 131_072);
        self.channels = tune.channel_max;
    }

    /// Up to `connection.start`.
    pub(crate) async fn until_start(running: &Running) -> (Self, connection::Start) {
        let mut raw = Self::connect(running).await;
        raw.bytes(HEADER).await;
        let AMQPFrame::Method(0, AMQPClass::Connection(connection::AMQPMethod::Start(start))) = raw.frame().await
        else {
            panic!("no start");
        };
        (raw, start)
    }

    pub(crate) async fn start_ok(&mut self, mechanism: &str, response: &[u8]) {
        self.start_ok_as(FieldTable::default(), mechanism, response).await;
    }

    pub(crate) async fn start_ok_as(&mut self, client_properties: FieldTable, mechanism: &str, response: &[u8]) {
        let start_ok = connection::StartOk {
            client_properties,
            mechanism: mechanism.into(),
            response: LongString::from(response),
            locale: "en_US".into(),
        };
        self.method(0, AMQPClass::Connection(connection::AMQPMethod::StartOk(start_ok))).await;
    }

    /// `frame_max` 0: the largest.
    pub(crate) async fn tune_ok(&mut self, frame_max: u32, heartbeat: u16) {
        self.tune_ok_as(self.channels, if frame_max == 0 { 131_072 } else { frame_max }, heartbeat).await;
    }

    pub(crate) async fn tune_ok_as(&mut self, channel_max: u16, frame_max: u32, heartbeat: u16) {
        let tune_ok = connection::TuneOk { channel_max, frame_max, heartbeat };
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
    pub(crate) async fn heartbeat(&mut self) {
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

    pub(crate) async fn any_frame(&mut self) -> Option<AMQPFrame> {
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

    /// With what the connection ends.
    pub(crate) async fn close(&mut self) -> connection::Close {
        loop {
            if let AMQPFrame::Method(0, AMQPClass::Connection(connection::AMQPMethod::Close(close))) =
                self.frame().await
            {
                self.method(0, AMQPClass::Connection(connection::AMQPMethod::CloseOk(connection::CloseOk {}))).await;
                assert_eq!(self.try_frame().await, None, "the broker closes");
                return close;
            }
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

pub(crate) fn open(vhost: &str) -> AMQPClass {
    AMQPClass::Connection(connection::AMQPMethod::Open(connection::Open { virtual_host: vhost.into() }))
}

pub(crate) fn publish(key: &str) -> AMQPClass {
    let publish = basic::Publish { routing_key: key.into(), ..basic::Publish::default() };
    AMQPClass::Basic(basic::AMQPMethod::Publish(publish))
}

pub(crate) fn header(size: u64) -> AMQPFrame {
    AMQPFrame::Header(1, AMQPContentHeader { class_id: 60, body_size: size, properties: Default::default() })
}
