//! Both ends of a queue on one transport, with a broker between them and a recording in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use hopscope_record::decoder::Framing;
use hopscope_record::frame::{EndCount, EndReason};
use hopscope_record::kind::{QueueStep, Stamper};
use hopscope_record::{Event, Kind, LinkIndex, MessageId, PlaceIndex};
use hopscope_scenario::model::{AckTime, Content};
use hopscope_scenario::plan::Broker;
use hopscope_server::broker::{Brokers, Declared, QueueSite, RunBroker, Sites};
use hopscope_server::link::{Call, Link, LinkError, Policy};
use hopscope_server::record::{EndInfo, Memory, Recording, RecordingOptions, new_run_key};
use hopscope_server::tasks::Tasks;
use hopscope_server::timer::Timer;
use hopscope_server::transport::messaging::{Consumer, Inbound, Messaging, Outbound, RepliesFrom};
use hopscope_server::transport::{Answers, Body, BoxFuture, Handler, Intake, Options, Reply, Request, Verdict};
use hopscope_tests::recording::Recorded;
use tokio::runtime::Handle;

/// Where messages come from.
pub(crate) const CLIENT: PlaceIndex = PlaceIndex(0);
/// The queue of requests.
pub(crate) const REQUESTS: PlaceIndex = PlaceIndex(1);
/// Where messages are worked on.
pub(crate) const WORKER: PlaceIndex = PlaceIndex(2);
/// The queue of replies.
pub(crate) const REPLIES: PlaceIndex = PlaceIndex(3);
/// From the client into the queue of requests.
pub(crate) const PUBLISH: LinkIndex = LinkIndex(0);
/// From there to the worker.
pub(crate) const TAKE: LinkIndex = LinkIndex(1);
/// From the worker into the queue of replies.
pub(crate) const ANSWER: LinkIndex = LinkIndex(2);
/// From there to the client.
pub(crate) const RETURN: LinkIndex = LinkIndex(3);

/// What a case is run on.
#[derive(Clone)]
pub(crate) struct Venue {
    /// The transport.
    pub(crate) transport: &'static dyn Messaging,
    /// Where the RabbitMQ of Hopscope's own comes from; without it, the broker is the built-in one.
    pub(crate) rabbitmq: Option<Brokers>,
}

/// How a rig is built.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// Whether the client awaits replies.
    pub(crate) replies: bool,
    /// Most ready requests.
    pub(crate) capacity: Option<u32>,
    /// How many requests the worker may hold.
    pub(crate) prefetch: u16,
    /// The client's policy.
    pub(crate) policy: Policy,
}

/// A client that awaits replies and waits for ever, an unlimited queue, a worker of 64.
pub(crate) const CALM: Shape =
    Shape { replies: true, capacity: None, prefetch: 64, policy: Policy { timeout: None, retry: None } };

/// Both ends of a queue.
pub(crate) struct Rig {
    transport: &'static dyn Messaging,
    /// The names of the two queues at the broker, which others may use too.
    pub(crate) queues: [Arc<str>; 2],
    recording: Recording,
    memory: Memory,
    /// The broker between them.
    pub(crate) broker: Arc<RunBroker>,
    /// The client's end.
    pub(crate) link: Arc<Link>,
    answers: Arc<Link>,
    /// What the worker works on.
    pub(crate) tasks: Tasks,
    consumer: Option<Box<dyn Consumer>>,
    shape: Shape,
    tasks_before: usize,
}

/// A worker that publishes the reply where one is wanted.
struct Replies {
    handler: Arc<dyn Handler>,
    answers: Arc<Link>,
}

impl Handler for Replies {
    fn handle(self: Arc<Self>, mut request: Request) -> BoxFuture<'static, hopscope_server::transport::Answer> {
        Box::pin(async move {
            let (identity, recorder, reply) = (request.identity, request.recorder.clone(), request.reply.take());
            let answer = Arc::clone(&self.handler).handle(request).await;
            if let Some(reply) = reply {
                let call = Call { trace: identity.trace, message: recorder.mint_message(), parent: identity.message };
                let answers = Answers { correlation: reply.correlation, verdict: answer.verdict };
                // A broker that has gone is the case's own affair.
                let _ = self.answers.answer(call, answer.body.clone(), answers).await;
            }
            answer
        })
    }
}

