//! The publishing end: publishes with confirms, and, where replies are awaited, takes them from their queue.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use bytes::Bytes;
use futures_util::StreamExt as _;
use hopscope_record::kind::Admission;
use hopscope_record::{Kind, MessageId, RunKey};
use lapin::message::Delivery;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, PublisherConfirm};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::session::{Session, failed};
use super::{consumer_tag, properties};
use crate::record::Recorder;
use crate::tasks::Tasks;
use crate::transport::intake::parentage;
use crate::transport::messaging::{BrokerAddress, Outbound, RepliesFrom, Via};
use crate::transport::{Account, BoxFuture, CallError, Caller, Outgoing, Reply, TransportError, Verdict};

/// Opens the publishing end of a link.
pub(super) async fn open(outbound: Outbound, recorder: Recorder) -> Result<Arc<Publisher>, TransportError> {
    let Outbound { broker, queue, via, options: _, persistent, replies, account, copies, transactions: _ } = outbound;
    let run_key = recorder.run_key();
    let session = Session::open(&broker, recorder).await?;
    let channel = session.channel(&broker).await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(|error| failed(&broker, &error))?;
    let tasks = Tasks::new(Handle::current());
    let replies = match replies {
        Some(replies) => Some(take_replies(&session, &broker, replies, &tasks).await?),
        None => None,
    };
    let queue = queue.as_ref().into();
    Ok(Arc::new(Publisher {
        session,
        channel,
        turn: Mutex::default(),
        queue,
        via,
        copies,
        persistent,
        run_key,
        replies,
        account,
        tasks,
    }))
}

/// The publishing end of a link.
pub(super) struct Publisher {
    session: Session,
    channel: Channel,
    /// Whose turn it is to hand a message to the channel.
    turn: Mutex<()>,
    queue: ShortString,
    via: Option<Via>,
    /// How many copies of a message the run takes again.
    copies: u32,
    persistent: bool,
    run_key: RunKey,
    replies: Option<Replies>,
    account: Option<Account>,
    tasks: Tasks,
}

/// Where replies come from, and who waits for one.
struct Replies {
    queue: Arc<str>,
    waiting: Arc<Waiting>,
}

