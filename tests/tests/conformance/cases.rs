//! The one list of cases.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use hopscope_record::kind::Admission;
use hopscope_record::{Kind, LinkIndex, MessageId, TraceId};
use hopscope_scenario::model::Content;
use hopscope_server::link::LinkError;
use hopscope_server::transport::{Address, Body, CallError, Identity, Transport, Verdict};
use hopscope_tests::grpc;
use hopscope_tests::http::Headers;
use tokio::sync::{Barrier, mpsc};

use crate::doubles::{Echo, Obeys, OneRoom, Stalls, Tenfold, Together, Witness};
use crate::policies;
use crate::program::{self, Program};
use crate::rig::{CALLER, ELSEWHERE, LINK, Log, RECEIVER, Rig, answered, same};
use crate::terms::terms;
use crate::{Case, has_no_limit, needs_greeter, needs_headers};

/// Callers at once.
const CALLERS: usize = 64;
/// A large body.
const MEGABYTE: usize = 1 << 20;

/// What the list holds for cases that every transport can have.
fn always(_: hopscope_scenario::protocol::Protocol) -> Option<&'static str> {
    None
}

/// Every case.
pub(crate) static CASES: &[Case] = &[
    Case { name: "identity end to end", not_applicable: always, run: |t| Box::pin(identity(t)) },
    Case { name: "a program that copies our headers", not_applicable: needs_headers, run: |t| Box::pin(copied(t)) },
    Case { name: "a program that starts its own span", not_applicable: needs_headers, run: |t| Box::pin(own_span(t)) },
    Case { name: "a call from outside", not_applicable: needs_headers, run: |t| Box::pin(outside(t)) },
    Case { name: "what is no message is turned away", not_applicable: needs_headers, run: |t| Box::pin(no_message(t)) },
    Case { name: "a greeting from outside", not_applicable: needs_greeter, run: |t| Box::pin(greeting(t)) },
    Case { name: "64 callers get each their own reply", not_applicable: always, run: |t| Box::pin(pairing(t)) },
    Case { name: "a payload of 1 MB", not_applicable: always, run: |t| Box::pin(megabyte(t)) },
    Case { name: "a reply that is too large", not_applicable: has_no_limit, run: |t| Box::pin(too_large(t)) },
    Case { name: "an empty payload", not_applicable: always, run: |t| Box::pin(empty(t)) },
    Case { name: "the receiver is killed in a call", not_applicable: always, run: |t| Box::pin(killed(t)) },
    Case { name: "a call is dropped", not_applicable: always, run: |t| Box::pin(dropped(t)) },
    Case { name: "error replies", not_applicable: always, run: |t| Box::pin(error_replies(t)) },
    Case { name: "refused when the room is full", not_applicable: always, run: |t| Box::pin(full_room(t)) },
    Case { name: "the receiver panics", not_applicable: always, run: |t| Box::pin(panics(t)) },
    Case { name: "timeout", not_applicable: always, run: |t| Box::pin(policies::timeout(t)) },
    Case { name: "timeout and no reply any more", not_applicable: always, run: |t| Box::pin(policies::cut(t)) },
    Case {
        name: "retry after a timeout, then the first reply",
        not_applicable: always,
        run: |t| Box::pin(policies::late(t)),
    },
    Case { name: "retry after error replies", not_applicable: always, run: |t| Box::pin(policies::used_up(t)) },
    Case { name: "retry after a refusal", not_applicable: always, run: |t| Box::pin(policies::refused(t)) },
    Case { name: "retry without a receiver", not_applicable: always, run: |t| Box::pin(policies::killed(t)) },
    Case { name: "dropped before a retry", not_applicable: always, run: |t| Box::pin(policies::dropped(t)) },
    Case { name: "clean close", not_applicable: always, run: |t| Box::pin(clean_close(t)) },
];

