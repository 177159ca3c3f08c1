//! The local broker: a RabbitMQ of Hopscope's own, started for the first run that wants it and kept for those that follow.
//!
//! It never touches the system's own service: it has its own processes, ports and folder, all of them gone with Hopscope.

mod folder;
mod installation;
mod node;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use self::installation::Installation;
use self::node::{Home, Node};
use super::greeting::{Product, greet};

/// How long it may take to be ready: 9 s on a quiet machine, five times that on a busy one.
const READY: Duration = Duration::from_secs(90);

/// How long between two looks whether it is.
const LOOK: Duration = Duration::from_millis(100);

/// How often a start is tried, should another program take one of its ports first.
const TRIES: u32 = 3;

/// Why there is no local broker.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// It is not on this machine.
    #[error(
        "RabbitMQ is not installed. On Debian and Ubuntu type: apt install rabbitmq-server (its service may stay off), or \
         choose the built-in broker"
    )]
    NotInstalled,
    /// A process could not be started.
    #[error("RabbitMQ could not be started: {0}. Choose the built-in broker meanwhile")]
    Start(#[from] std::io::Error),
    /// It ended before it was ready.
    #[error("RabbitMQ ended before it was ready ({0}). Choose the built-in broker meanwhile")]
    Ended(String),
    /// It does not run, so it cannot be killed.
    #[error("the local RabbitMQ does not run. Start a run with it first")]
    NotRunning,
    /// It was not ready in time.
    #[error("RabbitMQ was not ready after 90 s ({0}). Start the run again when the machine is less busy")]
    NotReady(String),
}

/// How far it has come.
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

/// A handle on the process's local broker. Clones share it; with the last of them it is killed.
#[derive(Clone, Debug, Default)]
pub struct Local {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Who starts or stops it holds this.
    node: tokio::sync::Mutex<Kept>,
    state: AtomicU8,
    stopped: Mutex<bool>,
}

/// The node, or what it left.
#[derive(Debug, Default)]
struct Kept {
    ready: Option<Ready>,
    /// Where one lived that was killed.
    left: Option<Home>,
}

impl Kept {
    /// The node, while it runs; where one has ended that nobody stopped, what it left is kept.
    fn running(&mut self) -> Option<&Ready> {
        if let Some(ended) = self.ready.take_if(|ready| ready.node.ended().is_cancelled()) {
            self.left = Some(ended.node.home().clone());
        }
        self.ready.as_ref()
    }
}

/// A node that is ready.
#[derive(Debug)]
struct Ready {
    node: Node,
    product: Product,
}

/// Where it is reached.
#[derive(Clone, Debug)]
pub struct Reached {
    /// Its loopback address.
    pub socket: SocketAddr,
    /// What it is.
    pub product: Product,
    /// How long it took to start; `None` where it was there.
    pub took: Option<Duration>,
}

impl Local {
    /// Whether there is one to be started.
    #[must_use]
    pub fn is_installed(&self) -> bool {
        Installation::find().is_some()
    }

    /// How far it has come.
    #[must_use]
    pub fn state(&self) -> LocalState {
        match self.shared.state.load(Ordering::Acquire) {
            1 => LocalState::Starting,
            2 => LocalState::Ready,
            _ => LocalState::Stopped,
        }
    }

    /// Gives the broker, and starts it if it does not run. Once begun, a start goes on though its caller has gone.
    ///
    /// # Errors
    /// When there is none, or it does not start.
    pub async fn reach(&self) -> Result<Reached, LocalError> {
        let local = self.clone();
        let started = tokio::spawn(async move { local.reach_here().await });
        started.await.unwrap_or_else(|error| Err(LocalError::Ended(error.to_string())))
    }

