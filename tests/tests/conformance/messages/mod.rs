//! What every transport of messages owes a run: each case below is run on each transport of the server's own list, through
//! the built-in broker, and through a RabbitMQ where there is one.

mod program;
mod rig;

use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use hopscope_record::kind::{AWAITS_REPLY, LATE, Outcome, QueueCause, QueueStep};
use hopscope_record::{Kind, LinkIndex, MessageId};
use hopscope_scenario::model::{Content, Retry};
use hopscope_scenario::quantity::Time;
use hopscope_server::link::{LinkError, Policy};
use hopscope_server::transport::{Body, BoxFuture, CallError, Verdict};
use tokio::sync::{Barrier, mpsc};

use crate::doubles::{Echo, Obeys, Stalls, Together, Witness};
use crate::rig::same;
use rig::{ANSWER, CALM, CLIENT, Log, PUBLISH, REPLIES, REQUESTS, RETURN, Rig, Shape, TAKE, WORKER};
pub(crate) use rig::{Venue, good, settled};

/// Messages at once.
const MESSAGES: usize = 64;
/// A large body.
const MEGABYTE: usize = 1 << 20;

/// One thing that a transport of messages owes.
pub(crate) struct Case {
    /// What, in words.
    pub(crate) name: &'static str,
    /// Why it cannot be had on a broker that is not ours, if so.
    pub(crate) unseen: Option<&'static str>,
    /// Shows it.
    pub(crate) run: fn(Venue) -> BoxFuture<'static, Result<()>>,
}

/// For what is told of a queue alone.
const UNSEEN: &str = "a broker that stamps nothing does not tell what programs put into its queues and take from them";
/// For what ends the broker.
const SHARED: &str = "it is the broker of other cases too; that one comes back is shown by a run of its own";

/// Every case.
pub(crate) static CASES: &[Case] = &[
    Case { name: "identity end to end", unseen: None, run: |t| Box::pin(identity(t)) },
    Case { name: "a program that copies our headers", unseen: Some(UNSEEN), run: |t| Box::pin(copied(t)) },
    Case { name: "a program that starts its own span", unseen: Some(UNSEEN), run: |t| Box::pin(own_span(t)) },
    Case { name: "a publish from outside", unseen: Some(UNSEEN), run: |t| Box::pin(outside(t)) },
    Case { name: "a consumer from outside", unseen: Some(UNSEEN), run: |t| Box::pin(taken_outside(t)) },
    Case { name: "64 requests get each their own reply", unseen: None, run: |t| Box::pin(pairing(t)) },
    Case { name: "a payload of 1 MB", unseen: None, run: |t| Box::pin(megabyte(t)) },
    Case { name: "first in, first out", unseen: None, run: |t| Box::pin(order(t)) },
    Case { name: "the consumer is killed at work", unseen: None, run: |t| Box::pin(killed(t)) },
    Case { name: "a request is dropped", unseen: None, run: |t| Box::pin(dropped(t)) },
    Case { name: "error replies", unseen: None, run: |t| Box::pin(error_replies(t)) },
    Case { name: "work that fails without a reply", unseen: None, run: |t| Box::pin(rejected(t)) },
    Case { name: "a full queue refuses", unseen: None, run: |t| Box::pin(full(t)) },
    Case { name: "timeout and retry, then the first reply", unseen: None, run: |t| Box::pin(late(t)) },
    Case { name: "the broker is killed", unseen: Some(SHARED), run: |t| Box::pin(broker_killed(t)) },
    Case { name: "clean close", unseen: None, run: |t| Box::pin(clean_close(t)) },
];