async fn identity(transport: &'static dyn Transport) -> Result<()> {
    let (seen, mut arrivals) = mpsc::unbounded_channel();
    let rig = Rig::open(transport, Arc::new(Witness(seen))).await?;
    let (first, reply) = rig.call("hello").await;
    same("reply", &reply?.body, &Bytes::from("hello"))?;
    let mut second = rig.root();
    second = hopscope_server::link::Call { trace: first.trace, parent: first.message, ..second };
    rig.link.call(second, Body { content: Content::Text, bytes: Bytes::from("again"), priority: 0, key: None }).await?;
    for (call, content) in [(first, Content::Binary), (second, Content::Text)] {
        let (arrived, body) = arrivals.recv().await.context("nothing arrived")?;
        same("content", &body.content, &content)?;
        same("identity", &arrived, &Identity { trace: call.trace, message: call.message, link: LINK })?;
    }
    let log = rig.close().await?;
    answered(&log, first, Kind::COMPLETED, 5)?;
    answered(&log, second, Kind::COMPLETED, 5)?;
    let sent = log.one(second.message, Kind::SENT)?;
    same("parent and bytes of Sent", &(sent.parent, sent.b), &(first.message, 5))?;
    let received = log.one(second.message, Kind::RECEIVED)?;
    same("parent and bytes of Received", &(received.parent, received.b), &(MessageId::NONE, 5))
}

/// Sends a call over a link that ends at a program, which calls on to the receiver; gives what arrived there.
async fn through(
    transport: &'static dyn Transport,
    change: fn(Headers) -> Headers,
) -> Result<(hopscope_server::link::Call, Identity, Log)> {
    let (seen, mut arrivals) = mpsc::unbounded_channel();
    let rig = Rig::open(transport, Arc::new(Witness(seen))).await?;
    let Address::Socket(receiver) = rig.address() else { bail!("no socket") };
    let program = Program::start(transport.protocol(), receiver, change).await?;
    let elsewhere = rig.connect_elsewhere(Address::Socket(program.address)).await?;
    let call = rig.root();
    let reply = elsewhere.call(call, Bytes::from("by way of")).await?;
    same("reply", &reply.body, &Bytes::from("by way of"))?;
    program.end().await?;
    elsewhere.close().await;
    drop(elsewhere);
    let (arrived, _) = arrivals.recv().await.context("nothing arrived")?;
    Ok((call, arrived, rig.close().await?))
}

/// Checks that a new message arrived which belongs to the call's trace and was caused by `parent`.
fn joined(log: &Log, call: hopscope_server::link::Call, arrived: Identity, parent: MessageId) -> Result<()> {
    same("the call's own events", &log.kinds(call.message), &vec![Kind::SENT, Kind::COMPLETED])?;
    same("the call's link", &log.one(call.message, Kind::SENT)?.link, &ELSEWHERE)?;
    same("trace", &arrived.trace, &call.trace)?;
    ensure!(arrived.message != call.message && !arrived.message.is_none(), "the message was not minted anew");
    same("kinds", &log.kinds(arrived.message), &vec![Kind::RECEIVED, Kind::REPLIED])?;
    let received = log.one(arrived.message, Kind::RECEIVED)?;
    let expected = (call.trace, parent, LinkIndex::NONE, RECEIVER);
    same("what was received", &(received.trace, received.parent, received.link, received.place), &expected)
}

async fn copied(transport: &'static dyn Transport) -> Result<()> {
    let (call, arrived, log) = through(transport, |headers| headers).await?;
    joined(&log, call, arrived, call.message)
}

const OWN_SPAN: u64 = 0x00ab_cdef_0123_4567;

fn begin_span(headers: Headers, keeps_state: bool) -> Headers {
    let mut changed = Headers::new();
    for (name, value) in headers {
        match name.as_str() {
            "traceparent" => changed.push((name, format!("{}-{OWN_SPAN:016x}-01", &value[..35]))),
            "tracestate" if keeps_state => changed.push((name, format!("other=1,{value}"))),
            "tracestate" => {}
            _ => changed.push((name, value)),
        }
    }
    changed
}

async fn own_span(transport: &'static dyn Transport) -> Result<()> {
    let (call, arrived, log) = through(transport, |headers| begin_span(headers, true)).await?;
    joined(&log, call, arrived, call.message).context("one that hands tracestate on")?;
    let (call, arrived, log) = through(transport, |headers| begin_span(headers, false)).await?;
    joined(&log, call, arrived, MessageId(OWN_SPAN)).context("one that drops tracestate")
}

