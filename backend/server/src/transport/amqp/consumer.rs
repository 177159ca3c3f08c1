//! The taking end: deliveries go to the replica as they come, as many at once as the prefetch allows.

use futures_util::StreamExt as _;
use hopscope_record::{MessageId, SourceId};
use hopscope_scenario::model::AckTime;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions};
use lapin::types::FieldTable;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::session::{Session, failed};
use super::{consumer_tag, properties};
use crate::tasks::Tasks;
use crate::transport::account::{Account, Held};
use crate::transport::messaging::{Consumer, Inbound};
use crate::transport::{BoxFuture, Intake, TransportError, Verdict};

/// Begins to take from a queue.
pub(super) async fn open(inbound: Inbound, intake: Intake) -> Result<AmqpConsumer, TransportError> {
    let Inbound { broker, queue, options: _, group: _, source, prefix, prefetch, ack, account, transactions: _ } =
        inbound;
    let session = Session::open(&broker, intake.recorder().clone()).await?;
    let channel = session.channel(&broker).await?;
    let limit = channel.basic_qos(prefetch, BasicQosOptions::default()).await;
    limit.map_err(|error| failed(&broker, &error))?;
    let tag = consumer_tag(source);
    let options = BasicConsumeOptions::default();
    let consuming = channel.basic_consume(queue.as_ref().into(), tag.as_str().into(), options, FieldTable::default());
    let mut deliveries = consuming.await.map_err(|error| failed(&broker, &error))?;
    let (tasks, lost) = (Tasks::new(Handle::current()), session.losing());
    tasks.spawn(async move {
        // The channel lives as long as what takes from it.
        let _channel = channel;
        while let Some(Ok(delivery)) = deliveries.next().await {
            take(&intake, source, &prefix, ack, account.as_ref(), lost.clone(), delivery).await;
        }
    });
    Ok(AmqpConsumer { session, tasks })
}

/// The taking end of a link at one replica.
pub(super) struct AmqpConsumer {
    session: Session,
    tasks: Tasks,
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

/// Lets one delivery in, and has it settled when it is time. A settlement that cannot be sent any more needs no word: the
/// connection has ended, which is stamped, and the queue has the copy back.
async fn take(
    intake: &Intake,
    source: SourceId,
    prefix: &str,
    ack: AckTime,
    account: Option<&Account>,
    lost: CancellationToken,
    delivery: Delivery,
) {
    let Delivery { delivery_tag, redelivered, properties, data, acker, .. } = delivery;
    let message = MessageId::new(source, delivery_tag, 1);
    let (traceparent, hs) = properties::claimed(&properties);
    // What nobody of ours has sent was not counted when it was put.
    if hs.is_none() {
        account.iter().for_each(|account| account.lose_track());
    }
    let (body, reply_to) = (properties::body(&properties, data.into()), properties::reply_to(&properties));
    let (trace, answer) = intake.admit(message, traceparent, hs, body, reply_to);
    let deaths = properties::deaths(&properties);
    let named = deaths.iter().map(|(queue, deaths)| (queue.strip_prefix(prefix).unwrap_or(queue), *deaths));
    intake.told(trace, message, named, redelivered);
    let mut held = account.map(|account| account.held(intake.recorder().clone(), trace, message));
    if ack == AckTime::BeforeWork {
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
            (AckTime::AfterWork, Some(Verdict::Good)) => {
                held.iter_mut().for_each(Held::ack);
                let _ = acker.ack(BasicAckOptions::default()).await;
            }
            (AckTime::AfterWork, Some(Verdict::Failed | Verdict::Refused)) => {
                held.iter_mut().for_each(Held::reject);
                let _ = acker.reject(BasicRejectOptions { requeue: false }).await;
            }
        }
    });
}
