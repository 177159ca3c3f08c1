//! A run: builds the nodes of a plan, takes them through the phases, and leaves a whole recording and nothing else.
//!
//! Owns what runs: the nodes with their tasks, ports and connections, the timer, the recording. Every one of them ends
//! with the run. What a node does comes from its slice of the plan alone.

mod client;
mod control;
mod cpu;
mod effects;
mod ends;
mod generator;
mod names;
mod node;
mod pace;
mod pacer;
mod payload;
mod phases;
mod ports;
mod service;
mod slice;
mod slot;
mod standing;
mod surroundings;
mod unit;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hopscope_record::frame::EndReason;
use hopscope_record::kind::Phase;
use hopscope_record::{LinkIndex, PlaceIndex, RunKey};
use hopscope_scenario::model::{Disturbance, Scenario};
use hopscope_scenario::plan::{self, Placement, Plan, PlanBroker, PlanError, RunSettings};
use hopscope_scenario::protocol::Protocol;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::broker::{BrokerError, Brokers};
use crate::network::Network;
use crate::record::{FrameSink, Recording, RecordingOptions, RunClock, Summary};
use crate::timer::Timer;
use crate::transport::{Address, TransportError};
use control::Asking;
use node::Nursery;
use phases::{Bounds, Brokered, Running};
use surroundings::Surroundings;

pub use control::ControlError;
pub use node::{NodeError, serve as serve_node};

#[cfg(test)]
mod tests;

/// How long what is in flight may take to come home after the load has ended.
const DRAIN: Duration = Duration::from_secs(10);

/// Most events of a run unless someone says otherwise: more than a page keeps as dots (two million journeys), and little
/// beside a disk.
pub const MOST_EVENTS: u64 = 20_000_000;

/// What a run is and where it goes.
pub struct RunOptions {
    /// Its id, as the store gave it.
    pub id: String,
    /// First half of its trace-ids; see [`crate::record::new_run_key`].
    pub key: RunKey,
    /// What runs: it came from validation.
    pub scenario: Scenario,
    /// How.
    pub settings: RunSettings,
    /// The brokers that its queues may be at.
    pub brokers: Brokers,
    /// Where its frames go.
    pub sink: Box<dyn FrameSink>,
    /// Events at which its load ends, to be rounded up by those of 50 ms; [`MOST_EVENTS`] is the usual limit. What is in
    /// flight then comes home and is recorded still.
    pub most_events: u64,
}

/// Why a run could not start.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The plan cannot be written down.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The system gave no thread for the timer, the collector or a replica's work.
    #[error("the system has no room for another thread: {0}. End other programs, and start the run again")]
    Thread(#[from] std::io::Error),
    /// What is between the ends of a link could not be laid.
    #[error("a link's network finds no loopback port: {0}. Close what holds too many ports or files open")]
    Network(#[source] std::io::Error),
    /// The broker could not be started.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// A program that is called is nowhere.
    #[error("the external service {name} cannot be called: {source}")]
    Target {
        /// What its node is called.
        name: String,
        /// Why.
        source: std::io::Error,
    },
    /// A node could not be bound or connected.
    #[error("{node} could not be started: {source}")]
    Node {
        /// The node's name in the scenario.
        node: String,
        /// Why.
        source: TransportError,
    },
}

/// Why a run's load ended before its time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
enum Early {
    /// Someone stopped it.
    #[error("it was stopped")]
    Stopped,
    /// There are as many events as may be.
    #[error(
        "the recording has come to its limit of {most} events; --max-events of hopscope serve and run sets another"
    )]
    EventLimit {
        /// How many.
        most: u64,
    },
    /// Nothing more can be recorded.
    #[error("what happens can be recorded no longer")]
    Recording,
    /// Messages have nowhere to go.
    #[error("the broker of its queues has stopped")]
    Broker,
}

impl Early {
    /// How a recording says so.
    const fn reason(self) -> EndReason {
        match self {
            Self::Stopped => EndReason::STOPPED,
            Self::EventLimit { .. } => EndReason::EVENT_LIMIT,
            Self::Recording | Self::Broker => EndReason::FAILED,
        }
    }

    /// More about it, where the reason does not say all.
    fn detail(self) -> Option<String> {
        (self != Self::Stopped).then(|| self.to_string())
    }
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunState {
    /// The phase that it is in.
    pub phase: Phase,
    /// What became of the recording, once it is stored; the phase is then [`Phase::End`].
    pub summary: Option<Summary>,
}

/// A run that has been started. Dropping it stops the load; what is in flight comes home.
pub struct LiveRun {
    id: String,
    plan: Arc<Plan>,
    clock: RunClock,
    addresses: Vec<(PlaceIndex, Protocol, Address)>,
    networks: Vec<(LinkIndex, PlaceIndex, SocketAddr)>,
    state: watch::Receiver<RunState>,
    stop: CancellationToken,
    asking: Asking,
    _stop_on_drop: DropGuard,
}

impl LiveRun {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What runs.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Its time.
    #[must_use]
    pub fn clock(&self) -> &RunClock {
        &self.clock
    }

    /// Where its replicas and queues are reached while it lives, also by programs that are no part of it.
    #[must_use]
    pub fn addresses(&self) -> &[(PlaceIndex, Protocol, Address)] {
        &self.addresses
    }

