//! Looks at how far the groups of a run's topics have come, by their broker's word, from a thread of its own: librdkafka's
//! questions wait for their answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hopscope_record::kind::LagReport;
use hopscope_record::{Kind, MessageId, PlaceIndex, TraceId};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{GroupSite, TopicSite};
use crate::record::Recorder;
use crate::transport::Account;
use crate::transport::messaging::BrokerAddress;

/// From one look to the next.
const PAUSE: Duration = Duration::from_millis(50);

/// Looks in a row that must find that all is committed.
const IN_A_ROW: u32 = 3;

/// How long one that was lost may stay away before the run ends: longer than a local one may take to start.
const AWAY: Duration = Duration::from_secs(120);

/// How long the broker may take for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Looks {
    /// What was confirmed when the last look began in which every group had committed all; none where one had not.
    all_at: Option<i64>,
    /// How many looks in a row found that.
    in_a_row: u32,
    /// What each group has yet to commit in each partition.
    pub(super) lags: Vec<(PlaceIndex, u32)>,
    /// Whether the broker answered the last time.
    pub(super) there: bool,
    /// No other look follows.
    pub(super) last: bool,
}

impl Looks {
    /// Whether nothing was confirmed since the look in which all was committed.
    pub(super) fn is_empty(&self, confirmed: i64) -> bool {
        // What processes confirm they tell a little later.
        self.last || (self.in_a_row >= IN_A_ROW && self.all_at == Some(confirmed))
    }
}

/// What one look found.
#[derive(Default)]
struct Look {
    /// What each group has yet to commit in each partition.
    lags: Vec<(PlaceIndex, u32)>,
    /// Whether some of that is there to be read: what the broker has removed is not.
    left: bool,
}

/// Who asks for one group of one topic.
struct Asking {
    topic: usize,
    group: GroupSite,
    client: BaseConsumer,
    /// Where records stand in transactions: who reads what is committed.
    reader: Option<BaseConsumer>,
}

impl Asking {
    fn new(address: &BrokerAddress, topic: usize, transacted: bool, group: &GroupSite) -> KafkaResult<Self> {
        let mut config = crate::transport::kafka_config(address);
        config.set("group.id", group.name.as_ref()).set("enable.auto.commit", "false");
        let reader = if transacted {
            let mut reading = config.clone();
            reading
                .set("enable.partition.eof", "true")
                .set("fetch.wait.max.ms", "10")
                .set("auto.offset.reset", "earliest");
            // The log's end is that of all records, whatever becomes of their transactions.
            config.set("isolation.level", "read_uncommitted");
            Some(reading.create()?)
        } else {
            None
        };
        Ok(Self { topic, group: group.clone(), client: config.create()?, reader })
    }
}

/// Whether a record is committed, or may be, between two offsets of a partition. What else lies there are ends of transactions, and
/// records of such as were given up.
fn is_there(reader: &BaseConsumer, topic: &str, partition: i32, (committed, end): (i64, i64)) -> KafkaResult<bool> {
    let (_, stable) = reader.fetch_watermarks(topic, partition, PATIENCE)?;
    if stable < end {
        // A transaction is open.
        return Ok(true);
    }
    let mut from = TopicPartitionList::new();
    from.add_partition_offset(topic, partition, Offset::Offset(committed))?;
    reader.assign(&from)?;
    let until = Instant::now() + PATIENCE;
    let found = loop {
        match reader.poll(PATIENCE) {
            Some(Ok(_)) => break Ok(true),
            Some(Err(KafkaError::PartitionEOF(_))) => break Ok(false),
            Some(Err(error)) => break Err(error),
            None if Instant::now() > until => break Err(KafkaError::Canceled),
            None => {}
        }
    };
    reader.unassign()?;
    found
}

/// Who looks.
pub(super) struct Looker {
    topics: Arc<[TopicSite]>,
    /// For each group of each topic a client that asks in its name, and is no member.
    clients: Vec<Asking>,
    recorder: Recorder,
    account: Account,
}

impl Looker {
    pub(super) fn new(
        address: &BrokerAddress,
        topics: Arc<[TopicSite]>,
        recorder: Recorder,
        account: Account,
    ) -> KafkaResult<Self> {
        let mut clients = Vec::new();
        for (number, topic) in topics.iter().enumerate() {
            for group in &topic.groups {
                clients.push(Asking::new(address, number, topic.transacted, group)?);
            }
        }
        Ok(Self { topics, clients, recorder, account })
    }

    /// Looks until it is to stop, and then once more; cancels `gone` when the broker was away for too long.
    pub(super) fn run(self, looks: &watch::Sender<Looks>, stop: &CancellationToken, gone: &CancellationToken) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let (mut answered, mut before) = (Instant::now(), None);
        loop {
            let last = stop.is_cancelled();
            let confirmed = self.account.copies();
            let seen = self.look(before.replace(confirmed) == Some(confirmed));
            looks.send_modify(|looks| {
                (looks.last, looks.there) = (last, seen.is_ok());
                match seen {
                    Ok(Look { lags, left }) => {
                        answered = Instant::now();
                        looks.all_at = (!left).then_some(confirmed);
                        looks.in_a_row = if looks.all_at.is_some() { looks.in_a_row + 1 } else { 0 };
                        looks.lags = lags;
                    }
                    Err(error) => {
                        (looks.all_at, looks.in_a_row) = (None, 0);
                        tracing::debug!("a broker of topics does not say how far groups have come: {error}");
                    }
                }
            });
            if last {
                return;
            }
            if answered.elapsed() > AWAY {
                gone.cancel();
            }
            if let Ok(runtime) = &runtime {
                runtime.block_on(async {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = tokio::time::sleep(PAUSE) => {}
                    }
                });
            }
        }
    }

    /// Asks for each group and partition, and stamps what is answered; `quiet`: nothing was confirmed since the last time.
    fn look(&self, quiet: bool) -> KafkaResult<Look> {
        let mut look = Look::default();
        for Asking { topic, group, client, reader } in &self.clients {
            let Some(topic) = self.topics.get(*topic) else { continue };
            let asked = self.recorder.now();
            let mut partitions = TopicPartitionList::new();
            for partition in 0..topic.partitions {
                partitions.add_partition(&topic.name, partition.into());
            }
            // First what is committed: the log has at least that when its end is asked for.
            // Where a transaction commits it, it is there a little after that was answered: who reads what is committed is told no sooner.
            let committed = reader.as_ref().unwrap_or(client).committed_offsets(partitions, PATIENCE)?;
            for element in committed.elements() {
                let (start, end) = client.fetch_watermarks(&topic.name, element.partition(), PATIENCE)?;
                let committed = match element.offset() {
                    Offset::Offset(offset) => offset,
                    _ => 0,
                };
                let narrow = |offset: i64| u32::try_from(offset.max(0)).unwrap_or(u32::MAX);
                let report = LagReport { end: narrow(end), committed: narrow(committed) };
                let place = PlaceIndex(group.first_place.0.saturating_add(element.partition().unsigned_abs()));
                let recorder = self.recorder.at(place, group.link);
                let took = recorder.now().saturating_sub(asked).unsigned_abs();
                let none = MessageId::NONE;
                recorder.record(Kind::LAG_REPORTED, TraceId::NONE, none, none, report.to_value(), took);
                look.lags.push((place, report.lag()));
                let from = committed.max(start);
                look.left |= from < end
                    && match reader {
                        Some(reader) if quiet => is_there(reader, &topic.name, element.partition(), (from, end))?,
                        _ => true,
                    };
            }
        }
        Ok(look)
    }
}