async fn identity(venue: Venue) -> Result<()> {
    let (seen, mut arrivals) = mpsc::unbounded_channel();
    let rig = Rig::open(venue, CALM, Arc::new(Witness(seen))).await?;
    let (call, reply) = rig.send("hello").await;
    same("reply", &good(reply)?, &Bytes::from("hello"))?;
    let (seen, body) = arrivals.recv().await.context("nothing came")?;
    // The reply is there before its request is settled.
    rig.broker.empty().await;
    same("body", &body, &Body { content: Content::Json, bytes: Bytes::from("hello"), priority: 0, key: None })?;
    let log = rig.close().await?;
    let taken = &log.deliveries(REQUESTS, call.message)[..];
    let [delivered] = taken else { bail!("{} deliveries", taken.len()) };
    let found = (seen.trace, seen.message, seen.link);
    same("who the worker saw", &found, &(call.trace, delivered.message, TAKE))?;
    let kinds = log.seen([Kind::PUBLISHED, Kind::ENQUEUED, Kind::CONFIRMED, Kind::COMPLETED]);
    let mut found = log.kinds(call.message);
    found.sort_by_key(|kind| kinds.iter().position(|other| other == kind));
    same("the publish", &found, &kinds)?;
    let kinds = log.seen([Kind::DELIVERED, Kind::RECEIVED, Kind::ACKED]);
    same("the delivery", &log.kinds(delivered.message), &kinds)?;
    same("both ends' parent", &log.one(delivered.message, Kind::RECEIVED)?.parent, &call.message)?;
    let answers = log.at(WORKER, Kind::PUBLISHED);
    let [answer] = &answers[..] else { bail!("{} replies", answers.len()) };
    same("the reply", &(answer.parent, answer.link, answer.trace), &(delivered.message, ANSWER, call.trace))?;
    let back = log.deliveries(REPLIES, answer.message);
    let [back] = &back[..] else { bail!("{} deliveries of the reply", back.len()) };
    let received = log.one(back.message, Kind::RECEIVED)?;
    same("the reply's arrival", &(received.place, received.link), &(CLIENT, RETURN))?;
    let kinds = if log.stamped { vec![Kind::DELIVERED, Kind::ACKED, Kind::RECEIVED] } else { vec![Kind::RECEIVED] };
    same("its acknowledgement", &log.kinds(back.message), &kinds)?;
    ensure!(log.recorded.events.iter().all(|event| event.message.is_none() || event.trace == call.trace));
    Ok(())
}

/// A program takes a request, publishes it again with the headers that it had, and so stays in the tree.
async fn copied(venue: Venue) -> Result<()> {
    joined(venue.clone(), |headers| headers, None).await
}

const OWN_SPAN: u64 = 0x00f0_67aa_0ba9_02b7;

/// A program takes a request and publishes another under a span of its own.
async fn own_span(venue: Venue) -> Result<()> {
    let kept = joined(venue.clone(), |headers| program::with_span(&headers, OWN_SPAN, true), None).await;
    kept.context("one that hands tracestate on")?;
    let dropped = |headers| program::with_span(&headers, OWN_SPAN, false);
    joined(venue.clone(), dropped, Some(MessageId(OWN_SPAN))).await.context("one that drops tracestate")
}

/// Has a program take a request and put it into the second queue, with headers that `change` makes of those it had, and our
/// worker take it there. It is a message of its own, caused by `parent`, by default the request, and goes on as any other.
async fn joined(
    venue: Venue,
    change: fn(program::Headers) -> program::Headers,
    parent: Option<MessageId>,
) -> Result<()> {
    let (seen, mut arrivals) = mpsc::unbounded_channel();
    let mut rig = Rig::without_worker(venue, Shape { replies: false, ..CALM }).await?;
    rig.take(1, RETURN, Arc::new(Witness(seen))).await?;
    let (call, reply) = rig.send("through a program").await;
    good(reply)?;
    program::forward(&rig.broker, rig.queues.each_ref().map(AsRef::as_ref), change).await?;
    let (arrived, body) = arrivals.recv().await.context("nothing came")?;
    same("body", &body.bytes, &Bytes::from("through a program"))?;
    rig.broker.empty().await;
    let log = rig.close().await?;
    let put = log.at(REPLIES, Kind::ENQUEUED);
    let [put] = &put[..] else { bail!("{} messages in the second queue", put.len()) };
    ensure!(put.message != call.message && !put.message.is_none(), "the message was not minted anew");
    let expected = (call.trace, parent.unwrap_or(call.message), LinkIndex::NONE);
    same("what the program put", &(put.trace, put.parent, put.link), &expected)?;
    let taken = log.deliveries(REPLIES, put.message);
    let [delivered] = &taken[..] else { bail!("{} deliveries", taken.len()) };
    let found = (arrived.trace, arrived.message, arrived.link);
    same("who the worker saw", &found, &(call.trace, delivered.message, RETURN))?;
    same("its parent", &log.one(arrived.message, Kind::RECEIVED)?.parent, &put.message)?;
    same("the delivery", &log.kinds(arrived.message), &vec![Kind::DELIVERED, Kind::RECEIVED, Kind::ACKED])?;
    ensure!(log.recorded.events.iter().all(|event| event.message.is_none() || event.trace == call.trace));
    Ok(())
}

