//! The brokers of runs: what starts and stops each, and says where it is reached.
//!
//! Every run has its own queues; no two runs share one. The transports of messages reach any broker alike, by its address.
//! The built-in one stamps what its queues do. Of any other its word is stamped, and what the ends of links send.

mod allowed;
mod built_in;
mod declared;
mod door;
mod exchanges;
mod external;
mod greeting;
mod kafka;
mod kafka_local;
mod local;
mod of_run;
mod private;
mod stamps;
mod status;

use std::net::SocketAddr;
use std::sync::Arc;

use hopscope_scenario::catalogue::Arg;
use hopscope_scenario::issue::{Code, Issue};
use hopscope_scenario::plan::{Broker, RunSettings};
use hopscope_scenario::protocol::Protocol;

pub use allowed::{Allowed, NotAnAddress};
pub use built_in::BuiltIn;
pub use declared::Declared;
pub use door::Door;
pub use exchanges::{BindingSite, ExchangeSite, Sites};
pub use external::External;
pub use greeting::Product;
pub use kafka::{FoundKafka, GroupSite, KafkaBroker, KafkaClient, MockCluster, NotASetting, TopicSite};
pub use kafka_local::{
    KAFKA_DOWNLOAD, KafkaDamage, KafkaInstalled, KafkaInstalling, KafkaLocal, KafkaLocalError, KafkaNotInstalled,
    KafkaReached, install_kafka, verify_kafka,
};
pub use local::{Local, LocalError, Reached};
pub use of_run::RunBroker;
pub use private::LocalState;
pub use stamps::QueueSite;
pub use status::{BrokerState, BrokerStatus};

use crate::targets::Targets;
use crate::transport::messaging::BrokerAddress;

/// Why a broker cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// No loopback port could be had.
    #[error("the built-in broker cannot listen on a loopback port: {0}. Close what holds too many ports or files open")]
    Bind(#[from] std::io::Error),
    /// A port that was asked for could not be had.
    #[error(
        "the built-in broker cannot listen on {address}: {source}. End the program that listens there, or have it at another port"
    )]
    Taken {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A port that is to lead to a broker could not be had.
    #[error(
        "no port at {address} can lead to the broker: {source}. End the program that listens there, or fix another port"
    )]
    Door {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A queue or an exchange could not be declared.
    #[error("{queue} could not be declared at the broker: {reason}. Rename it")]
    Declare {
        /// Its name.
        queue: String,
        /// What the broker said.
        reason: String,
    },
    /// There is no RabbitMQ of our own.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// There is no Kafka of our own.
    #[error(transparent)]
    Kafka(#[from] KafkaLocalError),
    /// It is not at an address that the operator allowed.
    #[error("the broker {0} is not allowed; start Hopscope with --allow-broker and its address")]
    NotAllowed(String),
    /// What is at an address does not answer, or does not let us in.
    #[error(
        "the broker {address} cannot be used: {reason}. Make sure that it runs and that its user and password are right"
    )]
    Unreachable {
        /// Its address, without a password.
        address: String,
        /// Why.
        reason: String,
    },
}

impl BrokerError {
    fn unreachable(address: &BrokerAddress, reason: &impl ToString) -> Self {
        Self::Unreachable { address: address.to_string(), reason: reason.to_string() }
    }

    fn refused(queue: &str, reason: &impl ToString) -> Self {
        Self::Declare { queue: queue.to_owned(), reason: reason.to_string() }
    }
}

/// The brokers that runs of this process may have, and the programs beside them that these may call. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Brokers {
    local: Local,
    kafka: KafkaLocal,
    allowed: Arc<Vec<Allowed>>,
    targets: Targets,
    /// What is said of the clients of allowed addresses of topics.
    client: KafkaClient,
}

/// A broker that is not ours, ready for a run.
#[derive(Clone, Debug)]
pub struct Found {
    address: BrokerAddress,
    socket: Option<SocketAddr>,
    /// The one that Hopscope starts, if it is that.
    local: Option<Local>,
    /// What it is.
    pub product: Product,
}

/// A broker that Hopscope has started, which can be killed and started again.
#[derive(Clone, Debug)]
pub enum OwnBroker {
    /// A RabbitMQ.
    RabbitMq(Local),
    /// A Kafka.
    Kafka(KafkaLocal),
}

impl OwnBroker {
    /// What it is called.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::RabbitMq(_) => "RabbitMQ",
            Self::Kafka(_) => "Kafka",
        }
    }

    /// How far it has come.
    #[must_use]
    pub fn state(&self) -> LocalState {
        match self {
            Self::RabbitMq(local) => local.state(),
            Self::Kafka(local) => local.state(),
        }
    }

    /// Starts it if it does not run; resolves when it is ready.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(&self) -> Result<(), BrokerError> {
        match self {
            Self::RabbitMq(local) => drop(local.reach().await?),
            Self::Kafka(local) => drop(local.reach().await?),
        }
        Ok(())
    }

    /// Kills it as nothing can catch, for every run that uses it; resolves when it is gone.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn kill(&self) -> Result<(), BrokerError> {
        match self {
            Self::RabbitMq(local) => local.kill().await?,
            Self::Kafka(local) => local.kill().await?,
        }
        Ok(())
    }
}

impl Brokers {
    /// The built-in broker, the local one, and those at these addresses.
    #[must_use]
    pub fn new(allowed: Vec<Allowed>) -> Self {
        Self { allowed: Arc::new(allowed), ..Self::default() }
    }

