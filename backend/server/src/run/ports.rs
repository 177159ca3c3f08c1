//! Where the parts of a run are reached.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hopscope_record::{LinkIndex, PlaceIndex, SourceId};
use hopscope_rules::network::{Delays, Way};
use hopscope_scenario::model::Work;
use hopscope_scenario::plan::{Passage, Plan, PlanError, PlanLink, PlanService};
use hopscope_scenario::protocol::Protocol;
use hopscope_scenario::quantity::Time;
use tokio::sync::watch;

use super::RunError;
use super::node::{BrokerSite, Reached};
use crate::broker::{BrokerError, Door, RunBroker};
use crate::network::{Condition, Network};
use crate::record::Recorder;
use crate::transport::messaging::BrokerAddress;
use crate::transport::{Account, Address, BoxFuture, TransportError};

/// What the ends of links need of a run's broker, wherever they are.
pub(super) trait Home: Send + Sync {
    /// Where it is reached.
    fn address(&self) -> BrokerAddress;

    /// What the ends of links count and stamp, where the broker does not.
    fn account(&self) -> Option<Account>;

    /// Resolves when it is there, with the run's queues, before which nobody may use it; with a source of its own for what
    /// is delivered over `link`, where one is asked for.
    ///
    /// # Errors
    /// When one that was lost is not there again, or no source is left.
    fn enter(&self, link: Option<LinkIndex>) -> BoxFuture<'static, Result<Option<SourceId>, TransportError>>;
}

/// The broker of a run of this process; `recorder` stamps in it.
pub(super) struct Own {
    pub(super) broker: Arc<RunBroker>,
    pub(super) recorder: Recorder,
}

impl Home for Own {
    fn address(&self) -> BrokerAddress {
        self.broker.address()
    }

    fn account(&self) -> Option<Account> {
        self.broker.account().cloned()
    }

    fn enter(&self, link: Option<LinkIndex>) -> BoxFuture<'static, Result<Option<SourceId>, TransportError>> {
        let entered = there(&self.broker).and_then(|()| {
            let source = |link| {
                let source = self.recorder.new_source().ok_or(TransportError::Sources)?;
                self.broker.delivers(source, link);
                Ok(source)
            };
            link.map(source).transpose()
        });
        Box::pin(std::future::ready(entered))
    }
}

/// The port that the run's settings fix for the broker of a protocol: of several queues or topics with one the first's, since all are
/// at it.
pub(super) fn broker_port(plan: &Plan, of: Protocol) -> Option<u16> {
    let mut fixed = plan.settings.ports.of(plan).into_iter();
    fixed.find(|(place, protocol, _)| *protocol == of && is_kept(plan, *place)).map(|(_, _, port)| port)
}

/// Whether a place is that of a queue or a topic: nobody listens there but its broker.
fn is_kept(plan: &Plan, place: u32) -> bool {
    let topics = plan.topics.iter().map(|topic| topic.place);
    plan.queues.iter().map(|queue| queue.place).chain(topics).any(|kept| kept == place)
}

/// The brokers of a run by their protocols, as the ends of links use them.
pub(super) type Homes = BTreeMap<Protocol, Arc<dyn Home>>;

/// The addresses of a run's parts.
#[derive(Default)]
pub(super) struct Ports {
    /// Its replicas.
    pub(super) replicas: BTreeMap<(PlaceIndex, Protocol), Address>,
    /// The brokers of its queues and topics, where it has any and they are here.
    pub(super) brokers: Vec<Arc<RunBroker>>,
    /// Where programs that are no part of the run are to reach those that listen elsewhere.
    pub(super) doors: BTreeMap<Protocol, Door>,
    /// The brokers, as the ends of links use them.
    pub(super) homes: Homes,
    /// Where the networks of its links begin, by the place that they lead to.
    laid: BTreeMap<(LinkIndex, PlaceIndex), SocketAddr>,
    network: Mutex<Option<Network>>,
    /// What is done to the links that have one.
    conditions: BTreeMap<LinkIndex, watch::Sender<Condition>>,
}

