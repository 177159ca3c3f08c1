//! A broker that is not ours, for one run: it declares the run's queues, asks for their lengths while the run goes on, and
//! counts and takes out what is left at its end.
//!
//! What such a broker does inside is not seen. Its own word is: how many copies are ready, asked for by passive declares
//! while the run's parts publish and take, and by `basic.get` when none does any more. One that is lost may come back: its
//! queues are then declared again, before any part of the run is connected to it.

mod line;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hopscope_record::frame::EndCount;
use hopscope_record::kind::DepthReport;
use hopscope_record::trace_context::{Arrival, Identity, arriving};
use hopscope_record::{Kind, LinkIndex, MessageId, TraceId};
use lapin::Channel;
use lapin::message::BasicGetMessage;
use lapin::options::{BasicGetOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use self::line::Line;
use super::{BrokerError, Local, QueueSite, Sites};
use crate::record::Recorder;
use crate::tasks::Tasks;
use crate::timer::Timer;
use crate::transport::Account;
use crate::transport::messaging::BrokerAddress;

/// How often each queue's length is asked for.
const PROBE: Duration = Duration::from_millis(50);

/// How long a broker that was lost may stay away before the run ends: longer than a local one may take to start.
const PATIENCE: Duration = Duration::from_secs(120);

/// The first pause before it is tried again, each of the next twice the one before, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Most copies of one queue that are taken out at the end, and for how long.
const MOST_DRAINED: u32 = 10_000;
const LONGEST_DRAIN: Duration = Duration::from_secs(5);

/// A broker with the queues and exchanges of one run. Dropping it removes them behind its back.
pub struct External {
    socket: Option<SocketAddr>,
    local: Option<Local>,
    sites: Arc<Sites>,
    account: Account,
    keeper: Keeper,
    seen: watch::Receiver<Seen>,
    keeping: Tasks,
    counts: Mutex<Vec<EndCount>>,
}

/// What keeps a broker in reach.
#[derive(Clone)]
struct Keeper {
    address: BrokerAddress,
    sites: Arc<Sites>,
    recorder: Recorder,
    timer: Timer,
    /// The connection, while there is one.
    line: Arc<Mutex<Option<Arc<Line>>>>,
    /// Whether it was lost once.
    lost: Arc<AtomicBool>,
    /// Cancelled when it is given up.
    ended: CancellationToken,
}

/// So many looks in a row have to find every queue empty where copies go from queue to queue, or leave with nobody taking
/// them: one may be on its way between two of them.
const LOOKS: u32 = 3;

/// What was seen when all queues had been asked for.
#[derive(Clone, Copy, Default, Debug)]
struct Seen {
    /// In so many looks in a row no copy was ready in a queue that the run takes from.
    empty: u32,
    /// What the run's parts had counted as put before the last of them.
    put: i64,
    /// Another program took from one, at some time.
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
        local: Option<Local>,
        recorder: Recorder,
        sites: Sites,
        timer: Timer,
    ) -> Result<Self, BrokerError> {
        let sites = Arc::new(sites);
        let line = Line::open(&address, &sites).await?;
        let (sender, seen) = watch::channel(Seen::default());
        let keeper = Keeper {
            address,
            sites: Arc::clone(&sites),
            recorder,
            timer,
            line: Arc::default(),
            lost: Arc::default(),
            ended: CancellationToken::new(),
        };
        let keeping = Tasks::new(Handle::current());
        let (line, account) = (Arc::new(line), Account::default());
        *keeper.line() = Some(Arc::clone(&line));
        keeping.spawn(keeper.clone().keep(line, account.clone(), sender));
        Ok(Self { socket, local, sites, account, keeper, seen, keeping, counts: Mutex::default() })
    }

    /// Where it is reached.
    pub(super) fn address(&self) -> BrokerAddress {
        self.keeper.address.clone()
    }

    /// Its address of numbers, where it is known.
    pub(super) const fn socket(&self) -> Option<SocketAddr> {
        self.socket
    }

    /// The one that Hopscope started, if it is that.
    pub(super) const fn local(&self) -> Option<&Local> {
        self.local.as_ref()
    }

    /// What the ends of links count together.
    pub(super) const fn account(&self) -> &Account {
        &self.account
    }

    /// Whether it is there now, with the run's queues.
    pub(super) fn is_there(&self) -> bool {
        self.keeper.line().is_some()
    }

    /// Whether the queues that the run takes from were empty when they were last asked for, and nothing of them is with a
    /// consumer.
    pub(super) fn is_empty(&self) -> bool {
        let Seen { empty, put, shared } = *self.seen.borrow();
        // What the run's parts count tells how many there are, where copies go no way but to them.
        let free = |queue: &QueueSite| queue.declared.loses() || queue.declared.buries();
        let by_looks = shared
            || self.account.is_unsure()
            || self.keeper.lost.load(Ordering::Acquire)
            || self.sites.queues.iter().any(free);
        let settled = if by_looks {
            // What was put since may have been where none of them looked.
            empty >= LOOKS && put == self.account.put()
        } else {
            empty > 0 && self.account.copies() <= 0
        };
        (settled && self.account.deliveries() == 0) || self.keeper.ended.is_cancelled()
    }

    /// Resolves when they are.
    pub(super) async fn empty(&self) {
        let mut seen = self.seen.clone();
        while !self.is_empty() {
            tokio::select! {
                changed = seen.changed() => if changed.is_err() { return },
                () = self.keeper.ended.cancelled() => return,
            }
        }
    }

    /// Resolves when it is reached no more.
    pub(super) async fn ended(&self) {
        self.keeper.ended.cancelled().await;
    }

    /// Asks for no lengths any more.
    pub(super) async fn close(&self) {
        self.keeping.end().await;
    }

    /// When none of the run's parts is connected any more: asks for each queue's length once more, takes out what is left,
    /// one copy after the other, and removes the queues.
    pub(super) async fn settle(&self) {
        // Of a broker that is not there nothing can be counted; what is durable there expires.
        let Some(line) = self.keeper.line().take() else { return };
        for queue in self.sites.queues.iter() {
            if queue.declared.is_stream() {
                // Nothing can be taken out of it; how long it is, is asked for all the same.
                let asked = ask(&line.channel, queue, &self.keeper.recorder.at(queue.place, LinkIndex::NONE)).await;
                let _ = asked.inspect_err(|error| tracing::debug!("the stream {} does not say: {error}", queue.name));
                continue;
            }
            match self.drain(&line.channel, queue).await {
                Ok(ready) => self.counted().push(EndCount::ready(queue.place, ready.into())),
                Err(error) => tracing::debug!("the queue {} cannot be counted: {error}", queue.name),
            }
        }
        line.remove(&self.sites, "the run is over").await;
    }

    /// Ready copies of each queue at the end.
    pub(super) fn counts(&self) -> Vec<EndCount> {
        self.counted().clone()
    }

    fn counted(&self) -> MutexGuard<'_, Vec<EndCount>> {
        // A list cannot be left half changed.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn drain(&self, channel: &Channel, queue: &QueueSite) -> lapin::Result<u32> {
        let recorder = self.keeper.recorder.at(queue.place, LinkIndex::NONE);
        let began = Instant::now();
        let ready = ask(channel, queue, &recorder).await?.ready;
        for _ in 0..MOST_DRAINED.min(ready) {
            let asked = recorder.now();
            let taken = channel.basic_get(queue.name.as_ref().into(), BasicGetOptions { no_ack: true }).await?;
            let Some(taken) = taken else { break };
            took(&recorder, asked, &taken);
            if began.elapsed() > LONGEST_DRAIN {
                break;
            }
        }
        Ok(ready)
    }
}

