//! A broker that is not ours, for one run: it declares the run's queues, asks for their lengths while the run goes on, and
//! counts and takes out what is left at its end.
//!
//! What such a broker does inside is not seen. Its own word is: how many copies are ready, asked for by passive declares
//! while the run's parts publish and take, and by `basic.get` when none does any more.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use hopscope_record::frame::EndCount;
use hopscope_record::kind::DepthReport;
use hopscope_record::trace_context::{Arrival, Identity, arriving};
use hopscope_record::{Kind, LinkIndex, MessageId, TraceId};
use lapin::message::BasicGetMessage;
use lapin::options::{BasicGetOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ConnectionProperties};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::{BrokerError, Declared, QueueSite};
use crate::record::Recorder;
use crate::tasks::Tasks;
use crate::transport::Account;
use crate::transport::messaging::BrokerAddress;

/// How often each queue's length is asked for.
const PROBE: Duration = Duration::from_millis(50);

/// After how long a queue that nobody uses may be removed by its broker: where Hopscope was killed and could not.
const EXPIRES_MS: i64 = 600_000;

/// Most copies of one queue that are taken out at the end, and for how long.
const MOST_DRAINED: u32 = 10_000;
const LONGEST_DRAIN: Duration = Duration::from_secs(5);

/// AMQP's reply code of a close that is no error.
const REPLY_SUCCESS: u16 = 200;

/// A broker with the queues of one run. Dropping it removes them behind its back.
pub struct External {
    address: BrokerAddress,
    socket: Option<SocketAddr>,
    connection: Arc<Connection>,
    channel: Channel,
    queues: Arc<Vec<QueueSite>>,
    recorder: Recorder,
    account: Account,
    seen: watch::Receiver<Seen>,
    probing: Tasks,
    /// Cancelled when it is reached no more.
    ended: CancellationToken,
    counts: Mutex<Vec<EndCount>>,
}

/// So many looks in a row have to find every queue empty where copies go from queue to queue, or leave with nobody taking
/// them: one may be on its way between two of them.
const LOOKS: u32 = 3;

/// What was seen when all queues had been asked for.
#[derive(Clone, Copy, Default, Debug)]
struct Seen {
    /// In so many looks in a row no copy was ready in a queue that the run takes from.
    empty: u32,
    /// Another program took from one.
    shared: bool,
}

impl External {
    /// Connects and declares the queues; their lengths are stamped in `recorder`'s recording from then on.
    ///
    /// # Errors
    /// When the broker does not let us in, or refuses a queue.
    pub(super) async fn start(
        address: BrokerAddress,
        socket: Option<SocketAddr>,
        recorder: Recorder,
        queues: Vec<QueueSite>,
    ) -> Result<Self, BrokerError> {
        let unreachable = |error: lapin::Error| BrokerError::unreachable(&address, &error);
        let properties = ConnectionProperties::default().with_connection_name("hopscope".into());
        let connection = Connection::connect(address.with_password(), properties).await.map_err(unreachable)?;
        let (ended, probing) = (CancellationToken::new(), Tasks::new(Handle::current()));
        let (mut events, gone) = (Box::pin(connection.events_listener()), ended.clone());
        probing.spawn(async move {
            while let Some(event) = events.next().await {
                if let lapin::Event::Error(_) = event {
                    gone.cancel();
                }
            }
        });
        let channel = connection.create_channel().await.map_err(unreachable)?;
        let (sender, seen) = watch::channel(Seen::default());
        let broker = Self {
            socket,
            connection: Arc::new(connection),
            channel,
            queues: Arc::new(queues),
            recorder,
            account: Account::default(),
            seen,
            probing,
            ended,
            counts: Mutex::default(),
            address: address.clone(),
        };
        for queue in broker.queues.iter() {
            let options = QueueDeclareOptions { durable: queue.declared.durable(), ..QueueDeclareOptions::default() };
            let (name, arguments) = (queue.name.as_ref().into(), arguments(&queue.declared));
            let declared = broker.channel.queue_declare(name, options, arguments).await;
            let refused = |error: lapin::Error| BrokerError::refused(&queue.name, &error);
            declared.map_err(refused)?;
        }
        let probes = broker.connection.create_channel().await.map_err(unreachable)?;
        let (asked, recorder, gone) = (Arc::clone(&broker.queues), broker.recorder.clone(), broker.ended.clone());
        broker.probing.spawn(async move {
            if probe(&probes, &asked, &recorder, &sender).await.is_err() {
                gone.cancel();
            }
        });
        Ok(broker)
    }

    /// Where it is reached.
    pub(super) fn address(&self) -> BrokerAddress {
        self.address.clone()
    }

    /// Its address of numbers, where it is known.
    pub(super) const fn socket(&self) -> Option<SocketAddr> {
        self.socket
    }

    /// What the ends of links count together.
    pub(super) const fn account(&self) -> &Account {
        &self.account
    }

    /// Whether the queues that the run takes from were empty when they were last asked for, and nothing of them is with a
    /// consumer.
    pub(super) fn is_empty(&self) -> bool {
        let Seen { empty, shared } = *self.seen.borrow();
        // What the run's parts count tells how many there are, where copies go no way but to them.
        let by_looks = shared || self.queues.iter().any(|queue| queue.declared.loses() || queue.declared.buries());
        let settled = if by_looks { empty >= LOOKS } else { empty > 0 && self.account.copies() <= 0 };
        (settled && self.account.deliveries() == 0) || self.ended.is_cancelled()
    }

