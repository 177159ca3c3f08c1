//! The local broker: a RabbitMQ of Hopscope's own, started for the first run that wants it and kept for those that follow.
//!
//! It never touches the system's own service: it has its own processes, ports and folder, all of them gone with Hopscope.

mod installation;
mod node;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use self::installation::Installation;
use self::node::{Home, KIND, Node, Ports, begin};
use super::greeting::{Product, greet};
use super::private::{self, Kept, Lack, LocalState};

/// How long it may take to be ready: 9 s on a quiet machine, five times that on a busy one.
const READY: Duration = Duration::from_secs(90);

/// How long between two looks whether it is.
const LOOK: Duration = Duration::from_millis(100);

/// How long the node has for its own way to stop.
const STOP: Duration = Duration::from_secs(10);

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

impl From<Lack> for LocalError {
    fn from(lack: Lack) -> Self {
        match lack {
            Lack::Stopped => Self::Ended("Hopscope ends".to_owned()),
            Lack::Lost(why) => Self::Ended(why),
            Lack::NotRunning => Self::NotRunning,
        }
    }
}

/// A handle on the process's local broker. Clones share it; with the last of them it is killed.
#[derive(Clone, Debug, Default)]
pub struct Local {
    node: Arc<Kept<Ports, Product>>,
}

/// A node that is ready.
type Ready = private::Ready<Ports, Product>;

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
        self.node.state()
    }

    /// Gives the broker, and starts it if it does not run. Once begun, a start goes on though its caller has gone.
    ///
    /// # Errors
    /// When there is none, or it does not start.
    pub async fn reach(&self) -> Result<Reached, LocalError> {
        let private::Reached { ports, product, took } = self.node.reach(start).await?;
        Ok(Reached { socket: SocketAddr::from((Ipv4Addr::LOCALHOST, ports.amqp)), product, took })
    }

    /// Kills it as nothing can catch, for every run that uses it; resolves when it is gone. What it had is kept: the next
    /// [`Local::reach`] starts the same node again, at the same address.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn kill(&self) -> Result<(), LocalError> {
        Ok(self.node.kill().await?)
    }

    /// Stops it; the next [`Local::reach`] starts a new one. Resolves when nothing of it is left.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn halt(&self) -> Result<(), LocalError> {
        Ok(self.node.halt(STOP).await?)
    }

    /// What is to be seen of it.
    pub(super) fn seen(&self) -> private::Seen<u16, Product> {
        let private::Seen { state, ready, last } = self.node.seen();
        private::Seen { state, ready: ready.map(|(ports, product, memory)| (ports.amqp, product, memory)), last }
    }

    /// Stops it, for good; resolves when nothing of it is left.
    pub async fn stop(&self) {
        self.node.stop(STOP).await;
    }
}

/// Starts a node, on what another left, if it did.
async fn start(left: Option<Home>) -> Result<Ready, LocalError> {
    let installation = Installation::find().ok_or(LocalError::NotInstalled)?;
    let mut tries = 1;
    loop {
        let home = match &left {
            Some(left) => left.clone(),
            None => Home::new(KIND, Ports::free()?)?,
        };
        let installation = installation.clone();
        let node = Node::start(KIND, home, move |home| begin(&installation, home)).await?;
        match ready(&node).await {
            Ok(product) => return Ok(Ready { node, product }),
            // Only then may another program have taken a port.
            Err(LocalError::Ended(words)) if tries < TRIES && words.contains("eaddrinuse") => tries += 1,
            Err(error) => {
                node.stop(STOP).await;
                return Err(error);
            }
        }
    }
}

/// Waits until it greets.
async fn ready(node: &Node) -> Result<Product, LocalError> {
    let greeted = async {
        loop {
            match greet("127.0.0.1", node.ports().amqp).await {
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
        let folder = local.node.look(|node| node.home().folder().to_owned()).unwrap();
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
