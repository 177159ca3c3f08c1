//! The reading end: a member of the link's group, which takes so many records at once as its link says.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hopscope_record::{Kind, MessageId, SourceId};
use hopscope_scenario::model::{Commit, Reading as Options};
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::message::{BorrowedMessage, Message as _};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::reading::Reading;
use super::standing::{ASKED, Standing};
use super::transacting::transact_all;
use super::{aside, config, failed, headers};
use crate::tasks::Tasks;
use crate::transport::messaging::{Consumer, Inbound};
use crate::transport::{Account, BoxFuture, Intake, TransportError};

/// How long a group may take to give a member its first partitions.
const PATIENCE: Duration = Duration::from_secs(30);

/// From a commit that the broker did not answer to the next try.
const AGAIN: Duration = Duration::from_millis(100);

/// How often a client commits by itself, in ms.
const AUTOMATIC: &str = "500";

pub(super) type Member = Arc<StreamConsumer<Reading>>;

/// Begins to read a topic as a member of a group; resolves when it has its first partitions, where there is one for each.
pub(super) async fn open(inbound: Inbound, intake: Intake) -> Result<KafkaConsumer, TransportError> {
    let Inbound { broker, queue, options, group, source, transactions, .. } = inbound;
    let Options { commit, in_flight } = options.read()?;
    let group = group.ok_or(TransportError::NoBroker)?;
    let automatic = commit == Commit::Automatic;
    let began = intake.recorder().now();
    let transacting = match transactions.filter(|_| commit == Commit::Transaction) {
        Some(transactions) => {
            let opened = transactions.reading(super::config(&broker)).await;
            Some(opened.map_err(|error| failed(&broker, &error))?)
        }
        None if commit == Commit::Transaction => return Err(TransportError::NoBroker),
        None => None,
    };
    let mut config = config(&broker);
    config
        .set("group.id", group.name.as_ref())
        .set("auto.offset.reset", "earliest")
        .set("fetch.wait.max.ms", "10")
        .set("enable.auto.commit", if automatic { "true" } else { "false" })
        .set("auto.commit.interval.ms", AUTOMATIC)
        // A record is passed when it is stamped, and no sooner.
        .set("enable.auto.offset.store", "false");
    if config.get("group.protocol").is_none() {
        config.set("group.protocol", "consumer");
    }
    // Which of more members have none is the broker's to say.
    let due = group.members <= u32::from(group.partitions);
    let reading = Reading::new(&queue, group, intake.recorder().clone(), commit);
    let standing = reading.standing().clone();
    let mut changed = reading.changed();
    let worked = reading.worked();
    let member: StreamConsumer<Reading> =
        config.create_with_context(reading).map_err(|error| failed(&broker, &error))?;
    let member = Arc::new(member);
    member.subscribe(&[&queue]).map_err(|error| failed(&broker, &error))?;
    let tasks = Tasks::new(Handle::current());
    let losing = CancellationToken::new();
    if let Some(transacting) = transacting {
        let most = in_flight as usize;
        tasks.spawn(transact_all(Arc::clone(&member), intake, source, most, transacting, losing.clone()));
    } else {
        let permits = Arc::new(Semaphore::new(in_flight as usize));
        tasks.spawn(take_all(Arc::clone(&member), intake, source, permits, automatic, losing.clone()));
        if !automatic {
            tasks.spawn(commit_all(Arc::clone(&member), worked));
        }
    }
    let asked = Arc::downgrade(&member);
    tasks.spawn(standing.clone().keep(move || {
        asked.upgrade().is_some_and(|member| member.client().fetch_metadata(Some(&queue), ASKED).is_ok())
    }));
    let consumer = KafkaConsumer { member: Mutex::new(Some(member)), tasks, standing: standing.clone(), lost: losing };
    if due {
        let given = async { changed.wait_for(|times| *times > 0).await.is_ok() };
        if tokio::time::timeout(PATIENCE, given).await != Ok(true) {
            consumer.end(None).await;
            let reason = "the group gives this member no partition".to_owned();
            return Err(TransportError::Broker { broker, reason });
        }
    }
    standing.connected(began);
    Ok(consumer)
}