/// A message of a program that knows nothing of us has a trace of its own, which our consumer carries on.
async fn outside(venue: Venue) -> Result<()> {
    let (seen, mut arrivals) = mpsc::unbounded_channel();
    let rig = Rig::open(venue, CALM, Arc::new(Witness(seen))).await?;
    program::publish(&rig.broker, &rig.queues[0], "from outside").await?;
    let (identity, _) = arrivals.recv().await.context("nothing came")?;
    rig.broker.empty().await;
    let log = rig.close().await?;
    let enqueued = log.at(REQUESTS, Kind::ENQUEUED);
    same("trace", &enqueued[0].trace, &identity.trace)?;
    same("link", &enqueued[0].link, &LinkIndex::NONE)?;
    let delivered = log.deliveries(REQUESTS, enqueued[0].message);
    same("who the worker saw", &identity.message, &delivered[0].message)?;
    same("parent", &log.one(identity.message, Kind::RECEIVED)?.parent, &enqueued[0].message)
}

/// What a program takes is told by the queue alone.
async fn taken_outside(venue: Venue) -> Result<()> {
    let rig = Rig::without_worker(venue, Shape { replies: false, ..CALM }).await?;
    let (first, reply) = rig.send("for a consumer").await;
    good(reply)?;
    same("body", &program::take(&rig.broker, &rig.queues[0]).await?, &b"for a consumer".to_vec())?;
    let (second, reply) = rig.send("asked for").await;
    good(reply)?;
    same("body", &program::get(&rig.broker, &rig.queues[0]).await?, &b"asked for".to_vec())?;
    let log = rig.close().await?;
    for (call, cause) in [(first, QueueCause::CONSUMER), (second, QueueCause::GET)] {
        let delivered = log.deliveries(REQUESTS, call.message);
        let [delivered] = &delivered[..] else { bail!("{} deliveries", delivered.len()) };
        same("link", &delivered.link, &LinkIndex::NONE)?;
        same("cause", &QueueStep::from_value(delivered.b).map(|step| step.cause), &Some(cause))?;
        same("kinds", &log.kinds(delivered.message), &vec![Kind::DELIVERED, Kind::ACKED])?;
    }
    Ok(())
}

async fn pairing(venue: Venue) -> Result<()> {
    let rig = Arc::new(Rig::open(venue, CALM, Arc::new(Together(Barrier::new(MESSAGES)))).await?);
    let mut calls = Vec::new();
    for number in 0..MESSAGES {
        let rig = Arc::clone(&rig);
        calls.push(tokio::spawn(async move {
            let (_, reply) = rig.send(format!("number {number}")).await;
            same("reply", &good(reply)?, &Bytes::from(format!("reply to number {number}")))
        }));
    }
    for call in calls {
        call.await??;
    }
    let rig = Arc::into_inner(rig).context("the rig is still in use")?;
    let log = rig.close().await?;
    same("completed", &log.at(CLIENT, Kind::COMPLETED).len(), &MESSAGES)
}

async fn megabyte(venue: Venue) -> Result<()> {
    let rig = Rig::open(venue, CALM, Arc::new(Echo)).await?;
    let body: Bytes = (0..MEGABYTE).map(|at| (at % 251) as u8).collect();
    let (call, reply) = rig.send(body.clone()).await;
    ensure!(good(reply)? == body, "the reply is not what was sent");
    let log = rig.close().await?;
    let bytes = MEGABYTE as u64;
    same("bytes published", &log.one(call.message, Kind::PUBLISHED)?.b, &bytes)?;
    same("bytes received", &log.at(WORKER, Kind::RECEIVED)[0].b, &bytes)?;
    same("bytes completed", &log.one(call.message, Kind::COMPLETED)?.b, &bytes)
}

async fn order(venue: Venue) -> Result<()> {
    let mut rig = Rig::without_worker(venue, Shape { replies: false, prefetch: 1, ..CALM }).await?;
    let mut sent = Vec::new();
    for number in 0..20 {
        let (call, reply) = rig.send(format!("{number}")).await;
        good(reply)?;
        sent.push(call.message);
    }
    rig.work(Arc::new(Echo)).await?;
    rig.broker.empty().await;
    let log = rig.close().await?;
    let taken: Vec<_> = log.delivered(REQUESTS).iter().map(|event| event.parent).collect();
    same("the order in which they were taken", &taken, &sent)
}

