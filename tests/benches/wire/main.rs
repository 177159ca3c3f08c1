//! Stamps against the wire: what passes over loopback is captured (tcpdump) while runs go on, and each stamp is held against the
//! packet that it speaks of: `cargo xtask bench wire`.
//!
//! - T1 (`Sent`, `Published`) is taken before the first byte is handed over; the packet that has the message's `traceparent` comes after.
//! - T2 (`Completed`), and a consumer's `Received`, are taken after the last byte is read, so their packet comes before. What lies in
//!   between is the system's waking of who reads; a bare reader (epoll, one thread, nothing else) asks the same service meanwhile, and
//!   its own delays stand in the same capture.
//!
//! Each then goes once more while `perf` looks at the system calls of this process, which makes all a little slower: what lies
//! between is told apart, the program's own part and the system's.
//!
//! Where capturing is not permitted it says so and why. It prints, and passes no judgement.

#![allow(clippy::print_stdout, reason = "what a bench has to say")]

mod capture;
mod reader;
mod system;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use hopscope_record::{Event, Kind, MessageId};
use hopscope_scenario::protocol::Protocol;
use hopscope_server::broker::Brokers;
use hopscope_server::record::clock::monotonic_ns;
use hopscope_server::transport::Address;
use hopscope_tests::runs::{scenario, start};
use serde_json::{Value, json};

use crate::capture::{Capture, Packet};
use crate::system::{Ask, Call, Look, last, wait_before};

/// How long each run's load lasts, s.
const SECONDS: u64 = 10;
/// Its rate, and the bare reader's.
const RATE: u64 = 200;

fn main() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    println!("{RATE}/s for {SECONDS} s; us; clocks of stamps and packets are held together at both ends of a run");
    println!("{:<52}{:>8}{:>9}{:>9}{:>9}{:>9}", "", "n", "p50", "p90", "p99", "max");
    for (name, protocol, look) in [
        ("HTTP/1.1", "http1", false),
        ("AMQP, built-in broker", "amqp", false),
        ("HTTP/1.1, as perf looks", "http1", true),
        ("AMQP, as perf looks", "amqp", true),
    ] {
        let capture = match Capture::start() {
            Ok(capture) => capture,
            Err(error) => {
                println!("not run: {error:#}");
                return Ok(());
            }
        };
        let look = match look.then(Look::start).transpose() {
            Ok(look) => look,
            Err(error) => {
                println!("{name}: not run: {error:#}");
                continue;
            }
        };
        runtime.block_on(run(name, protocol, capture, look))?;
    }
    Ok(())
}

fn document(protocol: &str) -> Value {
    let client = json!({"id": "n1", "kind": "client", "name": "buyers", "x": 0, "y": 0,
        "load": {"kind": "constant", "rate": format!("{RATE}/s")}});
    let service = json!({"id": "n2", "kind": "service", "name": "shop", "x": 400, "y": 0, "workers": 16,
        "work": {"distribution": "constant", "mean": "1 ms"}});
    let link = |id: &str, from: &str, to: &str| json!({"id": id, "from": from, "to": to, "protocol": protocol});
    let (nodes, links) = if protocol == "amqp" {
        let queue = json!({"id": "n3", "kind": "queue", "name": "orders", "x": 200, "y": 0});
        (json!([client, service, queue]), json!([link("l1", "n1", "n3"), link("l2", "n3", "n2")]))
    } else {
        (json!([client, service]), json!([link("l1", "n1", "n2")]))
    };
    json!({"format": "hopscope-scenario", "version": 1, "name": "wire", "nodes": nodes, "links": links})
}

/// The wall clock less the monotonic one, ns, by the nearest of some readings.
fn wall_less_monotonic() -> Result<i64> {
    let mut best = None;
    for _ in 0..100 {
        let before = monotonic_ns();
        let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_nanos() as i64;
        let after = monotonic_ns();
        let apart = (after - before, wall - (before + after) / 2);
        best = Some(best.map_or(apart, |best: (i64, i64)| best.min(apart)));
    }
    Ok(best.context("no reading")?.1)
}