impl Ports {
    /// Those that the run's settings fix, for who binds them.
    pub(super) fn fixed(plan: &Plan) -> Self {
        let at = |(place, protocol, port): (u32, Protocol, u16)| {
            let listens = !is_kept(plan, place);
            let address = Address::Socket((Ipv4Addr::LOCALHOST, port).into());
            listens.then_some(((PlaceIndex(place), protocol), address))
        };
        Self { replicas: plan.settings.ports.of(plan).into_iter().filter_map(at).collect(), ..Self::default() }
    }

    /// Where programs are that are no part of the run: at one address for each protocol that they are called by.
    pub(super) fn outside(&mut self, plan: &Plan, targets: &[(PlaceIndex, SocketAddr)]) {
        for link in &plan.links {
            let place = plan.external_at(link.to).map(|external| PlaceIndex(external.place));
            let target = targets.iter().find(|(target, _)| Some(*target) == place);
            if let Some((place, address)) = target {
                self.replicas.insert((*place, link.protocol), Address::Socket(*address));
            }
        }
    }

    /// Opens the ports that the run's settings fix for brokers that listen at others: all but the built-in one of queues.
    ///
    /// # Errors
    /// When another program listens there.
    pub(super) async fn open_doors(&mut self, plan: &Plan) -> Result<(), BrokerError> {
        for broker in self.brokers.iter().filter(|broker| !matches!(***broker, RunBroker::BuiltIn(_))) {
            let protocol = broker.protocol();
            if let Some((port, socket)) = broker_port(plan, protocol).zip(broker.socket()) {
                self.doors.insert(protocol, Door::open(port, socket).await?);
            }
        }
        Ok(())
    }

    /// Every address of the run's own, by place and protocol: a queue's is its broker's. Where programs are that are no part of it
    /// is nobody's business.
    pub(super) fn addresses(&self, plan: &Plan) -> Vec<(PlaceIndex, Protocol, Address)> {
        let own = |(place, _): &(PlaceIndex, Protocol)| plan.externals.iter().all(|external| external.place != place.0);
        let replicas = self.replicas.iter().filter(|(of, _)| own(of));
        let replicas = replicas.map(|((place, protocol), address)| (*place, *protocol, address.clone()));
        let kept = |protocol| {
            let queues = plan.queues.iter().map(|queue| queue.place);
            let queues = queues.chain(plan.exchanges.iter().map(|exchange| exchange.place));
            queues
                .filter(move |_| protocol == Protocol::Amqp)
                .chain(plan.topics.iter().map(|topic| topic.place).filter(move |_| protocol == Protocol::Kafka))
        };
        let reached = |protocol| self.doors.get(&protocol).map(Door::at);
        let brokers = self.brokers.iter().filter_map(|broker| {
            let protocol = broker.protocol();
            Some((protocol, reached(protocol).or_else(|| broker.socket())?))
        });
        let brokers = brokers.flat_map(|(protocol, socket)| {
            kept(protocol).map(move |place| (PlaceIndex(place), protocol, Address::Socket(socket)))
        });
        replicas.chain(brokers).collect()
    }

    /// Lays what is between the ends of links; after everything is bound and before anything connects.
    ///
    /// # Errors
    /// When a network is not described as one, or no port can be had.
    pub(super) fn lay(&mut self, plan: &Plan, network: Option<Network>) -> Result<(), RunError> {
        let Some(network) = network else { return Ok(()) };
        for (link, row) in (0_u16..).map(LinkIndex).zip(&plan.links) {
            let named = plan.disturbances.iter().any(|disturbance| disturbance.link == Some(link.0));
            let round_trip = match &row.network {
                Some(described) => described.read().map_err(PlanError::from)?,
                // What is to be done to it is done by a relay that adds nothing else.
                None if named => Work::Constant { mean: Time(0) },
                None => continue,
            };
            let (condition, told) = watch::channel(Condition::default());
            self.conditions.insert(link, condition);
            for (place, target) in self.far_ends(plan, row) {
                let delays = |way| Delays::new(plan.settings.seed, &row.id, place.0, way, round_trip.clone());
                let (out, back) = (delays(Way::Out), delays(Way::Back));
                let begins = network.lay(target, out, back, told.clone()).map_err(RunError::Network)?;
                self.laid.insert((link, place), begins);
            }
        }
        *self.network() = Some(network);
        Ok(())
    }

