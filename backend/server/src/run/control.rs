//! The control channel of a run: what is done to its nodes and links while load is offered, by the scenario or by hand.
//!
//! Everything is done by one task, one thing after the other, and stamped before any of it can be seen. It ends with the load:
//! paused services go on then and links are mended, so that what is in flight can come home; what is down stays down.

use std::sync::Arc;

use futures_util::future::join_all;
use hopscope_record::kind::ControlAction;
use hopscope_record::{Kind, LinkIndex, MessageId, PlaceIndex, TraceId};
use hopscope_rules::tempo::Change;
use hopscope_scenario::disturb::{Action, BROKER, KAFKA};
use hopscope_scenario::plan::{Plan, PlanDisturbance, Role};
use hopscope_scenario::protocol::Protocol;
use hopscope_scenario::quantity::Rate;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::node::LoadChange;
use super::ports::Ports;
use super::slot::Slot;
use super::unit::Unit;
use crate::broker::LocalState;
use crate::network::Condition;
use crate::record::Recorder;
use crate::record::clock::monotonic_ns;
use crate::timer::Timer;
use crate::transport::TransportError;

/// Why something is not done to a run.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// No load is offered any more.
    #[error("the run offers no load any more")]
    Over,
    /// The run has nothing of that name.
    #[error("the run has no {0}")]
    Unknown(String),
    /// The node is down.
    #[error("{0} is down")]
    Down(String),
    /// The node is up.
    #[error("{0} is not down")]
    Up(String),
    /// Nothing lies on the link that could be changed.
    #[error("{0} has no relay")]
    NoRelay(String),
    /// The run's broker is none that Hopscope started.
    #[error("the run's broker is none that Hopscope started")]
    NotLocal,
    /// The node could not be started again.
    #[error("{node} could not be started again: {source}")]
    Start {
        /// Its name.
        node: String,
        /// Why.
        source: TransportError,
    },
}

/// What is asked for by hand.
pub(super) struct Asked {
    /// What is done, and what undoes it: their times count from now.
    rows: Vec<PlanDisturbance>,
    answer: oneshot::Sender<Result<(), ControlError>>,
}

/// Where it is asked for. Clones ask the same run.
#[derive(Clone)]
pub(super) struct Asking(mpsc::UnboundedSender<Asked>);

impl Asking {
    /// The two ends.
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Asked>) {
        let (asking, asked) = mpsc::unbounded_channel();
        (Self(asking), asked)
    }

    /// Has it done; resolves when it is.
    pub(super) async fn ask(&self, rows: Vec<PlanDisturbance>) -> Result<(), ControlError> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Asked { rows, answer }).map_err(|_| ControlError::Over)?;
        answered.await.unwrap_or(Err(ControlError::Over))
    }
}

/// What things are done to.
pub(super) struct Control {
    pub(super) plan: Arc<Plan>,
    pub(super) clients: Vec<Unit>,
    pub(super) replicas: Vec<Arc<Slot>>,
    pub(super) ports: Arc<Ports>,
    /// Stamps for the run.
    pub(super) recorder: Recorder,
    pub(super) timer: Timer,
    /// When the run began, in raw ns.
    pub(super) zero: i64,
}

/// One thing that is to be done.
struct Due {
    /// When, in raw ns.
    at: i64,
    row: PlanDisturbance,
    /// Whether the scenario has it, whose clients know of it from the beginning.
    known: bool,
}