/// The reading end of a link at one replica.
pub(super) struct KafkaConsumer {
    member: Mutex<Option<Member>>,
    tasks: Tasks,
    standing: Standing,
    /// Cancelled when it can read no more.
    lost: CancellationToken,
}

impl KafkaConsumer {
    async fn end(&self, error: Option<&str>) {
        let member = self.member.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(member) = member else { return };
        self.tasks.end().await;
        if error.is_some() || self.standing.is_lost() {
            member.context().give_up();
        }
        // The last of it leaves the group, which waits for the broker.
        aside(move || drop(member)).await;
        self.standing.closed(error);
    }
}

impl Consumer for KafkaConsumer {
    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.end(None))
    }

    fn reset(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.end(Some("left by a crash of this end")))
    }

    fn lost(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.lost.cancelled())
    }
}

impl Drop for KafkaConsumer {
    fn drop(&mut self) {
        self.tasks.cancel();
        let member = self.member.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let (Some(member), Ok(runtime)) = (member, Handle::try_current()) {
            runtime.spawn_blocking(move || drop(member));
        }
    }
}

/// Takes records as long as there are, and no more at once than there are permits for. It asks for the next only then, as a
/// program does that reads in a loop: its group shares out anew while it waits there.
async fn take_all(
    member: Member,
    intake: Intake,
    source: SourceId,
    permits: Arc<Semaphore>,
    automatic: bool,
    lost: CancellationToken,
) {
    let mut taken = 0;
    while let Ok(permit) = Arc::clone(&permits).acquire_owned().await {
        let record = match member.recv().await {
            Ok(record) => record,
            Err(error) => {
                tracing::debug!("a member cannot read: {error}");
                if member.client().fatal_error().is_some() {
                    return lost.cancel();
                }
                continue;
            }
        };
        taken += 1;
        let message = MessageId::new(source, taken, 1);
        let answer = take(&member, &intake, message, &record, automatic);
        let (partition, offset, member) = (record.partition(), record.offset(), Arc::downgrade(&member));
        intake.tasks().spawn(async move {
            let _permit = permit;
            let answer = answer.await;
            // Ended before it was done: who has the partition next reads it again.
            if let (Some(_), Some(member)) = (answer, member.upgrade().filter(|_| !automatic)) {
                member.context().done(partition, offset);
            }
        });
    }
}

/// Lets one record in.
pub(super) fn take(
    member: &Member,
    intake: &Intake,
    message: MessageId,
    record: &BorrowedMessage<'_>,
    automatic: bool,
) -> impl Future<Output = Option<crate::transport::Answer>> + Send + 'static {
    let reading = member.context();
    let (partition, offset) = (record.partition(), record.offset());
    let (traceparent, hs) = headers::claimed(record);
    let (trace, answer) = intake.admit(message, traceparent, hs, headers::body(record), None);
    reading.stamp(Kind::FETCHED, partition, trace, message, (offset.unsigned_abs(), 0));
    let mut held = Account::default().held(intake.recorder().clone(), trace, message);
    if automatic {
        held.ack();
        if let Err(error) = member.store_offset_from_message(record) {
            tracing::debug!("a record was taken whose partition is another's now: {error}");
        }
    } else {
        reading.take(partition, offset, held);
    }
    answer
}

/// Commits whenever something is done, and waits for the answer before the next; what the broker did not answer is committed
/// again.
async fn commit_all(member: Member, mut worked: tokio::sync::watch::Receiver<u64>) {
    while worked.changed().await.is_ok() {
        loop {
            let committing = Arc::clone(&member);
            let Some(Err(error)) = aside(move || committing.context().commit(&*committing)).await else { break };
            tracing::debug!("a member cannot commit: {error}");
            tokio::time::sleep(AGAIN).await;
            member.context().standing().stands().await;
        }
    }
}
