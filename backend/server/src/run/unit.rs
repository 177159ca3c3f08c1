//! A replica or a client of a run, wherever it lives.

use std::sync::Arc;

use hopscope_record::frame::EndCount;
use hopscope_record::{LinkIndex, PlaceIndex};
use hopscope_scenario::quantity::Time;
use serde::{Deserialize, Serialize};

use super::client::ClientNode;
use super::node::{Child, Nursery};
use super::ports::Ports;
use super::service::ReplicaNode;
use super::slice::ClientSlice;
use super::slot::Slot;
use crate::link::Link;
use crate::record::Recorder;
use crate::tasks::Tasks;
use crate::timer::Timer;
use crate::transport::TransportError;

/// One step of a run's end. Every unit has done one before any begins the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Step {
    /// Clients give up what they wait for.
    GiveUp,
    /// Nobody reads replies that come late any more. Before any receiver ends: what one gives up must not look like one.
    LeaveLate,
    /// Replicas are told to end. All are, before any is waited for: what one gives up must not look to another like a reply.
    Cancel,
    /// Replicas end.
    End,
    /// Clients close what they call over.
    CloseClients,
    /// Replicas close what they call over.
    CloseLinks,
    /// Replicas give back their ports, and to the queues what they have not settled.
    ClosePorts,
}

impl Step {
    /// All, in their order.
    pub(super) const ALL: [Self; 7] = [
        Self::GiveUp,
        Self::LeaveLate,
        Self::Cancel,
        Self::End,
        Self::CloseClients,
        Self::CloseLinks,
        Self::ClosePorts,
    ];
}

/// A replica or a client.
#[derive(Clone)]
pub(super) enum Unit {
    /// A client of this process.
    Client(Arc<ClientNode>),
    /// A replica of this process.
    Replica(Arc<ReplicaNode>),
    /// One that is a process of its own.
    Child(Arc<Child>),
}

impl Unit {
    /// Connects a client, where it lives; `recorder` stamps in its run.
    ///
    /// # Errors
    /// When what it calls does not answer, or the system gives no process.
    pub(super) async fn client(
        slice: ClientSlice,
        recorder: &Recorder,
        ports: &Ports,
        timer: &Timer,
        nursery: Option<&Arc<Nursery>>,
    ) -> Result<Self, TransportError> {
        let place = slice.place;
        let Some(nursery) = nursery else {
            return Ok(Self::Client(
                ClientNode::connect(slice, recorder.at(place, LinkIndex::NONE), ports, timer).await?,
            ));
        };
        let child = nursery.start(place, None)?;
        child.connect(ports.reached_from_afar(false)).await?;
        Ok(Self::Child(child))
    }

    /// Its links, where it is here.
    pub(super) fn links(&self) -> Vec<&Link> {
        match self {
            Self::Client(client) => client.links().iter().collect(),
            Self::Replica(replica) => replica.links().collect(),
            Self::Child(_) => Vec::new(),
        }
    }

    /// Resolves when what it handed over, and nobody answers, has been taken; at once where it is not here.
    pub(super) async fn settle(&self) {
        for link in self.links() {
            link.settle().await;
        }
    }

    /// What is in flight, where it is here.
    pub(super) fn tasks(&self) -> Vec<&Tasks> {
        let own = match self {
            Self::Client(client) => Some(client.tasks()),
            Self::Replica(replica) => Some(replica.tasks()),
            Self::Child(_) => None,
        };
        own.into_iter().chain(self.links().into_iter().map(Link::late)).collect()
    }

    /// Resolves when it has done a step of its end.
    pub(super) async fn step(&self, step: Step) {
        if step == Step::LeaveLate {
            for link in self.links() {
                link.late().end().await;
            }
        }
        match self {
            Self::Client(client) => match step {
                Step::GiveUp => client.tasks().end().await,
                Step::CloseClients => client.close_links().await,
                _ => {}
            },
            Self::Replica(replica) => match step {
                Step::Cancel => replica.tasks().cancel(),
                Step::End => replica.tasks().end().await,
                Step::CloseLinks => replica.close_links().await,
                Step::ClosePorts => replica.close_ports().await,
                _ => {}
            },
            // One that does not do it may be stopped, and would do no other.
            Self::Child(child) => {
                if !child.step(step).await {
                    child.crash().await;
                }
            }
        }
    }

    /// Attempts that are open now by link, and how much its schedule wanted while load was offered for so long; `None` of a
    /// child that is gone.
    pub(super) async fn count(&self, offered: Time) -> Option<(Vec<(LinkIndex, u64)>, Option<EndCount>)> {
        let wanted = match self {
            Self::Client(client) => client.wanted(offered),
            Self::Replica(_) => None,
            Self::Child(child) => return child.count(offered).await,
        };
        Some((self.links().into_iter().map(|link| (link.index(), link.open())).collect(), wanted))
    }

    /// Where it stamps.
    pub(super) fn place(&self) -> PlaceIndex {
        match self {
            Self::Client(client) => client.place(),
            Self::Replica(replica) => replica.place(),
            Self::Child(child) => child.place(),
        }
    }
}

/// Clients, and the replicas that are in these slots now.
pub(super) fn units(clients: &[Unit], replicas: &[Arc<Slot>]) -> Vec<Unit> {
    clients.iter().cloned().chain(replicas.iter().map(|slot| slot.unit())).collect()
}

/// Those of them that are processes.
pub(super) fn children(units: &[Unit]) -> Vec<Arc<Child>> {
    let child = |unit: &Unit| match unit {
        Unit::Child(child) => Some(Arc::clone(child)),
        Unit::Client(_) | Unit::Replica(_) => None,
    };
    units.iter().filter_map(child).collect()
}