impl Control {
    /// Does what the scenario has and what is asked for, until it is told to stop; then lets everything go on that can.
    pub(super) async fn run(self, mut asked: mpsc::UnboundedReceiver<Asked>, stop: CancellationToken) {
        let begins = self.zero.saturating_add_unsigned(self.plan.settings.warm_up.0);
        let scheduled = self.plan.disturbances.iter();
        let mut due: Vec<_> =
            scheduled.map(|row| Due { at: begins.saturating_add_unsigned(row.at.0), row: *row, known: true }).collect();
        loop {
            due.sort_by_key(|due| due.at);
            let next = due.first().map_or(i64::MAX, |due| due.at);
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = self.timer.until(next), if next < i64::MAX => {
                    let Due { row, known, .. } = due.remove(0);
                    match self.perform(row, known).await {
                        Ok(()) => {}
                        Err(error @ ControlError::Start { .. }) => tracing::warn!("{error}"),
                        // What is down already cannot crash: the scenario's own order, and no fault of the run.
                        Err(error) => tracing::debug!("not done to the run: {error}"),
                    }
                }
                Some(Asked { rows, answer }) = asked.recv() => {
                    let mut rows = rows.into_iter();
                    let Some(first) = rows.next() else { continue };
                    let done = self.perform(first, false).await;
                    if done.is_ok() {
                        let now = monotonic_ns();
                        due.extend(rows.map(|row| Due {
                            at: now.saturating_add_unsigned(row.at.0.saturating_sub(first.at.0)),
                            row,
                            known: false,
                        }));
                    }
                    // Who asked may have gone.
                    let _ = answer.send(done);
                }
            }
        }
        self.restore().await;
    }

    /// Does one thing.
    async fn perform(&self, row: PlanDisturbance, known: bool) -> Result<(), ControlError> {
        match (row.node, row.link) {
            (Some(node), _) if row.action.of_node() => self.on_node(row, node, known).await,
            (_, Some(link)) => self.on_link(row, LinkIndex(link)),
            _ if row.action.of_broker() => self.on_broker(row).await,
            _ => Err(ControlError::Unknown(row.action.to_string())),
        }
    }

    async fn on_node(&self, row: PlanDisturbance, node: u32, known: bool) -> Result<(), ControlError> {
        let name = || self.plan.nodes.get(node as usize).map_or_else(String::new, |node| node.name.clone());
        if let Some(client) = self.clients.iter().find(|client| self.node_of(client.place()) == Some(node)) {
            let change = match row.action {
                Action::Pause => Change::Pause,
                Action::Resume => Change::Resume,
                _ => Change::Rate((row.argument > 0).then(|| Rate(row.argument.saturating_mul(1_000)))),
            };
            self.stamp(row.action, client.place(), LinkIndex::NONE, row.argument);
            if !known {
                self.change(client, change).await;
            }
            return Ok(());
        }
        let slots: Vec<_> = self.replicas.iter().filter(|slot| self.node_of(slot.place()) == Some(node)).collect();
        let down = slots.first().ok_or_else(|| ControlError::Unknown(name()))?.is_down();
        match row.action {
            Action::Start if !down => return Err(ControlError::Up(name())),
            Action::Start => {}
            _ if down => return Err(ControlError::Down(name())),
            _ => {}
        }
        for slot in &slots {
            self.stamp(row.action, slot.place(), LinkIndex::NONE, 0);
        }
        match row.action {
            Action::Pause => drop(join_all(slots.iter().map(|slot| slot.pause(true))).await),
            Action::Resume => drop(join_all(slots.iter().map(|slot| slot.pause(false))).await),
            Action::Crash => drop(join_all(slots.iter().map(|slot| slot.crash())).await),
            _ => {
                for slot in slots {
                    let started = slot.start(&self.ports).await;
                    started.map_err(|source| ControlError::Start { node: name(), source })?;
                }
            }
        }
        Ok(())
    }

    /// Does something to a client's load from now on.
    async fn change(&self, client: &Unit, change: Change) {
        match client {
            Unit::Client(client) => {
                let now = || u64::try_from(monotonic_ns().saturating_sub(self.zero)).unwrap_or(0);
                client.pace().change(now, change);
            }
            Unit::Child(child) => {
                let change = match change {
                    Change::Pause => LoadChange::Pause,
                    Change::Resume => LoadChange::Resume,
                    Change::Rate(rate) => LoadChange::Rate(rate.map(|rate| rate.0)),
                };
                child.change(change).await;
            }
            Unit::Replica(_) => {}
        }
    }

    fn on_link(&self, row: PlanDisturbance, link: LinkIndex) -> Result<(), ControlError> {
        let id = self.plan.link(link.0).map_or_else(String::new, |link| link.id.clone());
        let condition = self.ports.condition(link).ok_or(ControlError::NoRelay(id))?;
        self.stamp(row.action, PlaceIndex::NONE, link, row.argument);
        condition.send_modify(|condition| match row.action {
            Action::Cut => condition.cut = true,
            Action::Delay => condition.delay_ns = row.argument,
            Action::Throttle => condition.throttle = row.argument,
            _ => *condition = Condition::default(),
        });
        Ok(())
    }

    /// Kills a broker that Hopscope started, or starts it again; that takes it a while, in which other things are done.
    async fn on_broker(&self, PlanDisturbance { action, kafka, .. }: PlanDisturbance) -> Result<(), ControlError> {
        let (protocol, called) = if kafka { (Protocol::Kafka, KAFKA) } else { (Protocol::Amqp, BROKER) };
        let mut brokers = self.ports.brokers.iter().filter(|broker| broker.protocol() == protocol);
        let local = brokers.find_map(|broker| broker.local()).ok_or(ControlError::NotLocal)?;
        let name = || called.to_owned();
        match (action, local.state()) {
            (Action::Kill, LocalState::Ready) => {}
            (Action::Kill, _) => return Err(ControlError::Down(name())),
            (_, LocalState::Stopped) => {}
            (..) => return Err(ControlError::Up(name())),
        }
        let queues = self.plan.queues.iter().map(|queue| queue.place).filter(|_| !kafka);
        let topics = self.plan.topics.iter().map(|topic| topic.place).filter(|_| kafka);
        for place in queues.chain(topics) {
            self.stamp(action, PlaceIndex(place), LinkIndex::NONE, 0);
        }
        if action == Action::Kill {
            return local.kill().await.map_err(|_| ControlError::Down(name()));
        }
        tokio::spawn(async move {
            if let Err(error) = local.start().await {
                tracing::warn!("the broker could not be started again: {error}");
            }
        });
        Ok(())
    }

    /// Lets paused services go on and mends links.
    async fn restore(&self) {
        for slot in self.replicas.iter().filter(|slot| !slot.is_down() && slot.is_paused()) {
            self.stamp(Action::Resume, slot.place(), LinkIndex::NONE, 0);
            slot.pause(false).await;
        }
        for (link, condition) in self.ports.conditions() {
            if *condition.borrow() != Condition::default() {
                self.stamp(Action::Mend, PlaceIndex::NONE, link, 0);
                condition.send_replace(Condition::default());
            }
        }
    }

    fn node_of(&self, place: PlaceIndex) -> Option<u32> {
        self.plan.places.get(place.0 as usize).map(|place| place.node)
    }

    fn stamp(&self, action: Action, place: PlaceIndex, link: LinkIndex, argument: u64) {
        let none = MessageId::NONE;
        let of_broker =
            self.plan.places.get(place.0 as usize).is_some_and(|place| matches!(place.role, Role::Queue | Role::Topic));
        let action = if of_broker && action == Action::Start { ControlAction::BrokerStarted } else { number(action) };
        let action = action as u64;
        self.recorder.at(place, link).record(Kind::CONTROL, TraceId::NONE, none, none, action, argument);
    }
}

/// What recordings call an action.
const fn number(action: Action) -> ControlAction {
    match action {
        Action::Pause => ControlAction::Pause,
        Action::Resume => ControlAction::Resume,
        Action::Crash => ControlAction::Crash,
        Action::Start => ControlAction::Start,
        Action::Rate => ControlAction::Rate,
        Action::Cut => ControlAction::Cut,
        Action::Mend => ControlAction::Mend,
        Action::Delay => ControlAction::Delay,
        Action::Throttle => ControlAction::Throttle,
        Action::Kill => ControlAction::BrokerKilled,
    }
}
