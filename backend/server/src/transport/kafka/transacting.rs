//! Reading in transactions: a member takes up to so many records as its link says, and what they and all that was published for them is
//! committed together when the work on them is done, or not at all.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use hopscope_record::{Kind, MessageId, SourceId, TraceId};
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::producer::Producer as _;
use rdkafka::topic_partition_list::Offset;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::aside;
use super::consumer::{Member, take};
use super::transactions::Transacting;
use crate::transport::Intake;

/// How long the broker may take to answer before it is asked again: who waits is told to end between two questions.
const PATIENCE: Duration = Duration::from_secs(1);

/// Why a transaction is given up.
const ENDED: &str = "the member ended before its work was done";
const TORN: &str = "a publish in it failed";
const REVOKED: &str = "the member had to give up a partition";

/// What became of a question to the broker.
enum Fault {
    /// The transaction has to be given up.
    Abort(String),
    /// The producer can go on no more.
    Lost(String),
}

/// One transaction after the other, each with up to `most` records; cancels `lost` when there can be no other.
pub(super) async fn transact_all(
    member: Member,
    intake: Intake,
    source: SourceId,
    most: usize,
    transacting: Arc<Transacting>,
    lost: CancellationToken,
) {
    let mut taker = Taker { member, intake, source, transacting, taken: 0 };
    loop {
        let ended = taker.transact(most).await;
        match ended {
            Ok(()) => {}
            Err(Fault::Abort(reason)) => tracing::debug!("a transaction was given up: {reason}"),
            Err(Fault::Lost(reason)) => {
                tracing::debug!("a member can transact no more: {reason}");
                taker.transacting.lose();
                return lost.cancel();
            }
        }
    }
}

/// Who takes records in transactions.
struct Taker {
    member: Member,
    intake: Intake,
    source: SourceId,
    transacting: Arc<Transacting>,
    /// How many records it has taken.
    taken: u64,
}

/// The work on one record: whether it was done.
type Work = oneshot::Receiver<()>;

impl Taker {
    /// One transaction, from its first record to its end.
    async fn transact(&mut self, most: usize) -> Result<(), Fault> {
        let member = Arc::clone(&self.member);
        let first = loop {
            match member.recv().await {
                Ok(record) => break record,
                Err(error) => self.cannot_read(&error)?,
            }
        };
        let began = Instant::now();
        self.transacting.begin().map_err(|error| Fault::Lost(error.to_string()))?;
        let (mut works, mut count, mut whole) = (FuturesUnordered::new(), 1, true);
        works.push(self.take(&first));
        // As long as something is at work, what comes meanwhile is taken with it.
        loop {
            tokio::select! {
                biased;
                Some(done) = works.next() => {
                    whole &= done.is_ok();
                    if works.is_empty() {
                        break;
                    }
                }
                record = member.recv(), if count < most && whole => match record {
                    Ok(record) => {
                        count += 1;
                        works.push(self.take(&record));
                    }
                    Err(error) => self.cannot_read(&error)?,
                },
            }
        }
        let spans = member.context().spans();
        let ended = if !whole {
            Err(Fault::Abort(ENDED.to_owned()))
        } else if member.context().take_torn() {
            Err(Fault::Abort(REVOKED.to_owned()))
        } else if self.transacting.is_torn() {
            Err(Fault::Abort(TORN.to_owned()))
        } else {
            self.commit(&spans, count, began).await
        };
        if let Err(fault) = ended {
            self.give_up(fault, &spans, count).await?;
        }
        if !whole {
            // Its program ends: it takes nothing more.
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    fn cannot_read(&self, error: &KafkaError) -> Result<(), Fault> {
        tracing::debug!("a member cannot read: {error}");
        match self.member.client().fatal_error() {
            Some((_, reason)) => Err(Fault::Lost(reason)),
            None => Ok(()),
        }
    }

    /// Lets a record in, and has it worked on.
    fn take(&mut self, record: &BorrowedMessage<'_>) -> Work {
        self.taken += 1;
        let message = MessageId::new(self.source, self.taken, 1);
        let answer = take(&self.member, &self.intake, message, record, false);
        let (partition, offset, member) = (record.partition(), record.offset(), Arc::downgrade(&self.member));
        let (tell, told) = oneshot::channel();
        self.intake.tasks().spawn(async move {
            if let (Some(_), Some(member)) = (answer.await, member.upgrade()) {
                member.context().done(partition, offset);
                // Who waits may have ended.
                let _ = tell.send(());
            }
        });
        told
    }

    /// Commits what was taken with what was published for it.
    async fn commit(&self, spans: &[(i32, i64, i64)], count: usize, began: Instant) -> Result<(), Fault> {
        let offsets = self.member.context().offsets(spans).map_err(|error| fault(&error))?;
        let (member, sent) = (Arc::clone(&self.member), offsets.clone());
        self.ask(move |producer| match member.group_metadata() {
            Some(group) => producer.send_offsets_to_transaction(&sent, &group, PATIENCE),
            None => Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::UnknownMemberId)),
        })
        .await?;
        self.member.context().acknowledge();
        let committing = Instant::now();
        self.ask(|producer| producer.commit_transaction(PATIENCE)).await?;
        self.member.context().committed(&offsets, ns(committing));
        self.stamp(Kind::TRANSACTION_COMMITTED, count, ns(began));
        Ok(())
    }

