//! Where a replica is: the one that runs, or the one that has crashed until another is started in its place.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hopscope_record::PlaceIndex;
use hopscope_scenario::model::Effort;

use super::cpu::Cpu;
use super::ports::Ports;
use super::service::ReplicaNode;
use super::slice::ReplicaSlice;
use crate::record::Recorder;
use crate::timer::Timer;
use crate::transport::TransportError;

/// A replica's place in the run.
pub(super) struct Slot {
    slice: ReplicaSlice,
    recorder: Recorder,
    timer: Timer,
    now: Mutex<Now>,
}

struct Now {
    node: Arc<ReplicaNode>,
    down: bool,
}

impl Slot {
    /// The slot of a replica that is connected; `recorder` stamps at its place.
    pub(super) fn new(slice: ReplicaSlice, recorder: Recorder, timer: Timer, node: ReplicaNode) -> Self {
        Self { slice, recorder, timer, now: Mutex::new(Now { node: Arc::new(node), down: false }) }
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
    pub(super) fn node(&self) -> Arc<ReplicaNode> {
        Arc::clone(&self.now().node)
    }

    /// Whether it is down.
    pub(super) fn is_down(&self) -> bool {
        self.now().down
    }

    /// Ends it as if its program had died; resolves when nothing of it is left but its ports, which refuse.
    pub(super) async fn crash(&self) {
        self.now().down = true;
        self.node().crash().await;
    }

    /// Starts it again, at its old addresses.
    ///
    /// # Errors
    /// When one of them cannot be had any more, or the system gives no thread.
    pub(super) async fn start(&self, ports: &Ports) -> Result<(), TransportError> {
        let cpu = Self::cpu(&self.slice).map_err(TransportError::Bind)?;
        let (slice, recorder, timer) = (self.slice.clone(), self.recorder.clone(), self.timer.clone());
        let mut node = ReplicaNode::bind(slice, cpu, recorder, timer, Some(ports)).await?;
        node.connect(ports, true).await?;
        let before = {
            let mut now = self.now();
            now.down = false;
            std::mem::replace(&mut now.node, Arc::new(node))
        };
        drop(before);
        Ok(())
    }
}
