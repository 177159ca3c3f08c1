//! The phases of a run, in their one order: setup (bind all, connect all), warm-up, measured, drain, end.

use std::sync::Arc;
use std::time::Duration;

use hopscope_record::frame::{EndCount, EndReason, MOST_BEHIND_NS};
use hopscope_record::kind::Phase;
use hopscope_record::{Kind, LinkIndex, MessageId, PlaceIndex, TraceId};
use hopscope_scenario::plan::{Plan, RunSettings};
use hopscope_scenario::quantity::Time;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::client::ClientNode;
use super::control::{Asked, Control};
use super::generator::Generator;
use super::ports::Ports;
use super::service::ReplicaNode;
use super::slot::Slot;
use super::{Early, RunError, RunState, slice};
use crate::broker::{Found, RunBroker};
use crate::link::Link;
use crate::network::Network;
use crate::record::clock::monotonic_ns;
use crate::record::{EndInfo, Recorder, Recording};
use crate::timer::Timer;
use crate::transport::TransportError;

/// How far ahead the run's zero is set once everything is connected, so that every node knows it before it comes.
const AHEAD_NS: i64 = 5_000_000;

/// How far a run may go.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// How long what is in flight may take to come home after the load has ended.
    pub(super) drain: Duration,
    /// Events at which the load ends.
    pub(super) most_events: u64,
}

/// Everything of a run that runs.
pub(super) struct Running {
    plan: Arc<Plan>,
    clients: Vec<Arc<ClientNode>>,
    replicas: Vec<Arc<Slot>>,
    ports: Arc<Ports>,
    recorder: Recorder,
    recording: Recording,
    timer: Timer,
    settings: RunSettings,
}

impl Running {
    /// Binds all, then connects all.
    ///
    /// # Errors
    /// Names the node that could not be started.
    pub(super) async fn set_up(
        plan: &Arc<Plan>,
        broker: Option<Found>,
        recording: Recording,
        timer: Timer,
        network: Option<Network>,
    ) -> Result<Self, RunError> {
        let recorder = recording.recorder(PlaceIndex::NONE, LinkIndex::NONE);
        enter(&recorder, Phase::Setup);
        let failed = |place: PlaceIndex| {
            let node = plan.node_of(place.0).map(|node| node.name.clone()).unwrap_or_default();
            |source: TransportError| RunError::Node { node, source }
        };
        let (mut ports, mut replicas, mut clients) = (Ports::default(), Vec::new(), Vec::new());
        let queues = slice::queues(plan);
        if !queues.is_empty() {
            ports.broker = Some(Arc::new(RunBroker::start(broker, recorder.clone(), queues, timer.clone()).await?));
        }
        for slice in slice::replicas(plan)? {
            let place = slice.place;
            let recorder = recorder.at(place, LinkIndex::NONE);
            let cpu = Slot::cpu(&slice)?;
            let bound = ReplicaNode::bind(slice.clone(), cpu, recorder.clone(), timer.clone(), None).await;
            let replica = bound.map_err(failed(place))?;
            ports.replicas.extend(replica.addresses().map(|(protocol, address)| ((place, protocol), address)));
            replicas.push((slice, recorder, replica));
        }
        ports.lay(plan, network)?;
        for (slice, _, replica) in &mut replicas {
            replica.connect(&ports, false).await.map_err(failed(slice.place))?;
        }
        for slice in slice::clients(plan)? {
            let place = slice.place;
            let connected = ClientNode::connect(slice, recorder.at(place, LinkIndex::NONE), &ports, &timer).await;
            clients.push(connected.map_err(failed(place))?);
        }
        let slot = |(slice, recorder, replica)| Arc::new(Slot::new(slice, recorder, timer.clone(), replica));
        let replicas = replicas.into_iter().map(slot).collect();
        let (plan, settings, ports) = (Arc::clone(plan), plan.settings.clone(), Arc::new(ports));
        Ok(Self { plan, clients, replicas, ports, recorder, recording, timer, settings })
    }

