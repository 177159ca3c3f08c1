//! The local Kafka: one of Hopscope's own, started for the first who wants it and kept for those that follow.
//!
//! It is plain Java on jars that are installed only when that is asked for. It touches no Kafka that is here otherwise: it has
//! its own process, ports and folder, all of them gone with Hopscope, and it listens on loopback alone.

mod checksums;
mod install;
mod installation;
mod java;
mod maven;
mod node;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;

pub use self::checksums::Damage as KafkaDamage;
pub use self::install::install as install_kafka;
pub use self::install::{
    DOWNLOAD as KAFKA_DOWNLOAD, Installed as KafkaInstalled, Installing as KafkaInstalling,
    NotInstalled as KafkaNotInstalled,
};
use self::installation::Installation;
use self::java::Java;
use self::node::{Classes, Home, KIND, Node, Ports, STARTED, begin};
use super::private::{self, Kept, Lack, LocalState};

/// How long it may take to be ready: 3 s on a quiet machine, five times that on a busy one, and 6 s more where one was killed.
const READY: Duration = Duration::from_secs(90);

/// How long between two looks whether it is.
const LOOK: Duration = Duration::from_millis(50);

/// How long the node has for its own way to stop: it takes one to three seconds.
const STOP: Duration = Duration::from_secs(10);

/// How often a start is tried, should another program take one of its ports first.
const TRIES: u32 = 3;

/// What Java says of a port that is taken.
const TAKEN: &str = "Address already in use";

/// Why there is no local Kafka.
#[derive(Debug, thiserror::Error)]
pub enum KafkaLocalError {
    /// It is not on this machine.
    #[error("Kafka is not installed. Type: hopscope broker install kafka")]
    NotInstalled,
    /// It is not where it was said to be.
    #[error(
        "HOPSCOPE_KAFKA names {0}, and the folder lib in it has no Kafka. Type: hopscope broker install kafka, which installs it \
         there, or name another folder"
    )]
    NotThere(PathBuf),
    /// There is no Java.
    #[error(
        "Kafka needs Java 17 or newer, and there is no program java in PATH. On Debian and Ubuntu type: apt install \
         default-jre-headless"
    )]
    NoJava,
    /// The Java that there is cannot run it.
    #[error(
        "Kafka needs Java 17 or newer, and {program} says that it is: {said}. On Debian and Ubuntu type: apt install \
         default-jre-headless"
    )]
    OldJava {
        /// The program.
        program: PathBuf,
        /// Its first line about itself.
        said: String,
    },
    /// It is not as it was installed.
    #[error("Kafka in {folder} is damaged: {damage}. Type: hopscope broker install kafka")]
    Damaged {
        /// Where it lies.
        folder: PathBuf,
        /// How it differs.
        damage: KafkaDamage,
    },
    /// Its process could not be started.
    #[error("Kafka could not be started: {0}. Make sure that there is room for files and processes, and try again")]
    Start(#[from] std::io::Error),
    /// It ended before it was ready.
    #[error(
        "Kafka ended before it was ready ({0}). Try again; if that does not help, type: hopscope broker install kafka"
    )]
    Ended(String),
    /// It does not run, so it cannot be killed.
    #[error("the local Kafka does not run. Start a run with it first")]
    NotRunning,
    /// It was not ready in time.
    #[error("Kafka was not ready after 90 s ({0}). Try again when the machine is less busy")]
    NotReady(String),
}

impl From<Lack> for KafkaLocalError {
    fn from(lack: Lack) -> Self {
        match lack {
            Lack::Stopped => Self::Ended("Hopscope ends".to_owned()),
            Lack::Lost(why) => Self::Ended(why),
            Lack::NotRunning => Self::NotRunning,
        }
    }
}

/// A handle on the process's local Kafka. Clones share it; with the last of them it is killed.
#[derive(Clone, Debug, Default)]
pub struct KafkaLocal {
    node: Arc<Kept<Ports, String>>,
    installing: Arc<Mutex<Installs>>,
}

/// What there is to be told of its installation in this process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Installs {
    /// Nothing: nobody asked for it, or it is done.
    #[default]
    Not,
    /// It is under way.
    Under(KafkaInstalling),
    /// It came to nothing, for this reason.
    Failed(String),
}

/// A node that is ready, and its version.
type Ready = private::Ready<Ports, String>;

/// Where it is reached.
#[derive(Clone, Debug)]
pub struct KafkaReached {
    /// Its loopback address, from which clients learn of the rest.
    pub socket: SocketAddr,
    /// Its version.
    pub version: String,
    /// How long it took to start; `None` where it was there.
    pub took: Option<Duration>,
}

impl KafkaLocal {
    /// Whether there is one to be started.
    #[must_use]
    pub fn is_installed(&self) -> bool {
        self.installed().is_ok()
    }

