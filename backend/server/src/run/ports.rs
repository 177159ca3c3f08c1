//! Where the parts of a run are reached, and how links are connected to them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hopscope_record::{LinkIndex, PlaceIndex, SourceId};
use hopscope_rules::network::{Delays, Way};
use hopscope_scenario::plan::{Passage, Plan, PlanError, PlanLink, PlanQueue, PlanService};
use hopscope_scenario::protocol::Protocol;

use super::RunError;
use super::slice::{Callee, CallingSlice, ReturnSlice, TakingSlice};
use crate::broker::RunBroker;
use crate::link::Link;
use crate::network::Network;
use crate::record::Recorder;
use crate::tasks::Tasks;
use crate::timer::Timer;
use crate::transport::messaging::{BrokerAddress, Consumer, Inbound, Outbound, RepliesFrom, messaging};
use crate::transport::{self, Account, Address, Handler, Intake, TransportError};

/// The addresses of a run's parts.
#[derive(Default)]
pub(super) struct Ports {
    /// Its replicas.
    pub(super) replicas: BTreeMap<(PlaceIndex, Protocol), Address>,
    /// The broker of its queues, where it has any.
    pub(super) broker: Option<Arc<RunBroker>>,
    /// Where the networks of its links begin, by the place that they lead to.
    laid: BTreeMap<(LinkIndex, PlaceIndex), SocketAddr>,
    network: Mutex<Option<Network>>,
}

impl Ports {
    /// Every address, by place and protocol: a queue's is its broker's.
    pub(super) fn addresses(&self, plan: &Plan) -> Vec<(PlaceIndex, Protocol, Address)> {
        let replicas = self.replicas.iter().map(|((place, protocol), address)| (*place, *protocol, address.clone()));
        let broker = self.broker.iter().flat_map(|broker| {
            let socket = broker.socket().map(Address::Socket);
            let at = move |queue: &PlanQueue| Some((PlaceIndex(queue.place), Protocol::Amqp, socket.clone()?));
            plan.queues.iter().filter_map(at)
        });
        replicas.chain(broker).collect()
    }

    /// Lays what is between the ends of links; after everything is bound and before anything connects.
    ///
    /// # Errors
    /// When a network is not described as one, or no port can be had.
    pub(super) fn lay(&mut self, plan: &Plan, network: Option<Network>) -> Result<(), RunError> {
        let Some(network) = network else { return Ok(()) };
        for (link, row) in (0_u16..).map(LinkIndex).zip(&plan.links) {
            let Some(described) = &row.network else { continue };
            let round_trip = described.read().map_err(PlanError::from)?;
            for (place, target) in self.far_ends(plan, row) {
                let delays = |way| Delays::new(plan.settings.seed, &row.id, place.0, way, round_trip.clone());
                let begins = network.lay(target, delays(Way::Out), delays(Way::Back)).map_err(RunError::Network)?;
                self.laid.insert((link, place), begins);
            }
        }
        *self.network() = Some(network);
        Ok(())
    }

    /// What a link's connections lead to: the replicas called, or the broker of the queue.
    fn far_ends(&self, plan: &Plan, link: &PlanLink) -> Vec<(PlaceIndex, SocketAddr)> {
        let queue = match plan.passage(link) {
            Passage::Call => {
                let places = plan.service_at(link.to).map(PlanService::places).unwrap_or_default();
                let socket = |place| match self.replicas.get(&(place, link.protocol))? {
                    Address::Socket(socket) => Some((place, *socket)),
                    Address::InProcess(_) => None,
                };
                return places.map(PlaceIndex).filter_map(socket).collect();
            }
            Passage::Publish => link.to,
            Passage::Deliver => link.from,
        };
        let queue = plan.queue_at(queue).map(|queue| PlaceIndex(queue.place));
        queue.zip(self.broker.as_ref().and_then(|broker| broker.socket())).into_iter().collect()
    }

    /// Where the networks of links begin.
    pub(super) fn networks(&self) -> Vec<(LinkIndex, PlaceIndex, SocketAddr)> {
        self.laid.iter().map(|((link, place), begins)| (*link, *place, *begins)).collect()
    }

    /// Ends the networks, with what is on its way there.
    pub(super) fn take_up(&self) {
        self.network().take();
    }

    fn network(&self) -> MutexGuard<'_, Option<Network>> {
        // It is taken whole.
        self.network.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a link reaches a replica: through its network, where it has one.
    fn reached(&self, link: LinkIndex, place: PlaceIndex, protocol: Protocol) -> Option<Address> {
        let laid = self.laid.get(&(link, place)).copied().map(Address::Socket);
        laid.or_else(|| self.replicas.get(&(place, protocol)).cloned())
    }

    /// Where a link reaches the broker of a queue: through its network, where it has one.
    fn broker_over(&self, link: LinkIndex) -> Result<BrokerAddress, TransportError> {
        let address = self.broker()?.address();
        let begins = self.laid.range((link, PlaceIndex(0))..=(link, PlaceIndex(u32::MAX))).next();
        Ok(begins.map_or(address.clone(), |(_, begins)| address.over(*begins)))
    }

    /// The broker's address, and a source for what is delivered over `link`.
    fn delivering(&self, recorder: &Recorder, link: LinkIndex) -> Result<(BrokerAddress, SourceId), TransportError> {
        let broker = self.broker()?;
        let source = recorder.new_source().ok_or(TransportError::Sources)?;
        broker.delivers(source, link);
        Ok((self.broker_over(link)?, source))
    }

    /// What the ends of links count, where the broker stamps nothing.
    fn account(&self) -> Option<Account> {
        self.broker.as_ref().and_then(|broker| broker.account()).cloned()
    }

    fn broker(&self) -> Result<&RunBroker, TransportError> {
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
                let address = ports.reached(slice.link, *place, slice.protocol);
                if let (Some(transport), Some(address)) = (transport::of(slice.protocol), address) {
                    callers.push(transport.connect(address, recorder.clone()).await?);
                }
            }
            Ok(Link::new(recorder, callers, slice.policy, timer.clone()))
        }
        Callee::Queue { queue, persistent, replies, taken } => {
            let broker = ports.broker()?;
            let replies = replies.as_ref().map(|replies| returning(replies, ports, &recorder)).transpose()?;
            let transport = messaging(slice.protocol).ok_or(TransportError::NoBroker)?;
            let awaits_reply = replies.is_some();
            let account = broker.account().filter(|_| *taken).cloned();
            let (broker, queue, persistent) = (ports.broker_over(slice.link)?, Arc::clone(queue), *persistent);
            let outbound = Outbound { broker, queue, persistent, replies, account };
            let publisher = transport.publisher(outbound, recorder.clone()).await?;
            Ok(Link::publishing(recorder, publisher, awaits_reply, slice.policy, timer.clone()))
        }
    }
}

fn returning(slice: &ReturnSlice, ports: &Ports, recorder: &Recorder) -> Result<RepliesFrom, TransportError> {
    let (_, source) = ports.delivering(recorder, slice.link)?;
    let (recorder, account) = (recorder.at(recorder.place(), slice.link), ports.account());
    Ok(RepliesFrom { queue: Arc::clone(&slice.queue), source, recorder, account })
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
    let TakingSlice { prefetch, ack, .. } = *slice;
    let (queue, prefix, account) = (Arc::clone(&slice.queue), Arc::clone(&slice.prefix), ports.account());
    let inbound = Inbound { broker, queue, source, prefix, prefetch, ack, account };
    transport.consumer(inbound, intake).await
}
