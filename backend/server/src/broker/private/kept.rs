//! One node that all share who want it: started for the first, kept for those that follow, started again where it has ended.

use std::fmt::Display;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::node::{Home, Node};

/// How far a broker that Hopscope starts has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum LocalState {
    /// It can be started.
    Stopped = 0,
    /// It is not ready yet.
    Starting = 1,
    /// It is.
    Ready = 2,
}

/// Why there is no node, whichever product it is of.
#[derive(Debug)]
pub(in crate::broker) enum Lack {
    /// It was stopped for good.
    Stopped,
    /// Who was to start it is no more.
    Lost(String),
    /// It does not run, so it cannot be killed.
    NotRunning,
}

/// A node that is ready.
#[derive(Debug)]
pub(in crate::broker) struct Ready<P, T> {
    /// It.
    pub(in crate::broker) node: Node<P>,
    /// What it says of itself.
    pub(in crate::broker) product: T,
}

/// Where it is reached.
#[derive(Debug)]
pub(in crate::broker) struct Reached<P, T> {
    /// Its loopback ports.
    pub(in crate::broker) ports: P,
    /// What it says of itself.
    pub(in crate::broker) product: T,
    /// How long it took to start; `None` where it was there.
    pub(in crate::broker) took: Option<Duration>,
}

/// The one node, with ports `P`, which says `T` of itself. With its last owner it is killed.
#[derive(Debug)]
pub(in crate::broker) struct Kept<P, T> {
    /// Who starts or stops it holds this.
    node: tokio::sync::Mutex<Slot<P, T>>,
    state: AtomicU8,
    stopped: Mutex<bool>,
    /// What came of the last start.
    last: Mutex<Option<Result<Duration, String>>>,
}

/// What is to be seen of the node from outside.
#[derive(Debug)]
pub(in crate::broker) struct Seen<P, T> {
    /// How far it has come.
    pub(in crate::broker) state: LocalState,
    /// Its ports, what it says of itself and its memory in bytes, while it is there and nobody starts or stops it.
    pub(in crate::broker) ready: Option<(P, T, Option<u64>)>,
    /// How long the last start took, or why it failed.
    pub(in crate::broker) last: Option<Result<Duration, String>>,
}

/// The node, or what it left.
#[derive(Debug)]
struct Slot<P, T> {
    ready: Option<Ready<P, T>>,
    /// Where one lived that was killed.
    left: Option<Home<P>>,
}

impl<P, T> Default for Kept<P, T> {
    fn default() -> Self {
        Self {
            node: tokio::sync::Mutex::default(),
            state: AtomicU8::default(),
            stopped: Mutex::default(),
            last: Mutex::default(),
        }
    }
}

impl<P, T> Default for Slot<P, T> {
    fn default() -> Self {
        Self { ready: None, left: None }
    }
}

impl<P: Copy + Send + Sync + 'static, T: Clone> Slot<P, T> {
    /// The node, while it runs; where one has ended that nobody stopped, what it left is kept.
    fn running(&mut self) -> Option<&Ready<P, T>> {
        if let Some(ended) = self.ready.take_if(|ready| ready.node.ended().is_cancelled()) {
            self.left = Some(ended.node.home().clone());
        }
        self.ready.as_ref()
    }
}

impl<P: Copy + Send + Sync + 'static, T: Clone + Send + 'static> Kept<P, T> {
    /// How far it has come.
    pub(in crate::broker) fn state(&self) -> LocalState {
        match self.state.load(Ordering::Acquire) {
            1 => LocalState::Starting,
            2 => LocalState::Ready,
            _ => LocalState::Stopped,
        }
    }

