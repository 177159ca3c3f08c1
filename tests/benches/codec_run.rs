//! The codec on what real runs record, frame by frame, beside bincode 2 (varint) and postcard, which know nothing of events:
//! `cargo xtask bench codec-run`. Each run lasts some seconds at more than 5,000 events a second. The three take turns, so that
//! what the machine does meets all alike; a figure is the median of its turns. It prints, and passes no judgement.

#![allow(clippy::print_stdout, reason = "what a bench has to say")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use hopscope_record::Event;
use hopscope_record::codec::{EventDecoder, EventEncoder};
use hopscope_record::decoder::{Decoder, Framing};
use hopscope_record::frame::Payload;
use hopscope_server::broker::Brokers;
use hopscope_tests::runs::finish;
use serde_json::{Value, json};

/// Turns of each codec.
const TURNS: usize = 9;
/// How long a turn goes on at least.
const TURN: Duration = Duration::from_millis(150);

/// The fields of an event in the order of the struct, for a codec that knows nothing of events.
type Row = (i64, u64, u64, u64, u64, u64, u32, u16, u16);

fn row(event: &Event) -> Row {
    let ids = (event.trace.0, event.message.0, event.parent.0);
    (event.time, ids.0, ids.1, ids.2, event.a, event.b, event.place.0, event.kind.0, event.link.0)
}

/// A codec: its bytes for a batch, and whether it can read them back.
trait Codec {
    fn encode(&mut self, frame: &Frame, out: &mut Vec<u8>) -> Result<()>;
    fn decode(&mut self, bytes: &[u8]) -> Result<usize>;
}

/// The events of a frame, in the two forms that codecs want.
struct Frame {
    events: Vec<Event>,
    rows: Vec<Row>,
}

#[derive(Default)]
struct Ours {
    encoder: EventEncoder,
    decoder: EventDecoder,
    back: Vec<Event>,
}

impl Codec for Ours {
    fn encode(&mut self, frame: &Frame, out: &mut Vec<u8>) -> Result<()> {
        Ok(self.encoder.encode(&frame.events, out)?)
    }

    fn decode(&mut self, bytes: &[u8]) -> Result<usize> {
        self.decoder.decode(bytes, &mut self.back)?;
        Ok(self.back.len())
    }
}

struct Bincode;

impl Codec for Bincode {
    fn encode(&mut self, frame: &Frame, out: &mut Vec<u8>) -> Result<()> {
        bincode::encode_into_std_write(&frame.rows, out, bincode::config::standard())?;
        Ok(())
    }

    fn decode(&mut self, bytes: &[u8]) -> Result<usize> {
        let (rows, _) = bincode::decode_from_slice::<Vec<Row>, _>(bytes, bincode::config::standard())?;
        Ok(black_box(rows).len())
    }
}

struct Postcard;

impl Codec for Postcard {
    fn encode(&mut self, frame: &Frame, out: &mut Vec<u8>) -> Result<()> {
        *out = postcard::to_extend(&frame.rows, std::mem::take(out))?;
        Ok(())
    }

    fn decode(&mut self, bytes: &[u8]) -> Result<usize> {
        Ok(black_box(postcard::from_bytes::<Vec<Row>>(bytes)?).len())
    }
}

/// What a codec needs for an event: bytes, and ns to encode and to decode it.
struct Cost {
    bytes: f64,
    encode: f64,
    decode: f64,
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    println!(
        "{:<34}{:>10}{:>9}{:>14}{:>11}{:>11}",
        "run", "events/s", "codec", "bytes/event", "encode ns", "decode ns"
    );
    for (name, document) in scenarios() {
        let finished = runtime.block_on(finish(&document, &Brokers::default(), "built-in"))?;
        let frames = frames(&finished.bytes)?;
        let events: usize = frames.iter().map(|frame| frame.events.len()).sum();
        let first = frames.first().and_then(|frame| frame.events.first()).context("nothing was recorded")?.time;
        let last = frames.last().and_then(|frame| frame.events.last()).context("nothing was recorded")?.time;
        let per_second = events as f64 * 1e9 / (last - first) as f64;
        let (mut ours, mut bincode, mut postcard) = (Ours::default(), Bincode, Postcard);
        let mut codecs: [(&str, &mut dyn Codec); 3] =
            [("ours", &mut ours), ("bincode", &mut bincode), ("postcard", &mut postcard)];
        let costs = measure(&frames, events, &mut codecs)?;
        for ((codec, _), cost) in codecs.iter().zip(&costs) {
            let Cost { bytes, encode, decode } = cost;
            println!("{name:<34}{per_second:>10.0}{codec:>9}{bytes:>14.2}{encode:>11.1}{decode:>11.1}");
        }
        if let [ours, bincode, _] = &costs[..] {
            let speed = (bincode.encode + bincode.decode) / (ours.encode + ours.decode);
            println!("{:<34}{:.2} of bincode's bytes at {speed:.2} times its speed", "", ours.bytes / bincode.bytes);
        }
    }
    Ok(())
}

