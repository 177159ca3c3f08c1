//! Where the parts of a run are reached, and how links are connected to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use hopscope_record::{LinkIndex, PlaceIndex, SourceId};
use hopscope_scenario::plan::Plan;
use hopscope_scenario::protocol::Protocol;

use super::slice::{Callee, CallingSlice, ReturnSlice, TakingSlice};
use crate::broker::BuiltIn;
use crate::link::Link;
use crate::record::Recorder;
use crate::tasks::Tasks;
use crate::timer::Timer;
use crate::transport::messaging::{BrokerAddress, Consumer, Inbound, Outbound, RepliesFrom, messaging};
use crate::transport::{self, Address, Handler, Intake, TransportError};

/// The addresses of a run's parts.
#[derive(Default)]
pub(super) struct Ports {
    /// Its replicas.
    pub(super) replicas: BTreeMap<(PlaceIndex, Protocol), Address>,
    /// The broker of its queues, where it has any.
    pub(super) broker: Option<Arc<BuiltIn>>,
}

impl Ports {
    /// Every address, by place and protocol: a queue's is its broker's.
    pub(super) fn addresses(&self, plan: &Plan) -> Vec<(PlaceIndex, Protocol, Address)> {
        let replicas = self.replicas.iter().map(|((place, protocol), address)| (*place, *protocol, address.clone()));
        let broker = self.broker.iter().flat_map(|broker| {
            let socket = Address::Socket(broker.socket());
            plan.queues.iter().map(move |queue| (PlaceIndex(queue.place), Protocol::Amqp, socket.clone()))
        });
        replicas.chain(broker).collect()
    }

    /// The broker's address, and a source for what is delivered over `link`.
    fn delivering(&self, recorder: &Recorder, link: LinkIndex) -> Result<(BrokerAddress, SourceId), TransportError> {
        let broker = self.broker()?;
        let source = recorder.new_source().ok_or(TransportError::Sources)?;
        broker.delivers(source, link);
        Ok((broker.address(), source))
    }

    fn broker(&self) -> Result<&BuiltIn, TransportError> {
        self.broker.as_deref().ok_or(TransportError::NoBroker)
    }
}

/// Connects the calling end of a link. `recorder` stamps at the caller's place.
///
/// # Errors
/// When what is called does not answer.
pub(super) async fn connect(
    slice: &CallingSlice,
    ports: &Ports,
    recorder: &Recorder,
    timer: &Timer,
) -> Result<Link, TransportError> {
    let recorder = recorder.at(recorder.place(), slice.link);
    match &slice.to {
        Callee::Replicas(replicas) => {
            let mut callers = Vec::with_capacity(replicas.len());
            for place in replicas {
                // A link's replicas are bound on its protocol before anything connects.
                let address = ports.replicas.get(&(*place, slice.protocol));
                if let (Some(transport), Some(address)) = (transport::of(slice.protocol), address) {
                    callers.push(transport.connect(address.clone(), recorder.clone()).await?);
                }
            }
            Ok(Link::new(recorder, callers, slice.policy, timer.clone()))
        }
        Callee::Queue { queue, replies } => {
            let replies = replies.as_ref().map(|replies| returning(replies, ports, &recorder)).transpose()?;
            let transport = messaging(slice.protocol).ok_or(TransportError::NoBroker)?;
            let awaits_reply = replies.is_some();
            let outbound = Outbound { broker: ports.broker()?.address(), queue: Arc::clone(queue), replies };
            let publisher = transport.publisher(outbound, recorder.clone()).await?;
            Ok(Link::publishing(recorder, publisher, awaits_reply, slice.policy, timer.clone()))
        }
    }
}

fn returning(slice: &ReturnSlice, ports: &Ports, recorder: &Recorder) -> Result<RepliesFrom, TransportError> {
    let (_, source) = ports.delivering(recorder, slice.link)?;
    Ok(RepliesFrom { queue: Arc::clone(&slice.queue), source, recorder: recorder.at(recorder.place(), slice.link) })
}

/// Begins to take from a queue; what arrives is worked on by `handler`. `recorder` stamps at the taker's place.
///
/// # Errors
/// When the broker does not answer.
pub(super) async fn take(
    slice: &TakingSlice,
    ports: &Ports,
    recorder: &Recorder,
    handler: Arc<dyn Handler>,
    tasks: Tasks,
) -> Result<Box<dyn Consumer>, TransportError> {
    let (broker, source) = ports.delivering(recorder, slice.link)?;
    let transport = messaging(slice.protocol).ok_or(TransportError::NoBroker)?;
    let intake = Intake::new(recorder.at(recorder.place(), slice.link), handler, tasks);
    let inbound = Inbound { broker, queue: Arc::clone(&slice.queue), source, prefetch: slice.prefetch, ack: slice.ack };
    transport.consumer(inbound, intake).await
}