    /// Resolves when they are.
    pub(super) async fn empty(&self) {
        let mut seen = self.seen.clone();
        while !self.is_empty() {
            tokio::select! {
                changed = seen.changed() => if changed.is_err() { return },
                () = self.ended.cancelled() => return,
            }
        }
    }

    /// Resolves when it is reached no more.
    pub(super) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// Asks for no lengths any more.
    pub(super) async fn close(&self) {
        self.probing.end().await;
    }

    /// When none of the run's parts is connected any more: asks for each queue's length once more, takes out what is left,
    /// one copy after the other, and removes the queues.
    pub(super) async fn settle(&self) {
        for queue in self.queues.iter() {
            match self.drain(queue).await {
                Ok(ready) => self.lock().push(EndCount::ready(queue.place, ready.into())),
                // Of a broker that has gone nothing can be counted.
                Err(error) => tracing::debug!("the queue {} cannot be counted: {error}", queue.name),
            }
        }
        remove(&self.channel, &self.queues).await;
        let _ = self.connection.close(REPLY_SUCCESS, "the run is over".into()).await;
    }

    /// Ready copies of each queue at the end.
    pub(super) fn counts(&self) -> Vec<EndCount> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<EndCount>> {
        // A list cannot be left half changed.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn drain(&self, queue: &QueueSite) -> lapin::Result<u32> {
        let recorder = self.recorder.at(queue.place, LinkIndex::NONE);
        let began = Instant::now();
        let ready = ask(&self.channel, queue, &recorder).await?.ready;
        for _ in 0..MOST_DRAINED.min(ready) {
            let asked = recorder.now();
            let taken = self.channel.basic_get(queue.name.as_ref().into(), BasicGetOptions { no_ack: true }).await?;
            let Some(taken) = taken else { break };
            self.took(&recorder, asked, &taken);
            if began.elapsed() > LONGEST_DRAIN {
                break;
            }
        }
        Ok(ready)
    }

    /// Stamps that a copy was taken out, and how many are left.
    fn took(&self, recorder: &Recorder, asked: i64, taken: &BasicGetMessage) {
        let (traceparent, hs) = crate::transport::claimed(&taken.properties);
        let (trace, publish) = match arriving(recorder.run_key(), traceparent, hs, |_| false) {
            Arrival::Itself(Identity { trace, message, .. }) => (trace, message),
            Arrival::Child { trace, parent } => (trace, parent),
            Arrival::Root => recorder.mint_root(),
        };
        let report = DepthReport { ready: taken.message_count, consumers: 0 };
        report_depth(recorder, asked, report, trace, publish);
    }
}

impl Drop for External {
    fn drop(&mut self) {
        self.probing.cancel();
        if !self.connection.status().connected() {
            return;
        }
        let (connection, channel, queues) =
            (Arc::clone(&self.connection), self.channel.clone(), Arc::clone(&self.queues));
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                remove(&channel, &queues).await;
                let _ = connection.close(REPLY_SUCCESS, "the run did not start".into()).await;
            });
        }
    }
}

/// Removes the queues. One that cannot be removed now is by its broker later.
async fn remove(channel: &Channel, queues: &[QueueSite]) {
    for queue in queues {
        let _ = channel.queue_delete(queue.name.as_ref().into(), QueueDeleteOptions::default()).await;
    }
}

/// Asks for the length of each queue again and again; ends with the broker.
async fn probe(
    channel: &Channel,
    queues: &[QueueSite],
    recorder: &Recorder,
    sender: &watch::Sender<Seen>,
) -> lapin::Result<()> {
    let mut ticks = tokio::time::interval(PROBE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looks = 0;
    loop {
        ticks.tick().await;
        let (mut empty, mut shared) = (true, false);
        for queue in queues {
            let report = ask(channel, queue, &recorder.at(queue.place, LinkIndex::NONE)).await?;
            empty &= report.ready == 0 || !queue.taken;
            shared |= report.consumers > queue.consumers;
        }
        looks = if empty { looks + 1 } else { 0 };
        sender.send_replace(Seen { empty: looks, shared });
    }
}

/// Asks for the length of a queue, and stamps the answer.
async fn ask(channel: &Channel, queue: &QueueSite, recorder: &Recorder) -> lapin::Result<DepthReport> {
    let asked = recorder.now();
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let answer = channel.queue_declare(queue.name.as_ref().into(), passive, FieldTable::default()).await?;
    let report = DepthReport { ready: answer.message_count(), consumers: answer.consumer_count() };
    report_depth(recorder, asked, report, TraceId::NONE, MessageId::NONE);
    Ok(report)
}

fn report_depth(recorder: &Recorder, asked: i64, report: DepthReport, trace: TraceId, taken: MessageId) {
    let took = recorder.now().saturating_sub(asked).unsigned_abs();
    recorder.record(Kind::DEPTH_REPORTED, trace, MessageId::NONE, taken, report.to_value(), took);
}

/// How a queue is declared: as its node says, and to go when nobody uses it.
fn arguments(declared: &Declared) -> FieldTable {
    let mut arguments = declared.arguments();
    arguments.insert("x-expires".into(), AMQPValue::LongLongInt(EXPIRES_MS));
    arguments
}