async fn killed(venue: Venue) -> Result<()> {
    let double = Stalls::new();
    let mut rig = Rig::open(venue, CALM, Arc::clone(&double) as _).await?;
    let (call, link) = (rig.root(), Arc::clone(&rig.link));
    let calling = tokio::spawn(async move { link.call(call, Bytes::from("twice")).await });
    Stalls::one(&double.begun).await?;
    rig.kill().await;
    rig.work(Arc::new(Echo)).await?;
    same("reply", &good(calling.await?)?, &Bytes::from("twice"))?;
    // The reply is there before its request is settled.
    rig.broker.empty().await;
    let log = rig.close().await?;
    let deliveries = log.deliveries(REQUESTS, call.message);
    let [first, second] = &deliveries[..] else { bail!("{} deliveries", deliveries.len()) };
    ensure!(first.message != second.message, "two deliveries have one id");
    let requeued = log.one(first.message, Kind::REQUEUED)?;
    let cause = QueueStep::from_value(requeued.b).map(|step| step.cause);
    same("cause", &cause, &Some(QueueCause::CHANNEL_LOST))?;
    let by = if log.stamped { REQUESTS } else { WORKER };
    same("the second", &log.one(second.message, Kind::ACKED)?.place, &by)
}

async fn dropped(venue: Venue) -> Result<()> {
    let double = Stalls::new();
    let rig = Rig::open(venue, CALM, Arc::clone(&double) as _).await?;
    let (call, link) = (rig.root(), Arc::clone(&rig.link));
    let calling = tokio::spawn(async move { link.call(call, Bytes::from("dropped")).await });
    Stalls::one(&double.begun).await?;
    calling.abort();
    ensure!(calling.await.is_err_and(|error| error.is_cancelled()), "the request was not given up");
    same("open attempts", &rig.link.open(), &0)?;
    // It is worked on though nobody waits for it, and so is the next.
    double.go.add_permits(2);
    let (next, reply) = rig.send("next").await;
    good(reply)?;
    rig.broker.empty().await;
    let log = rig.close().await?;
    log.one(call.message, Kind::CANCELLED)?;
    same("replies taken", &log.at(CLIENT, Kind::RECEIVED).len(), &2)?;
    same("completed", &log.at(CLIENT, Kind::COMPLETED).len(), &1)?;
    log.one(next.message, Kind::COMPLETED).map(|_| ())
}

async fn error_replies(venue: Venue) -> Result<()> {
    let rig = Rig::open(venue, CALM, Arc::new(Obeys)).await?;
    for (body, verdict, status, kind) in
        [("failed", Verdict::Failed, 500, Kind::FAILED), ("refused", Verdict::Refused, 503, Kind::REFUSED)]
    {
        let (call, reply) = rig.send(body).await;
        same("verdict and status", &reply.map(|reply| (reply.verdict, reply.status))?, &(verdict, status))?;
        ensure!(call.message.attempt() == 1, "{kind:?}");
    }
    let log = rig.close().await?;
    same("failed", &log.at(CLIENT, Kind::FAILED)[0].a, &500)?;
    same("refused", &log.at(CLIENT, Kind::REFUSED)[0].a, &503)
}

async fn rejected(venue: Venue) -> Result<()> {
    let rig = Rig::open(venue, Shape { replies: false, ..CALM }, Arc::new(Obeys)).await?;
    let (failed, reply) = rig.send("failed").await;
    good(reply)?;
    let (panicked, reply) = rig.send("panic").await;
    good(reply)?;
    rig.broker.empty().await;
    let log = rig.close().await?;
    for call in [failed, panicked] {
        let delivered = log.deliveries(REQUESTS, call.message);
        log.one(delivered[0].message, Kind::NACKED)?;
        same("the publish closes by its confirm", &log.one(call.message, Kind::CONFIRMED)?.a, &0)?;
    }
    Ok(())
}

