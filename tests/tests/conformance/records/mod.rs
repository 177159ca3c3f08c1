//! What every transport of topics owes a run: each case below is run on librdkafka's mock, which is built in, and on a Kafka where
//! there is one.

mod program;
mod rig;

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use hopscope_record::kind::{DisconnectReason, LATE, QueueCause, QueueStep};
use hopscope_record::trace_context::{TRACEPARENT, TRACESTATE};
use hopscope_record::{Kind, MessageId};
use hopscope_scenario::model::{Content, Retry};
use hopscope_scenario::quantity::Time;
use hopscope_server::broker::Brokers;
use hopscope_server::link::Policy;
use hopscope_server::transport::{Body, BoxFuture};
use rdkafka::message::Message as _;
use serde_json::json;
use tokio::sync::mpsc;

use crate::doubles::{Echo, Obeys, Stalls, Witness};
use crate::messages::good;
use crate::rig::same;
pub(crate) use rig::Venue;
use rig::{GROUP, PARTITIONS, READ, Rig, Shape, WORKER, calm};

/// Records at once.
const RECORDS: usize = 64;
/// A large body.
const MEGABYTE: usize = 1 << 20;

/// One thing that a transport of topics owes.
pub(crate) struct Case {
    /// What, in words.
    pub(crate) name: &'static str,
    /// Why it cannot be had on the built-in broker, if so.
    pub(crate) missing: Option<&'static str>,
    /// Shows it.
    pub(crate) run: fn(Venue) -> BoxFuture<'static, Result<()>>,
}

/// For what ends the broker.
const WITHIN: &str = "librdkafka's mock is a part of this process, and ends with it";

/// Every case.
pub(crate) static CASES: &[Case] = &[
    Case { name: "identity end to end", missing: None, run: |v| Box::pin(identity(v)) },
    Case { name: "a program that copies our headers", missing: None, run: |v| Box::pin(copied(v)) },
    Case { name: "a program that starts its own span", missing: None, run: |v| Box::pin(own_span(v)) },
    Case { name: "a publish from outside", missing: None, run: |v| Box::pin(outside(v)) },
    Case { name: "a consumer from outside", missing: None, run: |v| Box::pin(read_outside(v)) },
    Case { name: "64 records at once get each their own offset", missing: None, run: |v| Box::pin(at_once(v)) },
    Case { name: "a payload of 1 MB", missing: None, run: |v| Box::pin(megabyte(v)) },
    Case { name: "order of a key", missing: None, run: |v| Box::pin(order(v)) },
    Case { name: "the consumer is killed at work", missing: None, run: |v| Box::pin(killed(v)) },
    Case { name: "a publish is dropped", missing: None, run: |v| Box::pin(dropped(v)) },
    Case { name: "work that fails", missing: None, run: |v| Box::pin(failed(v)) },
    Case { name: "timeout and retry, then the first confirm", missing: None, run: |v| Box::pin(late(v)) },
    Case { name: "the broker is killed", missing: Some(WITHIN), run: |v| Box::pin(broker_killed(v)) },
    Case { name: "clean close", missing: None, run: |v| Box::pin(clean_close(v)) },
];

async fn identity(venue: Venue) -> Result<()> {
    let (seen, mut arrivals) = mpsc::unbounded_channel();
    let rig = Rig::open(venue, calm(), Arc::new(Witness(seen))).await?;
    let (call, reply) = rig.send_with(Some("k"), "hello").await;
    good(reply)?;
    let (seen, body) = arrivals.recv().await.context("nothing came")?;
    let key = Some(Bytes::from_static(b"k"));
    same("body", &body, &Body { content: Content::Json, bytes: Bytes::from("hello"), priority: 0, key })?;
    rig.broker.empty().await;
    let log = rig.close().await?;
    let [read] = &log.readings(call.message)[..] else { bail!("not read once") };
    let found = (seen.trace, seen.message, seen.link);
    same("who the worker saw", &found, &(call.trace, read.message, READ))?;
    same("the publish", &log.kinds(call.message), &vec![Kind::PUBLISHED, Kind::CONFIRMED])?;
    same("the record", &log.kinds(read.message), &vec![Kind::RECEIVED, Kind::FETCHED, Kind::ACKED])?;
    same("where it lies", &log.taken_from(read.message)?, &log.position(call.message)?)?;
    same("its reader", &(read.place, read.link), &(WORKER, READ))?;
    ensure!(log.recorded.events.iter().all(|event| event.message.is_none() || event.trace == call.trace));
    // What was acknowledged is committed then: the next is gone on with.
    let acked = log.one(read.message, Kind::ACKED)?;
    let committed = log.all(Kind::COMMITTED);
    let passed = committed.iter().find(|event| event.time >= acked.time).context("no commit")?;
    same("the commit", &passed.a, &(log.position(call.message)?.offset + 1))
}