    /// What a link's connections lead to: the replicas called, or the broker of the queue.
    fn far_ends(&self, plan: &Plan, link: &PlanLink) -> Vec<(PlaceIndex, SocketAddr)> {
        let queue = match plan.passage(link) {
            Passage::Call | Passage::Send => {
                let external = || plan.external_at(link.to).map(|external| external.place..external.place + 1);
                let places = plan.service_at(link.to).map(PlanService::places).or_else(external).unwrap_or_default();
                let socket = |place| match self.replicas.get(&(place, link.protocol))? {
                    Address::Socket(socket) => Some((place, *socket)),
                    Address::InProcess(_) => None,
                };
                return places.map(PlaceIndex).filter_map(socket).collect();
            }
            Passage::Publish => link.to,
            Passage::Deliver => link.from,
            Passage::Bind => return Vec::new(),
        };
        let exchange = || plan.exchange_at(queue).map(|exchange| exchange.place);
        let queue = plan.queue_at(queue).map(|queue| queue.place).or_else(exchange).map(PlaceIndex);
        let broker = self.brokers.iter().find(|broker| broker.protocol() == Protocol::Amqp);
        queue.zip(broker.and_then(|broker| broker.socket())).into_iter().collect()
    }

    /// What is done to a link, where something can be.
    pub(super) fn condition(&self, link: LinkIndex) -> Option<&watch::Sender<Condition>> {
        self.conditions.get(&link)
    }

    /// What is done to links.
    pub(super) fn conditions(&self) -> impl Iterator<Item = (LinkIndex, &watch::Sender<Condition>)> {
        self.conditions.iter().map(|(link, condition)| (*link, condition))
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
    pub(super) fn reached(&self, link: LinkIndex, place: PlaceIndex, protocol: Protocol) -> Option<Address> {
        let laid = self.laid.get(&(link, place)).copied().map(Address::Socket);
        laid.or_else(|| self.replicas.get(&(place, protocol)).cloned())
    }

    /// Where a link reaches its broker: through its network, where it has one.
    pub(super) fn broker_over(&self, link: LinkIndex, protocol: Protocol) -> Result<BrokerAddress, TransportError> {
        let address = self.home(protocol)?.address();
        let begins = self.laid.range((link, PlaceIndex(0))..=(link, PlaceIndex(u32::MAX))).next();
        Ok(begins.map_or(address.clone(), |(_, begins)| address.over(*begins)))
    }

    pub(super) fn home(&self, protocol: Protocol) -> Result<&Arc<dyn Home>, TransportError> {
        self.homes.get(&protocol).ok_or(TransportError::NoBroker)
    }

    /// What a child is told of them; `later`: what does not answer yet is connected when it does.
    pub(super) fn reached_from_afar(&self, later: bool) -> Reached {
        let socket = |((place, protocol), address): (&(PlaceIndex, Protocol), &Address)| match address {
            Address::Socket(socket) => Some((place.0, *protocol, *socket)),
            Address::InProcess(_) => None,
        };
        let site = |(protocol, home): (&Protocol, &Arc<dyn Home>)| {
            let address = home.address();
            let (uri, shown) = (address.with_password().to_owned(), address.to_string());
            BrokerSite { protocol: *protocol, uri, shown, counts: home.account().is_some() }
        };
        Reached {
            replicas: self.replicas.iter().filter_map(socket).collect(),
            laid: self.laid.iter().map(|((link, place), begins)| (link.0, place.0, *begins)).collect(),
            brokers: self.homes.iter().map(site).collect(),
            later,
        }
    }

    /// What a child was told.
    pub(super) fn of_child(reached: &Reached, homes: Homes) -> Self {
        let replica = |(place, protocol, socket): &(u32, Protocol, SocketAddr)| {
            ((PlaceIndex(*place), *protocol), Address::Socket(*socket))
        };
        let laid = |(link, place, begins): &(u16, u32, SocketAddr)| ((LinkIndex(*link), PlaceIndex(*place)), *begins);
        Self {
            replicas: reached.replicas.iter().map(replica).collect(),
            laid: reached.laid.iter().map(laid).collect(),
            homes,
            ..Self::default()
        }
    }
}

/// Whether a broker that may have been lost is there again, with the run's queues: no sooner may anyone use them.
fn there(broker: &RunBroker) -> Result<(), TransportError> {
    let away = || TransportError::Broker { broker: broker.address(), reason: "it is not there now".to_owned() };
    broker.is_there().then_some(()).ok_or_else(away)
}
