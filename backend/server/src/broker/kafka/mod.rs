//! The brokers of topics: librdkafka's mock cluster in this process, or one that is reached by an address. The same clients use
//! either. It stamps nothing; what it says of each group is asked for again and again, and stamped.

mod built_in;
mod client;
mod greeting;
mod look;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use hopscope_record::frame::EndCount;
use hopscope_record::{LinkIndex, PlaceIndex};
use hopscope_scenario::model::Compaction;
use hopscope_scenario::quantity::Time;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, KafkaResult};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use built_in::MockCluster;
pub use client::{KafkaClient, NotASetting};
pub(super) use greeting::greet;

use self::look::{Looker, Looks};
use super::{BrokerError, KafkaLocal, LocalState, Product};
use crate::record::Recorder;
use crate::transport::Account;
use crate::transport::messaging::BrokerAddress;

/// How long a broker may take to make topics, or to remove them.
const PATIENCE: Duration = Duration::from_secs(10);

const NS_PER_MS: u64 = 1_000_000;

/// Segments that a partition has, where records are kept for a time: as many as the steps that it is removed in.
const SEGMENTS: u64 = 4;

/// The shortest time that a segment is written for, ms.
const SHORTEST_MS: u64 = 100;

/// How long a segment is written for, and may wait to be compacted, where records give way to newer ones, ms.
const COMPACTED_MS: u64 = 500;

/// As many as the broker keeps of what nobody says otherwise of.
const AS_EVER: TopicReplication<'_> = TopicReplication::Fixed(-1);

/// The address of a broker that listens on loopback. The name that it may give for itself has two addresses, of which it listens on one.
pub(super) fn on_this_machine(bootstrap: &str) -> BrokerAddress {
    BrokerAddress::new(format!("{bootstrap}\nbroker.address.family=v4"), format!("kafka://{bootstrap}"))
}

/// A topic of a run.
#[derive(Clone, Debug)]
pub struct TopicSite {
    /// What the broker calls it.
    pub name: Arc<str>,
    /// How many partitions it has.
    pub partitions: u16,
    /// How long it keeps a record; without it, as long as the broker does.
    pub retention: Option<Time>,
    /// Whether a record gives way to a newer one of its key.
    pub compaction: Compaction,
    /// Whether some of its records stand in transactions.
    pub transacted: bool,
    /// Who reads it.
    pub groups: Vec<GroupSite>,
}

impl TopicSite {
    /// What a broker is told beside the name and the number of partitions: names and values of Kafka's topic settings.
    fn settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = vec![("max.message.bytes", crate::transport::LARGEST_RECORD.to_owned())];
        let compacts = !self.compaction.is_off();
        let policy = match (compacts, self.retention) {
            (false, None) => return settings,
            (false, Some(_)) => "delete",
            (true, None) => "compact",
            (true, Some(_)) => "compact,delete",
        };
        settings.push(("cleanup.policy", policy.to_owned()));
        let kept_ms = self.retention.map(|kept| kept.0 / NS_PER_MS);
        settings.extend(kept_ms.map(|kept| ("retention.ms", kept.to_string())));
        // Only what stands in a segment that is not written any more is removed, and of that the whole.
        let segment_ms = kept_ms.map_or(COMPACTED_MS, |kept| (kept / SEGMENTS).max(SHORTEST_MS));
        settings.push(("segment.ms", segment_ms.to_string()));
        settings.push(("file.delete.delay.ms", SHORTEST_MS.to_string()));
        if compacts {
            settings.push(("min.cleanable.dirty.ratio", "0.01".to_owned()));
            settings.push(("max.compaction.lag.ms", COMPACTED_MS.to_string()));
        }
        settings
    }
}

/// A group that reads a topic.
#[derive(Clone, Debug)]
pub struct GroupSite {
    /// What the broker calls it.
    pub name: Arc<str>,
    /// The link that it reads over.
    pub link: LinkIndex,
    /// Its place in partition 0; those in the others follow it.
    pub first_place: PlaceIndex,
}

/// A broker of topics that is found.
#[derive(Debug)]
pub enum FoundKafka {
    /// librdkafka's, in this process.
    BuiltIn(MockCluster),
    /// Another one.
    At {
        /// Where.
        address: BrokerAddress,
        /// Its address of numbers, where it is known.
        socket: Option<SocketAddr>,
        /// What it is.
        product: Product,
        /// The one that Hopscope starts, if it is that.
        local: Option<KafkaLocal>,
    },
}

impl FoundKafka {
    /// What it is: a product and its version.
    #[must_use]
    pub fn product(&self) -> (&str, String) {
        match self {
            Self::BuiltIn(_) => MockCluster::product(),
            Self::At { product, .. } => (&product.name, product.version.clone()),
        }
    }
}

/// The broker of one run's topics.
pub struct KafkaBroker {
    address: BrokerAddress,
    socket: Option<SocketAddr>,
    topics: Arc<[TopicSite]>,
    /// Lives as long as the run, where it is ours.
    mock: Option<MockCluster>,
    /// The one that Hopscope started, if it is that.
    local: Option<KafkaLocal>,
    account: Account,
    looks: watch::Receiver<Looks>,
    stop: CancellationToken,
    /// Cancelled when it is given up.
    ended: CancellationToken,
    looking: Option<JoinHandle<()>>,
}

