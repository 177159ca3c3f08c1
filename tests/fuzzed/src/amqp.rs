//! AMQP: bytes as frames, and whole conversations with a broker in memory.

use amq_protocol::frame::{AMQPContentHeader, AMQPFrame, WriteContext, gen_frame};
use amq_protocol::protocol::{AMQPClass, basic, channel, confirm, connection, exchange, queue, tx};
use amq_protocol::types::{AMQPValue, FieldTable, LongString};
use hopscope_amqp::fuzzing;
use hopscope_amqp::{Broker, Config};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Largest frame of these conversations.
const FRAME_MAX: u32 = 4_096;

/// Any bytes, whole and byte by byte: the frames are the same, and so is what ends them.
pub(crate) fn frames(bytes: &[u8]) {
    let whole = fuzzing::frames([bytes], FRAME_MAX);
    assert_eq!(whole, fuzzing::frames(bytes.chunks(1), FRAME_MAX));
}

/// A conversation that bytes tell of: after the first byte, which says whether they are steps or the very bytes that a client
/// sends once its connection is open. Afterwards nothing is held of the client, and the queues' accounts hold.
pub(crate) fn session(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let mut sent = opening();
    match first % 4 {
        0 => sent.extend_from_slice(rest),
        // Not even the opening.
        1 => sent = rest.to_vec(),
        _ => Steps { rest, out: &mut sent }.all(),
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let Ok(runtime) = runtime else { return };
    let config =
        Config { frame_max: FRAME_MAX, queues_max: 64, memory_max: 8 << 20, message_max: 1 << 20, ..Config::default() };
    let broker = Broker::unlistened(config, ());
    runtime.block_on(async {
        // Two clients, one after the other: what the first leaves the second finds.
        for _ in 0..2 {
            converse(&broker, &sent).await;
            assert_eq!(broker.connections(), 0);
            for queue in broker.queues() {
                assert_eq!((queue.unacked, queue.consumers), (0, 0), "{queue:?}");
            }
        }
    });
    for queue in broker.queues() {
        assert!(broker.delete_queue(&queue.name));
    }
    assert_eq!(broker.memory(), 0);
}

/// Sends it all, and reads whatever comes until the broker has ended.
async fn converse(broker: &Broker<()>, sent: &[u8]) {
    let (client, server) = tokio::io::duplex(64 << 10);
    let (reader, writer) = tokio::io::split(server);
    let (mut heard, mut said) = tokio::io::split(client);
    let talk = async {
        // Who ends the connection hears no more.
        let _ = said.write_all(sent).await;
        let _ = said.shutdown().await;
    };
    let listen = async {
        let mut answer = Vec::new();
        let _ = heard.read_to_end(&mut answer).await;
    };
    tokio::join!(broker.attend(reader, writer), talk, listen);
}

fn put(out: &mut Vec<u8>, frame: &AMQPFrame) {
    if let Ok(context) = gen_frame(frame)(WriteContext::from(Vec::new())) {
        out.extend_from_slice(&context.write);
    }
}

fn method(out: &mut Vec<u8>, number: u16, method: AMQPClass) {
    put(out, &AMQPFrame::Method(number, method));
}

/// What a client sends up to an open connection with a channel; a broker need not be waited for.
#[must_use]
pub fn opening() -> Vec<u8> {
    let mut out = b"AMQP\0\0\x09\x01".to_vec();
    let mut say = |class| method(&mut out, 0, AMQPClass::Connection(class));
    say(connection::AMQPMethod::StartOk(connection::StartOk {
        client_properties: FieldTable::default(),
        mechanism: "PLAIN".into(),
        response: LongString::from(&b"\0guest\0guest"[..]),
        locale: "en_US".into(),
    }));
    say(connection::AMQPMethod::TuneOk(connection::TuneOk { channel_max: 8, frame_max: FRAME_MAX, heartbeat: 0 }));
    say(connection::AMQPMethod::Open(connection::Open { virtual_host: "/".into() }));
    method(&mut out, 1, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {})));
    out
}

