//! The built-in broker of topics: librdkafka's mock cluster, a Kafka of one node in this process, on a loopback port.
//!
//! It keeps the newest 5 MiB of each partition, and no more: what is older is gone, whoever has yet to read it.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs as _};

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, DefaultProducerContext, Producer as _};

use super::TopicSite;
use crate::broker::BrokerError;
use crate::transport::messaging::BrokerAddress;

/// The cluster, which lives as long as the client that has it.
pub struct MockCluster {
    client: BaseProducer<DefaultProducerContext>,
    bootstrap: String,
}

impl fmt::Debug for MockCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockCluster").field("bootstrap", &self.bootstrap).finish_non_exhaustive()
    }
}

impl MockCluster {
    /// What it is, and its version.
    #[must_use]
    pub fn product() -> (&'static str, String) {
        ("librdkafka mock", rdkafka::util::get_rdkafka_version().1)
    }

    /// Starts it.
    ///
    /// # Errors
    /// When the system has no thread or port for it.
    pub fn start() -> Result<Self, BrokerError> {
        let failed = |error: KafkaError| BrokerError::Bind(std::io::Error::other(error.to_string()));
        let mut config = ClientConfig::new();
        let client: BaseProducer<DefaultProducerContext> =
            config.set("test.mock.num.brokers", "1").create().map_err(failed)?;
        let bootstrap = client.client().mock_cluster().map(|cluster| cluster.bootstrap_servers());
        let bootstrap = bootstrap.ok_or_else(|| failed(KafkaError::Canceled))?;
        Ok(Self { client, bootstrap })
    }

    /// Where it is reached.
    pub(super) fn address(&self) -> BrokerAddress {
        super::on_this_machine(&self.bootstrap)
    }

    pub(super) fn socket(&self) -> Option<SocketAddr> {
        self.bootstrap.to_socket_addrs().ok()?.find(SocketAddr::is_ipv4)
    }

    /// Makes topics.
    pub(super) fn make(&self, topics: &[TopicSite]) -> Result<(), BrokerError> {
        let Some(cluster) = self.client.client().mock_cluster() else { return Ok(()) };
        for topic in topics {
            let made = cluster.create_topic(&topic.name, topic.partitions.into(), 1);
            made.map_err(|error| BrokerError::refused(&topic.name, &error))?;
        }
        Ok(())
    }
}