impl KafkaBroker {
    /// Has the topics made, and begins to ask how far their groups have come.
    ///
    /// # Errors
    /// When it cannot be reached, or refuses a topic.
    pub async fn start(found: FoundKafka, recorder: Recorder, topics: Vec<TopicSite>) -> Result<Self, BrokerError> {
        let (address, socket, mock, local) = match found {
            FoundKafka::BuiltIn(mock) => (mock.address(), mock.socket(), Some(mock), None),
            FoundKafka::At { address, socket, local, .. } => (address, socket, None, local),
        };
        match &mock {
            Some(mock) => mock.make(&topics)?,
            None => make(&address, &topics).await?,
        }
        let topics: Arc<[TopicSite]> = topics.into();
        let (account, stop, ended) = (Account::default(), CancellationToken::new(), CancellationToken::new());
        let looker = Looker::new(&address, Arc::clone(&topics), recorder, account.clone());
        let looker = looker.map_err(|error| BrokerError::unreachable(&address, &error))?;
        let (sender, looks) = watch::channel(Looks::default());
        let (stopped, gone) = (stop.clone(), ended.clone());
        let looking =
            std::thread::Builder::new().name("lag".to_owned()).spawn(move || looker.run(&sender, &stopped, &gone))?;
        Ok(Self { address, socket, topics, mock, local, account, looks, stop, ended, looking: Some(looking) })
    }

    /// Where it is reached.
    #[must_use]
    pub fn address(&self) -> BrokerAddress {
        self.address.clone()
    }

    /// Its address of numbers, where it is known.
    pub(super) const fn socket(&self) -> Option<SocketAddr> {
        self.socket
    }

    /// The one that Hopscope started, if it is that.
    pub(super) const fn local(&self) -> Option<&KafkaLocal> {
        self.local.as_ref()
    }

    /// Whether it is there now: one that was killed may come back.
    pub(super) fn is_there(&self) -> bool {
        self.local.as_ref().is_none_or(|local| local.state() == LocalState::Ready)
    }

    /// Resolves when it was away for too long.
    pub(super) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// Counts what was confirmed.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.account
    }

    /// Whether each group has committed all that is in its topic, by a look since which nothing was confirmed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.looks.borrow().is_empty(self.account.copies())
    }

    /// Resolves at an instant in which they have.
    pub async fn empty(&self) {
        let mut looks = self.looks.clone();
        // Who looks has gone: nobody waits for it.
        let _ = looks.wait_for(|looks| looks.is_empty(self.account.copies())).await;
    }

    /// Looks once more, at rest, and leaves nothing at a broker that is not ours.
    pub async fn settle(&self) {
        self.stop.cancel();
        let mut looks = self.looks.clone();
        let there = looks.wait_for(|looks| looks.last).await.is_ok_and(|looks| looks.there);
        if self.mock.is_none()
            && there
            && let Err(error) = self.remove().await
        {
            tracing::warn!("topics of a run that is over could not be removed from {}: {error}", self.address);
        }
    }

    /// Removes topics and groups.
    async fn remove(&self) -> KafkaResult<()> {
        let (admin, options) = (admin(&self.address)?, options());
        let topics: Vec<&str> = self.topics.iter().map(|topic| topic.name.as_ref()).collect();
        let groups: BTreeSet<&str> =
            self.topics.iter().flat_map(|topic| &topic.groups).map(|group| group.name.as_ref()).collect();
        let groups: Vec<&str> = groups.into_iter().collect();
        admin.delete_topics(&topics, &options).await?;
        if groups.is_empty() {
            return Ok(());
        }
        for removed in admin.delete_groups(&groups, &options).await? {
            if let Err((group, code)) = removed {
                tracing::debug!("the group {group} could not be removed: {code}");
            }
        }
        Ok(())
    }

    /// What each group has yet to commit in each partition, by the last look.
    #[must_use]
    pub fn counts(&self) -> Vec<EndCount> {
        let looks = self.looks.borrow();
        // Of a broker that is not there nothing can be counted.
        let told = looks.lags.iter().filter(|_| looks.there);
        told.map(|(place, lag)| EndCount::ready(*place, u64::from(*lag))).collect()
    }
}

impl Drop for KafkaBroker {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(looking) = self.looking.take() {
            // It ends with its next look.
            drop(looking);
        }
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE))
}

fn admin(address: &BrokerAddress) -> KafkaResult<AdminClient<DefaultClientContext>> {
    crate::transport::kafka_config(address).create()
}

/// Has topics made at a broker that is not ours.
async fn make(address: &BrokerAddress, topics: &[TopicSite]) -> Result<(), BrokerError> {
    let unreachable = |error: KafkaError| BrokerError::unreachable(address, &error);
    let settings: Vec<_> = topics.iter().map(TopicSite::settings).collect();
    let new = topics.iter().zip(&settings).map(|(topic, settings)| {
        let new = NewTopic::new(&topic.name, topic.partitions.into(), AS_EVER);
        settings.iter().fold(new, |new, (name, value)| new.set(name, value))
    });
    let new: Vec<_> = new.collect();
    let made = admin(address).map_err(unreachable)?.create_topics(&new, &options()).await.map_err(unreachable)?;
    for made in made {
        if let Err((topic, code)) = made {
            return Err(BrokerError::refused(&topic, &code));
        }
    }
    Ok(())
}