impl Rig {
    /// Starts the broker, connects both ends, and lets `handler` work on what comes.
    pub(crate) async fn open(venue: Venue, shape: Shape, handler: Arc<dyn Handler>) -> Result<Self> {
        let mut rig = Self::without_worker(venue, shape).await?;
        rig.work(handler).await?;
        Ok(rig)
    }

    /// The same without anyone who takes requests.
    pub(crate) async fn without_worker(venue: Venue, shape: Shape) -> Result<Self> {
        let Venue { transport, rabbitmq } = venue;
        let found = match rabbitmq {
            Some(brokers) => brokers.find(&Broker::parse(Broker::LOCAL)?).await?,
            None => None,
        };
        let tasks_before = Handle::current().metrics().num_alive_tasks();
        let memory = Memory::default();
        let (key, sink) = (new_run_key()?, Box::new(memory.clone()));
        let queues = ["requests", "replies"].map(|name| Arc::from(format!("conformance.{:016x}.{name}", key.0)));
        let recording = Recording::start(RecordingOptions { run: "conformance".into(), key, plan: Vec::new(), sink })?;
        recording.set_zero(recording.recorder(CLIENT, PUBLISH).now());
        let site = |name: &Arc<str>, place, declared, publishing| QueueSite {
            name: Arc::clone(name),
            place,
            declared,
            publishing: vec![publishing],
            taken: true,
            consumers: 1,
        };
        let requests = Declared { capacity: shape.capacity, ..Declared::default() };
        let sites =
            vec![site(&queues[0], REQUESTS, requests, PUBLISH), site(&queues[1], REPLIES, Declared::default(), ANSWER)];
        let timer = Timer::start()?;
        let stamping = recording.recorder(REQUESTS, LinkIndex::NONE);
        let broker = Arc::new(
            RunBroker::start(found, stamping, Sites { queues: sites, exchanges: Vec::new() }, timer.clone(), None)
                .await?,
        );
        let account = broker.account().cloned();
        let recorder = recording.recorder(CLIENT, PUBLISH);
        let replies = if shape.replies {
            let source = recorder.new_source().context("no source")?;
            broker.delivers(source, RETURN);
            Some(RepliesFrom {
                queue: Arc::clone(&queues[1]),
                source,
                recorder: recording.recorder(CLIENT, RETURN),
                account: account.clone(),
            })
        } else {
            None
        };
        let outbound = Outbound {
            broker: broker.address(),
            queue: Arc::clone(&queues[0]),
            via: None,
            options: Options::default(),
            persistent: false,
            replies,
            account: account.clone(),
            transactions: None,
            copies: 1,
        };
        let publisher = transport.publisher(outbound, recorder.clone()).await?;
        let link = Arc::new(Link::publishing(recorder, publisher, shape.replies, shape.policy, timer.clone()));
        let recorder = recording.recorder(WORKER, ANSWER);
        let outbound = Outbound {
            broker: broker.address(),
            queue: Arc::clone(&queues[1]),
            via: None,
            options: Options::default(),
            persistent: false,
            replies: None,
            account,
            transactions: None,
            copies: 1,
        };
        let publisher = transport.publisher(outbound, recorder.clone()).await?;
        let answers = Arc::new(Link::publishing(recorder, publisher, false, Policy::default(), timer));
        let tasks = Tasks::new(Handle::current());
        Ok(Self {
            transport,
            queues,
            recording,
            memory,
            broker,
            link,
            answers,
            tasks,
            consumer: None,
            shape,
            tasks_before,
        })
    }

    /// Begins to take requests, which `handler` works on.
    pub(crate) async fn work(&mut self, handler: Arc<dyn Handler>) -> Result<()> {
        self.take(0, TAKE, handler).await
    }

