//! Both ends of one link on one transport, with a recording in memory.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use hopscope_record::decoder::Framing;
use hopscope_record::frame::{EndCount, EndReason};
use hopscope_record::{Event, Kind, LinkIndex, MessageId, PlaceIndex};
use hopscope_server::link::{Call, Link, LinkError, Policy};
use hopscope_server::record::{EndInfo, Memory, Recorder, Recording, RecordingOptions, new_run_key};
use hopscope_server::tasks::Tasks;
use hopscope_server::timer::Timer;
use hopscope_server::transport::{Address, Caller, Door, Endpoint, Handler, Options, Reply, Transport};
use hopscope_tests::recording::Recorded;
use tokio::runtime::Handle;

use crate::laws;
use crate::terms::{Terms, terms};

/// Where calls come from.
pub(crate) const CALLER: PlaceIndex = PlaceIndex(0);
/// Where calls go to.
pub(crate) const RECEIVER: PlaceIndex = PlaceIndex(1);
/// The link that ends at the receiver.
pub(crate) const LINK: LinkIndex = LinkIndex(0);
/// A link that ends elsewhere: at another program.
pub(crate) const ELSEWHERE: LinkIndex = LinkIndex(1);

/// Both ends of [`LINK`].
pub(crate) struct Rig {
    transport: &'static dyn Transport,
    recording: Recording,
    memory: Memory,
    /// What the receiver works on.
    pub(crate) tasks: Tasks,
    endpoint: Box<dyn Endpoint>,
    /// The calling end.
    pub(crate) link: Arc<Link>,
    timer: Timer,
    /// Tasks of the runtime before anything was opened.
    tasks_before: usize,
}

impl Rig {
    /// Binds the receiver, whose requests `handler` works on, and connects a caller that waits for ever and tries once.
    pub(crate) async fn open(transport: &'static dyn Transport, handler: Arc<dyn Handler>) -> Result<Self> {
        Self::open_with(transport, handler, Policy::default()).await
    }

    /// As [`Rig::open`], with the caller's policy.
    pub(crate) async fn open_with(
        transport: &'static dyn Transport,
        handler: Arc<dyn Handler>,
        policy: Policy,
    ) -> Result<Self> {
        let link = |recorder, caller, timer| Link::new(recorder, vec![caller], policy, timer);
        Self::open_as(transport, &Options::default(), handler, link).await
    }

    /// As [`Rig::open`], of messages that nobody answers; the link says `options`.
    pub(crate) async fn open_oneway(
        transport: &'static dyn Transport,
        options: &Options,
        handler: Arc<dyn Handler>,
    ) -> Result<Self> {
        let link = |recorder, caller, timer| Link::oneway(recorder, vec![caller], Policy::default(), timer);
        Self::open_as(transport, options, handler, link).await
    }

    async fn open_as(
        transport: &'static dyn Transport,
        options: &Options,
        handler: Arc<dyn Handler>,
        link: impl FnOnce(Recorder, Arc<dyn Caller>, Timer) -> Link,
    ) -> Result<Self> {
        let tasks_before = Handle::current().metrics().num_alive_tasks();
        let memory = Memory::default();
        let (key, sink) = (new_run_key()?, Box::new(memory.clone()));
        let recording = Recording::start(RecordingOptions { run: "conformance".into(), key, plan: Vec::new(), sink })?;
        recording.set_zero(recording.recorder(CALLER, LINK).now());
        let tasks = Tasks::new(Handle::current());
        let door = Door::new(recording.recorder(RECEIVER, LinkIndex::NONE), vec![LINK], handler, tasks.clone());
        let endpoint = transport.bind(door).await?;
        let timer = Timer::start()?;
        let caller = recording.recorder(CALLER, LINK);
        let end = transport.connect(endpoint.address(), options, caller.clone()).await?;
        let link = Arc::new(link(caller, end, timer.clone()));
        Ok(Self { transport, recording, memory, tasks, endpoint, link, timer, tasks_before })
    }

    /// Where the receiver is reached.
    pub(crate) fn address(&self) -> Address {
        self.endpoint.address()
    }

    /// Connects [`ELSEWHERE`] from the caller's place.
    pub(crate) async fn connect_elsewhere(&self, address: Address) -> Result<Link> {
        let recorder = self.recording.recorder(CALLER, ELSEWHERE);
        let caller = self.transport.connect(address, &Options::default(), recorder.clone()).await?;
        Ok(Link::new(recorder, vec![caller], Policy::default(), self.timer.clone()))
    }