    /// Gives the node, and has `start` start one if none runs, on what another left, if it did. Once begun, a start goes on
    /// though its caller has gone.
    ///
    /// # Errors
    /// Those of `start`, or when it was stopped for good.
    pub(in crate::broker) async fn reach<E, S>(
        self: &Arc<Self>,
        start: impl FnOnce(Option<Home<P>>) -> S + Send + 'static,
    ) -> Result<Reached<P, T>, E>
    where
        E: From<Lack> + Display + Send + 'static,
        S: Future<Output = Result<Ready<P, T>, E>> + Send,
    {
        let kept = Arc::clone(self);
        let started = tokio::spawn(async move { kept.reach_here(start).await });
        started.await.unwrap_or_else(|error| Err(Lack::Lost(error.to_string()).into()))
    }

    async fn reach_here<E, S>(&self, start: impl FnOnce(Option<Home<P>>) -> S) -> Result<Reached<P, T>, E>
    where
        E: From<Lack> + Display,
        S: Future<Output = Result<Ready<P, T>, E>>,
    {
        let mut slot = self.node.lock().await;
        if let Some(ready) = slot.running() {
            return Ok(ready.reached(None));
        }
        if *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err(Lack::Stopped.into());
        }
        let began = Instant::now();
        self.set(LocalState::Starting);
        let started = start(slot.left.clone()).await;
        self.set(if started.is_ok() { LocalState::Ready } else { LocalState::Stopped });
        let came = started.as_ref().map(|_| began.elapsed()).map_err(ToString::to_string);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(came);
        let reached = slot.ready.insert(started?).reached(Some(began.elapsed()));
        slot.left = None;
        Ok(reached)
    }

    /// Kills it as nothing can catch, for all that use it; resolves when it is gone. What it had is kept for the next
    /// [`Kept::reach`].
    ///
    /// # Errors
    /// When it does not run.
    pub(in crate::broker) async fn kill(&self) -> Result<(), Lack> {
        let mut slot = self.node.lock().await;
        slot.running().ok_or(Lack::NotRunning)?;
        if let Some(ready) = slot.ready.take() {
            self.set(LocalState::Stopped);
            slot.left = Some(ready.node.kill().await);
        }
        Ok(())
    }

    /// Stops it, and kills it if that takes longer than `patience`; resolves when nothing of it is left. The next
    /// [`Kept::reach`] starts a new one.
    ///
    /// # Errors
    /// When it does not run.
    pub(in crate::broker) async fn halt(&self, patience: Duration) -> Result<(), Lack> {
        let mut slot = self.node.lock().await;
        slot.running().ok_or(Lack::NotRunning)?;
        if let Some(ready) = slot.ready.take() {
            self.set(LocalState::Stopped);
            ready.node.stop(patience).await;
        }
        Ok(())
    }

    /// What is to be seen of it.
    pub(in crate::broker) fn seen(&self) -> Seen<P, T> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let running = self.node.try_lock().ok().and_then(|mut slot| {
            let ready = slot.running()?;
            Some((ready.node.ports(), ready.product.clone(), ready.node.resident()))
        });
        let state = match (self.state(), &running) {
            // One has ended that nobody stopped.
            (LocalState::Ready, None) if self.node.try_lock().is_ok() => LocalState::Stopped,
            (state, _) => state,
        };
        Seen { state, ready: running, last }
    }

    /// Stops it, for good, and kills it if that takes longer than `patience`; resolves when nothing of it is left.
    pub(in crate::broker) async fn stop(&self, patience: Duration) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        let Slot { ready, left } = std::mem::take(&mut *self.node.lock().await);
        if let Some(ready) = ready {
            ready.node.stop(patience).await;
        }
        drop(left);
        self.set(LocalState::Stopped);
    }

    /// What `look` sees of the node, if one is there and nobody starts or stops it just now.
    pub(in crate::broker) fn look<R>(&self, look: impl FnOnce(&Node<P>) -> R) -> Option<R> {
        self.node.try_lock().ok()?.ready.as_ref().map(|ready| look(&ready.node))
    }

    fn set(&self, state: LocalState) {
        self.state.store(state as u8, Ordering::Release);
    }
}

impl<P: Copy + Send + 'static, T: Clone> Ready<P, T> {
    fn reached(&self, took: Option<Duration>) -> Reached<P, T> {
        Reached { ports: self.node.ports(), product: self.product.clone(), took }
    }
}
