//! Both ends of a topic on one transport, with a broker between them and a recording in memory.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use hopscope_record::decoder::Framing;
use hopscope_record::frame::{EndCount, EndReason};
use hopscope_record::kind::Position;
use hopscope_record::{Event, Kind, LinkIndex, MessageId, PlaceIndex};
use hopscope_scenario::model::{AckTime, Compaction, Content};
use hopscope_scenario::plan::Broker;
use hopscope_server::broker::{Brokers, GroupSite, RunBroker, TopicSite};
use hopscope_server::link::{Call, Link, LinkError, Policy};
use hopscope_server::record::{EndInfo, Memory, Recording, RecordingOptions, new_run_key};
use hopscope_server::tasks::Tasks;
use hopscope_server::timer::Timer;
use hopscope_server::transport::messaging::{Consumer, Group, Inbound, Messaging, Outbound};
use hopscope_server::transport::{Body, Handler, Intake, Options, Reply};
use hopscope_tests::recording::Recorded;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use crate::messages::settled;

/// Where records come from.
pub(crate) const CLIENT: PlaceIndex = PlaceIndex(0);
/// The topic.
pub(crate) const TOPIC: PlaceIndex = PlaceIndex(1);
/// Where records are worked on.
pub(crate) const WORKER: PlaceIndex = PlaceIndex(2);
/// The group in partition 0; in the others it follows.
pub(crate) const GROUP: PlaceIndex = PlaceIndex(3);
/// How many there are.
pub(crate) const PARTITIONS: u16 = 3;
/// From the client into the topic.
pub(crate) const PUBLISH: LinkIndex = LinkIndex(0);
/// From there to the worker.
pub(crate) const READ: LinkIndex = LinkIndex(1);

/// What a case is run on.
#[derive(Clone)]
pub(crate) struct Venue {
    /// The transport.
    pub(crate) transport: &'static dyn Messaging,
    /// Where the Kafka of Hopscope's own comes from; without it, the broker is the built-in one.
    pub(crate) kafka: Option<Brokers>,
}

/// How a rig is built.
#[derive(Clone)]
pub(crate) struct Shape {
    /// What the link that publishes says to its protocol.
    pub(crate) publishes: Value,
    /// The client's policy.
    pub(crate) policy: Policy,
}

/// A client that waits for ever.
pub(crate) fn calm() -> Shape {
    Shape { publishes: json!({}), policy: Policy::default() }
}

/// Both ends of a topic.
pub(crate) struct Rig {
    transport: &'static dyn Messaging,
    /// The topic's name at the broker, which others may use too.
    pub(crate) topic: Arc<str>,
    recording: Recording,
    memory: Memory,
    /// The broker between them.
    pub(crate) broker: Arc<RunBroker>,
    /// The client's end.
    pub(crate) link: Arc<Link>,
    /// What the worker works on.
    pub(crate) tasks: Tasks,
    consumer: Option<Box<dyn Consumer>>,
    tasks_before: usize,
}

impl Rig {
    /// Starts the broker, connects both ends, and lets `handler` work on what comes.
    pub(crate) async fn open(venue: Venue, shape: Shape, handler: Arc<dyn Handler>) -> Result<Self> {
        let mut rig = Self::without_worker(venue, shape).await?;
        rig.work(handler).await?;
        Ok(rig)
    }

    /// The same without anyone who reads.
    pub(crate) async fn without_worker(venue: Venue, shape: Shape) -> Result<Self> {
        let Venue { transport, kafka } = venue;
        let asked = if kafka.is_some() { Broker::LOCAL } else { Broker::BUILT_IN };
        let found = kafka.unwrap_or_default().find_kafka(&Broker::of_topics(asked).context("no broker")?).await?;
        let tasks_before = Handle::current().metrics().num_alive_tasks();
        let memory = Memory::default();
        let (key, sink) = (new_run_key()?, Box::new(memory.clone()));
        let topic: Arc<str> = format!("conformance.{:016x}", key.0).into();
        let recording = Recording::start(RecordingOptions { run: "conformance".into(), key, plan: Vec::new(), sink })?;
        recording.set_zero(recording.recorder(CLIENT, PUBLISH).now());
        let group = GroupSite { name: Arc::clone(&topic), link: READ, first_place: GROUP };
        let site = TopicSite {
            name: Arc::clone(&topic),
            partitions: PARTITIONS,
            retention: None,
            compaction: Compaction::Off,
            transacted: false,
            groups: vec![group],
        };
        let broker = RunBroker::of_topics(found, recording.recorder(TOPIC, LinkIndex::NONE), vec![site]).await?;
        let recorder = recording.recorder(CLIENT, PUBLISH);
        let outbound = Outbound {
            broker: broker.address(),
            queue: Arc::clone(&topic),
            via: None,
            options: Options::of(shape.publishes.as_object().context("no fields")?),
            persistent: false,
            replies: None,
            account: broker.account().cloned(),
            transactions: None,
            copies: 1,
        };
        let publisher = transport.publisher(outbound, recorder.clone()).await?;
        let link = Arc::new(Link::publishing(recorder, publisher, false, shape.policy, Timer::start()?));
        Ok(Self {
            transport,
            topic,
            recording,
            memory,
            broker: Arc::new(broker),
            link,
            tasks: Tasks::new(Handle::current()),
            consumer: None,
            tasks_before,
        })
    }

