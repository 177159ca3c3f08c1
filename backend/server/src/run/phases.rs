//! The phases of a run, in their one order: setup (bind all, connect all), warm-up, measured, drain, end.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join_all, select_all, try_join_all};
use hopscope_record::frame::{EndCount, EndReason, MOST_BEHIND_NS};
use hopscope_record::kind::Phase;
use hopscope_record::{Kind, LinkIndex, MessageId, PlaceIndex, TraceId};
use hopscope_scenario::plan::{Plan, RunSettings};
use hopscope_scenario::protocol::Protocol;
use hopscope_scenario::quantity::Time;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::control::{Asked, Control};
use super::generator::Generator;
use super::node::{Child, Clocks, Nursery, ask};
use super::ports::{Home, Own, Ports, broker_port};
use super::slot::{Bound, Slot};
use super::unit::{Step, Unit, children, units};
use super::{Early, RunError, RunState, slice};
use crate::broker::{Found, FoundKafka, RunBroker};
use crate::network::Network;
use crate::record::clock::monotonic_ns;
use crate::record::{EndInfo, Recorder, Recording};
use crate::timer::Timer;
use crate::transport::TransportError;

/// How far ahead the run's zero is set once everything is connected, so that every node knows it before it comes.
const AHEAD_NS: i64 = 5_000_000;

/// How long a part of a run may take to end once nothing is in flight.
const LONGEST_END: Duration = Duration::from_secs(8);

/// How far a run may go.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// How long what is in flight may take to come home after the load has ended.
    pub(super) drain: Duration,
    /// Events at which the load ends.
    pub(super) most_events: u64,
}

/// The brokers that were found for a run, where it needs them.
#[derive(Default)]
pub(super) struct Brokered {
    /// Of its queues; none where that is the built-in one.
    pub(super) queues: Option<Found>,
    /// Of its topics.
    pub(super) topics: Option<FoundKafka>,
    /// The programs that are called, by their places.
    pub(super) targets: Vec<(PlaceIndex, SocketAddr)>,
}

/// Everything of a run that runs.
pub(super) struct Running {
    plan: Arc<Plan>,
    clients: Vec<Unit>,
    replicas: Vec<Arc<Slot>>,
    ports: Arc<Ports>,
    recorder: Recorder,
    recording: Recording,
    timer: Timer,
    settings: RunSettings,
    /// What its processes say of their clocks, where it has some.
    clocks: Option<Arc<Clocks>>,
}