async fn full(venue: Venue) -> Result<()> {
    let shape = Shape { replies: false, capacity: Some(2), ..CALM };
    let rig = Rig::without_worker(venue, shape).await?;
    for _ in 0..2 {
        good(rig.send("fits").await.1)?;
    }
    let (refused, reply) = rig.send("one too many").await;
    same("verdict", &reply.map(|reply| reply.verdict)?, &Verdict::Refused)?;
    let log = rig.close().await?;
    same("kinds", &log.kinds(refused.message), &vec![Kind::PUBLISHED, Kind::CONFIRM_REFUSED])?;
    let end = log.recorded.end.as_ref().context("no end")?;
    let ready = hopscope_record::frame::EndCount::ready(REQUESTS, 2);
    ensure!(end.counts.contains(&ready), "{:?}", end.counts);
    Ok(())
}

async fn late(venue: Venue) -> Result<()> {
    let limit = Time(1_000_000_000);
    let retry = Some(Retry::FixedDelay { attempts: 2, delay: Time(1_000_000) });
    let policy = Policy { timeout: Some(limit), retry };
    let double = Stalls::new();
    let rig = Rig::open(venue, Shape { policy, ..CALM }, Arc::clone(&double) as _).await?;
    let (call, link) = (rig.root(), Arc::clone(&rig.link));
    let calling = tokio::spawn(async move { link.call(call, Bytes::from("slow")).await });
    // Both attempts are being worked on: the first has run out of time.
    Stalls::one(&double.begun).await?;
    Stalls::one(&double.begun).await?;
    double.go.add_permits(2);
    good(calling.await?)?;
    rig.link.late().idle().await;
    rig.broker.empty().await;
    let log = rig.close().await?;
    let second = call.message.with_attempt(2);
    same("the limit", &log.one(call.message, Kind::TIMED_OUT)?.a, &limit.0)?;
    same("the first attempt's confirm", &log.one(call.message, Kind::CONFIRMED)?.a, &AWAITS_REPLY)?;
    same("what came late", &log.one(call.message, Kind::COMPLETED)?.a, &(200 | LATE))?;
    same("the second attempt", &log.one(second, Kind::COMPLETED)?.a, &200)?;
    same("one delivery each", &log.deliveries(REQUESTS, second).len(), &1)
}

async fn broker_killed(venue: Venue) -> Result<()> {
    let double = Stalls::new();
    let rig = Rig::open(venue, CALM, Arc::clone(&double) as _).await?;
    let (call, link) = (rig.root(), Arc::clone(&rig.link));
    let calling = tokio::spawn(async move { link.call(call, Bytes::from("never")).await });
    Stalls::one(&double.begun).await?;
    rig.broker.close().await;
    ensure!(calling.await?.is_err(), "a reply came from a broker that was killed");
    let (after, result) = rig.send("too late").await;
    ensure!(matches!(result, Err(LinkError::Call(CallError::Broken(_)))), "found {result:?}");
    double.go.add_permits(1);
    let log = rig.close().await?;
    for call in [call, after] {
        same("status", &log.one(call.message, Kind::FAILED)?.a, &0)?;
    }
    same("connections ended", &log.recorded.events.iter().filter(|e| e.kind == Kind::DISCONNECTED).count(), &3)
}

/// That connections and tasks are gone is checked whenever a rig is closed; this adds what is told of it.
async fn clean_close(venue: Venue) -> Result<()> {
    let rig = Rig::open(venue, CALM, Arc::new(Echo)).await?;
    for _ in 0..10 {
        good(rig.send("one after the other").await.1)?;
    }
    rig.broker.empty().await;
    let log = rig.close().await?;
    ended(&log)?;
    ensure!(log.recorded.events.iter().all(|event| event.kind != Kind::REQUEUED), "something was given back");
    let abandoned = |event: &&hopscope_record::Event| event.a == Outcome::Abandoned as u64;
    same("abandoned", &log.at(WORKER, Kind::FINISHED).iter().filter(abandoned).count(), &0)?;
    same("replies", &log.at(CLIENT, Kind::COMPLETED).len(), &10)?;
    same("link", &log.at(CLIENT, Kind::COMPLETED)[0].link, &PUBLISH)
}

/// Every connection that was opened was closed by its own end.
fn ended(log: &Log) -> Result<()> {
    let count = |kind| log.recorded.events.iter().filter(|event| event.kind == kind).count();
    same("connections", &count(Kind::CONNECTED), &3)?;
    let closed = log.recorded.events.iter().filter(|event| event.kind == Kind::DISCONNECTED);
    same("closed by their own end", &closed.filter(|event| event.a == 0).count(), &3)
}
