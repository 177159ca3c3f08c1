//! Kafka, by librdkafka: a producer per publishing end, a member of the link's group per consuming replica.
//!
//! `Published` is stamped before the producer has the record, so before its first byte; its confirm after the broker's answer
//! was read. A record is `Fetched`, and then received, when the client hands it out, which it had asked for ahead of that. What a
//! member has done it commits: each record is stamped as acknowledged right before the commit that passes it is sent. In transactions
//! all publishing ends of a replica share one producer with what it takes.

mod consumer;
mod headers;
mod progress;
mod publisher;
mod reading;
mod standing;
mod transacting;
mod transactions;

use std::sync::Arc;

use hopscope_scenario::protocol::Protocol;
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;

pub use transactions::Transactions;

use super::messaging::{BrokerAddress, Consumer, Inbound, Messaging, Outbound};
use super::{BoxFuture, Caller, Intake, TransportError};
use crate::record::Recorder;

/// Kafka.
#[derive(Clone, Copy, Debug)]
pub struct Kafka;

impl Messaging for Kafka {
    fn protocol(&self) -> Protocol {
        Protocol::Kafka
    }

    fn publisher(
        &self,
        outbound: Outbound,
        recorder: Recorder,
    ) -> BoxFuture<'static, Result<Arc<dyn Caller>, TransportError>> {
        Box::pin(async move {
            let publisher = publisher::open(outbound, recorder).await?;
            Ok(publisher as Arc<dyn Caller>)
        })
    }

    fn consumer(
        &self,
        inbound: Inbound,
        intake: Intake,
    ) -> BoxFuture<'static, Result<Box<dyn Consumer>, TransportError>> {
        Box::pin(async move {
            let consumer = consumer::open(inbound, intake).await?;
            Ok(Box::new(consumer) as Box<dyn Consumer>)
        })
    }
}

/// Most bytes of a record or of several that go together: of a payload of the largest size that a client sends, with its headers.
pub(crate) const LARGEST: &str = "2097152";

/// What every client is made with.
pub(crate) fn config(broker: &BrokerAddress) -> ClientConfig {
    let mut config = ClientConfig::new();
    let mut lines = broker.with_password().lines();
    config
        .set("bootstrap.servers", lines.next().unwrap_or_default())
        .set("client.id", "hopscope")
        .set("message.max.bytes", LARGEST)
        // Else a small request waits for the acknowledgement of the one before.
        .set("socket.nagle.disable", "true")
        .set("log.connection.close", "false")
        .set("reconnect.backoff.ms", "20")
        .set("reconnect.backoff.max.ms", "500");
    for (name, value) in lines.filter_map(|line| line.split_once('=')) {
        config.set(name, value);
    }
    config.set_log_level(RDKafkaLogLevel::Error);
    config
}

fn failed(broker: &BrokerAddress, error: &KafkaError) -> TransportError {
    TransportError::Broker { broker: broker.clone(), reason: error.to_string() }
}

/// Runs what waits for librdkafka where it holds up nobody.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    // An error is its panic, which has been reported.
    tokio::task::spawn_blocking(work).await.ok()
}
