//! What a member of a group has in hand: its partitions, what it took from each, and what it has committed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use hopscope_record::{Kind, MessageId, TraceId};
use hopscope_scenario::model::Commit;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::sync::watch;

use super::progress::Progress;
use super::standing::Standing;
use crate::record::Recorder;
use crate::transport::account::Held;
use crate::transport::messaging::Group;

/// The state of a member; librdkafka calls it back where its partitions change.
pub(super) struct Reading {
    topic: String,
    group: Group,
    /// Stamps on the link.
    recorder: Recorder,
    /// When it commits.
    commit: Commit,
    standing: Standing,
    /// Whether its program is no more: what librdkafka does for it after that, nobody sees.
    gone: AtomicBool,
    /// Those that it has.
    parts: Mutex<BTreeMap<i32, Part>>,
    /// Whether it gave up a partition with what it had in hand of it, since that was asked for.
    torn: AtomicBool,
    /// How often its partitions have changed.
    changed: watch::Sender<u64>,
    /// How often something was done.
    worked: watch::Sender<u64>,
}

/// What it has in hand of one partition.
#[derive(Default)]
struct Part {
    progress: Progress<Held>,
    /// How far was to be committed, where the broker has not said yet that it is.
    owed: Option<i64>,
}

impl Reading {
    pub(super) fn new(topic: &str, group: Group, recorder: Recorder, commit: Commit) -> Self {
        Self {
            topic: topic.to_owned(),
            group,
            standing: Standing::new(recorder.clone()),
            gone: AtomicBool::new(false),
            recorder,
            commit,
            torn: AtomicBool::new(false),
            parts: Mutex::default(),
            changed: watch::Sender::new(0),
            worked: watch::Sender::new(0),
        }
    }

    fn parts(&self) -> MutexGuard<'_, BTreeMap<i32, Part>> {
        // Its steps are whole.
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) const fn standing(&self) -> &Standing {
        &self.standing
    }

    pub(super) fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub(super) fn worked(&self) -> watch::Receiver<u64> {
        self.worked.subscribe()
    }

    /// Stamps at the group's place in a partition.
    pub(super) fn stamp(&self, kind: Kind, partition: i32, trace: TraceId, message: MessageId, (a, b): (u64, u64)) {
        let Ok(partition) = u16::try_from(partition) else { return };
        let mut place = self.group.first_place;
        place.0 = place.0.saturating_add(partition.into());
        let recorder = self.recorder.at(place, self.recorder.link());
        recorder.record(kind, trace, message, MessageId::NONE, a, b);
    }

    /// A record was taken; it is kept until a commit passes it.
    pub(super) fn take(&self, partition: i32, offset: i64, held: Held) {
        self.parts().entry(partition).or_default().progress.take(offset, held);
    }

    /// The work on a record is done.
    pub(super) fn done(&self, partition: i32, offset: i64) {
        if let Some(part) = self.parts().get_mut(&partition) {
            part.progress.done(offset);
        }
        self.worked.send_modify(|times| *times += 1);
    }

    /// Its program is no more: who has its partitions next reads again what it had not committed.
    pub(super) fn give_up(&self) {
        self.gone.store(true, Ordering::Release);
        for (partition, part) in std::mem::take(&mut *self.parts()) {
            self.stamp(
                Kind::REBALANCE_STARTED,
                partition,
                TraceId::NONE,
                MessageId::NONE,
                (u64::from(self.group.member), 0),
            );
            drop(part);
        }
    }

    fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Commits what is done, if anything is, and what was to be committed before and is not; waits for the broker's answer.
    pub(super) fn commit(&self, consumer: &impl Consumer<Self>) -> KafkaResult<()> {
        let mut offsets = TopicPartitionList::new();
        for (partition, part) in self.parts().iter_mut() {
            if let Some((next, passed)) = part.progress.passed() {
                passed.into_iter().for_each(|mut held| held.ack());
                part.owed = Some(next);
            }
            let Some(next) = part.owed else { continue };
            offsets.add_partition_offset(&self.topic, *partition, Offset::Offset(next))?;
        }
        if offsets.count() == 0 {
            return Ok(());
        }
        let began = Instant::now();
        consumer.commit(&offsets, CommitMode::Sync)?;
        let took = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.committed(&offsets, took);
        let mut parts = self.parts();
        for element in offsets.elements() {
            let Some(part) = parts.get_mut(&element.partition()) else { continue };
            part.owed.take_if(|owed| Offset::Offset(*owed) == element.offset());
        }
        Ok(())
    }

    /// What it has in hand: each partition with its first record, and the offset of the one to go on with behind the last.
    pub(super) fn spans(&self) -> Vec<(i32, i64, i64)> {
        let parts = self.parts();
        parts
            .iter()
            .filter_map(|(partition, part)| part.progress.span().map(|(first, next)| (*partition, first, next)))
            .collect()
    }

    /// Those spans as the offsets that a commit says.
    pub(super) fn offsets(&self, spans: &[(i32, i64, i64)]) -> KafkaResult<TopicPartitionList> {
        let mut offsets = TopicPartitionList::new();
        for (partition, _, next) in spans {
            offsets.add_partition_offset(&self.topic, *partition, Offset::Offset(*next))?;
        }
        Ok(offsets)
    }

    /// Whether it gave up a partition with what it had in hand of it, since that was asked last.
    pub(super) fn take_torn(&self) -> bool {
        self.torn.swap(false, Ordering::AcqRel)
    }

    /// What it has in hand is acknowledged; right before that is sent.
    pub(super) fn acknowledge(&self) {
        for part in self.parts().values_mut() {
            let passed = part.progress.passed().map(|(_, passed)| passed);
            passed.into_iter().flatten().for_each(|mut held| held.ack());
        }
    }

    /// What it has in hand is to be taken again.
    pub(super) fn put_back(&self) {
        for part in self.parts().values_mut() {
            drop(std::mem::take(&mut part.progress));
        }
    }

    pub(super) fn topic(&self) -> &str {
        &self.topic
    }

    pub(super) fn committed(&self, offsets: &TopicPartitionList, took: u64) {
        if self.is_gone() {
            return;
        }
        for element in offsets.elements_for_topic(&self.topic) {
            if let (Offset::Offset(offset), Ok(())) = (element.offset(), element.error()) {
                let values = (offset.unsigned_abs(), took);
                self.stamp(Kind::COMMITTED, element.partition(), TraceId::NONE, MessageId::NONE, values);
            }
        }
    }

    fn stamp_each(&self, kind: Kind, partitions: &TopicPartitionList) {
        for element in partitions.elements_for_topic(&self.topic) {
            let values = (u64::from(self.group.member), 0);
            self.stamp(kind, element.partition(), TraceId::NONE, MessageId::NONE, values);
        }
    }
}

