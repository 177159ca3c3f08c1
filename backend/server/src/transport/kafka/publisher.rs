//! The publishing end: one producer, whose records are confirmed one by one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hopscope_record::RunKey;
use hopscope_record::kind::Position;
use hopscope_scenario::model::{Acks, Compression, Idempotence, Partitioner, Producing};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer as _};
use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::standing::{ASKED, Ends, Standing};
use super::transactions::Transacting;
use super::{aside, config, failed, headers};
use crate::record::Recorder;
use crate::tasks::Tasks;
use crate::transport::messaging::Outbound;
use crate::transport::{Account, BoxFuture, CallError, Caller, Outgoing, Reply, TransportError, Verdict};

/// How long the broker may take to say what it has.
const PATIENCE: Duration = Duration::from_secs(15);

/// How many requests may wait for the broker's answer at once, as Kafka's own clients have it. librdkafka has no such limit: each record that
/// has waited its time then goes to a broker that is behind, alone or nearly, and the broker is behind the more for it. With one, what
/// waits goes together.
const IN_FLIGHT: &str = "5";

/// Opens the publishing end of a link.
pub(super) async fn open(outbound: Outbound, recorder: Recorder) -> Result<Arc<Publisher>, TransportError> {
    let Outbound { broker, queue, options, account, transactions, .. } = outbound;
    let producing: Producing = options.read()?;
    let began = recorder.now();
    let mut config = config(&broker);
    config
        .set("acks", if producing.acks == Acks::All { "all" } else { "1" })
        .set("linger.ms", format!("{}", producing.linger.0 as f64 / 1e6))
        .set("compression.type", compression(producing.compression))
        .set("max.in.flight.requests.per.connection", IN_FLIGHT)
        // As Kafka's own clients choose; a record without a key goes to any.
        .set("partitioner", "murmur2_random")
        .set("enable.idempotence", if producing.idempotence == Idempotence::On { "true" } else { "false" });
    let (topic, site) = (Arc::clone(&queue), broker.clone());
    let standing = Standing::new(recorder.clone());
    let (transaction, given) = match &transactions {
        Some(transactions) => {
            let transaction = transactions.publishing(config.clone()).await.map_err(|error| failed(&site, &error))?;
            transaction.ends().add(standing.clone());
            let producer = transaction.producer().clone();
            (Some(transaction), Some(producer))
        }
        None => (None, None),
    };
    let context = Ends::default();
    context.add(standing.clone());
    let opened = aside(move || -> Result<(FutureProducer<Ends>, usize), KafkaError> {
        let producer = given.map_or_else(|| config.create_with_context(context), Ok)?;
        let metadata = producer.client().fetch_metadata(Some(&topic), PATIENCE)?;
        let partitions = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
        Ok((producer, partitions))
    });
    let opened = opened.await.unwrap_or(Err(KafkaError::Canceled));
    let (producer, partitions) = opened.map_err(|error| failed(&site, &error))?;
    standing.connected(began);
    let (asked, topic, tasks) = (producer.clone(), Arc::clone(&queue), Tasks::new(Handle::current()));
    tasks.spawn(standing.clone().keep(move || asked.client().fetch_metadata(Some(&topic), ASKED).is_ok()));
    let turns =
        (producing.partitioner == Partitioner::RoundRobin).then_some(partitions as u64).filter(|turns| *turns > 0);
    let run_key = recorder.run_key();
    Ok(Arc::new(Publisher {
        producer,
        transaction,
        topic: queue,
        run_key,
        standing,
        tasks,
        turns,
        turn: AtomicU64::new(0),
        account,
        closed: AtomicBool::new(false),
        ended: Notify::new(),
    }))
}

const fn compression(compression: Compression) -> &'static str {
    match compression {
        Compression::None => "none",
        Compression::Lz4 => "lz4",
        Compression::Snappy => "snappy",
    }
}

/// The publishing end of a link.
pub(super) struct Publisher {
    producer: FutureProducer<Ends>,
    /// Where its records stand in transactions: the producer is then its replica's.
    transaction: Option<Arc<Transacting>>,
    topic: Arc<str>,
    run_key: RunKey,
    standing: Standing,
    tasks: Tasks,
    /// How many partitions are taken in turn, where they are.
    turns: Option<u64>,
    turn: AtomicU64,
    account: Option<Account>,
    closed: AtomicBool,
    ended: Notify,
}

impl Publisher {
    async fn publish(&self, outgoing: Outgoing) -> Result<Reply, CallError> {
        outgoing.carried.set(true);
        // One that fails, or is given up, is not to be committed without.
        let whole = self.transaction.as_ref().map(|transaction| transaction.tear_unless_whole());
        let sent = loop {
            match self.send(&outgoing) {
                Ok(sent) => break sent,
                // Its queue is full: it goes on when the broker has taken some.
                Err(KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)) => self.room().await,
                Err(error) => return Err(CallError::Broken(error.to_string())),
            }
        };
        // The future is notified for who waits for room, whatever came of it.
        let delivered = sent.await;
        self.ended.notify_one();
        match delivered {
            Ok(Ok(delivery)) => {
                if let Some(whole) = whole {
                    whole.keep();
                }
                if let Some(account) = &self.account {
                    account.confirmed();
                }
                let partition = u16::try_from(delivery.partition).ok();
                let position = partition.zip(u64::try_from(delivery.offset).ok());
                let position = position.map(|(partition, offset)| Position { partition, offset });
                Ok(Reply { verdict: Verdict::Good, status: 0, body: Bytes::new(), position })
            }
            Ok(Err((error, _))) => Err(CallError::Broken(error.to_string())),
            Err(_) => Err(CallError::Closed),
        }
    }

    fn send(&self, outgoing: &Outgoing) -> Result<DeliveryFuture, KafkaError> {
        let record = FutureRecord::<[u8], [u8]>::to(&self.topic)
            .payload(&outgoing.body)
            .headers(headers::of(outgoing, self.run_key));
        let record = match &outgoing.body.key {
            Some(key) => record.key(key),
            None => record,
        };
        let record = match self.turns {
            Some(turns) => {
                let turn = self.turn.fetch_add(1, Ordering::Relaxed) % turns;
                record.partition(i32::try_from(turn).unwrap_or(0))
            }
            None => record,
        };
        self.producer.send_result(record).map_err(|(error, _)| error)
    }

    async fn room(&self) {
        self.ended.notified().await;
    }

    /// Ends the producer; what it still has is waited for, or thrown away where its broker has gone.
    async fn end(&self, error: Option<&'static str>) {
        if self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Some(transaction) = self.transaction.as_ref().filter(|_| error.is_some()) {
            transaction.lose();
        }
        let thrown = error.is_some() || self.standing.is_lost();
        self.standing.closed(error);
        self.tasks.end().await;
        let producer = self.producer.clone();
        aside(move || {
            if thrown {
                producer.purge(rdkafka::producer::PurgeConfig::default().queue().inflight());
            }
            // What is left is told to who waits for it.
            let _ = producer.flush(PATIENCE);
        })
        .await;
    }
}

impl Caller for Publisher {
    fn call(self: Arc<Self>, outgoing: Outgoing) -> BoxFuture<'static, Result<Reply, CallError>> {
        Box::pin(async move { self.publish(outgoing).await })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.end(None))
    }

    fn reset(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.end(Some("thrown away by a crash of this end")))
    }

    fn is_lost(&self) -> bool {
        self.closed.load(Ordering::Acquire)
            || self.transaction.as_ref().is_some_and(|transaction| transaction.is_lost())
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}