async fn outside(transport: &'static dyn Transport) -> Result<()> {
    let (seen, mut arrivals) = mpsc::unbounded_channel();
    let rig = Rig::open(transport, Arc::new(Witness(seen))).await?;
    let Address::Socket(receiver) = rig.address() else { bail!("no socket") };
    let protocol = transport.protocol();
    let foreign = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let mut traces = Vec::new();
    for headers in [
        vec![],
        vec![("traceparent".to_owned(), foreign.to_owned())],
        vec![("tracestate".to_owned(), "hs=x".to_owned())],
    ] {
        let reply = program::call(protocol, receiver, &headers, b"from outside").await?;
        same("reply", &reply, &(terms(protocol)?.good, b"from outside".to_vec()))?;
        let (arrived, _) = arrivals.recv().await.context("nothing arrived")?;
        ensure!(!arrived.trace.is_none() && !traces.contains(&arrived.trace), "no trace of its own");
        traces.push(arrived.trace);
        same("link", &arrived.link, &LinkIndex::NONE)?;
    }
    let log = rig.close().await?;
    let received: Vec<_> = log.recorded.events.iter().filter(|event| event.kind == Kind::RECEIVED).collect();
    same("traces", &received.iter().map(|event| event.trace).collect::<Vec<TraceId>>(), &traces)?;
    ensure!(received.iter().all(|event| event.parent.is_none() && event.place == RECEIVER), "{received:?}");
    same("replies", &log.count(Kind::REPLIED), &3)
}

async fn no_message(transport: &'static dyn Transport) -> Result<()> {
    let rig = Rig::open(transport, Arc::new(Echo)).await?;
    let Address::Socket(receiver) = rig.address() else { bail!("no socket") };
    for (what, found, due) in program::no_messages(transport.protocol(), receiver).await? {
        same(what, &found, &due)?;
    }
    same("messages", &rig.close().await?.count(Kind::RECEIVED), &0)
}

async fn greeting(transport: &'static dyn Transport) -> Result<()> {
    let (seen, mut arrivals) = mpsc::unbounded_channel();
    let rig = Rig::open(transport, Arc::new(Witness(seen))).await?;
    let Address::Socket(receiver) = rig.address() else { bail!("no socket") };
    let reply = grpc::call(grpc::SAY_HELLO, receiver, &Headers::new(), "Zoë".as_bytes()).await?;
    same("reply", &reply, &(terms(transport.protocol())?.good, "Hello Zoë".as_bytes().to_vec()))?;
    let (arrived, body) = arrivals.recv().await.context("nothing arrived")?;
    same("body", &body, &Body { content: Content::Text, bytes: Bytes::from("Zoë"), priority: 0, key: None })?;
    let log = rig.close().await?;
    same("kinds", &log.kinds(arrived.message), &vec![Kind::RECEIVED, Kind::REPLIED])?;
    same("bytes received", &log.one(arrived.message, Kind::RECEIVED)?.b, &4)?;
    same("bytes replied", &log.one(arrived.message, Kind::REPLIED)?.b, &10)
}

async fn pairing(transport: &'static dyn Transport) -> Result<()> {
    let rig = Arc::new(Rig::open(transport, Arc::new(Together(Barrier::new(CALLERS)))).await?);
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..CALLERS {
        let rig = Arc::clone(&rig);
        callers.spawn(async move { (caller, rig.call(format!("caller {caller}")).await) });
    }
    let mut calls = Vec::new();
    while let Some(ended) = callers.join_next().await {
        let (caller, (call, reply)) = ended?;
        let expected = Bytes::from(format!("reply to caller {caller}"));
        same("reply", &reply?.body, &expected)?;
        calls.push((call, expected.len() as u64));
    }
    let rig = Arc::into_inner(rig).context("a caller is left")?;
    let log = rig.close().await?;
    for (call, bytes) in calls {
        answered(&log, call, Kind::COMPLETED, bytes)?;
    }
    same("completed", &log.count(Kind::COMPLETED), &CALLERS)
}