    /// What its broker calls the queue, exchange or topic of a place; `None` where the place is none of these.
    #[must_use]
    pub fn name_at_broker(&self, place: PlaceIndex) -> Option<Arc<str>> {
        names::at_broker(self.plan(), self.plan().places.get(place.0 as usize)?.node)
    }

    /// Where the networks of its links begin while it lives: by the link, and by the place that it leads to.
    #[must_use]
    pub fn networks(&self) -> &[(LinkIndex, PlaceIndex, SocketAddr)] {
        &self.networks
    }

    /// Its state now and every change of it.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<RunState> {
        self.state.clone()
    }

    /// Ends the load. The run drains and ends by itself. Does nothing the second time.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Does something to it now, and undoes it in its time if it is not to last; resolves when the first is done.
    ///
    /// # Errors
    /// When its load is over, or what is named cannot have that now.
    pub async fn control(&self, disturbance: &Disturbance) -> Result<(), ControlError> {
        let rows = self.plan.disturbed(disturbance);
        if rows.is_empty() {
            return Err(ControlError::Unknown(disturbance.on.clone()));
        }
        self.asking.ask(rows).await
    }

    /// Waits until the run has ended and its recording is stored.
    pub async fn join(&self) -> Summary {
        let mut state = self.state();
        let ended = state.wait_for(|state| state.summary.is_some()).await;
        ended.ok().and_then(|state| state.summary.clone()).unwrap_or_else(|| Summary {
            failure: Some("the server stopped before the run had ended".to_owned()),
            ..Summary::default()
        })
    }
}

/// Binds and connects everything, starts the load, and lets the run go on as a task.
///
/// # Errors
/// When something of it cannot be had; nothing is left running then, and the recording is cut before its first event.
pub async fn start(options: RunOptions) -> Result<Arc<LiveRun>, RunError> {
    start_and_drain(options, DRAIN).await
}

/// Where the programs are that a plan calls.
///
/// # Errors
/// Names the one that nobody said the address of, or that has none.
async fn targets(plan: &Plan, brokers: &Brokers) -> Result<Vec<(PlaceIndex, SocketAddr)>, RunError> {
    let mut found = Vec::new();
    for external in &plan.externals {
        let name = plan.node_of(external.place).map_or("", |node| node.name.as_str());
        let address = brokers.targets().find(name).await;
        let address = address.map_err(|source| RunError::Target { name: name.to_owned(), source })?;
        found.push((PlaceIndex(external.place), address));
    }
    Ok(found)
}

/// As [`start`], with what is left in flight given up after `drain`.
async fn start_and_drain(options: RunOptions, drain: Duration) -> Result<Arc<LiveRun>, RunError> {
    let RunOptions { id, key, scenario, settings, brokers, sink, most_events } = options;
    crate::open_files::raise();
    let mut plan = plan::compile(&scenario, &settings);
    // Before the recording begins, whose first frame says what it is.
    let broker = if plan.has_queues() { brokers.find(&settings.broker).await? } else { None };
    plan.broker = broker
        .as_ref()
        .map(|found| PlanBroker::new(&found.product.name, &found.product.version, &format!("hopscope.{id}.")));
    let kafka = if plan.topics.is_empty() { None } else { Some(brokers.find_kafka(&settings.kafka).await?) };
    plan.kafka = kafka.as_ref().map(|found| {
        let (product, version) = found.product();
        let prefix = if settings.kafka.is_built_in() { String::new() } else { format!("hopscope.{id}.") };
        PlanBroker::new(product, &version, &prefix)
    });
    let targets = targets(&plan, &brokers).await?;
    let plan = Arc::new(plan);
    let recording = Recording::start(RecordingOptions { run: id.clone(), key, plan: plan.to_bytes()?, sink })?;
    let (clock, timer) = (recording.clock().clone(), Timer::start()?);
    let disturbed = plan.disturbances.iter().any(|disturbance| disturbance.link.is_some());
    let networked = disturbed || plan.links.iter().any(|link| link.network.is_some());
    let network = networked.then(|| Network::start(timer.clone())).transpose()?;
    let nursery = match settings.placement {
        Placement::Tasks => None,
        Placement::Processes => {
            let recorder = recording.recorder(PlaceIndex::NONE, LinkIndex::NONE);
            Some(Arc::new(Nursery::new(plan.to_bytes()?, recorder)?))
        }
    };
    let clocks = nursery.as_ref().map(|nursery| nursery.clocks());
    let mut surroundings = Surroundings::of(timer.clone(), network.as_ref().map(Network::lateness), clocks);
    recording.sample_by(Box::new(move || surroundings.look()));
    let running = Box::pin(Running::set_up(
        &plan,
        Brokered { queues: broker, topics: kafka, targets },
        recording,
        timer,
        network,
        nursery,
    ))
    .await?;
    let (sender, state) = watch::channel(RunState { phase: Phase::Setup, summary: None });
    let stop = CancellationToken::new();
    let (addresses, networks) = (running.ports().addresses(&plan), running.ports().networks());
    let generator = running.generator()?;
    let (asking, asked) = Asking::new();
    tokio::spawn(running.run(generator, sender, stop.clone(), asked, Bounds { drain, most_events }));
    let guard = stop.clone().drop_guard();
    Ok(Arc::new(LiveRun { id, plan, clock, addresses, networks, state, stop, asking, _stop_on_drop: guard }))
}