impl ClientContext for Reading {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, words: &str) {
        self.standing.log(level, facility, words);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.standing.error(&error, reason);
    }
}

impl ConsumerContext for Reading {
    /// Right before partitions are given up, or are its own.
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if self.is_gone() {
            return;
        }
        match rebalance {
            Rebalance::Assign(partitions) => {
                self.stamp_each(Kind::REBALANCE_ENDED, partitions);
                let mut parts = self.parts();
                for element in partitions.elements_for_topic(&self.topic) {
                    parts.entry(element.partition()).or_default();
                }
            }
            Rebalance::Revoke(partitions) => {
                // What is done is done: who has them next is not to do it again. Without a broker nobody can know.
                let alone = self.commit != Commit::Transaction && !self.standing.is_lost();
                let committed = if alone { self.commit(consumer) } else { Ok(()) };
                if let Err(error) = committed {
                    tracing::debug!("a member cannot commit before it gives partitions up: {error}");
                }
                self.stamp_each(Kind::REBALANCE_STARTED, partitions);
                let mut parts = self.parts();
                for element in partitions.elements_for_topic(&self.topic) {
                    // What was not done goes to who has the partition next.
                    let part = parts.remove(&element.partition());
                    if part.is_some_and(|part| part.progress.span().is_some()) {
                        self.torn.store(true, Ordering::Release);
                    }
                }
            }
            Rebalance::Error(error) => tracing::debug!("a group cannot share its partitions out: {error}"),
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, _: &Rebalance<'_>) {
        self.changed.send_modify(|times| *times += 1);
    }

    fn commit_callback(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        // What it commits itself it stamps where it waits for it.
        if self.commit == Commit::Automatic && result.is_ok() {
            self.committed(offsets, 0);
        }
    }
}