    /// The version of the one that can be started. The first call asks Java for its own, which takes a tenth of a second.
    ///
    /// # Errors
    /// When something that it needs is missing; the error names it.
    pub fn installed(&self) -> Result<String, KafkaLocalError> {
        let installation = Installation::find()?;
        Java::find().map(|_| installation.version().to_owned())
    }

    /// Begins to install it, if nobody does yet; it goes on though its caller has gone. How far it has come, `installs` tells.
    pub(super) fn install(&self) {
        let mut installs = self.installing.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*installs, Installs::Under(_)) {
            return;
        }
        *installs = Installs::Under(KafkaInstalling::Fetches { bytes: 0 });
        drop(installs);
        let kafka = self.clone();
        tokio::spawn(async move {
            let came = install_kafka(|step| kafka.set(Installs::Under(step))).await;
            kafka.set(came.map_or_else(|error| Installs::Failed(error.to_string()), |_| Installs::Not));
        });
    }

    /// How far its installation has come.
    pub(super) fn installs(&self) -> Installs {
        self.installing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, installs: Installs) {
        *self.installing.lock().unwrap_or_else(PoisonError::into_inner) = installs;
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
    pub async fn reach(&self) -> Result<KafkaReached, KafkaLocalError> {
        let private::Reached { ports, product, took } = self.node.reach(start_installed).await?;
        Ok(KafkaReached { socket: SocketAddr::from((Ipv4Addr::LOCALHOST, ports.broker)), version: product, took })
    }

    /// Kills it as nothing can catch, for all that use it; resolves when it is gone. What it had is kept: the next
    /// [`KafkaLocal::reach`] starts the same node again, at the same address.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn kill(&self) -> Result<(), KafkaLocalError> {
        Ok(self.node.kill().await?)
    }

    /// Stops it; the next [`KafkaLocal::reach`] starts a new one. Resolves when nothing of it is left.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn halt(&self) -> Result<(), KafkaLocalError> {
        Ok(self.node.halt(STOP).await?)
    }

    /// What is to be seen of it.
    pub(super) fn seen(&self) -> private::Seen<u16, String> {
        let private::Seen { state, ready, last } = self.node.seen();
        private::Seen { state, ready: ready.map(|(ports, version, memory)| (ports.broker, version, memory)), last }
    }

    /// Stops it, for good; resolves when nothing of it is left.
    pub async fn stop(&self) {
        self.node.stop(STOP).await;
    }

    /// The memory that it has now, bytes; `None` where it does not run, or is being started or stopped.
    #[must_use]
    pub fn memory(&self) -> Option<u64> {
        self.node.look(Node::resident).flatten()
    }
}

/// Holds the installed Kafka against what was installed; it reads all of it.
///
/// # Errors
/// When there is none, or it differs: the first file that does is named.
pub fn verify_kafka() -> Result<(), KafkaLocalError> {
    let installation = Installation::find()?;
    let folder = installation.root().to_owned();
    installation.verify().map_err(|damage| KafkaLocalError::Damaged { folder, damage })
}

/// Starts a node of the installed Kafka, on what another left, if it did.
async fn start_installed(left: Option<Home>) -> Result<Ready, KafkaLocalError> {
    let found = tokio::task::spawn_blocking(|| Ok((Installation::find()?, Java::find()?))).await;
    let (installation, java) = found.unwrap_or_else(|error| Err(KafkaLocalError::Ended(error.to_string())))?;
    let node = start(&installation, &java, &Classes::Archived, left.as_ref()).await?;
    Ok(Ready { node, product: installation.version().to_owned() })
}

/// Starts a node and waits until it is ready.
async fn start(
    installation: &Installation,
    java: &Java,
    classes: &Classes,
    left: Option<&Home>,
) -> Result<Node, KafkaLocalError> {
    let mut tries = 1;
    loop {
        let home = match left {
            Some(left) => left.clone(),
            None => Home::new(KIND, Ports::free()?)?,
        };
        let (installation, java, classes) = (installation.clone(), java.clone(), classes.clone());
        let node = Node::start(KIND, home, move |home| begin(&installation, &java, &classes, home)).await?;
        match ready(&node).await {
            Ok(()) => return Ok(node),
            // Only then may another program have taken a port.
            Err(KafkaLocalError::Ended(_)) if tries < TRIES && node.home().said().contains(TAKEN) => tries += 1,
            Err(error) => {
                node.stop(STOP).await;
                return Err(error);
            }
        }
    }
}

/// Waits until it says that it serves, and lets one in.
async fn ready(node: &Node) -> Result<(), KafkaLocalError> {
    let address = (Ipv4Addr::LOCALHOST, node.ports().broker);
    let serves = async {
        while !node.home().said().contains(STARTED) || TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::select! {
        () = serves => Ok(()),
        () = node.ended().cancelled() => Err(KafkaLocalError::Ended(node.last_words())),
        () = tokio::time::sleep(READY) => Err(KafkaLocalError::NotReady(node.last_words())),
    }
}
