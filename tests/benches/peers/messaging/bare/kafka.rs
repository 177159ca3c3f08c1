//! By rdkafka, with the options of a run's ends.

use std::sync::Arc;

use anyhow::Result;
use rdkafka::ClientConfig;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
use tokio::time::{Instant, timeout_at};

use super::Told;

/// A producer. Clones share it.
#[derive(Clone)]
pub(super) struct Publisher {
    producer: FutureProducer,
    topic: Arc<str>,
    body: Arc<[u8]>,
}

impl Publisher {
    pub(super) fn open(to: &str, topic: &str, linger_ms: &str, body: Arc<[u8]>) -> Result<Self> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", to).set("acks", "all").set("linger.ms", linger_ms);
        config.set("partitioner", "murmur2_random").set("socket.nagle.disable", "true");
        config.set("max.in.flight.requests.per.connection", "5");
        Ok(Self { producer: config.create()?, topic: topic.into(), body })
    }

    /// Resolves when the broker has confirmed it.
    pub(super) async fn publish(self) -> Result<()> {
        let record = FutureRecord::<[u8], [u8]>::to(&self.topic).payload(&self.body);
        let sent = self.producer.send_result(record).map_err(|(error, _)| error)?;
        sent.await?.map_err(|(error, _)| error)?;
        Ok(())
    }
}

/// Reads as a group of its own, each record as it comes.
pub(super) async fn read(from: &str, topic: &str, until: Instant, told: &Told) -> Result<()> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", from).set("socket.nagle.disable", "true");
    config.set("group.id", "bare").set("group.protocol", "consumer").set("auto.offset.reset", "earliest");
    config.set("auto.commit.interval.ms", "500").set("fetch.wait.max.ms", "10");
    let consumer: StreamConsumer = config.create()?;
    consumer.subscribe(&[topic])?;
    while let Ok(record) = timeout_at(until, consumer.recv()).await {
        record?;
        told.another();
    }
    tokio::task::spawn_blocking(move || drop(consumer)).await?;
    Ok(())
}