    /// Gives the transaction up: what was taken is taken again.
    async fn give_up(&self, fault: Fault, spans: &[(i32, i64, i64)], count: usize) -> Result<(), Fault> {
        let (Fault::Abort(reason) | Fault::Lost(reason)) = &fault;
        self.stamp(Kind::TRANSACTION_ABORTED, count, self.intake.recorder().name(reason));
        tracing::debug!("a transaction is given up: {reason}");
        self.member.context().put_back();
        if matches!(fault, Fault::Lost(_)) {
            return Err(fault);
        }
        self.ask(|producer| producer.abort_transaction(PATIENCE)).await.map_err(|fault| match fault {
            Fault::Abort(reason) | Fault::Lost(reason) => Fault::Lost(reason),
        })?;
        let (member, firsts): (_, Vec<_>) =
            (Arc::clone(&self.member), spans.iter().map(|(partition, first, _)| (*partition, *first)).collect());
        let back = aside(move || {
            for (partition, first) in firsts {
                // A partition that is another's now is that one's to read.
                if let Err(error) = member.seek(member.context().topic(), partition, Offset::Offset(first), PATIENCE) {
                    tracing::debug!("a member cannot go back in partition {partition}: {error}");
                }
            }
        });
        back.await.ok_or_else(|| Fault::Lost("librdkafka has failed".to_owned()))
    }

    /// Asks the broker until it has answered.
    async fn ask(
        &self,
        question: impl FnOnce(&rdkafka::producer::FutureProducer<super::standing::Ends>) -> KafkaResult<()>
        + Clone
        + Send
        + 'static,
    ) -> Result<(), Fault> {
        loop {
            let (transacting, question) = (Arc::clone(&self.transacting), question.clone());
            match aside(move || question(transacting.producer())).await {
                Some(Ok(())) => return Ok(()),
                Some(Err(KafkaError::Transaction(error))) if error.is_retriable() => {}
                Some(Err(error)) => return Err(fault(&error)),
                None => return Err(Fault::Lost("librdkafka has failed".to_owned())),
            }
        }
    }

    fn stamp(&self, kind: Kind, count: usize, b: u64) {
        self.intake.recorder().record(kind, TraceId::NONE, MessageId::NONE, MessageId::NONE, count as u64, b);
    }
}

fn fault(error: &KafkaError) -> Fault {
    match error {
        KafkaError::Transaction(said) if !said.txn_requires_abort() => Fault::Lost(error.to_string()),
        _ => Fault::Abort(error.to_string()),
    }
}

fn ns(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
