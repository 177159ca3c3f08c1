//! What the ends of one replica share that reads in transactions: the one producer of all that it publishes to topics.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::producer::{FutureProducer, Producer as _};
use tokio::sync::Mutex;

use super::aside;
use super::standing::Ends;

/// How long a broker may take to know a producer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long it waits, in ms, for the end of a transaction whose producer has gone, as Kafka Streams has it: so long nobody reads on
/// behind what that published. One that is started again ends it sooner.
const LONGEST: &str = "10000";

/// The transactions of one replica. Clones share them.
#[derive(Clone)]
pub struct Transactions {
    id: Arc<str>,
    current: Arc<Mutex<Current>>,
}

/// The producer, and what it is made with.
#[derive(Default)]
struct Current {
    config: Option<ClientConfig>,
    made: Option<Arc<Transacting>>,
}

impl Transactions {
    /// Those of a replica that its broker knows by `id`: whoever comes with it next has what was open ended.
    #[must_use]
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self { id: id.into(), current: Arc::default() }
    }

    /// The producer of an end that publishes, made with its `config` if there is none that can go on.
    pub(super) async fn publishing(&self, config: ClientConfig) -> KafkaResult<Arc<Transacting>> {
        let mut current = self.current.lock().await;
        let config = current.config.insert(config).clone();
        self.producer(&mut current, config).await
    }

    /// The producer of the end that reads: as those that publish have it made, with `plain` where there are none.
    pub(super) async fn reading(&self, plain: ClientConfig) -> KafkaResult<Arc<Transacting>> {
        let mut current = self.current.lock().await;
        let config = current.config.clone().unwrap_or(plain);
        self.producer(&mut current, config).await
    }

    async fn producer(&self, current: &mut Current, mut config: ClientConfig) -> KafkaResult<Arc<Transacting>> {
        if let Some(made) = current.made.as_ref().filter(|made| !made.is_lost()) {
            return Ok(Arc::clone(made));
        }
        config
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("transactional.id", self.id.as_ref())
            .set("transaction.timeout.ms", LONGEST);
        let ends = Ends::default();
        let context = ends.clone();
        let made = aside(move || -> KafkaResult<FutureProducer<Ends>> {
            let producer: FutureProducer<Ends> = config.create_with_context(context)?;
            producer.init_transactions(PATIENCE)?;
            Ok(producer)
        });
        let producer = made.await.unwrap_or(Err(KafkaError::Canceled))?;
        let made = Arc::new(Transacting { producer, ends, torn: AtomicBool::new(false), lost: AtomicBool::new(false) });
        current.made = Some(Arc::clone(&made));
        Ok(made)
    }
}

impl fmt::Debug for Transactions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Transactions").field(&self.id).finish()
    }
}

/// A producer that publishes in transactions, one after the other.
pub(super) struct Transacting {
    producer: FutureProducer<Ends>,
    ends: Ends,
    /// Whether something of the one that is open failed.
    torn: AtomicBool,
    /// Whether it can go on no more.
    lost: AtomicBool,
}

impl Transacting {
    pub(super) const fn producer(&self) -> &FutureProducer<Ends> {
        &self.producer
    }

    pub(super) const fn ends(&self) -> &Ends {
        &self.ends
    }

    /// Begins one.
    pub(super) fn begin(&self) -> KafkaResult<()> {
        self.torn.store(false, Ordering::Release);
        self.producer.begin_transaction()
    }

    /// Whether something of the one that is open failed.
    pub(super) fn is_torn(&self) -> bool {
        self.torn.load(Ordering::Acquire)
    }

    /// It is torn when this is dropped, unless that is told to keep it.
    pub(super) const fn tear_unless_whole(&self) -> Whole<'_> {
        Whole(&self.torn, false)
    }

    /// It can go on no more.
    pub(super) fn lose(&self) {
        self.lost.store(true, Ordering::Release);
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }
}

/// What is published in a transaction.
pub(super) struct Whole<'a>(&'a AtomicBool, bool);

impl Whole<'_> {
    /// It is there.
    pub(super) fn keep(mut self) {
        self.1 = true;
    }
}

impl Drop for Whole<'_> {
    fn drop(&mut self) {
        if !self.1 {
            self.0.store(true, Ordering::Release);
        }
    }
}