    /// Where the replicas are reached.
    pub(super) fn ports(&self) -> &Ports {
        &self.ports
    }

    /// What will want the clients' requests.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn generator(&self) -> std::io::Result<Generator> {
        Generator::start(self.clients.clone(), self.timer.clone())
    }

    /// Goes through the phases to the end and tells each through `state`.
    pub(super) async fn run(
        self,
        generator: Generator,
        state: watch::Sender<RunState>,
        stop: CancellationToken,
        asked: mpsc::UnboundedReceiver<Asked>,
        bounds: Bounds,
    ) {
        let zero = monotonic_ns() + AHEAD_NS;
        self.recording.set_zero(zero);
        self.timer.until(zero).await;
        let over = CancellationToken::new();
        let controls = tokio::spawn(self.control(zero).run(asked, over.clone()));
        let early = self.offer(generator, zero, &state, &stop, bounds.most_events).await;
        over.cancel();
        // An error would be its panic, which has been reported.
        let _ = controls.await;
        let offered = self.offered(zero, early.is_some());
        self.begin(Phase::Drain, &state);
        tokio::select! {
            () = self.drained() => {}
            () = self.timer.after(bounds.drain) => {}
        }
        self.end_nodes().await;
        self.begin(Phase::End, &state);
        if let Some(broker) = &self.ports.broker {
            broker.settle().await;
        }
        let (reason, detail) = (early.map_or(EndReason::LOAD_DONE, Early::reason), early.and_then(Early::detail));
        let counts = self.counts(offered);
        let summary = self.recording.finish(EndInfo { reason, detail, counts }).await;
        state.send_replace(RunState { phase: Phase::End, summary: Some(summary) });
    }

    fn control(&self, zero: i64) -> Control {
        Control {
            plan: Arc::clone(&self.plan),
            clients: self.clients.clone(),
            replicas: self.replicas.clone(),
            ports: Arc::clone(&self.ports),
            recorder: self.recorder.clone(),
            timer: self.timer.clone(),
            zero,
        }
    }

    fn begin(&self, phase: Phase, state: &watch::Sender<RunState>) {
        enter(&self.recorder, phase);
        state.send_replace(RunState { phase, summary: None });
    }

    /// Offers the load until the duration is over or every client has sent all that it may, or tells why it ended before.
    /// The warm-up comes first, if there is one.
    async fn offer(
        &self,
        mut generator: Generator,
        zero: i64,
        state: &watch::Sender<RunState>,
        stop: &CancellationToken,
        most_events: u64,
    ) -> Option<Early> {
        // First the phase, then its load: the first message of all is stamped within it, on whatever thread.
        self.begin(if self.settings.warm_up.0 > 0 { Phase::WarmUp } else { Phase::Measured }, state);
        generator.begin(zero);
        let last = self.settings.offered().0.saturating_add(MOST_BEHIND_NS);
        let early = tokio::select! {
            () = stop.cancelled() => Some(Early::Stopped),
            early = self.cannot_go_on(most_events) => Some(early),
            () = generator.ended() => None,
            () = self.measure_after_warm_up(zero, last, state) => None,
        };
        generator.end().await;
        early
    }

    /// Begins the measured phase in its time, where a warm-up comes before it; resolves at `last`, in ns from `zero` on.
    async fn measure_after_warm_up(&self, zero: i64, last: u64, state: &watch::Sender<RunState>) {
        let warm_up = self.settings.warm_up.0;
        if warm_up > 0 {
            self.timer.until(zero.saturating_add_unsigned(warm_up)).await;
            self.begin(Phase::Measured, state);
        }
        self.timer.until(zero.saturating_add_unsigned(last)).await;
    }

    /// Resolves when nobody stops the load and it must end all the same.
    async fn cannot_go_on(&self, most_events: u64) -> Early {
        let mut taken = self.recording.taken();
        let recording = async {
            // One that can be stored no longer takes no more events: the run goes on, for whoever is served by it, and whoever
            // follows it is told.
            match taken.wait_for(|taken| taken.events >= most_events).await {
                Ok(_) => Early::EventLimit { most: most_events },
                // The collector's end.
                Err(_) => Early::Recording,
            }
        };
        let broker = async {
            match &self.ports.broker {
                Some(broker) => broker.ended().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            early = recording => early,
            () = broker => Early::Broker,
        }
    }

    /// The replicas that are there now; of one that is down, nothing runs. Once load is offered no more, they stay.
    fn nodes(&self) -> Vec<Arc<ReplicaNode>> {
        self.replicas.iter().map(|slot| slot.node()).collect()
    }

    fn links<'a>(&'a self, nodes: &'a [Arc<ReplicaNode>]) -> impl Iterator<Item = &'a Link> {
        let clients = self.clients.iter().flat_map(|client| client.links());
        clients.chain(nodes.iter().flat_map(|node| node.links()))
    }

    /// Resolves at an instant in which nothing is in flight, nor in a queue that the run takes from, nor any reply to an
    /// attempt that ran out of time.
    async fn drained(&self) {
        let (broker, nodes) = (self.ports.broker.as_deref(), self.nodes());
        let tasks: Vec<_> = self
            .clients
            .iter()
            .map(|client| client.tasks())
            .chain(nodes.iter().map(|node| node.tasks()))
            .chain(self.links(&nodes).map(Link::late))
            .collect();
        while tasks.iter().any(|tasks| tasks.count() > 0) || broker.is_some_and(|broker| !broker.is_empty()) {
            for tasks in &tasks {
                tasks.idle().await;
            }
            if let Some(broker) = broker {
                broker.empty().await;
            }
        }
    }

    /// For how long the load was surely offered; called when it ends.
    fn offered(&self, zero: i64, early: bool) -> Time {
        let whole = self.settings.offered();
        let since = u64::try_from(monotonic_ns().saturating_sub(zero)).unwrap_or(0);
        if early { Time(since.saturating_sub(MOST_BEHIND_NS).min(whole.0)) } else { whole }
    }

    /// What is open once everything has ended, attempts per link and copies per queue; and what schedules wanted.
    fn counts(&self, offered: Time) -> Vec<EndCount> {
        let mut counts = open_attempts(self.links(&self.nodes()));
        counts.extend(self.clients.iter().filter_map(|client| client.wanted(offered)));
        counts.extend(self.ports.broker.iter().flat_map(|broker| broker.counts()));
        counts
    }

    /// Gives up what is still in flight and closes everything; resolves when nothing of it is left.
    async fn end_nodes(&self) {
        for client in &self.clients {
            client.tasks().end().await;
        }
        let nodes = self.nodes();
        // Before any receiver ends: what one gives up must not look like a late reply.
        for link in self.links(&nodes) {
            link.late().end().await;
        }
        // All are told before any is waited for: what one gives up must not look to another like a reply.
        for replica in &nodes {
            replica.tasks().cancel();
        }
        for replica in &nodes {
            replica.tasks().end().await;
        }
        for client in &self.clients {
            client.close_links().await;
        }
        for replica in &nodes {
            replica.close_links().await;
        }
        for replica in &nodes {
            replica.close_ports().await;
        }
        if let Some(broker) = &self.ports.broker {
            broker.close().await;
        }
        self.ports.take_up();
    }
}

/// Stamps the beginning of a phase.
fn enter(recorder: &Recorder, phase: Phase) {
    recorder.record(Kind::PHASE_BEGAN, TraceId::NONE, MessageId::NONE, MessageId::NONE, phase as u64, 0);
}

/// The attempts that are open, per link of the plan.
fn open_attempts<'a>(links: impl Iterator<Item = &'a Link>) -> Vec<EndCount> {
    let mut open = std::collections::BTreeMap::new();
    for link in links {
        *open.entry(Link::index(link)).or_default() += link.open();
    }
    open.into_iter().map(|(link, count)| EndCount::open_attempts(link, count)).collect()
}
