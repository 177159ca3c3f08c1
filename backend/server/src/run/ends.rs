//! The ends of links: what calls or publishes over one, and what takes from its queue, connected by a run's ports.

use std::sync::Arc;

use super::ports::Ports;
use super::slice::{Callee, CallingSlice, ReturnSlice, TakingSlice};
use super::standing::{Make, Publishing};
use crate::link::Link;
use crate::record::Recorder;
use crate::tasks::Tasks;
use crate::timer::Timer;
use crate::transport::messaging::{Consumer, Group, Inbound, Outbound, RepliesFrom, Stream, messaging};
use crate::transport::{self, Caller, Handler, Intake, TransportError};

/// Connects the calling end of a link; `later`: where that is not possible yet, its first call does. `recorder` stamps at the
/// caller's place.
///
/// # Errors
/// When what is called does not answer, and that may not be.
pub(super) async fn connect(
    slice: &CallingSlice,
    ports: &Ports,
    recorder: &Recorder,
    timer: &Timer,
    later: bool,
) -> Result<Link, TransportError> {
    let recorder = recorder.at(recorder.place(), slice.link);
    match &slice.to {
        Callee::Replicas { replicas, answer } => {
            let mut callers = Vec::with_capacity(replicas.len());
            for place in replicas {
                // A link's replicas are bound on its protocol before anything connects.
                let address = ports.reached(slice.link, *place, slice.protocol);
                let (Some(transport), Some(address)) = (transport::of(slice.protocol), address) else { continue };
                callers.push(if later {
                    transport.caller(&address, &slice.options, recorder.clone())?
                } else {
                    transport.connect(address, &slice.options, recorder.clone()).await?
                });
            }
            let link = if *answer { Link::new } else { Link::oneway };
            Ok(link(recorder, callers, slice.policy, timer.clone()))
        }
        Callee::Queue { replies, .. } => {
            let publishing = Publishing::new(publisher(slice, ports, &recorder)?);
            if !later {
                publishing.open().await?;
            }
            Ok(Link::publishing(recorder, Arc::new(publishing), replies.is_some(), slice.policy, timer.clone()))
        }
    }
}

/// Makes the publishing end of a link. Each has a source of its own for its replies: deliveries are numbered by connection.
fn publisher(
    slice: &CallingSlice,
    ports: &Ports,
    recorder: &Recorder,
) -> Result<Make<Arc<dyn Caller>>, TransportError> {
    let Callee::Queue { queue, via, persistent, replies, copies } = &slice.to else {
        return Err(TransportError::NoBroker);
    };
    let home = Arc::clone(ports.home(slice.protocol)?);
    let transport = messaging(slice.protocol).ok_or(TransportError::NoBroker)?;
    let (broker, account) = (ports.broker_over(slice.link, slice.protocol)?, home.account().filter(|_| *copies > 0));
    let copies = *copies;
    let (recorder, queue, persistent, replies) = (recorder.clone(), Arc::clone(queue), *persistent, replies.clone());
    let (options, via, transactions) = (slice.options.clone(), via.clone(), slice.transactions.clone());
    Ok(Box::new(move || {
        let entering = home.enter(replies.as_ref().map(|replies| replies.link));
        let returning = replies.clone().map(|ReturnSlice { queue, link }| {
            let (recorder, account) = (recorder.at(recorder.place(), link), home.account());
            move |source| RepliesFrom { queue, source, recorder, account }
        });
        let (broker, queue, account) = (broker.clone(), Arc::clone(&queue), account.clone());
        let (recorder, options, via) = (recorder.clone(), options.clone(), via.clone());
        let transactions = transactions.clone();
        Box::pin(async move {
            let replies = entering.await?.zip(returning).map(|(source, returning)| returning(source));
            let outbound = Outbound { broker, queue, via, options, persistent, replies, account, copies, transactions };
            transport.publisher(outbound, recorder).await
        })
    }))
}

/// Makes what takes from a queue, each with a source of its own; what arrives is worked on by `handler`. `recorder` stamps at
/// the taker's place.
///
/// # Errors
/// When the run has no broker for it.
pub(super) fn take(
    slice: &TakingSlice,
    ports: &Ports,
    recorder: &Recorder,
    handler: Arc<dyn Handler>,
    tasks: Tasks,
) -> Result<Make<Box<dyn Consumer>>, TransportError> {
    let home = Arc::clone(ports.home(slice.protocol)?);
    let transport = messaging(slice.protocol).ok_or(TransportError::NoBroker)?;
    let (broker, account) = (ports.broker_over(slice.link, slice.protocol)?, home.account());
    let group = slice
        .group
        .clone()
        .map(|(group, first)| Group { member: recorder.place().0.saturating_sub(first.0).saturating_add(1), ..group });
    let (options, transactions) = (slice.options.clone(), slice.transactions.clone());
    let intake = Intake::new(recorder.at(recorder.place(), slice.link), handler, tasks);
    let TakingSlice { prefetch, ack, link, .. } = *slice;
    let (queue, prefix) = (Arc::clone(&slice.queue), Arc::clone(&slice.prefix));
    // As long as this program lives it knows how far it has come.
    let stream = slice.stream.map(Stream::new);
    Ok(Box::new(move || {
        let entering = home.enter(Some(link));
        let (broker, queue, prefix, account) =
            (broker.clone(), Arc::clone(&queue), Arc::clone(&prefix), account.clone());
        let (intake, options, group) = (intake.clone(), options.clone(), group.clone());
        let (transactions, stream) = (transactions.clone(), stream.clone());
        Box::pin(async move {
            let source = entering.await?.ok_or(TransportError::Sources)?;
            let inbound =
                Inbound { broker, queue, options, group, source, prefix, prefetch, ack, account, transactions, stream };
            transport.consumer(inbound, intake).await
        })
    }))
}
