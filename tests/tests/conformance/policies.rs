//! Time limits and retries: what a link makes of a transport's attempts.

use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use bytes::Bytes;
use hopscope_record::kind::LATE;
use hopscope_record::{Kind, MessageId};
use hopscope_scenario::model::Retry;
use hopscope_scenario::quantity::Time;
use hopscope_server::link::{Call, LinkError, Policy};
use hopscope_server::transport::{Reply, Transport, Verdict};

use crate::doubles::{Obeys, RefusesFirst, Stalls, StallsFirst};
use crate::rig::{CALLER, LINK, Log, Rig, answered, same};
use crate::terms::terms;

/// For receivers that never answer within a limit.
const SHORT: Time = Time(5_000_000);
/// For receivers that answer one attempt at once and another never: long enough for a busy machine to answer the one.
const LONG: Time = Time(1_000_000_000);
/// Between attempts.
const DELAY: Time = Time(2_000_000);

fn retry(attempts: u8) -> Option<Retry> {
    Some(Retry::FixedDelay { attempts, delay: DELAY })
}

/// Checks that the call was told that its time is over.
fn timed_out(result: Result<Reply, LinkError>, limit: Time) -> Result<()> {
    match result {
        Err(LinkError::TimedOut { limit: found }) => same("limit", &found, &limit),
        other => bail!("found {other:?}, expected the time limit"),
    }
}

/// Checks that an attempt was stamped as timed out once, at its limit and not before.
fn stamped_as_timed_out(log: &Log, message: MessageId, limit: Time) -> Result<()> {
    let (sent, timed_out) = (log.one(message, Kind::SENT)?, log.one(message, Kind::TIMED_OUT)?);
    same("limit, second value and place", &(timed_out.a, timed_out.b, timed_out.place), &(limit.0, 0, CALLER))?;
    ensure!(timed_out.time - sent.time >= limit.0.cast_signed(), "timed out before its limit");
    Ok(())
}

/// Checks that after `call`'s attempt another was decided on, and made no sooner than decided.
fn retried(log: &Log, call: Call) -> Result<()> {
    let attempt = call.message.attempt();
    let retried = log.one(call.message, Kind::RETRIED)?;
    same("delay and next attempt", &(retried.a, retried.b), &(DELAY.0, u64::from(attempt) + 1))?;
    let found = (retried.trace, retried.parent, retried.place, retried.link);
    same("trace, parent, place, link", &found, &(call.trace, MessageId::NONE, CALLER, LINK))?;
    let sent = log.one(call.message.with_attempt(attempt + 1), Kind::SENT)?;
    same("parent of the next attempt", &sent.parent, &call.parent)?;
    ensure!(sent.time - retried.time >= DELAY.0.cast_signed(), "attempt {} was made too soon", attempt + 1);
    Ok(())
}

/// The same call in another attempt.
fn attempt(call: Call, attempt: u8) -> Call {
    Call { message: call.message.with_attempt(attempt), ..call }
}

pub(crate) async fn timeout(transport: &'static dyn Transport) -> Result<()> {
    let double = Stalls::new();
    let policy = Policy { timeout: Some(SHORT), retry: None };
    let rig = Rig::open_with(transport, Arc::clone(&double) as _, policy).await?;
    let (call, result) = rig.call("slow").await;
    timed_out(result, SHORT)?;
    same("open attempts", &rig.link.open(), &0)?;
    // The receiver goes on, whoever waits.
    double.go.add_permits(1);
    Stalls::one(&double.done).await?;
    rig.link.late().idle().await;
    let log = rig.close().await?;
    stamped_as_timed_out(&log, call.message, SHORT)?;
    same("events", &log.of(call.message).len(), &5)?;
    let (replied, late) = (log.one(call.message, Kind::REPLIED)?, log.one(call.message, Kind::COMPLETED)?);
    same(
        "what came late",
        &(late.a, late.b, late.place),
        &(terms(transport.protocol())?.status(Kind::COMPLETED) | LATE, 0, CALLER),
    )?;
    ensure!(replied.time <= late.time, "the reply came before it was sent");
    same("retries", &log.count(Kind::RETRIED), &0)
}

pub(crate) async fn cut(transport: &'static dyn Transport) -> Result<()> {
    let double = Stalls::new();
    let policy = Policy { timeout: Some(SHORT), retry: None };
    let rig = Rig::open_with(transport, Arc::clone(&double) as _, policy).await?;
    let (call, result) = rig.call("for ever").await;
    timed_out(result, SHORT)?;
    Stalls::one(&double.begun).await?;
    // Closing gives up what may still come: the receiver's answer to its own end is not told as a late reply.
    let log = rig.close().await?;
    stamped_as_timed_out(&log, call.message, SHORT)?;
    same("kinds", &log.kinds(call.message).contains(&Kind::FAILED), &false)?;
    ensure!(log.recorded.events.iter().all(|event| !event.is_late()), "a late reply to a closed link");
    Ok(())
}

