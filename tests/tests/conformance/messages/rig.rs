//! Both ends of a queue on one transport, with the built-in broker between them and a recording in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use hopscope_record::decoder::Framing;
use hopscope_record::frame::{EndCount, EndReason};
use hopscope_record::kind::QueueStep;
use hopscope_record::{Event, Kind, LinkIndex, MessageId, PlaceIndex};
use hopscope_scenario::model::{AckTime, Content};
use hopscope_server::broker::{BuiltIn, Declared, QueueSite};
use hopscope_server::link::{Call, Link, LinkError, Policy};
use hopscope_server::record::{EndInfo, Memory, Recording, RecordingOptions, new_run_key};
use hopscope_server::tasks::Tasks;
use hopscope_server::timer::Timer;
use hopscope_server::transport::messaging::{Consumer, Inbound, Messaging, Outbound, RepliesFrom};
use hopscope_server::transport::{Answers, Body, BoxFuture, Handler, Intake, Reply, Request, Verdict};
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

/// The names of the two queues.
pub(crate) const QUEUES: [&str; 2] = ["requests", "replies"];

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
    recording: Recording,
    memory: Memory,
    /// The broker between them.
    pub(crate) broker: Arc<BuiltIn>,
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
    pub(crate) async fn open(
        transport: &'static dyn Messaging,
        shape: Shape,
        handler: Arc<dyn Handler>,
    ) -> Result<Self> {
        let mut rig = Self::without_worker(transport, shape).await?;
        rig.work(handler).await?;
        Ok(rig)
    }

    /// The same without anyone who takes requests.
    pub(crate) async fn without_worker(transport: &'static dyn Messaging, shape: Shape) -> Result<Self> {
        let tasks_before = Handle::current().metrics().num_alive_tasks();
        let memory = Memory::default();
        let (key, sink) = (new_run_key()?, Box::new(memory.clone()));
        let recording = Recording::start(RecordingOptions { run: "conformance".into(), key, plan: Vec::new(), sink })?;
        recording.set_zero(recording.recorder(CLIENT, PUBLISH).now());
        let site = |name: &str, place, declared, publishing| QueueSite {
            name: name.into(),
            place,
            declared,
            publishing: vec![publishing],
            taken: true,
            consumers: 1,
        };
        let requests = Declared { capacity: shape.capacity, ..Declared::default() };
        let sites =
            vec![site(QUEUES[0], REQUESTS, requests, PUBLISH), site(QUEUES[1], REPLIES, Declared::default(), ANSWER)];
        let broker = Arc::new(BuiltIn::start(recording.recorder(REQUESTS, LinkIndex::NONE), sites).await?);
        let timer = Timer::start()?;
        let recorder = recording.recorder(CLIENT, PUBLISH);
        let replies = if shape.replies {
            let source = recorder.new_source().context("no source")?;
            broker.delivers(source, RETURN);
            Some(RepliesFrom {
                queue: QUEUES[1].into(),
                source,
                recorder: recording.recorder(CLIENT, RETURN),
                account: None,
            })
        } else {
            None
        };
        let outbound =
            Outbound { broker: broker.address(), queue: QUEUES[0].into(), persistent: false, replies, account: None };
        let publisher = transport.publisher(outbound, recorder.clone()).await?;
        let link = Arc::new(Link::publishing(recorder, publisher, shape.replies, shape.policy, timer.clone()));
        let recorder = recording.recorder(WORKER, ANSWER);
        let outbound = Outbound {
            broker: broker.address(),
            queue: QUEUES[1].into(),
            persistent: false,
            replies: None,
            account: None,
        };
        let publisher = transport.publisher(outbound, recorder.clone()).await?;
        let answers = Arc::new(Link::publishing(recorder, publisher, false, Policy::default(), timer));
        let tasks = Tasks::new(Handle::current());
        Ok(Self { transport, recording, memory, broker, link, answers, tasks, consumer: None, shape, tasks_before })
    }

    /// Begins to take requests, which `handler` works on.
    pub(crate) async fn work(&mut self, handler: Arc<dyn Handler>) -> Result<()> {
        self.take(QUEUES[0], TAKE, handler).await
    }

    /// Has the worker take from a queue over a link.
    pub(crate) async fn take(&mut self, queue: &str, link: LinkIndex, handler: Arc<dyn Handler>) -> Result<()> {
        let recorder = self.recording.recorder(WORKER, link);
        let source = recorder.new_source().context("no source")?;
        self.broker.delivers(source, link);
        let inbound = Inbound {
            broker: self.broker.address(),
            queue: queue.into(),
            source,
            prefix: "".into(),
            prefetch: self.shape.prefetch,
            ack: AckTime::AfterWork,
            account: None,
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
        let body = Body { content: Content::Json, bytes: body.into(), priority: 0 };
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
        settled(&recorded.events)?;
        Ok(Log { recorded })
    }
}

/// What a case left recorded.
pub(crate) struct Log {
    /// The recording.
    pub(crate) recorded: Recorded,
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

    /// The deliveries of a message, in order.
    pub(crate) fn deliveries(&self, place: PlaceIndex, publish: MessageId) -> Vec<Event> {
        self.at(place, Kind::DELIVERED).into_iter().filter(|event| event.parent == publish).collect()
    }
}

/// L2 = L1 - 1 and its likes: each queue's ordinals have no gap, each length before is the one after of the step before,
/// and the step is the kind's own.
fn steps(events: &[Event]) -> Result<()> {
    let mut queues: BTreeMap<PlaceIndex, (u64, u32)> = BTreeMap::new();
    for event in events {
        let Some(info) = event.kind.info().filter(|info| info.by == hopscope_record::kind::Stamper::Queue) else {
            continue;
        };
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
fn settled(events: &[Event]) -> Result<()> {
    use hopscope_record::kind::{AWAITS_REPLY, Attempt};
    let mut open: BTreeMap<MessageId, i32> = BTreeMap::new();
    for event in events {
        let Some(info) = event.kind.info() else { continue };
        let stays_open = event.kind == Kind::CONFIRMED && event.a & AWAITS_REPLY != 0;
        match info.attempt {
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
