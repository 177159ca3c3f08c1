//! The broker of one run, whichever it is.

use std::net::SocketAddr;

use hopscope_record::frame::EndCount;
use hopscope_record::{LinkIndex, SourceId};
use hopscope_scenario::protocol::Protocol;

use super::{BrokerError, BuiltIn, External, Found, FoundKafka, KafkaBroker, OwnBroker, Sites, TopicSite};
use crate::record::Recorder;
use crate::timer::Timer;
use crate::transport::Account;
use crate::transport::messaging::BrokerAddress;

/// The broker of one run, with its queues.
pub enum RunBroker {
    /// Hopscope's own.
    BuiltIn(BuiltIn),
    /// Another one.
    External(Box<External>),
    /// One of topics.
    Kafka(Box<KafkaBroker>),
}

impl RunBroker {
    /// Has queues and exchanges declared, at what was found or in the built-in broker, which listens at `port` or at a free one.
    ///
    /// # Errors
    /// When the broker cannot be had, or refuses a queue.
    pub async fn start(
        found: Option<Found>,
        recorder: Recorder,
        sites: Sites,
        timer: Timer,
        port: Option<u16>,
    ) -> Result<Self, BrokerError> {
        Ok(match found {
            None => Self::BuiltIn(BuiltIn::start(recorder, sites, port).await?),
            Some(Found { address, socket, local, .. }) => {
                Self::External(Box::new(External::start(address, socket, local, recorder, sites, timer).await?))
            }
        })
    }

    /// Has the topics made at what was found.
    ///
    /// # Errors
    /// When the broker cannot be had, or refuses a topic.
    pub async fn of_topics(found: FoundKafka, recorder: Recorder, topics: Vec<TopicSite>) -> Result<Self, BrokerError> {
        Ok(Self::Kafka(Box::new(KafkaBroker::start(found, recorder, topics).await?)))
    }

    /// Of which protocol it is.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        match self {
            Self::BuiltIn(_) | Self::External(_) => Protocol::Amqp,
            Self::Kafka(_) => Protocol::Kafka,
        }
    }

    /// The one that Hopscope started, if it is that: it can be killed and started again.
    #[must_use]
    pub fn local(&self) -> Option<OwnBroker> {
        match self {
            Self::BuiltIn(_) => None,
            Self::External(broker) => broker.local().cloned().map(OwnBroker::RabbitMq),
            Self::Kafka(broker) => broker.local().cloned().map(OwnBroker::Kafka),
        }
    }

    /// Whether it is there now, with the run's queues: one that was lost may come back.
    #[must_use]
    pub fn is_there(&self) -> bool {
        match self {
            Self::BuiltIn(_) => true,
            Self::External(broker) => broker.is_there(),
            Self::Kafka(broker) => broker.is_there(),
        }
    }

    /// Where it is reached, by programs that are no part of the run too.
    #[must_use]
    pub fn address(&self) -> BrokerAddress {
        match self {
            Self::BuiltIn(broker) => broker.address(),
            Self::External(broker) => broker.address(),
            Self::Kafka(broker) => broker.address(),
        }
    }

    /// Its address of numbers, where it is known.
    #[must_use]
    pub fn socket(&self) -> Option<SocketAddr> {
        match self {
            Self::BuiltIn(broker) => Some(broker.socket()),
            Self::External(broker) => broker.socket(),
            Self::Kafka(broker) => broker.socket(),
        }
    }

    /// Says over which link the deliveries of a source go; before its consumer begins.
    pub fn delivers(&self, source: SourceId, link: LinkIndex) {
        if let Self::BuiltIn(broker) = self {
            broker.delivers(source, link);
        }
    }

    /// What the ends of links count and stamp, where the broker does not.
    #[must_use]
    pub fn account(&self) -> Option<&Account> {
        match self {
            Self::BuiltIn(_) => None,
            Self::External(broker) => Some(broker.account()),
            Self::Kafka(broker) => Some(broker.account()),
        }
    }

    /// Whether the queues that the run takes from are empty, and nothing of them is with a consumer; or nothing more can
    /// come of them.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::BuiltIn(broker) => broker.is_empty(),
            Self::External(broker) => broker.is_empty(),
            Self::Kafka(broker) => broker.is_empty(),
        }
    }

    /// Resolves at an instant in which they are.
    pub async fn empty(&self) {
        match self {
            Self::BuiltIn(broker) => broker.empty().await,
            Self::External(broker) => broker.empty().await,
            Self::Kafka(broker) => broker.empty().await,
        }
    }

    /// Resolves when it serves no more.
    pub async fn ended(&self) {
        match self {
            Self::BuiltIn(broker) => broker.ended().await,
            Self::External(broker) => broker.ended().await,
            Self::Kafka(broker) => broker.ended().await,
        }
    }

    /// When the run's parts have closed their connections: ends what still goes on, so that what was not settled is back in
    /// its queue.
    pub async fn close(&self) {
        match self {
            Self::BuiltIn(broker) => broker.close().await,
            Self::External(broker) => broker.close().await,
            Self::Kafka(_) => {}
        }
    }

    /// Counts what is left in the queues, at rest, and leaves nothing at a broker that is not ours.
    pub async fn settle(&self) {
        match self {
            Self::BuiltIn(_) => {}
            Self::External(broker) => broker.settle().await,
            Self::Kafka(broker) => broker.settle().await,
        }
    }

    /// Ready and unacked copies of each queue at the end, as far as the queues count them.
    #[must_use]
    pub fn counts(&self) -> Vec<EndCount> {
        match self {
            Self::BuiltIn(broker) => broker.counts(),
            Self::External(broker) => broker.counts(),
            Self::Kafka(broker) => broker.counts(),
        }
    }
}