/// Runs of the kinds that there are, each with its name.
fn scenarios() -> Vec<(&'static str, Value)> {
    let client = json!({"id": "n1", "kind": "client", "name": "buyers", "x": 0, "y": 0,
        "load": {"kind": "constant", "rate": "2000/s", "count": 10000}});
    let service = json!({"id": "n2", "kind": "service", "name": "shop", "x": 400, "y": 0, "workers": 16,
        "work": {"distribution": "exponential", "mean": "1 ms"}});
    let document = |nodes: Value, links: Value| json!({"format": "hopscope-scenario", "version": 1, "name": "bench", "nodes": nodes, "links": links});
    let call = |protocol: &str| {
        document(json!([client, service]), json!([{"id": "l1", "from": "n1", "to": "n2", "protocol": protocol}]))
    };
    let queue = json!({"id": "n3", "kind": "queue", "name": "orders", "x": 200, "y": 0});
    let links = json!([{"id": "l1", "from": "n1", "to": "n3", "protocol": "amqp"},
        {"id": "l2", "from": "n3", "to": "n2", "protocol": "amqp"}]);
    vec![
        ("calls over HTTP/1.1, 2,000/s", call("http1")),
        ("calls over gRPC, 2,000/s", call("grpc")),
        ("a queue over AMQP, 2,000/s", document(json!([client, service, queue]), links)),
    ]
}

/// The events of each frame that has some.
fn frames(bytes: &[u8]) -> Result<Vec<Frame>> {
    let (mut decoder, mut batches, mut frames) = (Decoder::new(Framing::Stream), EventDecoder::new(), Vec::new());
    decoder.push(bytes);
    while let Some(frame) = decoder.next_frame()? {
        if let Payload::Events(payload) = frame.read()? {
            let mut events = Vec::new();
            batches.decode(payload.batch, &mut events)?;
            frames.push(Frame { rows: events.iter().map(row).collect(), events });
        }
    }
    Ok(frames)
}

/// What each codec needs, the median of its turns.
fn measure(frames: &[Frame], events: usize, codecs: &mut [(&str, &mut dyn Codec)]) -> Result<Vec<Cost>> {
    let mut encoded = Vec::new();
    for (name, codec) in codecs.iter_mut() {
        let mut each = Vec::new();
        for frame in frames {
            let mut bytes = Vec::new();
            codec.encode(frame, &mut bytes)?;
            ensure!(codec.decode(&bytes)? == frame.events.len(), "{name} loses events");
            each.push(bytes);
        }
        encoded.push(each);
    }
    let mut turns: Vec<[Vec<f64>; 2]> = codecs.iter().map(|_| Default::default()).collect();
    for _ in 0..TURNS {
        for (((_, codec), [encode, decode]), encoded) in codecs.iter_mut().zip(&mut turns).zip(&encoded) {
            let mut out = Vec::new();
            encode.push(turn(events, || {
                frames.iter().try_for_each(|frame| {
                    out.clear();
                    codec.encode(black_box(frame), &mut out)
                })
            })?);
            decode.push(turn(events, || {
                encoded.iter().try_for_each(|bytes| {
                    black_box(codec.decode(black_box(bytes))?);
                    Ok(())
                })
            })?);
        }
    }
    let bytes = |encoded: &Vec<Vec<u8>>| encoded.iter().map(Vec::len).sum::<usize>() as f64 / events as f64;
    let of = |([encode, decode], encoded): ([Vec<f64>; 2], &Vec<Vec<u8>>)| Cost {
        bytes: bytes(encoded),
        encode: median(encode),
        decode: median(decode),
    };
    Ok(turns.into_iter().zip(&encoded).map(of).collect())
}

/// Does it again and again for the length of a turn: ns for an event.
fn turn(events: usize, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    let (began, mut times) = (Instant::now(), 0_u32);
    while began.elapsed() < TURN {
        work()?;
        times += 1;
    }
    Ok(began.elapsed().as_secs_f64() * 1e9 / (f64::from(times) * events as f64))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