async fn megabyte(transport: &'static dyn Transport) -> Result<()> {
    let rig = Rig::open(transport, Arc::new(Echo)).await?;
    let body: Bytes = (0..MEGABYTE).map(|at| (at * 31 % 251) as u8).collect();
    let (call, reply) = rig.call(body.clone()).await;
    ensure!(reply?.body == body, "the body was changed on its way");
    let log = rig.close().await?;
    same("bytes received", &log.one(call.message, Kind::RECEIVED)?.b, &(MEGABYTE as u64))?;
    answered(&log, call, Kind::COMPLETED, MEGABYTE as u64)
}

async fn too_large(transport: &'static dyn Transport) -> Result<()> {
    let rig = Rig::open(transport, Arc::new(Tenfold)).await?;
    let (call, result) = rig.call(vec![b'.'; MEGABYTE]).await;
    let limit = 4 << 20;
    let refused = matches!(result, Err(LinkError::Call(CallError::TooLarge { limit: found })) if found == limit);
    ensure!(refused, "found {result:?} of a reply of ten megabytes");
    // The link is as good as before.
    let (next, reply) = rig.call("x").await;
    same("reply", &reply?.body, &Bytes::from("xxxxxxxxxx"))?;
    let log = rig.close().await?;
    same("status", &log.one(call.message, Kind::FAILED)?.a, &0)?;
    answered(&log, next, Kind::COMPLETED, 10)
}

async fn empty(transport: &'static dyn Transport) -> Result<()> {
    let rig = Rig::open(transport, Arc::new(Echo)).await?;
    let (call, reply) = rig.call("").await;
    same("reply", &reply?.body, &Bytes::new())?;
    answered(&rig.close().await?, call, Kind::COMPLETED, 0)
}

async fn killed(transport: &'static dyn Transport) -> Result<()> {
    let double = Stalls::new();
    let rig = Rig::open(transport, Arc::clone(&double) as _).await?;
    let (call, link) = (rig.root(), Arc::clone(&rig.link));
    let calling = tokio::spawn(async move { link.call(call, Bytes::from("never")).await });
    Stalls::one(&double.begun).await?;
    rig.kill().await;
    let error = calling.await?.err().context("a reply came from a receiver that was killed")?;
    let (after, result) = rig.call("too late").await;
    ensure!(result.is_err(), "a reply came after the receiver was killed");
    let log = rig.close().await?;
    for (call, text) in [(call, error.to_string()), (after, String::new())] {
        let failed = log.one(call.message, Kind::FAILED)?;
        same("status", &failed.a, &0)?;
        let name = usize::try_from(failed.b)?.checked_sub(1).and_then(|row| log.recorded.names.get(row));
        let name = name.context("Failed does not say what went wrong")?;
        ensure!(text.is_empty() || *name == text, "Failed says {name:?}, the caller {text:?}");
    }
    same("where it ended", &log.one(call.message, Kind::FAILED)?.place, &CALLER)
}

async fn dropped(transport: &'static dyn Transport) -> Result<()> {
    let double = Stalls::new();
    let rig = Rig::open(transport, Arc::clone(&double) as _).await?;
    let (call, link) = (rig.root(), Arc::clone(&rig.link));
    let calling = tokio::spawn(async move { link.call(call, Bytes::from("dropped")).await });
    Stalls::one(&double.begun).await?;
    calling.abort();
    ensure!(calling.await.is_err_and(|error| error.is_cancelled()), "the call was not given up");
    same("open attempts", &rig.link.open(), &0)?;
    // What was begun goes on to its end though nobody waits for it.
    double.go.add_permits(1);
    Stalls::one(&double.done).await?;
    rig.tasks.idle().await;
    // The link is as good as before.
    double.go.add_permits(1);
    let (next, reply) = rig.call("next").await;
    same("verdict", &reply?.verdict, &Verdict::Good)?;
    let log = rig.close().await?;
    // Giving it up took with it what carried it, and nothing else.
    same("connections", &log.count(Kind::CONNECTED), &terms(transport.protocol())?.connections_of_two)?;
    same("kinds", &log.kinds(call.message), &vec![Kind::SENT, Kind::RECEIVED, Kind::CANCELLED, Kind::REPLIED])?;
    answered(&log, next, Kind::COMPLETED, 0)
}