/// Bytes that tell of steps; where they end, everything is 0.
struct Steps<'a> {
    rest: &'a [u8],
    out: &'a mut Vec<u8>,
}

const NAMES: [&str; 8] = ["a", "b", "c", "", "a.b", "amq.direct", "amq.topic", "amq.rabbitmq.reply-to"];
const KINDS: [&str; 5] = ["direct", "topic", "fanout", "headers", "x"];
const ARGUMENTS: [&str; 11] = [
    "x-message-ttl",
    "x-max-length",
    "x-max-length-bytes",
    "x-overflow",
    "x-dead-letter-exchange",
    "x-dead-letter-routing-key",
    "x-max-priority",
    "x-single-active-consumer",
    "x-expires",
    "alternate-exchange",
    "x-match",
];

impl Steps<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *first
    }

    fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    fn name(&mut self) -> &'static str {
        NAMES.get(usize::from(self.byte()) % NAMES.len()).copied().unwrap_or_default()
    }

    fn value(&mut self) -> AMQPValue {
        match self.byte() % 6 {
            0 => AMQPValue::LongInt(i32::from(self.byte()) - 16),
            1 => AMQPValue::LongLongInt(i64::from(self.byte()) << (self.byte() % 56)),
            2 => AMQPValue::Boolean(self.flag()),
            3 => AMQPValue::LongString(LongString::from(self.name())),
            4 => AMQPValue::LongString(LongString::from(if self.flag() { "reject-publish" } else { "any" })),
            _ => AMQPValue::FieldTable(FieldTable::default()),
        }
    }

    fn arguments(&mut self) -> FieldTable {
        let mut arguments = FieldTable::default();
        for _ in 0..self.byte() % 4 {
            let name = ARGUMENTS.get(usize::from(self.byte()) % ARGUMENTS.len()).copied().unwrap_or_default();
            let value = self.value();
            arguments.insert(name.into(), value);
        }
        arguments
    }

    fn all(&mut self) {
        while !self.rest.is_empty() {
            let (step, number) = (self.byte(), 1 + u16::from(self.byte() % 16 / 15));
            match step % 24 {
                0..=3 => self.publish(number),
                step => {
                    let class = self.class(step);
                    method(self.out, number, class);
                }
            }
        }
    }

    fn publish(&mut self, number: u16) {
        let publish = basic::Publish {
            exchange: self.name().into(),
            routing_key: self.name().into(),
            mandatory: self.flag(),
            ..basic::Publish::default()
        };
        let mut properties = basic::AMQPProperties::default();
        if self.flag() {
            let (headers, priority) = (self.arguments(), self.byte());
            properties = properties.with_headers(headers).with_priority(priority).with_expiration("1".into());
            properties = properties.with_reply_to(self.name().into());
        }
        let length = usize::from(self.byte()) * (1 + usize::from(self.byte() % 32));
        method(self.out, number, AMQPClass::Basic(basic::AMQPMethod::Publish(publish)));
        put(
            self.out,
            &AMQPFrame::Header(number, AMQPContentHeader { class_id: 60, body_size: length as u64, properties }),
        );
        for part in vec![0; length].chunks(FRAME_MAX as usize - 8) {
            put(self.out, &AMQPFrame::Body(number, part.to_vec()));
        }
    }

    fn class(&mut self, step: u8) -> AMQPClass {
        use basic::AMQPMethod as Basic;
        let (no_ack, tag) = (self.flag(), u64::from(self.byte() % 8));
        match step {
            4 | 5 => {
                let consume = basic::Consume {
                    queue: self.name().into(),
                    consumer_tag: self.name().into(),
                    no_ack,
                    exclusive: self.byte() % 8 == 7,
                    arguments: self.arguments(),
                    ..basic::Consume::default()
                };
                AMQPClass::Basic(Basic::Consume(consume))
            }
            6 | 7 => AMQPClass::Basic(Basic::Get(basic::Get { queue: self.name().into(), no_ack })),
            8 | 9 => AMQPClass::Basic(Basic::Ack(basic::Ack { delivery_tag: tag, multiple: self.flag() })),
            10 => {
                AMQPClass::Basic(Basic::Nack(basic::Nack { delivery_tag: tag, multiple: self.flag(), requeue: no_ack }))
            }
            11 => AMQPClass::Basic(Basic::Reject(basic::Reject { delivery_tag: tag, requeue: no_ack })),
            12 => {
                AMQPClass::Basic(Basic::Qos(basic::Qos { prefetch_count: u16::from(self.byte() % 4), global: no_ack }))
            }
            13 => AMQPClass::Basic(Basic::Recover(basic::Recover { requeue: no_ack })),
            14 => AMQPClass::Basic(Basic::Cancel(basic::Cancel { consumer_tag: self.name().into(), nowait: no_ack })),
            15 => AMQPClass::Tx(match tag % 3 {
                0 => tx::AMQPMethod::Select(tx::Select {}),
                1 => tx::AMQPMethod::Commit(tx::Commit {}),
                _ => tx::AMQPMethod::Rollback(tx::Rollback {}),
            }),
            16 => AMQPClass::Confirm(confirm::AMQPMethod::Select(confirm::Select { nowait: no_ack })),
            17 => AMQPClass::Channel(match tag {
                0 => channel::AMQPMethod::Close(channel::Close::default()),
                1 => channel::AMQPMethod::CloseOk(channel::CloseOk {}),
                2 => channel::AMQPMethod::Flow(channel::Flow { active: no_ack }),
                _ => channel::AMQPMethod::Open(channel::Open {}),
            }),
            18 | 19 => self.exchange(tag, no_ack),
            _ => self.queue(step, tag, no_ack),
        }
    }

    fn exchange(&mut self, tag: u64, flag: bool) -> AMQPClass {
        use exchange::AMQPMethod as Exchange;
        let (name, other, arguments) = (self.name(), self.name(), self.arguments());
        let kind = KINDS.get(usize::from(self.byte()) % KINDS.len()).copied().unwrap_or_default();
        AMQPClass::Exchange(match tag % 4 {
            0 => Exchange::Delete(exchange::Delete { exchange: name.into(), if_unused: flag, nowait: false }),
            1 => Exchange::Bind(exchange::Bind {
                destination: name.into(),
                source: other.into(),
                routing_key: self.name().into(),
                nowait: flag,
                arguments,
            }),
            2 => Exchange::Unbind(exchange::Unbind {
                destination: name.into(),
                source: other.into(),
                routing_key: self.name().into(),
                nowait: flag,
                arguments,
            }),
            _ => Exchange::Declare(exchange::Declare {
                exchange: name.into(),
                kind: kind.into(),
                passive: tag == 7,
                auto_delete: flag,
                arguments,
                ..exchange::Declare::default()
            }),
        })
    }

    fn queue(&mut self, step: u8, tag: u64, flag: bool) -> AMQPClass {
        use queue::AMQPMethod as Queue;
        let (name, arguments) = (self.name(), self.arguments());
        AMQPClass::Queue(match (step, tag) {
            (20, 0..4) => Queue::Bind(queue::Bind {
                queue: name.into(),
                exchange: self.name().into(),
                routing_key: self.name().into(),
                nowait: flag,
                arguments,
            }),
            (20, _) => Queue::Unbind(queue::Unbind {
                queue: name.into(),
                exchange: self.name().into(),
                routing_key: self.name().into(),
                arguments,
            }),
            (21, 0..2) => Queue::Purge(queue::Purge { queue: name.into(), nowait: flag }),
            (21, 2..4) => {
                Queue::Delete(queue::Delete { queue: name.into(), if_unused: flag, if_empty: tag == 2, nowait: false })
            }
            _ => Queue::Declare(queue::Declare {
                queue: name.into(),
                passive: tag == 7,
                exclusive: tag == 6,
                auto_delete: flag,
                arguments,
                ..queue::Declare::default()
            }),
        })
    }
}