pub(crate) async fn late(transport: &'static dyn Transport) -> Result<()> {
    let terms = terms(transport.protocol())?;
    let double = Stalls::new();
    let policy = Policy { timeout: Some(LONG), retry: retry(2) };
    let rig = Rig::open_with(transport, Arc::new(StallsFirst(Arc::clone(&double))), policy).await?;
    let first = Call { parent: MessageId(0x0001_0000_0000_0901), ..rig.root() };
    let reply = rig.link.call(first, Bytes::from("stall")).await?;
    same("reply", &reply.body, &Bytes::from("stall"))?;
    double.go.add_permits(1);
    rig.link.late().idle().await;
    // What carried both is free again.
    let (next, reply) = rig.call("good").await;
    same("reply", &reply?.body, &Bytes::from("good"))?;
    let log = rig.close().await?;
    stamped_as_timed_out(&log, first.message, LONG)?;
    retried(&log, first)?;
    let second = attempt(first, 2);
    answered(&log, second, Kind::COMPLETED, 5)?;
    let kinds = [Kind::SENT, Kind::RECEIVED, Kind::TIMED_OUT, Kind::RETRIED, Kind::REPLIED, Kind::COMPLETED];
    same("kinds", &log.kinds(first.message), &kinds.to_vec())?;
    let late = log.one(first.message, Kind::COMPLETED)?;
    same("what came late", &(late.a, late.b), &(terms.status(Kind::COMPLETED) | LATE, 0))?;
    ensure!(log.one(second.message, Kind::COMPLETED)?.time <= late.time, "the stalled reply came first");
    answered(&log, next, Kind::COMPLETED, 4)?;
    // The one that waited for its reply held up no other call.
    same("connections", &log.count(Kind::CONNECTED), &terms.connections_of_two)
}

pub(crate) async fn used_up(transport: &'static dyn Transport) -> Result<()> {
    let rig = Rig::open_with(transport, Arc::new(Obeys), Policy { timeout: None, retry: retry(3) }).await?;
    let (call, reply) = rig.call("failed").await;
    let terms = terms(transport.protocol())?;
    let found = reply.map(|reply| (reply.verdict, reply.status))?;
    same("verdict and status", &found, &(Verdict::Failed, terms.failed))?;
    let log = rig.close().await?;
    for number in 1..=3 {
        let call = attempt(call, number);
        let mut kinds = vec![Kind::SENT, Kind::RECEIVED, Kind::REPLIED, Kind::FAILED];
        if number < 3 {
            kinds.push(Kind::RETRIED);
            retried(&log, call)?;
        }
        same("kinds", &log.kinds(call.message), &kinds)?;
        same("status", &log.one(call.message, Kind::FAILED)?.a, &u64::from(terms.failed))?;
    }
    same("attempts", &log.count(Kind::SENT), &3)
}

pub(crate) async fn refused(transport: &'static dyn Transport) -> Result<()> {
    let rig = Rig::open_with(transport, Arc::new(RefusesFirst), Policy { timeout: None, retry: retry(255) }).await?;
    let (call, reply) = rig.call("please").await;
    same(
        "verdict and body",
        &reply.map(|reply| (reply.verdict, reply.body))?,
        &(Verdict::Good, Bytes::from("please")),
    )?;
    let refused = terms(transport.protocol())?.status(Kind::REFUSED);
    let log = rig.close().await?;
    let kinds = [Kind::SENT, Kind::RECEIVED, Kind::REPLIED, Kind::REFUSED, Kind::RETRIED];
    same("kinds", &log.kinds(call.message), &kinds.to_vec())?;
    same("status", &log.one(call.message, Kind::REFUSED)?.a, &refused)?;
    retried(&log, call)?;
    answered(&log, attempt(call, 2), Kind::COMPLETED, 6)?;
    same("attempts", &log.count(Kind::SENT), &2)
}

pub(crate) async fn killed(transport: &'static dyn Transport) -> Result<()> {
    let rig = Rig::open_with(transport, Arc::new(Obeys), Policy { timeout: None, retry: retry(2) }).await?;
    rig.kill().await;
    let (call, result) = rig.call("good").await;
    ensure!(matches!(result, Err(LinkError::Call(_))), "found {result:?} of a receiver that was killed");
    let log = rig.close().await?;
    retried(&log, call)?;
    same("kinds", &log.kinds(call.message), &vec![Kind::SENT, Kind::FAILED, Kind::RETRIED])?;
    same("kinds", &log.kinds(call.message.with_attempt(2)), &vec![Kind::SENT, Kind::FAILED])
}

/// One that is given up while it waits for its next attempt has none.
pub(crate) async fn dropped(transport: &'static dyn Transport) -> Result<()> {
    let hour = Time(3_600_000_000_000);
    let policy = Policy { timeout: None, retry: Some(Retry::FixedDelay { attempts: 2, delay: hour }) };
    let double = Stalls::new();
    let rig = Rig::open_with(transport, Arc::clone(&double) as _, policy).await?;
    let (call, link) = (rig.root(), Arc::clone(&rig.link));
    let calling = tokio::spawn(async move { link.call(call, Bytes::from("failed")).await });
    Stalls::one(&double.begun).await?;
    // Nothing more may go on: the receiver fails.
    double.go.close();
    // It closes its attempt and decides to try again in one step, and then waits.
    while rig.link.open() > 0 {
        tokio::task::yield_now().await;
    }
    calling.abort();
    ensure!(calling.await.is_err_and(|error| error.is_cancelled()), "the call was not given up");
    let log = rig.close().await?;
    let kinds = [Kind::SENT, Kind::RECEIVED, Kind::REPLIED, Kind::FAILED, Kind::RETRIED];
    same("kinds", &log.kinds(call.message), &kinds.to_vec())?;
    same("attempts", &log.count(Kind::SENT), &1)
}