async fn error_replies(transport: &'static dyn Transport) -> Result<()> {
    let rig = Rig::open(transport, Arc::new(Obeys)).await?;
    let terms = terms(transport.protocol())?;
    let (failed, reply) = rig.call("failed").await;
    let found = reply.map(|reply| (reply.verdict, reply.status))?;
    same("verdict and status", &found, &(Verdict::Failed, terms.failed))?;
    let (refused, reply) = rig.call("refused").await;
    let found = reply.map(|reply| (reply.verdict, reply.status))?;
    same("verdict and status", &found, &(Verdict::Refused, terms.refused))?;
    let log = rig.close().await?;
    answered(&log, failed, Kind::FAILED, 0)?;
    answered(&log, refused, Kind::REFUSED, terms.of_error(4))?;
    same("bytes replied", &log.one(refused.message, Kind::REPLIED)?.b, &terms.of_error(4))
}

/// Turned away, a call reaches nobody who works, and its caller has the protocol's own word for "not now".
async fn full_room(transport: &'static dyn Transport) -> Result<()> {
    let double = Stalls::new();
    let rig = Rig::open(transport, Arc::new(OneRoom::new(Arc::clone(&double)))).await?;
    let (first, link) = (rig.root(), Arc::clone(&rig.link));
    let calling = tokio::spawn(async move { link.call(first, Bytes::from("first")).await });
    Stalls::one(&double.begun).await?;
    let (refused, reply) = rig.call("second").await;
    let terms = terms(transport.protocol())?;
    let found = reply.map(|reply| (reply.verdict, reply.status))?;
    same("verdict and status", &found, &(Verdict::Refused, terms.refused))?;
    same("requests begun beside the first", &double.begun.available_permits(), &0)?;
    double.go.add_permits(2);
    same("verdict", &calling.await??.verdict, &Verdict::Good)?;
    let (next, reply) = rig.call("third").await;
    same("verdict", &reply?.verdict, &Verdict::Good)?;
    let log = rig.close().await?;
    answered(&log, refused, Kind::REFUSED, 0)?;
    let admission =
        |call: hopscope_server::link::Call| Ok::<_, anyhow::Error>(log.one(call.message, Kind::RECEIVED)?.a);
    same("admission", &admission(refused)?, &(Admission::TurnedAway as u64))?;
    for call in [first, next] {
        answered(&log, call, Kind::COMPLETED, 0)?;
        same("admission", &admission(call)?, &(Admission::Admitted as u64))?;
    }
    Ok(())
}

async fn panics(transport: &'static dyn Transport) -> Result<()> {
    let rig = Rig::open(transport, Arc::new(Obeys)).await?;
    let (call, reply) = rig.call("panic").await;
    let found = reply.map(|reply| (reply.verdict, reply.status))?;
    same("verdict and status", &found, &(Verdict::Failed, terms(transport.protocol())?.failed))?;
    let (next, reply) = rig.call("good").await;
    same("reply", &reply?.body, &Bytes::from("said"))?;
    let log = rig.close().await?;
    answered(&log, call, Kind::FAILED, 0)?;
    answered(&log, next, Kind::COMPLETED, 4)
}

/// That ports, connections and tasks are gone is checked whenever a rig is closed; this adds what is told of it.
async fn clean_close(transport: &'static dyn Transport) -> Result<()> {
    let rig = Rig::open(transport, Arc::new(Echo)).await?;
    for _ in 0..10 {
        rig.call("one after the other").await.1?;
    }
    let log = rig.close().await?;
    let connected = log.count(Kind::CONNECTED);
    let expected = usize::from(transport.protocol().descriptor().socket);
    same("connections for calls one after the other", &connected, &expected)?;
    same("connections closed", &log.count(Kind::DISCONNECTED), &connected)
}
