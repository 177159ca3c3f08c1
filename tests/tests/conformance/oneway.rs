//! What a protocol owes that has messages which nobody answers.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use hopscope_record::Kind;
use hopscope_record::kind::Admission;
use hopscope_server::transport::{BoxFuture, Identity, Options, Thrift};
use tokio::sync::mpsc;

use crate::doubles::{OneRoom, Stalls, Witness};
use crate::rig::{LINK, Rig, same};

/// One thing that it owes, with links that say `options`.
pub(crate) struct Case {
    /// What, in words.
    pub(crate) name: &'static str,
    /// Shows it.
    pub(crate) run: fn(Options) -> BoxFuture<'static, Result<()>>,
}

/// Every case.
pub(crate) static CASES: &[Case] = &[
    Case { name: "oneway identity and pairing", run: |options| Box::pin(arrives(options)) },
    Case { name: "oneway without room for it", run: |options| Box::pin(full_room(options)) },
    Case { name: "oneway to nobody", run: |options| Box::pin(nobody(options)) },
];

async fn arrives(options: Options) -> Result<()> {
    let (seen, mut arrivals) = mpsc::unbounded_channel();
    let rig = Rig::open_oneway(&Thrift, &options, Arc::new(Witness(seen))).await?;
    let mut calls = Vec::new();
    for body in ["one", "two"] {
        let (call, reply) = rig.call(body).await;
        same("what comes back", &reply?.body, &Bytes::new())?;
        let (arrived, carried) = arrivals.recv().await.context("nothing arrived")?;
        same("body", &carried.bytes, &Bytes::from(body))?;
        same("identity", &arrived, &Identity { trace: call.trace, message: call.message, link: LINK })?;
        calls.push(call);
    }
    let log = rig.close().await?;
    same("replies", &log.count(Kind::REPLIED), &0)?;
    for call in calls {
        let mut kinds = log.kinds(call.message);
        // It may have arrived before its sender goes on.
        kinds.sort_unstable();
        same("kinds", &kinds, &vec![Kind::SENT, Kind::RECEIVED, Kind::HANDED_OVER])?;
    }
    Ok(())
}

async fn full_room(options: Options) -> Result<()> {
    let inside = Stalls::new();
    let rig = Rig::open_oneway(&Thrift, &options, Arc::new(OneRoom::new(Arc::clone(&inside)))).await?;
    let (first, handed_over) = rig.call("first").await;
    handed_over?;
    Stalls::one(&inside.begun).await?;
    let (second, handed_over) = rig.call("second").await;
    handed_over.context("nothing tells its sender that there was no room")?;
    rig.link.settle().await;
    inside.go.add_permits(1);
    Stalls::one(&inside.done).await?;
    rig.tasks.idle().await;
    let log = rig.close().await?;
    same("first", &log.one(first.message, Kind::RECEIVED)?.a, &(Admission::Admitted as u64))?;
    same("second", &log.one(second.message, Kind::RECEIVED)?.a, &(Admission::TurnedAway as u64))?;
    log.one(second.message, Kind::HANDED_OVER).map(|_| ())
}

async fn nobody(options: Options) -> Result<()> {
    let (seen, _arrivals) = mpsc::unbounded_channel();
    let rig = Rig::open_oneway(&Thrift, &options, Arc::new(Witness(seen))).await?;
    rig.kill().await;
    // Until then it may hand over to its system what nobody will read.
    rig.notices().await?;
    let (call, reply) = rig.call("lost").await;
    ensure!(reply.is_err(), "it was handed to nobody");
    let log = rig.close().await?;
    same("kinds", &log.kinds(call.message), &vec![Kind::SENT, Kind::FAILED])
}