impl Running {
    /// Binds all, then connects all.
    ///
    /// # Errors
    /// Names the node that could not be started.
    pub(super) async fn set_up(
        plan: &Arc<Plan>,
        found: Brokered,
        recording: Recording,
        timer: Timer,
        network: Option<Network>,
        nursery: Option<Arc<Nursery>>,
    ) -> Result<Self, RunError> {
        let recorder = recording.recorder(PlaceIndex::NONE, LinkIndex::NONE);
        enter(&recorder, Phase::Setup);
        let failed = |place: PlaceIndex| {
            let node = plan.node_of(place.0).map(|node| node.name.clone()).unwrap_or_default();
            |source: TransportError| RunError::Node { node, source }
        };
        let mut ports = Ports::default();
        ports.outside(plan, &found.targets);
        let (sites, topics) = (slice::sites(plan), slice::topics(plan));
        if plan.has_queues() {
            let port = broker_port(plan, Protocol::Amqp);
            let broker = RunBroker::start(found.queues, recorder.clone(), sites, timer.clone(), port).await?;
            ports.brokers.push(Arc::new(broker));
        }
        if let Some(found) = found.topics {
            ports.brokers.push(Arc::new(RunBroker::of_topics(found, recorder.clone(), topics).await?));
        }
        ports.open_doors(plan).await?;
        for broker in &ports.brokers {
            let home: Arc<dyn Home> = Arc::new(Own { broker: Arc::clone(broker), recorder: recorder.clone() });
            ports.homes.insert(broker.protocol(), home);
        }
        if let Some(nursery) = &nursery {
            nursery.at(ports.homes.clone());
        }
        let fixed = Ports::fixed(plan);
        // All at once: a process takes its time to begin.
        let replicas = try_join_all(slice::replicas(plan)?.into_iter().map(|slice| async {
            let recorder = recorder.at(slice.place, LinkIndex::NONE);
            let bound = Bound::new(&slice, &recorder, &timer, nursery.as_ref(), Some(&fixed)).await;
            let (bound, addresses) = bound.map_err(failed(slice.place))?;
            Ok::<_, RunError>((slice, recorder, bound, addresses))
        }))
        .await?;
        for (slice, _, _, addresses) in &replicas {
            let reached = addresses.iter().map(|(protocol, address)| ((slice.place, *protocol), address.clone()));
            ports.replicas.extend(reached);
        }
        ports.lay(plan, network)?;
        // All at once: a group shares its partitions out anew for each member that comes later.
        let slots = try_join_all(replicas.into_iter().map(|(slice, recorder, bound, _)| async {
            let unit = bound.connect(&ports, false).await.map_err(failed(slice.place))?;
            Ok::<_, RunError>(Arc::new(Slot::new(slice, recorder, timer.clone(), nursery.clone(), unit)))
        }))
        .await?;
        let clients = try_join_all(slice::clients(plan)?.into_iter().map(|slice| async {
            let place = slice.place;
            Unit::client(slice, &recorder, &ports, &timer, nursery.as_ref()).await.map_err(failed(place))
        }))
        .await?;
        let clocks = nursery.map(|nursery| nursery.clocks());
        let (plan, settings, ports) = (Arc::clone(plan), plan.settings.clone(), Arc::new(ports));
        Ok(Self { plan, clients, replicas: slots, ports, recorder, recording, timer, settings, clocks })
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
        let here = |unit: &Unit| match unit {
            Unit::Client(client) => Some(Arc::clone(client)),
            _ => None,
        };
        Generator::start(self.clients.iter().filter_map(here).collect(), self.timer.clone())
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
        join_all(self.children().iter().map(|child| child.zero(zero))).await;
        self.timer.until(zero).await;
        let over = CancellationToken::new();
        let controls = tokio::spawn(self.control(zero).run(asked, over.clone()));
        let asking = CancellationToken::new();
        let _until_then = asking.clone().drop_guard();
        if let Some(clocks) = self.clocks.clone() {
            let (clients, replicas) = (self.clients.clone(), self.replicas.clone());
            let now = move || children(&units(&clients, &replicas));
            tokio::spawn(asking.run_until_cancelled_owned(ask(clocks, now, self.timer.clone())));
        }
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
        let counts = self.counts(offered).await;
        let children = self.children();
        if let Some(clocks) = &self.clocks {
            // What they have used since they were asked last.
            self.within_reason(clocks.ask(&children), || "the clocks of its processes".to_owned()).await;
        }
        join_all(children.iter().map(|child| child.end())).await;
        self.begin(Phase::End, &state);
        for broker in &self.ports.brokers {
            broker.settle().await;
        }
        let (reason, detail) = (early.map_or(EndReason::LOAD_DONE, Early::reason), early.and_then(Early::detail));
        let counts = counts.into_iter().chain(self.ports.brokers.iter().flat_map(|broker| broker.counts())).collect();
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
        let clients = children(&self.clients);
        join_all(clients.iter().map(|client| client.offer(zero))).await;
        let last = self.settings.offered().0.saturating_add(MOST_BEHIND_NS);
        let early = tokio::select! {
            () = stop.cancelled() => Some(Early::Stopped),
            early = self.cannot_go_on(most_events) => Some(early),
            () = async {
                generator.ended().await;
                join_all(clients.iter().map(|client| client.load_over())).await;
            } => None,
            () = self.measure_after_warm_up(zero, last, state) => None,
        };
        generator.end().await;
        join_all(clients.iter().map(|client| client.halt())).await;
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
            let ended = self.ports.brokers.iter().map(|broker| Box::pin(broker.ended()));
            match ended.collect::<Vec<_>>() {
                none if none.is_empty() => std::future::pending().await,
                some => drop(select_all(some).await),
            }
        };
        tokio::select! {
            early = recording => early,
            () = broker => Early::Broker,
        }
    }

    /// Clients and the replicas that are there now; of one that is down, nothing runs. Once load is offered no more, they stay.
    fn units(&self) -> Vec<Unit> {
        units(&self.clients, &self.replicas)
    }

    /// Those that are processes of their own.
    fn children(&self) -> Vec<Arc<Child>> {
        children(&self.units())
    }

    /// Resolves at an instant in which nothing is in flight, nor in a queue that the run takes from, nor any reply to an
    /// attempt that ran out of time.
    async fn drained(&self) {
        let (brokers, units) = (&self.ports.brokers, self.units());
        let tasks: Vec<_> = units.iter().flat_map(Unit::tasks).collect();
        let busy = || tasks.iter().any(|tasks| tasks.count() > 0) || brokers.iter().any(|broker| !broker.is_empty());
        let begun = || tasks.iter().map(|tasks| tasks.begun()).sum::<u64>();
        let children = children(&units);
        loop {
            let before = begun();
            join_all(units.iter().map(Unit::settle)).await;
            while busy() {
                for tasks in &tasks {
                    tasks.idle().await;
                }
                for broker in brokers {
                    broker.empty().await;
                }
            }
            // What was taken meanwhile may have handed something over again.
            if begun() != before {
                continue;
            }
            // Processes cannot be looked at in one instant: nothing was in flight between two looks that found each idle, if
            // none has begun anything between them (Mattern, "Algorithms for distributed termination detection", 1987).
            let before = join_all(children.iter().map(|child| child.idle())).await;
            if busy() {
                continue;
            }
            if before == join_all(children.iter().map(|child| child.idle())).await && !busy() {
                return;
            }
        }
    }

    /// For how long the load was surely offered; called when it ends.
    fn offered(&self, zero: i64, early: bool) -> Time {
        let whole = self.settings.offered();
        let since = u64::try_from(monotonic_ns().saturating_sub(zero)).unwrap_or(0);
        if early { Time(since.saturating_sub(MOST_BEHIND_NS).min(whole.0)) } else { whole }
    }

    /// Attempts that are open once everything has ended, per link, and what schedules wanted. Nobody knows what was open on the
    /// links of a process that was killed.
    async fn counts(&self, offered: Time) -> Vec<EndCount> {
        let (mut open, mut unknown, mut wanted) = (BTreeMap::<_, u64>::new(), BTreeSet::new(), Vec::new());
        let links_from = |place: PlaceIndex| {
            let node = self.plan.places.get(place.0 as usize).map(|place| place.node);
            let links = (0..).zip(&self.plan.links).filter(move |(_, link)| Some(link.from) == node);
            links.map(|(link, _)| LinkIndex(link))
        };
        for slot in self.replicas.iter().filter(|slot| slot.was_killed()) {
            unknown.extend(links_from(slot.place()));
        }
        let units = self.units();
        for (unit, counted) in units.iter().zip(join_all(units.iter().map(|unit| unit.count(offered))).await) {
            match counted {
                Some((links, schedule)) => {
                    links.into_iter().for_each(|(link, count)| *open.entry(link).or_default() += count);
                    wanted.extend(schedule);
                }
                None => unknown.extend(links_from(unit.place())),
            }
        }
        let known = open.into_iter().filter(|(link, _)| !unknown.contains(link));
        known.map(|(link, count)| EndCount::open_attempts(link, count)).chain(wanted).collect()
    }

    /// Waits for a part of the run's end, and no longer than an end may take: what hangs there is dropped with the run.
    async fn within_reason<T>(&self, end: impl Future<Output = T>, what: impl FnOnce() -> String) -> Option<T> {
        tokio::select! {
            ended = end => Some(ended),
            () = self.timer.after(LONGEST_END) => {
                tracing::warn!("the end of a run does not wait any longer for {}", what());
                None
            }
        }
    }

    /// Gives up what is still in flight and closes everything; resolves when nothing of it is left but processes, which are
    /// to be counted still.
    async fn end_nodes(&self) {
        let units = self.units();
        for step in Step::ALL {
            join_all(units.iter().map(|unit| {
                let place = unit.place().0;
                self.within_reason(unit.step(step), move || format!("{step:?} at place {place}"))
            }))
            .await;
        }
        for broker in &self.ports.brokers {
            self.within_reason(broker.close(), || "closing the broker".to_owned()).await;
        }
        self.ports.take_up();
    }
}

/// Stamps the beginning of a phase.
fn enter(recorder: &Recorder, phase: Phase) {
    recorder.record(Kind::PHASE_BEGAN, TraceId::NONE, MessageId::NONE, MessageId::NONE, phase as u64, 0);
}