    async fn reach_here(&self) -> Result<Reached, LocalError> {
        let mut kept = self.shared.node.lock().await;
        if let Some(ready) = kept.running() {
            return Ok(ready.reached(None));
        }
        if *self.shared.stopped.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err(LocalError::Ended("Hopscope ends".to_owned()));
        }
        let installation = Installation::find().ok_or(LocalError::NotInstalled)?;
        let began = Instant::now();
        self.set(LocalState::Starting);
        let started = start(&installation, kept.left.as_ref()).await;
        self.set(if started.is_ok() { LocalState::Ready } else { LocalState::Stopped });
        let reached = kept.ready.insert(started?).reached(Some(began.elapsed()));
        kept.left = None;
        Ok(reached)
    }

    /// Kills it as nothing can catch, for every run that uses it; resolves when it is gone. What it had is kept: the next
    /// [`Local::reach`] starts the same node again, at the same address.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn kill(&self) -> Result<(), LocalError> {
        let mut kept = self.shared.node.lock().await;
        kept.running().ok_or(LocalError::NotRunning)?;
        if let Some(ready) = kept.ready.take() {
            self.set(LocalState::Stopped);
            kept.left = Some(ready.node.kill().await);
        }
        Ok(())
    }

    /// Stops it, for good; resolves when nothing of it is left.
    pub async fn stop(&self) {
        *self.shared.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        let Kept { ready, left } = std::mem::take(&mut *self.shared.node.lock().await);
        if let Some(ready) = ready {
            ready.node.stop().await;
        }
        drop(left);
        self.set(LocalState::Stopped);
    }

    fn set(&self, state: LocalState) {
        self.shared.state.store(state as u8, Ordering::Release);
    }
}

impl Ready {
    fn reached(&self, took: Option<Duration>) -> Reached {
        let socket = SocketAddr::from((Ipv4Addr::LOCALHOST, self.node.port()));
        Reached { socket, product: self.product.clone(), took }
    }
}

/// Starts a node, on what another left, if it did.
async fn start(installation: &Installation, left: Option<&Home>) -> Result<Ready, LocalError> {
    let mut tries = 1;
    loop {
        let home = match left {
            Some(left) => left.clone(),
            None => Home::new()?,
        };
        let node = Node::start(installation.clone(), home).await?;
        match ready(&node).await {
            Ok(product) => return Ok(Ready { node, product }),
            // Only then may another program have taken a port.
            Err(LocalError::Ended(words)) if tries < TRIES && words.contains("eaddrinuse") => tries += 1,
            Err(error) => {
                node.stop().await;
                return Err(error);
            }
        }
    }
}

/// Waits until it greets.
async fn ready(node: &Node) -> Result<Product, LocalError> {
    let greeted = async {
        loop {
            match greet("127.0.0.1", node.port()).await {
                Ok(product) => return product,
                Err(_) => tokio::time::sleep(LOOK).await,
            }
        }
    };
    tokio::select! {
        product = greeted => Ok(product),
        () = node.ended().cancelled() => Err(LocalError::Ended(node.last_words())),
        () = tokio::time::sleep(READY) => Err(LocalError::NotReady(node.last_words())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether it is there; tells if not.
    fn installed() -> bool {
        let installed = Local::default().is_installed();
        if !installed {
            use std::io::Write as _;
            // Straight to the output, which the harness does not capture.
            let _ = std::io::stdout().write_all(
                b"not applicable: the local broker: RabbitMQ is not installed; apt install rabbitmq-server\n",
            );
        }
        installed
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn it_starts_once_and_leaves_nothing() {
        if !installed() {
            return;
        }
        let local = Local::default();
        assert_eq!(local.state(), LocalState::Stopped);
        let (first, second) = tokio::join!(local.reach(), local.reach());
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!(first.socket, second.socket, "there is one");
        assert!(first.took.is_some() != second.took.is_some(), "one of them started it");
        assert_eq!(first.product.name, "RabbitMQ");
        assert_eq!(local.state(), LocalState::Ready);
        let folder = local.shared.node.lock().await.ready.as_ref().unwrap().node.folder().to_owned();
        assert!(folder.exists());
        local.kill().await.unwrap();
        assert_eq!(local.state(), LocalState::Stopped);
        assert!(matches!(local.kill().await, Err(LocalError::NotRunning)));
        let again = local.reach().await.unwrap();
        assert_eq!((again.socket, again.took.is_some()), (first.socket, true), "the same one, started again");
        assert!(folder.exists(), "with what it had");
        local.stop().await;
        assert!(!folder.exists(), "its folder is gone");
        assert_eq!(
            greet("127.0.0.1", first.socket.port()).await.unwrap_err().kind(),
            std::io::ErrorKind::ConnectionRefused
        );
        assert!(local.reach().await.is_err(), "it was stopped for good");
    }
}
