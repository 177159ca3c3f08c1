//! The handle that stamps: cheap to clone, used from any thread, bound to a place and a link.

use std::cell::RefCell;
use std::fs::File;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::Thread;
use std::{fmt, io};

use hopscope_record::{Event, Kind, LinkIndex, MessageId, Minter, PlaceIndex, RunKey, SourceId, TraceId};

use super::clock::{RunClock, monotonic_ns};
use super::contents::Contents;
use super::names::Names;
use super::recording::Sampler;
use super::ring::{CAPACITY, OWN_SOURCE, Registry, Writer};
use super::seat::{ChildMemory, Seat};

/// What every recorder of one recording and its collector share.
pub(super) struct Shared {
    /// Tells this recording's rings from those of others in the same thread.
    pub(super) number: u64,
    pub(super) key: RunKey,
    pub(super) clock: RunClock,
    pub(super) registry: Registry,
    pub(super) names: Names,
    pub(super) collector: OnceLock<Thread>,
    /// What samples the surroundings, until the collector takes it.
    pub(super) sampler: Mutex<Option<Sampler>>,
    /// Mints where a thread can have no ring.
    spare: Mutex<Minter>,
    /// How many events came from threads that can have no ring.
    pub(super) homeless: AtomicU64,
}

impl Shared {
    pub(super) fn new(key: RunKey) -> Self {
        Self::over(key, Registry::default(), OWN_SOURCE)
    }

    fn over(key: RunKey, registry: Registry, spare: SourceId) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        Self {
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            key,
            clock: RunClock::default(),
            registry,
            names: Names::default(),
            collector: OnceLock::new(),
            sampler: Mutex::default(),
            spare: Mutex::new(Minter::new(spare)),
            homeless: AtomicU64::new(0),
        }
    }

    fn lose(&self) -> i64 {
        match self.registry.child() {
            Some(child) => child.lose(),
            None => drop(self.homeless.fetch_add(1, Ordering::Relaxed)),
        }
        monotonic_ns()
    }
}

thread_local! {
    /// The calling thread's rings, one per recording that it writes to.
    static WRITERS: RefCell<Vec<Writer>> = const { RefCell::new(Vec::new()) };
}

/// Runs `act` on the calling thread's ring of this recording. `None` while the thread is being torn down, or when the
/// recording has no source left.
fn with_writer<T>(shared: &Shared, act: impl FnOnce(&mut Writer) -> T) -> Option<T> {
    WRITERS
        .try_with(|writers| {
            let mut writers = writers.try_borrow_mut().ok()?;
            if let Some(writer) = writers.iter_mut().find(|writer| writer.recording() == shared.number) {
                return Some(act(writer));
            }
            open(shared, &mut writers).map(act)
        })
        .ok()
        .flatten()
}

#[cold]
fn open<'w>(shared: &Shared, writers: &'w mut Vec<Writer>) -> Option<&'w mut Writer> {
    // A thread outlives recordings, so the rings of ended ones are given back here.
    writers.retain(|writer| !writer.is_abandoned());
    writers.push(shared.registry.open(shared.number, shared.collector.get().cloned(), CAPACITY)?);
    writers.last_mut()
}

/// Stamps events at one place, on one link.
#[derive(Clone)]
pub struct Recorder {
    shared: Arc<Shared>,
    place: PlaceIndex,
    link: LinkIndex,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("place", &self.place).field("link", &self.link).finish_non_exhaustive()
    }
}

impl Recorder {
    pub(super) fn new(shared: Arc<Shared>, place: PlaceIndex, link: LinkIndex) -> Self {
        Self { shared, place, link }
    }

    /// The recorder of a child process, which stamps into the memory of its [`Seat`]; `key` is the run's. It knows the run's
    /// zero when it is told ([`Recorder::clock`]).
    ///
    /// # Errors
    /// When the memory cannot be mapped, or is none of a seat.
    pub fn in_child(memory: &File, key: RunKey, first: SourceId) -> io::Result<Self> {
        let memory = ChildMemory::new(memory, first)?;
        let spare = memory.spare();
        let shared = Shared::over(key, Registry::in_child(memory), spare);
        Ok(Self::new(Arc::new(shared), PlaceIndex::NONE, LinkIndex::NONE))
    }

    /// A place in the recording for a child process; `None` when the run has used up its sources.
    ///
    /// # Errors
    /// When the system has no memory to share.
    pub fn seat(&self) -> io::Result<Option<Seat>> {
        self.shared.registry.seat()
    }

    /// The same recording at another place and link.
    #[must_use]
    pub fn at(&self, place: PlaceIndex, link: LinkIndex) -> Self {
        Self::new(Arc::clone(&self.shared), place, link)
    }

    /// Stamps one event and hands it to the collector; returns the stamp in raw ns. Call it before the effect of what
    /// it tells of can begin.
    ///
    /// Never waits and, after the thread's first event, never allocates. When the thread's ring is full the event is
    /// lost and counted. `a` and `b` mean what the kind's row says; times among them are the run's, not raw.
    pub fn record(&self, kind: Kind, trace: TraceId, message: MessageId, parent: MessageId, a: u64, b: u64) -> i64 {
        let (place, link) = (self.place, self.link);
        let stamped = |time| Event { time, trace, message, parent, a, b, place, kind, link };
        with_writer(&self.shared, |writer| writer.record(stamped)).unwrap_or_else(|| self.shared.lose())
    }

    /// Tells what a message carries: call it on the same thread right before the message's first event. It never waits and,
    /// after the thread's first, never allocates.
    pub fn describe(&self, message: MessageId, contents: Contents) {
        let told = with_writer(&self.shared, |writer| writer.describe(&self.shared.registry, message, contents));
        if told.is_none() {
            self.shared.lose();
        }
    }

    /// A new trace and its root message in attempt 1.
    #[must_use]
    pub fn mint_root(&self) -> (TraceId, MessageId) {
        self.mint(Minter::root)
    }

    /// A new message in attempt 1, within a trace that exists.
    #[must_use]
    pub fn mint_message(&self) -> MessageId {
        self.mint(Minter::message)
    }

    /// A source that nobody else of the run mints with: for ids that two ends make alike, as those of deliveries. `None`
    /// when the run has used up its sources, and in a child process, which has to ask for one.
    #[must_use]
    pub fn new_source(&self) -> Option<SourceId> {
        self.shared.registry.source()
    }

    /// A text as an event's value: its row in the run's names + 1, or 0 when the run keeps no more. The slow path: it
    /// takes a lock.
    #[must_use]
    pub fn name(&self, text: &str) -> u64 {
        let Some(child) = self.shared.registry.child() else { return self.shared.names.intern(text) };
        self.shared.names.intern_and(text, |fresh| child.tell(fresh))
    }

    /// Now, in raw ns: the clock that events are stamped by.
    #[must_use]
    pub fn now(&self) -> i64 {
        monotonic_ns()
    }

    /// Where the run's time begins.
    #[must_use]
    pub fn clock(&self) -> &RunClock {
        &self.shared.clock
    }

    /// The first half of the run's trace-ids on the wire.
    #[must_use]
    pub fn run_key(&self) -> RunKey {
        self.shared.key
    }

    /// Where it stamps.
    #[must_use]
    pub fn place(&self) -> PlaceIndex {
        self.place
    }

    /// The link that it stamps on.
    #[must_use]
    pub fn link(&self) -> LinkIndex {
        self.link
    }

    fn mint<T>(&self, mint: impl Fn(&mut Minter) -> T) -> T {
        with_writer(&self.shared, |writer| mint(writer.minter()))
            .unwrap_or_else(|| mint(&mut self.shared.spare.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}
