//! Where a replica is: the one that runs, or the one that has crashed until another is started in its place.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hopscope_record::PlaceIndex;
use hopscope_scenario::model::Effort;
use hopscope_scenario::protocol::Protocol;

use super::cpu::Cpu;
use super::node::{Child, Nursery};
use super::ports::Ports;
use super::service::ReplicaNode;
use super::slice::ReplicaSlice;
use super::unit::Unit;
use crate::record::Recorder;
use crate::timer::Timer;
use crate::transport::{Address, TransportError};

/// A replica's place in the run.
pub(super) struct Slot {
    slice: ReplicaSlice,
    recorder: Recorder,
    timer: Timer,
    /// What its processes are made from, where it is one.
    nursery: Option<Arc<Nursery>>,
    now: Mutex<Now>,
    paused: AtomicBool,
}

struct Now {
    unit: Unit,
    /// A replica of this process has crashed.
    down: bool,
    /// A process was here before that was killed: what was open there, nobody can say.
    killed: bool,
}

/// A replica that is bound and not yet connected.
pub(super) enum Bound {
    /// In this process.
    Here(Box<ReplicaNode>),
    /// In one of its own.
    Apart(Arc<Child>),
}

impl Bound {
    /// Binds a replica, where it lives.
    ///
    /// # Errors
    /// When no address can be had, no thread or no process.
    pub(super) async fn new(
        slice: &ReplicaSlice,
        recorder: &Recorder,
        timer: &Timer,
        nursery: Option<&Arc<Nursery>>,
        again: Option<&Ports>,
    ) -> Result<(Self, Vec<(Protocol, Address)>), TransportError> {
        let Some(nursery) = nursery else {
            let cpu = Slot::cpu(slice).map_err(TransportError::Bind)?;
            let node = ReplicaNode::bind(slice.clone(), cpu, recorder.clone(), timer.clone(), again).await?;
            let addresses = node.addresses().collect();
            return Ok((Self::Here(Box::new(node)), addresses));
        };
        let child = nursery.start(slice.place, Some(Arc::clone(&slice.effects)))?;
        let before = |protocol: Protocol| match again?.replicas.get(&(slice.place, protocol))? {
            Address::Socket(socket) => Some((protocol, *socket)),
            Address::InProcess(_) => None,
        };
        let bound = child.bind(slice.protocols().into_iter().filter_map(before).collect()).await?;
        let address = |(protocol, socket): (Protocol, SocketAddr)| (protocol, Address::Socket(socket));
        Ok((Self::Apart(child), bound.into_iter().map(address).collect()))
    }

    /// Connects it; `later`: what does not answer yet is connected when it does.
    ///
    /// # Errors
    /// When what it calls or takes from does not answer, and that may not be.
    pub(super) async fn connect(self, ports: &Ports, later: bool) -> Result<Unit, TransportError> {
        match self {
            Self::Here(mut node) => {
                node.connect(ports, later).await?;
                Ok(Unit::Replica(Arc::from(node)))
            }
            Self::Apart(child) => {
                child.connect(ports.reached_from_afar(later)).await?;
                Ok(Unit::Child(child))
            }
        }
    }
}

impl Slot {
    /// The slot of a replica that is connected; `recorder` stamps at its place.
    pub(super) fn new(
        slice: ReplicaSlice,
        recorder: Recorder,
        timer: Timer,
        nursery: Option<Arc<Nursery>>,
        unit: Unit,
    ) -> Self {
        let paused = AtomicBool::new(false);
        Self { slice, recorder, timer, nursery, now: Mutex::new(Now { unit, down: false, killed: false }), paused }
    }

    /// The threads that burn CPU for a replica, where its work does.
    ///
    /// # Errors
    /// When the system gives none.
    pub(super) fn cpu(slice: &ReplicaSlice) -> std::io::Result<Option<Cpu>> {
        (slice.effort == Effort::Burning).then(|| Cpu::start(slice.workers)).transpose()
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        // It is set whole.
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it stamps.
    pub(super) fn place(&self) -> PlaceIndex {
        self.slice.place
    }

    /// The replica, also one that is down: nothing of it runs then.
    pub(super) fn unit(&self) -> Unit {
        self.now().unit.clone()
    }

    /// Whether a process was here before that was killed.
    pub(super) fn was_killed(&self) -> bool {
        self.now().killed
    }

    /// Whether it is down: also a process that someone else has killed.
    pub(super) fn is_down(&self) -> bool {
        let now = self.now();
        now.down || matches!(&now.unit, Unit::Child(child) if child.is_gone())
    }

    /// From now on its workers take up nothing, or take up work again.
    pub(super) async fn pause(&self, pause: bool) {
        self.paused.store(pause, Ordering::Release);
        match self.unit() {
            Unit::Replica(node) if pause => node.pause(),
            Unit::Replica(node) => node.resume(),
            Unit::Child(child) => child.pause(pause).await,
            Unit::Client(_) => {}
        }
    }

    /// Whether its workers take up nothing.
    pub(super) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Acquire)
    }

    /// Ends it as if its program had died, or by killing that; resolves when nothing of it is left but its ports, which refuse.
    pub(super) async fn crash(&self) {
        self.now().down = true;
        self.paused.store(false, Ordering::Release);
        match self.unit() {
            Unit::Replica(node) => node.crash().await,
            Unit::Child(child) => child.crash().await,
            Unit::Client(_) => {}
        }
    }

    /// Starts it again, at its old addresses.
    ///
    /// # Errors
    /// When one of them cannot be had any more, or the system gives no thread or process.
    pub(super) async fn start(&self, ports: &Ports) -> Result<(), TransportError> {
        let (bound, _) =
            Bound::new(&self.slice, &self.recorder, &self.timer, self.nursery.as_ref(), Some(ports)).await?;
        let unit = bound.connect(ports, true).await?;
        if let (Unit::Child(child), Some(zero)) = (&unit, self.recorder.clock().zero()) {
            child.zero(zero).await;
        }
        let before = {
            let mut now = self.now();
            now.down = false;
            now.killed |= matches!(now.unit, Unit::Child(_));
            std::mem::replace(&mut now.unit, unit)
        };
        drop(before);
        Ok(())
    }
}