/// A program reads a record, publishes it again with the headers that it had, and so stays in the tree.
async fn copied(venue: Venue) -> Result<()> {
    joined(venue, None, true).await
}

const OWN_SPAN: u64 = 0x00f0_67aa_0ba9_02b7;

/// A program reads a record and publishes another under a span of its own.
async fn own_span(venue: Venue) -> Result<()> {
    joined(venue.clone(), Some(OWN_SPAN), true).await.context("one that hands tracestate on")?;
    joined(venue, Some(OWN_SPAN), false).await.context("one that drops tracestate")
}

/// Has a program read a record and publish it again under that span, and our group read both. The second is a message of its own,
/// caused by the first or, where only that is left, by the span.
async fn joined(venue: Venue, span: Option<u64>, state: bool) -> Result<()> {
    let (seen, mut arrivals) = mpsc::unbounded_channel();
    let rig = Rig::open(venue, calm(), Arc::new(Witness(seen))).await?;
    let (call, reply) = rig.send("through a program").await;
    good(reply)?;
    let (first, _) = arrivals.recv().await.context("nothing came")?;
    let record = program::read(&rig.at()?, &rig.topic).await?;
    let headers = program::again(&record, span, state)?;
    program::publish(&rig.at()?, &rig.topic, b"again", Some(headers)).await?;
    let (second, body) = arrivals.recv().await.context("nothing came from the program")?;
    same("body", &body.bytes, &Bytes::from("again"))?;
    rig.broker.empty().await;
    let log = rig.close().await?;
    let parent = span.filter(|_| !state).map_or(call.message, MessageId);
    let received = log.one(second.message, Kind::RECEIVED)?;
    same("what the program put", &(received.trace, received.parent), &(call.trace, parent))?;
    ensure!(first.message != second.message, "two readings have one id");
    Ok(())
}

/// A record of a program that knows nothing of us has a trace of its own, which our reader carries on.
async fn outside(venue: Venue) -> Result<()> {
    let (seen, mut arrivals) = mpsc::unbounded_channel();
    let rig = Rig::open(venue, calm(), Arc::new(Witness(seen))).await?;
    program::publish(&rig.at()?, &rig.topic, b"from outside", None).await?;
    let (identity, body) = arrivals.recv().await.context("nothing came")?;
    same("body", &body.bytes, &Bytes::from("from outside"))?;
    rig.broker.empty().await;
    let log = rig.close().await?;
    let received = log.one(identity.message, Kind::RECEIVED)?;
    same("parent", &(received.trace, received.parent), &(identity.trace, MessageId::NONE))?;
    same("nothing was published by us", &log.all(Kind::PUBLISHED).len(), &0)
}

/// What another group reads takes nothing from ours.
async fn read_outside(venue: Venue) -> Result<()> {
    let (seen, mut arrivals) = mpsc::unbounded_channel();
    let mut rig = Rig::without_worker(venue, calm()).await?;
    let (call, reply) = rig.send("for everyone").await;
    good(reply)?;
    let record = program::read(&rig.at()?, &rig.topic).await?;
    same("body", &record.payload(), &Some(b"for everyone".as_slice()))?;
    let traceparent = program::header(&record, TRACEPARENT).context("no traceparent")?;
    let ours = format!("{:016x}-{:016x}-01", call.trace.0, call.message.0);
    ensure!(traceparent.ends_with(&ours), "{traceparent} does not end with {ours}");
    ensure!(program::header(&record, TRACESTATE).is_some_and(|state| state.starts_with("hs=")), "no hs");
    rig.work(Arc::new(Witness(seen))).await?;
    arrivals.recv().await.context("nothing came to our group")?;
    rig.broker.empty().await;
    same("readings of ours", &rig.close().await?.readings(call.message).len(), &1)
}

async fn at_once(venue: Venue) -> Result<()> {
    let rig = Arc::new(Rig::open(venue, calm(), Arc::new(Echo)).await?);
    let mut calls = Vec::new();
    for number in 0..RECORDS {
        let rig = Arc::clone(&rig);
        calls.push(tokio::spawn(async move {
            let (call, reply) = rig.send(format!("number {number}")).await;
            good(reply).map(|_| call.message)
        }));
    }
    let mut sent = Vec::new();
    for call in calls {
        sent.push(call.await??);
    }
    rig.broker.empty().await;
    let log = Arc::into_inner(rig).context("the rig is still in use")?.close().await?;
    let mut places = BTreeSet::new();
    for message in sent {
        let position = log.position(message)?;
        ensure!(places.insert((position.partition, position.offset)), "two records at {position:?}");
        let [read] = &log.readings(message)[..] else { bail!("{message:?} was not read once") };
        same("where it was read", &log.taken_from(read.message)?, &position)?;
    }
    same("records", &places.len(), &RECORDS)
}