    /// Begins to read as the one member of the group; `handler` works on what comes, on 64 records at once.
    pub(crate) async fn work(&mut self, handler: Arc<dyn Handler>) -> Result<()> {
        let recorder = self.recording.recorder(WORKER, READ);
        let group =
            Group { name: Arc::clone(&self.topic), first_place: GROUP, partitions: PARTITIONS, member: 1, members: 1 };
        let inbound = Inbound {
            broker: self.broker.address(),
            queue: Arc::clone(&self.topic),
            options: Options::of(json!({"in_flight": 64}).as_object().context("no fields")?),
            group: Some(group),
            source: recorder.new_source().context("no source")?,
            prefix: "".into(),
            prefetch: 0,
            ack: AckTime::AfterWork,
            account: self.broker.account().cloned(),
            transactions: None,
            stream: None,
        };
        let intake = Intake::new(recorder, handler, self.tasks.clone());
        self.consumer = Some(self.transport.consumer(inbound, intake).await?);
        Ok(())
    }

    /// Takes the worker away in the middle of what it does.
    pub(crate) async fn kill(&mut self) {
        if let Some(consumer) = self.consumer.take() {
            self.tasks.cancel();
            consumer.reset().await;
            self.tasks.end().await;
            self.tasks = Tasks::new(Handle::current());
        }
    }

    /// A new message, the root of its trace.
    pub(crate) fn root(&self) -> Call {
        let (trace, message) = self.recording.recorder(CLIENT, PUBLISH).mint_root();
        Call { trace, message, parent: MessageId::NONE }
    }

    /// Sends a record of its own, without a key.
    pub(crate) async fn send(&self, body: impl Into<Bytes>) -> (Call, Result<Reply, LinkError>) {
        self.send_with(None, body).await
    }

    /// Sends a record of its own.
    pub(crate) async fn send_with(
        &self,
        key: Option<&'static str>,
        body: impl Into<Bytes>,
    ) -> (Call, Result<Reply, LinkError>) {
        let call = self.root();
        let key = key.map(|key| Bytes::from_static(key.as_bytes()));
        (call, self.link.call(call, Body { content: Content::Json, bytes: body.into(), priority: 0, key }).await)
    }

    /// Where the broker is, for programs that are no part of the run.
    pub(crate) fn at(&self) -> Result<String> {
        Ok(self.broker.socket().context("no address")?.to_string())
    }

    /// Closes all, checks that nothing is left and that what holds of every recording holds of this one.
    pub(crate) async fn close(mut self) -> Result<Log> {
        ensure!(self.link.open() == 0, "{} attempts are open", self.link.open());
        self.link.close().await;
        self.tasks.end().await;
        if let Some(consumer) = self.consumer.take() {
            consumer.close().await;
        }
        self.broker.close().await;
        self.broker.settle().await;
        let mut counts = self.broker.counts();
        counts.push(EndCount::open_attempts(PUBLISH, 0));
        drop((self.link, self.broker));
        // A task that was waited for may be on its last instruction. One that is left makes this hang, and so fail.
        while Handle::current().metrics().num_alive_tasks() > self.tasks_before {
            tokio::task::yield_now().await;
        }
        let end = EndInfo { reason: EndReason::LOAD_DONE, detail: None, counts };
        let summary = self.recording.finish(end).await;
        ensure!(summary.lost == 0 && summary.failure.is_none(), "{summary:?}");
        let recorded = Recorded::read(&self.memory.bytes(), Framing::Stream)?;
        settled(&recorded.events, false)?;
        Ok(Log { recorded })
    }
}

/// What a case left recorded.
pub(crate) struct Log {
    /// The recording.
    pub(crate) recorded: Recorded,
}

impl Log {
    /// The events of a message, in order.
    pub(crate) fn of(&self, message: MessageId) -> Vec<Event> {
        self.recorded.events.iter().filter(|event| event.message == message).copied().collect()
    }

    /// Their kinds.
    pub(crate) fn kinds(&self, message: MessageId) -> Vec<Kind> {
        self.of(message).iter().map(|event| event.kind).collect()
    }

    /// The events of a kind, in order.
    pub(crate) fn all(&self, kind: Kind) -> Vec<Event> {
        self.recorded.events.iter().filter(|event| event.kind == kind).copied().collect()
    }

    /// The one event of this kind that a message has.
    pub(crate) fn one(&self, message: MessageId, kind: Kind) -> Result<Event> {
        let found: Vec<_> = self.of(message).into_iter().filter(|event| event.kind == kind).collect();
        ensure!(found.len() == 1, "{} events {kind:?} of {message:?}", found.len());
        Ok(found[0])
    }

    /// How often a record was read, in order: its receptions.
    pub(crate) fn readings(&self, publish: MessageId) -> Vec<Event> {
        self.all(Kind::RECEIVED).into_iter().filter(|event| event.parent == publish).collect()
    }

    /// Where a publish was confirmed.
    pub(crate) fn position(&self, publish: MessageId) -> Result<Position> {
        Position::from_value(self.one(publish, Kind::CONFIRMED)?.b).context("a confirm without a position")
    }

    /// Where a record was taken from.
    pub(crate) fn taken_from(&self, delivery: MessageId) -> Result<Position> {
        let fetched = self.one(delivery, Kind::FETCHED)?;
        let partition = fetched.place.0.checked_sub(GROUP.0).context("at no group")?;
        Ok(Position { partition: u16::try_from(partition)?, offset: fetched.a })
    }
}