    /// A new call, the root of its trace.
    pub(crate) fn root(&self) -> Call {
        let (trace, message) = self.recording.recorder(CALLER, LINK).mint_root();
        Call { trace, message, parent: MessageId::NONE }
    }

    /// Makes a call of its own.
    pub(crate) async fn call(&self, body: impl Into<Bytes>) -> (Call, Result<Reply, LinkError>) {
        let call = self.root();
        (call, self.link.call(call, body.into()).await)
    }

    /// Takes the receiver's port and connections away.
    pub(crate) async fn kill(&self) {
        self.endpoint.close().await;
    }

    /// Waits until the caller has learnt that a connection of its has ended.
    pub(crate) async fn notices(&self) -> Result<()> {
        let ended = |event: &Event| event.kind == Kind::DISCONNECTED && event.place == CALLER;
        while !Recorded::read(&self.memory.bytes(), Framing::Stream)?.events.iter().any(ended) {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Closes both ends, checks that nothing is left of them and that what holds of every recording holds of this one,
    /// and gives the recording.
    pub(crate) async fn close(self) -> Result<Log> {
        ensure!(self.link.open() == 0, "{} attempts are open", self.link.open());
        self.link.close().await;
        self.tasks.end().await;
        let address = self.endpoint.address();
        self.endpoint.close().await;
        if let Address::Socket(address) = address {
            let refused = tokio::net::TcpStream::connect(address).await;
            ensure!(refused.is_err(), "{address} still answers");
        }
        drop((self.link, self.endpoint));
        // A task that was waited for may be on its last instruction. One that is left makes this hang, and so fail.
        while Handle::current().metrics().num_alive_tasks() > self.tasks_before {
            tokio::task::yield_now().await;
        }
        let counts = vec![EndCount::open_attempts(LINK, 0)];
        let end = EndInfo { reason: EndReason::LOAD_DONE, detail: None, counts };
        let summary = self.recording.finish(end).await;
        ensure!(summary.lost == 0 && summary.failure.is_none(), "{summary:?}");
        let recorded = Recorded::read(&self.memory.bytes(), Framing::Stream)?;
        laws::check(&recorded.events).context("a law of every recording is broken")?;
        Ok(Log { recorded, terms: terms(self.transport.protocol())? })
    }
}

/// What a case left recorded.
pub(crate) struct Log {
    /// The recording.
    pub(crate) recorded: Recorded,
    /// What the protocol says in its own way.
    terms: &'static Terms,
}

impl Log {
    /// The events of a message, in order.
    pub(crate) fn of(&self, message: MessageId) -> Vec<Event> {
        self.recorded.events.iter().filter(|event| event.message == message).copied().collect()
    }

    /// The kinds of a message's events, in order.
    pub(crate) fn kinds(&self, message: MessageId) -> Vec<Kind> {
        self.of(message).iter().map(|event| event.kind).collect()
    }

    /// The one event of this kind that a message has.
    pub(crate) fn one(&self, message: MessageId, kind: Kind) -> Result<Event> {
        let found: Vec<_> = self.of(message).into_iter().filter(|event| event.kind == kind).collect();
        ensure!(found.len() == 1, "{} events {kind:?} of {message:?}", found.len());
        Ok(found[0])
    }

    /// How many events of a kind there are.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.recorded.events.iter().filter(|event| event.kind == kind).count()
    }
}

/// Checks that a call was stamped as one that got its reply, in both ends' order, with the protocol's
/// status and this second value at the end.
pub(crate) fn answered(log: &Log, call: Call, kind: Kind, b: u64) -> Result<()> {
    let status = log.terms.status(kind);
    same("kinds", &log.kinds(call.message), &vec![Kind::SENT, Kind::RECEIVED, Kind::REPLIED, kind])?;
    let events = log.of(call.message);
    for event in &events {
        same("trace", &event.trace, &call.trace)?;
        same("link", &event.link, &LINK)?;
    }
    let places: Vec<_> = events.iter().map(|event| event.place).collect();
    same("places", &places, &vec![CALLER, RECEIVER, RECEIVER, CALLER])?;
    same("the status that was sent", &events[2].a, &status)?;
    same("the status that came", &events[3].a, &status)?;
    same("the closing event's second value", &events[3].b, &b)
}

/// Fails with both values when they differ.
pub(crate) fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<()> {
    ensure!(found == expected, "{what}: found {found:?}, expected {expected:?}");
    Ok(())
}