    /// Has the worker take from one of the two queues over a link.
    pub(crate) async fn take(&mut self, queue: usize, link: LinkIndex, handler: Arc<dyn Handler>) -> Result<()> {
        let recorder = self.recording.recorder(WORKER, link);
        let source = recorder.new_source().context("no source")?;
        self.broker.delivers(source, link);
        let inbound = Inbound {
            broker: self.broker.address(),
            queue: Arc::clone(&self.queues[queue]),
            options: Options::default(),
            group: None,
            source,
            prefix: "".into(),
            prefetch: self.shape.prefetch,
            ack: AckTime::AfterWork,
            account: self.broker.account().cloned(),
            transactions: None,
            stream: None,
        };
        let handler = Arc::new(Replies { handler, answers: Arc::clone(&self.answers) });
        let intake = Intake::new(recorder, handler, self.tasks.clone());
        self.consumer = Some(self.transport.consumer(inbound, intake).await?);
        Ok(())
    }

    /// Takes the worker away in the middle of what it does.
    pub(crate) async fn kill(&mut self) {
        if let Some(consumer) = self.consumer.take() {
            self.tasks.cancel();
            consumer.close().await;
            self.tasks.end().await;
            self.tasks = Tasks::new(Handle::current());
        }
    }

    /// A new message, the root of its trace.
    pub(crate) fn root(&self) -> Call {
        let (trace, message) = self.recording.recorder(CLIENT, PUBLISH).mint_root();
        Call { trace, message, parent: MessageId::NONE }
    }

    /// Sends a message of its own.
    pub(crate) async fn send(&self, body: impl Into<Bytes>) -> (Call, Result<Reply, LinkError>) {
        let call = self.root();
        let body = Body { content: Content::Json, bytes: body.into(), priority: 0, key: None };
        (call, self.link.call(call, body).await)
    }

    /// Closes all, checks that nothing is left and that what holds of every recording holds of this one.
    pub(crate) async fn close(mut self) -> Result<Log> {
        ensure!(self.link.open() == 0, "{} attempts are open", self.link.open());
        self.link.close().await;
        self.tasks.end().await;
        if let Some(consumer) = self.consumer.take() {
            consumer.close().await;
        }
        self.answers.close().await;
        self.broker.close().await;
        self.broker.settle().await;
        let stamped = self.broker.account().is_none();
        let mut counts = self.broker.counts();
        counts.push(EndCount::open_attempts(PUBLISH, 0));
        drop((self.link, self.answers, self.broker));
        // A task that was waited for may be on its last instruction. One that is left makes this hang, and so fail.
        while Handle::current().metrics().num_alive_tasks() > self.tasks_before {
            tokio::task::yield_now().await;
        }
        let end = EndInfo { reason: EndReason::LOAD_DONE, detail: None, counts };
        let summary = self.recording.finish(end).await;
        ensure!(summary.lost == 0 && summary.failure.is_none(), "{summary:?}");
        let recorded = Recorded::read(&self.memory.bytes(), Framing::Stream)?;
        steps(&recorded.events)?;
        settled(&recorded.events, stamped)?;
        Ok(Log { recorded, stamped })
    }
}

/// What a case left recorded.
pub(crate) struct Log {
    /// The recording.
    pub(crate) recorded: Recorded,
    /// Whether the broker stamped what its queues did.
    pub(crate) stamped: bool,
}

impl Log {
    /// The kinds of a message's events, in order.
    pub(crate) fn kinds(&self, message: MessageId) -> Vec<Kind> {
        self.recorded.events.iter().filter(|event| event.message == message).map(|event| event.kind).collect()
    }

    /// The events of a kind at a place, in order.
    pub(crate) fn at(&self, place: PlaceIndex, kind: Kind) -> Vec<Event> {
        let events = self.recorded.events.iter();
        events.filter(|event| event.place == place && event.kind == kind).copied().collect()
    }