    /// The same, and these programs may be called.
    #[must_use]
    pub fn calling(self, targets: Targets) -> Self {
        Self { targets, ..self }
    }

    /// The programs that runs may call.
    #[must_use]
    pub const fn targets(&self) -> &Targets {
        &self.targets
    }

    /// The same, where clients of topics at these addresses speak as the operator says.
    #[must_use]
    pub fn with_client(self, client: KafkaClient) -> Self {
        Self { client, ..self }
    }

    /// The local one.
    #[must_use]
    pub const fn local(&self) -> &Local {
        &self.local
    }

    /// The local one of topics.
    #[must_use]
    pub const fn kafka(&self) -> &KafkaLocal {
        &self.kafka
    }

    /// Those that Hopscope starts.
    #[must_use]
    pub fn own(&self) -> [OwnBroker; 2] {
        [OwnBroker::RabbitMq(self.local.clone()), OwnBroker::Kafka(self.kafka.clone())]
    }

    /// Stops those that Hopscope has started, for good; resolves when nothing of them is left.
    pub async fn stop(&self) {
        tokio::join!(self.local.stop(), self.kafka.stop());
    }

    /// The addresses that are allowed, as they may be shown.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.allowed.iter().map(Allowed::shown)
    }

    /// Those of a protocol.
    fn addresses_of(&self, protocol: Protocol) -> impl Iterator<Item = &Allowed> {
        self.allowed.iter().filter(move |allowed| allowed.protocol() == protocol)
    }

    /// The address of a protocol that is shown so, if it is allowed.
    fn allowed(&self, protocol: Protocol, shown: &str) -> Result<&Allowed, BrokerError> {
        let allowed = self.addresses_of(protocol).find(|allowed| allowed.shown() == shown);
        allowed.ok_or_else(|| BrokerError::NotAllowed(shown.to_owned()))
    }

    /// Whether a run may have this one for what goes over a protocol.
    #[must_use]
    pub fn allows(&self, protocol: Protocol, broker: &Broker) -> bool {
        match broker.as_str() {
            Broker::BUILT_IN | Broker::LOCAL => true,
            address => self.allowed(protocol, address).is_ok(),
        }
    }

    /// Finds the broker of topics that a run asks for, and starts it.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn find_kafka(&self, broker: &Broker) -> Result<FoundKafka, BrokerError> {
        match broker.as_str() {
            Broker::BUILT_IN => Ok(FoundKafka::BuiltIn(MockCluster::start()?)),
            Broker::LOCAL => {
                let KafkaReached { socket, version, .. } = self.kafka.reach().await?;
                let (address, local) = (kafka::on_this_machine(&socket.to_string()), Some(self.kafka.clone()));
                let product = Product { name: "Kafka".to_owned(), version };
                Ok(FoundKafka::At { address, socket: Some(socket), product, local })
            }
            shown => {
                let allowed = self.allowed(Protocol::Kafka, shown)?;
                let uri = format!("{}{}", allowed.address().with_password(), self.client.lines());
                let address = BrokerAddress::new(uri, shown);
                let cluster = kafka::greet(&address).await;
                let cluster = cluster.map_err(|reason| BrokerError::unreachable(&address, &reason))?;
                // The protocol has no word for which product it is.
                let product = Product { name: "Kafka protocol".to_owned(), version: format!("cluster {cluster}") };
                Ok(FoundKafka::At { address, socket: looked_up(allowed.host()).await, product, local: None })
            }
        }
    }

    /// Finds the broker that a run asks for, and starts it if it is the local one; `None` for the built-in one.
    ///
    /// # Errors
    /// When it is not allowed, or does not answer.
    pub async fn find(&self, broker: &Broker) -> Result<Option<Found>, BrokerError> {
        match broker.as_str() {
            Broker::BUILT_IN => Ok(None),
            Broker::LOCAL => {
                let Reached { socket, product, .. } = self.local.reach().await?;
                let address = BrokerAddress::new(
                    format!("amqp://guest:guest@{socket}/%2f?heartbeat=0"),
                    format!("amqp://{socket}"),
                );
                Ok(Some(Found { address, socket: Some(socket), local: Some(self.local.clone()), product }))
            }
            shown => {
                let allowed = self.allowed(Protocol::Amqp, shown)?;
                let (address, (host, port)) = (allowed.address(), allowed.host());
                let product = greeting::greet(host, port).await;
                let product = product.map_err(|error| BrokerError::unreachable(&address, &error))?;
                let socket = looked_up((host, port)).await;
                Ok(Some(Found { address, socket, local: None, product }))
            }
        }
    }
}

/// The first address of numbers of a host.
async fn looked_up(host: (&str, u16)) -> Option<SocketAddr> {
    tokio::net::lookup_host(host).await.ok()?.next()
}

/// What is wrong with a broker that a run asks for, if anything.
#[must_use]
pub fn not_allowed(settings: &RunSettings, brokers: &Brokers) -> Option<Issue> {
    let asked = [(Protocol::Amqp, &settings.broker, "/broker"), (Protocol::Kafka, &settings.kafka, "/kafka")];
    let (protocol, broker, path) =
        asked.into_iter().find(|(protocol, broker, _)| !brokers.allows(*protocol, broker))?;
    let allowed: Vec<_> = brokers.addresses_of(protocol).map(Allowed::shown).collect();
    let known = if allowed.is_empty() { "–".to_owned() } else { allowed.join(", ") };
    let args = [("value", Arg::from(broker.to_string())), ("known", Arg::from(known))];
    Some(Issue::new(Code::BrokerNotAllowed, path, args))
}