async fn run(name: &str, protocol: &str, capture: Capture, look: Option<Look>) -> Result<()> {
    let before = wall_less_monotonic()?;
    let started = start(scenario(&document(protocol))?, &Brokers::default(), "built-in", SECONDS).await?;
    let found = started.run.addresses().iter().find_map(|(_, has, address)| match address {
        Address::Socket(socket) if *has == if protocol == "amqp" { Protocol::Amqp } else { Protocol::Http1 } => {
            Some(*socket)
        }
        _ => None,
    });
    let server: SocketAddr = found.context("the run listens nowhere")?;
    let bare = (protocol == "http1").then(|| reader::start(server, RATE, SECONDS * RATE));
    let zero = started.run.clock().clone();
    let finished = started.finish().await?;
    let bare = match bare {
        Some(bare) => Some(bare.join().map_err(|_| anyhow::anyhow!("the bare reader has failed"))??),
        None => None,
    };
    let after = wall_less_monotonic()?;
    let packets = capture.end()?;
    let calls = look.map(Look::end).transpose()?;
    let zero = zero.zero().context("the run has not begun")?;
    // Half of what the clocks moved apart is what a figure may be wrong by.
    println!(
        "{name}: {} packets, clocks apart by {:.1} us more at the end",
        packets.len(),
        (after - before) as f64 / 1e3
    );
    let to_wall = |raw: i64| raw + i64::midpoint(before, after);
    let seen = Seen::of(&packets, server.port());
    let events = &finished.recorded.events;
    let at = |event: &Event| to_wall(zero + event.time);
    let sent = |event: &&Event| event.kind == Kind::SENT || event.kind == Kind::PUBLISHED;
    let outgoing = events.iter().filter(sent);
    print(
        "  from T1 to the packet that leaves",
        outgoing.clone().filter_map(|event| Some(seen.out.get(&event.message)?.time - at(event))).collect(),
    );
    let bare_replies = bare.as_ref().and_then(|bare| seen.replies.get(&bare.port));
    if protocol == "amqp" {
        let parents: HashMap<MessageId, MessageId> =
            events.iter().filter(|e| e.kind == Kind::DELIVERED).map(|e| (e.message, e.parent)).collect();
        let taken = events.iter().filter(|event| event.kind == Kind::RECEIVED);
        let delays = taken.filter_map(|event| Some(at(event) - seen.back.get(parents.get(&event.message)?)?));
        print("  from the packet that delivers to the consumer's stamp", delays.collect());
    } else {
        let completed = events.iter().filter(|event| event.kind == Kind::COMPLETED);
        let delays = completed.filter_map(|event| Some(at(event) - seen.reply(event.message)?));
        let ours = print("  from the packet that replies to T2", delays.collect());
        if let Some(bare) = &bare {
            let replies = bare_replies.context("the bare reader's packets are missing")?;
            let requests = seen.requests.get(&bare.port).context("the bare reader's requests are missing")?;
            let delays = bare.writes.iter().zip(requests).map(|(wrote, packet)| packet - to_wall(*wrote));
            print("  from a bare writer's word to the packet that leaves", delays.collect());
            let delays = bare.reads.iter().zip(replies).map(|(read, packet)| to_wall(*read) - packet);
            let bare = print("  the same of a bare reader (epoll)", delays.collect());
            println!(
                "  T2's delay is {:.2} of the bare reader's at p50, {:.2} at p99",
                ours[0] / bare[0],
                ours[1] / bare[1]
            );
        }
    }
    if let Some(calls) = calls {
        let raw = |wall: i64| wall - i64::midpoint(before, after);
        let out = outgoing.filter_map(|event| Some((zero + event.time, raw(seen.out.get(&event.message)?.time))));
        apart_out(&calls, &out.collect::<Vec<_>>());
        // A delivery is read by its client's own thread, in calls that are not looked at.
        if protocol != "amqp" {
            let completed = events.iter().filter(|event| event.kind == Kind::COMPLETED);
            let back = completed.filter_map(|event| Some((raw(seen.reply(event.message)?), zero + event.time)));
            apart_back("T2", &calls, &back.collect::<Vec<_>>());
        }
        if let Some((bare, replies)) = bare.zip(bare_replies) {
            let back: Vec<_> = replies.iter().map(|packet| raw(*packet)).zip(bare.reads).collect();
            apart_back("the bare reader's word", &calls, &back);
        }
    }
    Ok(())
}