    /// The one event of this kind that a message has.
    pub(crate) fn one(&self, message: MessageId, kind: Kind) -> Result<Event> {
        let events = self.recorded.events.iter();
        let found: Vec<_> = events.filter(|event| event.message == message && event.kind == kind).collect();
        ensure!(found.len() == 1, "{} events {kind:?} of {message:?}", found.len());
        Ok(*found[0])
    }

    /// The deliveries from a queue, in order: as it stamped them, or as they were received where it stamps nothing.
    pub(crate) fn delivered(&self, queue: PlaceIndex) -> Vec<Event> {
        if self.stamped {
            return self.at(queue, Kind::DELIVERED);
        }
        let link = if queue == REQUESTS { TAKE } else { RETURN };
        let events = self.recorded.events.iter();
        events.filter(|event| event.kind == Kind::RECEIVED && event.link == link).copied().collect()
    }

    /// The deliveries of a message, in order.
    pub(crate) fn deliveries(&self, queue: PlaceIndex, publish: MessageId) -> Vec<Event> {
        self.delivered(queue).into_iter().filter(|event| event.parent == publish).collect()
    }

    /// These kinds without those that only a broker stamps which stamps at all.
    pub(crate) fn seen<const N: usize>(&self, kinds: [Kind; N]) -> Vec<Kind> {
        let unseen = |kind: &Kind| !self.stamped && [Kind::ENQUEUED, Kind::DELIVERED].contains(kind);
        kinds.into_iter().filter(|kind| !unseen(kind)).collect()
    }
}

/// L2 = L1 - 1 and its likes: each queue's ordinals have no gap, each length before is the one after of the step before,
/// and the step is the kind's own.
fn steps(events: &[Event]) -> Result<()> {
    let mut queues: BTreeMap<PlaceIndex, (u64, u32)> = BTreeMap::new();
    for event in events {
        let by_queue = |info: &&hopscope_record::KindInfo| info.by == Stamper::Queue && event.a != 0;
        let Some(info) = event.kind.info().filter(by_queue) else { continue };
        let (ordinal, length) = queues.entry(event.place).or_default();
        let step = QueueStep::from_value(event.b).context("a step that cannot be")?;
        ensure!((event.a, step.before) == (*ordinal + 1, *length), "{event:?} after {ordinal} and {length}");
        let taken = i64::from(step.after) - i64::from(step.before);
        ensure!(taken == i64::from(info.steps.ready), "{event:?} is a step of {taken}");
        (*ordinal, *length) = (event.a, step.after);
    }
    Ok(())
}

/// Every delivery is settled once, and every attempt to publish is closed once.
pub(crate) fn settled(events: &[Event], stamped: bool) -> Result<()> {
    use hopscope_record::kind::{AWAITS_REPLY, Admission, Attempt};
    let mut open: BTreeMap<MessageId, i32> = BTreeMap::new();
    for event in events {
        let Some(info) = event.kind.info() else { continue };
        let stays_open = event.kind == Kind::CONFIRMED && event.a & AWAITS_REPLY != 0;
        let received = !stamped && event.kind == Kind::RECEIVED && event.a == Admission::Admitted as u64;
        match info.attempt {
            // Where no queue stamps it, a delivery begins there.
            Attempt::None if received => *open.entry(event.message).or_default() += 1,
            Attempt::Opens => *open.entry(event.message).or_default() += 1,
            Attempt::Closes if event.is_late() || stays_open => {}
            Attempt::Closes => *open.entry(event.message).or_default() -= 1,
            Attempt::None => {}
        }
    }
    let wrong: Vec<_> = open.iter().filter(|(_, open)| **open != 0).collect();
    ensure!(wrong.is_empty(), "opened and closed unlike: {wrong:?}");
    Ok(())
}

/// Whether a reply was a good one, with its body.
pub(crate) fn good(reply: Result<Reply, LinkError>) -> Result<Bytes> {
    let reply = reply?;
    ensure!(reply.verdict == Verdict::Good, "{reply:?}");
    Ok(reply.body)
}