async fn megabyte(venue: Venue) -> Result<()> {
    let (seen, mut arrivals) = mpsc::unbounded_channel();
    let rig = Rig::open(venue, calm(), Arc::new(Witness(seen))).await?;
    let body: Bytes = (0..MEGABYTE).map(|at| (at % 251) as u8).collect();
    let (call, reply) = rig.send(body.clone()).await;
    good(reply)?;
    let (_, arrived) = arrivals.recv().await.context("nothing came")?;
    ensure!(arrived.bytes == body, "what came is not what was sent");
    rig.broker.empty().await;
    let log = rig.close().await?;
    let bytes = MEGABYTE as u64;
    same("bytes published", &log.one(call.message, Kind::PUBLISHED)?.b, &bytes)?;
    same("bytes received", &log.all(Kind::RECEIVED)[0].b, &bytes)
}

/// Records of a key are in one partition, and are read there as they were sent.
async fn order(venue: Venue) -> Result<()> {
    let mut rig = Rig::without_worker(venue, calm()).await?;
    let mut sent = [Vec::new(), Vec::new()];
    for number in 0..40 {
        let key = ["one", "other"][number % 2];
        let (call, reply) = rig.send_with(Some(key), format!("{number}")).await;
        good(reply)?;
        sent[number % 2].push(call.message);
    }
    rig.work(Arc::new(Echo)).await?;
    rig.broker.empty().await;
    let log = rig.close().await?;
    for sent in sent {
        let received = log.all(Kind::RECEIVED);
        let read: Vec<_> = received.iter().map(|event| event.parent).filter(|from| sent.contains(from)).collect();
        same("the order in which they were read", &read, &sent)?;
        let partitions = sent.iter().map(|message| Ok(log.position(*message)?.partition));
        same("partitions", &partitions.collect::<Result<BTreeSet<_>>>()?.len(), &1)?;
    }
    Ok(())
}

/// Who reads on after a member was killed has again what that one had not done.
async fn killed(venue: Venue) -> Result<()> {
    let double = Stalls::new();
    let mut rig = Rig::open(venue, calm(), Arc::clone(&double) as _).await?;
    let (call, reply) = rig.send("twice").await;
    good(reply)?;
    Stalls::one(&double.begun).await?;
    rig.kill().await;
    rig.work(Arc::new(Echo)).await?;
    rig.broker.empty().await;
    let log = rig.close().await?;
    let readings = log.readings(call.message);
    let [first, second] = &readings[..] else { bail!("{} readings", readings.len()) };
    ensure!(first.message != second.message, "two readings have one id");
    let requeued = log.one(first.message, Kind::REQUEUED)?;
    let cause = QueueStep::from_value(requeued.b).map(|step| step.cause);
    same("cause", &cause, &Some(QueueCause::CHANNEL_LOST))?;
    same("where both lie", &log.taken_from(first.message)?, &log.taken_from(second.message)?)?;
    log.one(second.message, Kind::ACKED).map(|_| ())
}

/// A publish that its sender gives up may be in the topic all the same; those after it are as ever.
async fn dropped(venue: Venue) -> Result<()> {
    let (seen, mut arrivals) = mpsc::unbounded_channel();
    // It waits for others to go with: nobody can have confirmed it by then.
    let shape = Shape { publishes: json!({"linger": "200 ms"}), ..calm() };
    let rig = Rig::open(venue, shape, Arc::new(Witness(seen))).await?;
    let call = rig.root();
    let mut calling = Box::pin(rig.link.call(call, Bytes::from("dropped")));
    ensure!(futures_util::poll!(&mut calling).is_pending(), "it was confirmed at once");
    drop(calling);
    same("open attempts", &rig.link.open(), &0)?;
    let (next, reply) = rig.send("next").await;
    good(reply)?;
    while arrivals.recv().await.context("the next did not come")?.1.bytes != "next" {}
    rig.broker.empty().await;
    let log = rig.close().await?;
    same("the dropped", &log.kinds(call.message), &vec![Kind::PUBLISHED, Kind::CANCELLED])?;
    same("the next", &log.kinds(next.message), &vec![Kind::PUBLISHED, Kind::CONFIRMED])?;
    same("readings of the next", &log.readings(next.message).len(), &1)?;
    ensure!(log.readings(call.message).len() <= 1, "the dropped one came twice");
    Ok(())
}