/// From T1 to the packet: until the write is asked for, and within it.
fn apart_out(calls: &BTreeMap<u32, Vec<Call>>, spans: &[(i64, i64)]) {
    let of = |span: &(i64, i64)| Some((*span, last(calls, Ask::Write, span.0, span.1)?));
    let found: Vec<_> = spans.iter().filter_map(of).collect();
    print("    from T1 to the write, in the program", found.iter().map(|((t1, _), call)| call.begins - t1).collect());
    print(
        "    from there to the packet, in the system",
        found.iter().map(|((_, packet), call)| packet - call.begins).collect(),
    );
}

/// From a packet to the stamp of who read it: until its thread is awake, until it reads, while it reads, and after that.
fn apart_back(stamp: &str, calls: &BTreeMap<u32, Vec<Call>>, spans: &[(i64, i64)]) {
    let of = |(packet, stamp): &(i64, i64)| {
        let read = last(calls, Ask::Read, *packet, *stamp)?;
        // Awake already, it has gone through something else before.
        let awake = wait_before(calls, read.thread, read.begins)?.ends.max(*packet);
        Some([awake - packet, read.begins - awake, read.ends - read.begins, stamp - read.ends])
    };
    let found: Vec<_> = spans.iter().filter_map(of).collect();
    let parts = [
        "from the packet until the reading thread is awake",
        "from there until it reads, in the program",
        "the read, in the system",
    ];
    for (part, what) in parts.into_iter().enumerate() {
        print(&format!("    {what}"), found.iter().map(|times| times[part]).collect());
    }
    print(&format!("    from there to {stamp}, in the program"), found.iter().map(|times| times[3]).collect());
}

/// What was seen of the messages on the wire.
#[derive(Default)]
struct Seen<'a> {
    /// The packet that took a message to the server.
    out: HashMap<MessageId, &'a Packet>,
    /// When the packet passed that brought its delivery.
    back: HashMap<MessageId, i64>,
    /// When requests passed, by the port that they come from.
    requests: HashMap<u16, Vec<i64>>,
    /// When replies passed, by the port that they go to.
    replies: HashMap<u16, Vec<i64>>,
}

impl<'a> Seen<'a> {
    fn of(packets: &'a [Packet], server: u16) -> Self {
        let mut seen = Self::default();
        for packet in packets {
            let spans = packet.spans();
            if packet.to == server {
                seen.requests.entry(packet.from).or_default().push(packet.time);
                for span in spans {
                    seen.out.entry(MessageId(span)).or_insert(packet);
                }
            } else if packet.from == server {
                for span in spans {
                    seen.back.entry(MessageId(span)).or_insert(packet.time);
                }
                seen.replies.entry(packet.to).or_default().push(packet.time);
            }
        }
        seen
    }

    /// When the reply of a call passed: on a connection, a reply follows its request.
    fn reply(&self, message: MessageId) -> Option<i64> {
        let request = self.out.get(&message)?;
        let replies = self.replies.get(&request.from)?;
        replies.get(replies.partition_point(|time| *time <= request.time)).copied()
    }
}

/// Prints a row of us; gives p50 and p99.
fn print(what: &str, mut delays: Vec<i64>) -> [f64; 2] {
    delays.sort_unstable();
    let at = |share: usize| delays.get(delays.len() * share / 1_000).map_or(f64::NAN, |ns| *ns as f64 / 1e3);
    let max = delays.last().map_or(f64::NAN, |ns| *ns as f64 / 1e3);
    println!("{what:<52}{:>8}{:>9.1}{:>9.1}{:>9.1}{max:>9.1}", delays.len(), at(500), at(900), at(990));
    [at(500), at(990)]
}