impl Keeper {
    fn line(&self) -> MutexGuard<'_, Option<Arc<Line>>> {
        // It is put and taken whole.
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for the queues' lengths as long as there is a connection, and connects again when there is none.
    async fn keep(self, first: Arc<Line>, account: Account, seen: watch::Sender<Seen>) {
        let mut line = first;
        loop {
            tokio::select! {
                () = line.lost() => {}
                // One that fails is as good as lost.
                _ = probe(&line.probes, &self.sites.queues, &self.recorder, &account, &seen) => {}
            }
            self.lost.store(true, Ordering::Release);
            seen.send_modify(|seen| seen.empty = 0);
            self.line().take();
            let Some(again) = self.again().await else { return self.ended.cancel() };
            line = Arc::new(again);
            *self.line() = Some(Arc::clone(&line));
        }
    }

    /// Connects again, with the queues declared; `None` when it was away for too long.
    async fn again(&self) -> Option<Line> {
        let tried = async {
            let mut pause = FIRST_PAUSE;
            loop {
                self.timer.after(pause).await;
                pause = LONGEST_PAUSE.min(pause * 2);
                match Line::open(&self.address, &self.sites).await {
                    Ok(line) => return line,
                    Err(error) => tracing::debug!("the broker is not there again yet: {error}"),
                }
            }
        };
        tokio::select! {
            line = tried => Some(line),
            () = self.timer.after(PATIENCE) => None,
        }
    }
}

impl Drop for External {
    fn drop(&mut self) {
        self.keeping.cancel();
        let Some(line) = self.keeper.line().take() else { return };
        let sites = Arc::clone(&self.sites);
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { line.remove(&sites, "the run did not start").await });
        }
    }
}

/// Stamps that a copy was taken out, and how many are left.
fn took(recorder: &Recorder, asked: i64, taken: &BasicGetMessage) {
    let (traceparent, hs) = crate::transport::claimed(&taken.properties);
    let (trace, publish) = match arriving(recorder.run_key(), traceparent, hs, |_| false) {
        Arrival::Itself(Identity { trace, message, .. }) => (trace, message),
        Arrival::Child { trace, parent } => (trace, parent),
        Arrival::Root => recorder.mint_root(),
    };
    let report = DepthReport { ready: taken.message_count, consumers: 0 };
    report_depth(recorder, asked, report, trace, publish);
}

/// Asks for the length of each queue again and again; ends with the broker.
async fn probe(
    channel: &Channel,
    queues: &[QueueSite],
    recorder: &Recorder,
    account: &Account,
    sender: &watch::Sender<Seen>,
) -> lapin::Result<()> {
    let mut ticks = tokio::time::interval(PROBE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let Seen { put: mut before, mut shared, .. } = *sender.borrow();
    let mut looks = 0;
    loop {
        ticks.tick().await;
        let (mut empty, put) = (true, account.put());
        for queue in queues {
            let report = ask(channel, queue, &recorder.at(queue.place, LinkIndex::NONE)).await?;
            empty &= report.ready == 0 || !queue.taken || queue.declared.is_stream();
            shared |= report.consumers > queue.consumers;
        }
        looks = match empty {
            false => 0,
            true if put == before => looks + 1,
            true => 1,
        };
        before = put;
        sender.send_replace(Seen { empty: looks, put, shared });
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