/// A topic has no place to put back what failed: it is passed all the same, a panic too.
async fn failed(venue: Venue) -> Result<()> {
    let rig = Rig::open(venue, calm(), Arc::new(Obeys)).await?;
    let mut sent = Vec::new();
    for body in ["failed", "panic", "fine"] {
        let (call, reply) = rig.send(body).await;
        good(reply)?;
        sent.push(call.message);
    }
    rig.broker.empty().await;
    let log = rig.close().await?;
    for message in sent {
        let [read] = &log.readings(message)[..] else { bail!("{message:?} was not read once") };
        log.one(read.message, Kind::ACKED)?;
    }
    Ok(())
}

async fn late(venue: Venue) -> Result<()> {
    let limit = Time(700_000_000);
    // The first goes with what follows, after its time is out.
    let retry = Some(Retry::FixedDelay { attempts: 10, delay: Time(1_000_000) });
    let shape = Shape { publishes: json!({"linger": "1 s"}), policy: Policy { timeout: Some(limit), retry } };
    let rig = Rig::open(venue, shape, Arc::new(Echo)).await?;
    let (call, reply) = rig.send("slow").await;
    good(reply)?;
    rig.link.late().idle().await;
    rig.broker.empty().await;
    let log = rig.close().await?;
    same("the limit", &log.one(call.message, Kind::TIMED_OUT)?.a, &limit.0)?;
    same("what came late", &(log.one(call.message, Kind::CONFIRMED)?.a & LATE), &LATE)?;
    let attempts = log.all(Kind::PUBLISHED);
    ensure!(attempts.len() > 1, "it was not tried again");
    let last = attempts.last().context("no attempt")?.message;
    same("the last attempt", &(last.message(), log.one(last, Kind::CONFIRMED)?.a), &(call.message.message(), 0))?;
    // Each of them lies in the topic.
    let mut places = BTreeSet::new();
    for attempt in &attempts {
        let [read] = &log.readings(attempt.message)[..] else { bail!("{:?} was not read once", attempt.message) };
        let at = log.taken_from(read.message)?;
        ensure!(places.insert((at.partition, at.offset)), "two records at {at:?}");
    }
    Ok(())
}

/// A Kafka of its own is killed between two records: the second waits for it to be there again.
async fn broker_killed(Venue { transport, .. }: Venue) -> Result<()> {
    let brokers = Brokers::default();
    let ended = async {
        let venue = Venue { transport, kafka: Some(brokers.clone()) };
        let (seen, mut arrivals) = mpsc::unbounded_channel();
        let rig = Rig::open(venue, calm(), Arc::new(Witness(seen))).await?;
        let (before, reply) = rig.send("before").await;
        good(reply)?;
        arrivals.recv().await.context("nothing came")?;
        brokers.kafka().kill().await?;
        let (call, link) = (rig.root(), Arc::clone(&rig.link));
        let calling = tokio::spawn(async move { link.call(call, Bytes::from("meanwhile")).await });
        brokers.kafka().reach().await?;
        good(calling.await?)?;
        while arrivals.recv().await.context("it did not come")?.1.bytes != "meanwhile" {}
        rig.broker.empty().await;
        let log = rig.close().await?;
        for message in [before.message, call.message] {
            same("the publish", &log.kinds(message), &vec![Kind::PUBLISHED, Kind::CONFIRMED])?;
            ensure!(!log.readings(message).is_empty(), "{message:?} is lost");
        }
        let broken = log.all(Kind::DISCONNECTED).into_iter().filter(|e| e.a == DisconnectReason::Broken as u64);
        same("connections lost", &broken.count(), &2)?;
        same("connections", &log.all(Kind::CONNECTED).len(), &4)
    };
    let ended = ended.await;
    brokers.stop().await;
    ended
}

/// That connections and tasks are gone is checked whenever a rig is closed; this adds what is told of it.
async fn clean_close(venue: Venue) -> Result<()> {
    let rig = Rig::open(venue, calm(), Arc::new(Echo)).await?;
    for _ in 0..10 {
        good(rig.send("one after the other").await.1)?;
    }
    rig.broker.empty().await;
    let log = rig.close().await?;
    same("connections", &log.all(Kind::CONNECTED).len(), &2)?;
    let closed = log.all(Kind::DISCONNECTED).into_iter().filter(|e| e.a == DisconnectReason::Closed as u64);
    same("closed by their own end", &closed.count(), &2)?;
    ensure!(log.all(Kind::REQUEUED).is_empty(), "something was given back");
    same("passed", &log.all(Kind::ACKED).len(), &10)?;
    // Each partition was given to the member once, and given up once.
    for kind in [Kind::REBALANCE_ENDED, Kind::REBALANCE_STARTED] {
        let mut places: Vec<_> = log.all(kind).iter().map(|event| event.place.0).collect();
        places.sort_unstable();
        same("partitions", &places, &(GROUP.0..GROUP.0 + u32::from(PARTITIONS)).collect())?;
    }
    Ok(())
}
