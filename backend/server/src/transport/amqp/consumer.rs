//! The taking end: deliveries go to the replica as they come, as many at once as the prefetch allows.

use std::sync::Arc;

use futures_util::StreamExt as _;
use hopscope_record::{Kind, MessageId, SourceId};
use hopscope_scenario::model::AckTime;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions};
use lapin::types::{AMQPValue, FieldTable};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::session::{Session, failed};
use super::{consumer_tag, properties};
use crate::tasks::Tasks;
use crate::transport::account::{Account, Held};
use crate::transport::messaging::{Consumer, Inbound, Stream};
use crate::transport::{BoxFuture, Intake, TransportError, Verdict};

/// Begins to take from a queue.
pub(super) async fn open(inbound: Inbound, intake: Intake) -> Result<AmqpConsumer, TransportError> {
    let Inbound { broker, queue, source, prefix, prefetch, ack, account, stream, .. } = inbound;
    let session = Session::open(&broker, intake.recorder().clone()).await?;
    let channel = session.channel(&broker).await?;
    let limit = channel.basic_qos(prefetch, BasicQosOptions::default()).await;
    limit.map_err(|error| failed(&broker, &error))?;
    let tag = consumer_tag(source);
    let options = BasicConsumeOptions::default();
    let from = stream.as_ref().map_or_else(FieldTable::default, from);
    let consuming = channel.basic_consume(queue.as_ref().into(), tag.as_str().into(), options, from);
    let mut deliveries = consuming.await.map_err(|error| failed(&broker, &error))?;
    let (tasks, lost) = (Tasks::new(Handle::current()), session.losing());
    // One that is started again reads a stream from its beginning: nobody then knows how many are left to it.
    let counts = account.clone().filter(|_| stream.is_some());
    let taker = Taker { intake, source, prefix, ack, account, stream, lost };
    tasks.spawn(async move {
        // The channel lives as long as what takes from it.
        let _channel = channel;
        while let Some(Ok(delivery)) = deliveries.next().await {
            taker.take(delivery).await;
        }
    });
    Ok(AmqpConsumer { session, tasks, counts })
}

/// Where a stream is read from.
fn from(stream: &Stream) -> FieldTable {
    let mut arguments = FieldTable::default();
    let offset = i64::try_from(stream.begin()).unwrap_or(i64::MAX);
    arguments.insert("x-stream-offset".into(), AMQPValue::LongLongInt(offset));
    arguments
}

/// The taking end of a link at one replica.
pub(super) struct AmqpConsumer {
    session: Session,
    tasks: Tasks,
    /// Where copies are counted of the stream that it reads, where it is one.
    counts: Option<Account>,
}

impl Consumer for AmqpConsumer {
    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.tasks.end().await;
            self.session.close().await;
        })
    }

    fn reset(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.counts.iter().for_each(Account::lose_track);
            // First the socket: what is let go of before would still say so to the broker.
            self.session.reset().await;
            self.tasks.end().await;
        })
    }

    fn lost(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.session.lost())
    }
}

impl Drop for AmqpConsumer {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

/// What takes deliveries.
struct Taker {
    intake: Intake,
    source: SourceId,
    /// What the names of the run's queues begin with.
    prefix: Arc<str>,
    ack: AckTime,
    account: Option<Account>,
    /// How far it has come, where it reads a stream.
    stream: Option<Stream>,
    /// Cancelled when the connection is lost.
    lost: CancellationToken,
}

impl Taker {
    /// Lets one delivery in, and has it settled when it is time. A settlement that cannot be sent any more needs no word: the
    /// connection has ended, which is stamped, and the queue has the copy back.
    async fn take(&self, delivery: Delivery) {
        let Self { intake, source, prefix, ack, account, stream, lost } = self;
        let (ack, lost) = (*ack, lost.clone());
        let Delivery { delivery_tag, redelivered, properties, data, acker, .. } = delivery;
        let message = MessageId::new(*source, delivery_tag, 1);
        let (traceparent, hs) = properties::claimed(&properties);
        // What nobody of ours has sent was not counted when it was put.
        if hs.is_none() {
            account.iter().for_each(|account| account.lose_track());
        }
        let (body, reply_to) = (properties::body(&properties, data.into()), properties::reply_to(&properties));
        let (trace, answer) = intake.admit(message, traceparent, hs, body, reply_to);
        let deaths = properties::deaths(&properties);
        let named =
            deaths.iter().map(|(queue, deaths)| (queue.strip_prefix(prefix.as_ref()).unwrap_or(queue), *deaths));
        intake.told(trace, message, named, redelivered);
        let read = stream.clone().zip(properties::offset(&properties));
        if let Some((stream, offset)) = &read {
            stream.took(*offset);
            let recorder = intake.recorder().at(stream.place(), intake.recorder().link());
            recorder.record(Kind::FETCHED, trace, message, MessageId::NONE, *offset, 0);
        }
        let mut held = account.as_ref().map(|account| account.held(intake.recorder().clone(), trace, message));
        if ack == AckTime::BeforeWork {
            read.iter().for_each(|(stream, offset)| stream.settled(*offset));
            held.iter_mut().for_each(Held::ack);
            let _ = acker.ack(BasicAckOptions::default()).await;
        }
        intake.tasks().spawn(async move {
            let answer = answer.await;
            // The broker has it back, and hears nothing of it any more.
            if lost.is_cancelled() {
                return;
            }
            match (ack, answer.map(|answer| answer.verdict)) {
                // Ended before it was done: the queue has it back when the connection closes.
                (AckTime::BeforeWork, _) | (AckTime::AfterWork, None) => {}
                // A stream has no place to put it back, nor another to send it to.
                (AckTime::AfterWork, Some(verdict)) if verdict == Verdict::Good || read.is_some() => {
                    read.iter().for_each(|(stream, offset)| stream.settled(*offset));
                    held.iter_mut().for_each(Held::ack);
                    let _ = acker.ack(BasicAckOptions::default()).await;
                }
                (AckTime::AfterWork, Some(_)) => {
                    held.iter_mut().for_each(Held::reject);
                    let _ = acker.reject(BasicRejectOptions { requeue: false }).await;
                }
            }
        });
    }
}
