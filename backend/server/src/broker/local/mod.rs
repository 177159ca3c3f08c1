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
use self::node::Node;
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
    node: tokio::sync::Mutex<Option<Ready>>,
    state: AtomicU8,
    stopped: Mutex<bool>,
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
        let mut held = self.shared.node.lock().await;
        if let Some(ready) = held.as_ref().filter(|ready| !ready.node.ended().is_cancelled()) {
            return Ok(ready.reached(None));
        }
        if *self.shared.stopped.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err(LocalError::Ended("Hopscope ends".to_owned()));
        }
        let installation = Installation::find().ok_or(LocalError::NotInstalled)?;
        let began = Instant::now();
        self.set(LocalState::Starting);
        let started = start(&installation).await;
        self.set(if started.is_ok() { LocalState::Ready } else { LocalState::Stopped });
        Ok(held.insert(started?).reached(Some(began.elapsed())))
    }

    /// Stops it, for good; resolves when nothing of it is left.
    pub async fn stop(&self) {
        *self.shared.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        let ready = self.shared.node.lock().await.take();
        if let Some(ready) = ready {
            ready.node.stop().await;
        }
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

async fn start(installation: &Installation) -> Result<Ready, LocalError> {
    let mut tries = 1;
    loop {
        let node = Node::start(installation.clone()).await?;
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
        let folder = local.shared.node.lock().await.as_ref().unwrap().node.folder().to_owned();
        assert!(folder.exists());
        local.stop().await;
        assert!(!folder.exists(), "its folder is gone");
        assert_eq!(
            greet("127.0.0.1", first.socket.port()).await.unwrap_err().kind(),
            std::io::ErrorKind::ConnectionRefused
        );
        assert!(local.reach().await.is_err(), "it was stopped for good");
    }
}