/// Who waits for a reply, by the number of the message that it answers.
#[derive(Default)]
struct Waiting(Mutex<BTreeMap<u64, oneshot::Sender<Reply>>>);

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, oneshot::Sender<Reply>>> {
        // A map cannot be left half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits. Dropped, it waits no longer.
struct Expected {
    waiting: Arc<Waiting>,
    message: u64,
    reply: oneshot::Receiver<Reply>,
}

impl Replies {
    fn expect(&self, message: MessageId) -> Expected {
        let (sender, reply) = oneshot::channel();
        self.waiting.lock().insert(message.0, sender);
        Expected { waiting: Arc::clone(&self.waiting), message: message.0, reply }
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.waiting.lock().remove(&self.message);
    }
}

impl Caller for Publisher {
    fn call(self: Arc<Self>, outgoing: Outgoing) -> BoxFuture<'static, Result<Reply, CallError>> {
        Box::pin(async move { self.publish(outgoing).await })
    }

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

    fn is_lost(&self) -> bool {
        self.session.is_lost()
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

impl Publisher {
    async fn publish(&self, outgoing: Outgoing) -> Result<Reply, CallError> {
        outgoing.carried.set(true);
        // Before it is sent: the reply may come before the confirm.
        let expected = self.replies.as_ref().map(|replies| replies.expect(outgoing.identity.message));
        let reply_to = self.replies.as_ref().map(|replies| replies.queue.as_ref());
        let headers = self.via.as_ref().map_or(&[][..], |via| &via.headers);
        let properties = properties::of(&outgoing, self.run_key, reply_to, headers, self.persistent);
        let sent = self.send(&outgoing.body, properties).await;
        let confirmation = sent.map_err(|error| broken(&error))?.await.map_err(|error| broken(&error))?;
        let returned = match confirmation {
            Confirmation::Nack(_) => return Ok(plain(Verdict::Refused)),
            Confirmation::Ack(returned) => returned,
            Confirmation::NotRequested => None,
        };
        if let (Some(returned), Some(progress)) = (&returned, &outgoing.progress) {
            progress.returned(returned.reply_code);
        }
        if let (None, Some(account)) = (&returned, &self.account) {
            (0..self.copies).for_each(|_| account.confirmed());
        }
        let Some(mut expected) = expected else { return Ok(plain(Verdict::Good)) };
        if let Some(progress) = &outgoing.progress {
            progress.confirmed();
        }
        match returned {
            Some(returned) => Err(CallError::Returned(returned.reply_text.to_string())),
            None => (&mut expected.reply).await.map_err(|_| CallError::Closed),
        }
    }

    /// Sends a message; gives what its confirm will be.
    ///
    /// lapin numbers a message and puts its frames in line in two steps, both at the first poll; the broker numbers messages
    /// as they come. Without turns, of two that are published at once each may get the confirm of the other.
    async fn send(&self, body: &[u8], properties: BasicProperties) -> lapin::Result<PublisherConfirm> {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let exchange = self.via.as_ref().map_or("", |via| &via.exchange);
        let mut sending =
            pin!(self.channel.basic_publish(exchange.into(), self.queue.clone(), options, body, properties));
        let begun = poll_fn(|context| {
            let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            Poll::Ready(sending.as_mut().poll(context))
        });
        match begun.await {
            Poll::Ready(sent) => sent,
            Poll::Pending => sending.await,
        }
    }
}

/// How a publish went that nobody replies to.
fn plain(verdict: Verdict) -> Reply {
    Reply { verdict, status: 0, body: Bytes::new(), position: None }
}

fn broken(error: &lapin::Error) -> CallError {
    CallError::Broken(error.to_string())
}

/// Begins to take replies, on a channel of their own.
async fn take_replies(
    session: &Session,
    broker: &BrokerAddress,
    replies: RepliesFrom,
    tasks: &Tasks,
) -> Result<Replies, TransportError> {
    let RepliesFrom { queue, source, recorder, account } = replies;
    let channel = session.channel(broker).await?;
    let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    let tag = consumer_tag(source);
    let consuming = channel.basic_consume(queue.as_ref().into(), tag.as_str().into(), options, FieldTable::default());
    let mut deliveries = consuming.await.map_err(|error| failed(broker, &error))?;
    let waiting = Arc::<Waiting>::default();
    let taking = Arc::clone(&waiting);
    tasks.spawn(async move {
        // The channel lives as long as what takes from it.
        let _channel = channel;
        while let Some(Ok(delivery)) = deliveries.next().await {
            let message = MessageId::new(source, delivery.delivery_tag, 1);
            take(&recorder, message, delivery, &taking);
            account.iter().for_each(Account::taken);
        }
        // Nothing more will come: nobody is to wait for it.
        taking.lock().clear();
    });
    Ok(Replies { queue, waiting })
}

/// Takes one reply and hands it to who waits for it. One that nobody waits for any more is stamped all the same.
fn take(recorder: &Recorder, message: MessageId, delivery: Delivery, waiting: &Waiting) {
    let (traceparent, hs) = properties::claimed(&delivery.properties);
    let (trace, parent) = parentage(recorder, traceparent, hs);
    let (taken, bytes) = (Admission::Taken as u64, delivery.data.len() as u64);
    recorder.record(Kind::RECEIVED, trace, message, parent, taken, bytes);
    let answered = properties::answered(&delivery.properties).and_then(|message| waiting.lock().remove(&message));
    if let Some(answered) = answered {
        // Who waited may have gone this very moment.
        let _ = answered.send(properties::reply(&delivery.properties, delivery.data.into()));
    }
}
