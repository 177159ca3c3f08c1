//! One ring per OS thread and recording: how an event leaves the thread that stamps it. Never waits, and never allocates after
//! a thread's first event.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;

use hopscope_record::{Event, MessageId, Minter, SourceId};

use super::clock::monotonic_ns;
use super::contents::{Contents, ROW, Row};
use super::fences::WriterFence;
use super::lane::{LINE, Sender, Taker, lane, room};
use super::rings::Reader;
use super::seat::{ChildMemory, SOURCES, Seat, Seated};
use super::words::Words;

/// Events that a ring holds: 1.8 MB of address space, of which the kernel gives what is touched.
pub(super) const CAPACITY: usize = 1 << 15;

/// Words of an event in a ring.
pub(super) const EVENT: usize = 7;

/// A thread calls the collector each time it has recorded this many, so that a burst is taken before the ring is full.
const CALL_EVERY: u64 = 1 << 13;

// What a writing thread shows to the collector, in words on a line of their own: they are written with every event.

/// Odd while the thread is inside [`Writer::record`].
pub(super) const SEQUENCE: usize = 0;
/// How many events found the ring full.
pub(super) const LOST: usize = 1;
/// Raw time of the first one of the latest unbroken row of losses.
pub(super) const LOST_FROM: usize = 2;
/// Raw time of the last one that did.
pub(super) const LOST_TO: usize = 3;

/// The writing end: belongs to one OS thread.
#[derive(Debug)]
pub(super) struct Writer {
    recording: u64,
    events: Sender<EVENT>,
    marks: Words,
    fence: WriterFence,
    sequence: u64,
    lost: u64,
    losing: bool,
    minter: Minter,
    collector: Option<Thread>,
    /// In this process: from the first row on.
    rows: Option<Sender<ROW>>,
}

impl Writer {
    /// Takes the raw time and pushes the event that is stamped with it; returns the stamp. `stamped` makes the event, so that its
    /// fields go straight to their place in the ring.
    #[inline]
    pub(super) fn record(&mut self, stamped: impl FnOnce(i64) -> Event) -> i64 {
        self.sequence += 1;
        self.marks[SEQUENCE].store(self.sequence, Ordering::Relaxed);
        // Pairs with the fence in `Rings::take`, which tells why.
        self.fence.pass();
        let time = monotonic_ns();
        if self.events.push(to_words(stamped(time))) {
            self.losing = false;
        } else {
            self.lose(time);
        }
        self.sequence += 1;
        self.marks[SEQUENCE].store(self.sequence, Ordering::Release);
        if (self.sequence / 2).is_multiple_of(CALL_EVERY)
            && let Some(collector) = &self.collector
        {
            collector.unpark();
        }
        time
    }

    /// Hands over what a message carries, whose first event this thread records next. Each row has an event behind it, so
    /// where there is no room for a row there is none for its event; it counts as lost.
    pub(super) fn describe(&mut self, registry: &Registry, message: MessageId, contents: Contents) {
        if self.rows.is_none() {
            self.rows = registry.open_rows();
        }
        let row = Row { message, contents }.to_words();
        if !self.rows.as_mut().is_some_and(|rows| rows.push(row)) {
            self.lose(monotonic_ns());
        }
    }

    #[cold]
    fn lose(&mut self, time: i64) {
        if !self.losing {
            self.losing = true;
            self.marks[LOST_FROM].store(time.cast_unsigned(), Ordering::Relaxed);
        }
        self.lost += 1;
        self.marks[LOST_TO].store(time.cast_unsigned(), Ordering::Relaxed);
        // Last, so that who sees the count sees times that go with it, or later ones.
        self.marks[LOST].store(self.lost, Ordering::Release);
    }

    /// The ids of this ring's source.
    pub(super) fn minter(&mut self) -> &mut Minter {
        &mut self.minter
    }

    /// The number of the recording that it writes to.
    pub(super) fn recording(&self) -> u64 {
        self.recording
    }

    /// Whether nobody takes events from it any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.events.is_abandoned()
    }
}

/// An event as a ring holds it.
#[inline]
fn to_words(event: Event) -> [u64; EVENT] {
    let Event { time, trace, message, parent, a, b, place, kind, link } = event;
    let site = u64::from(place.0) << 32 | u64::from(kind.0) << 16 | u64::from(link.0);
    [time.cast_unsigned(), trace.0, message.0, parent.0, a, b, site]
}

/// Where threads hand in the reading end of a new ring.
#[derive(Default)]
pub(super) struct Registry {
    inner: Mutex<Waiting>,
    /// In a child process: where its rings are.
    child: Option<ChildMemory>,
}

#[derive(Default)]
pub(super) struct Waiting {
    /// Sources handed out, for rings and others. Source 1 is the recording's own.
    pub(super) handed_out: u16,
    pub(super) readers: Vec<Reader>,
    pub(super) seats: Vec<Arc<Seated>>,
    pub(super) rows: Vec<Taker<ROW>>,
}

impl Waiting {
    /// The first of so many sources in a row.
    fn next_sources(&mut self, count: u16) -> Option<SourceId> {
        let handed_out = self.handed_out.checked_add(count)?;
        OWN_SOURCE.0.checked_add(handed_out)?;
        let first = SourceId(OWN_SOURCE.0 + self.handed_out + 1);
        self.handed_out = handed_out;
        Some(first)
    }
}

/// The source of what belongs to no thread's ring.
pub(super) const OWN_SOURCE: SourceId = SourceId(1);

impl Registry {
    /// That of a child process.
    pub(super) fn in_child(memory: ChildMemory) -> Self {
        Self { inner: Mutex::default(), child: Some(memory) }
    }

    /// The memory of this process, where it is a child.
    pub(super) const fn child(&self) -> Option<&ChildMemory> {
        self.child.as_ref()
    }

    /// A source that is no ring's, or `None` when the run has used up its sources. A child has none to give.
    pub(super) fn source(&self) -> Option<SourceId> {
        if self.child.is_some() { None } else { self.lock().next_sources(1) }
    }

    /// A place for a child process; `None` when the run has used up its sources.
    pub(super) fn seat(&self) -> io::Result<Option<Seat>> {
        let mut waiting = self.lock();
        let Some(first) = waiting.next_sources(SOURCES) else { return Ok(None) };
        let (seat, seated) = Seat::new(first)?;
        waiting.seats.push(seated);
        Ok(Some(seat))
    }

    /// A ring for the calling thread, or `None` when the run has used up its sources, or the system has no room.
    pub(super) fn open(&self, recording: u64, collector: Option<Thread>, capacity: usize) -> Option<Writer> {
        let (source, marks, events, rows, fence) = if let Some(child) = &self.child {
            let (source, marks, events, rows) = child.open()?;
            (source, marks, events, Some(rows), WriterFence::across())
        } else {
            let words = Words::anonymous(LINE + room(capacity, EVENT)).ok()?;
            let marks = words.part(0..LINE);
            let (sender, events) = lane(&words.part(LINE..words.len()), capacity);
            let mut waiting = self.lock();
            let source = waiting.next_sources(1)?;
            waiting.readers.push(Reader::new(source, events, marks.clone()));
            (source, marks, sender, None, WriterFence::new())
        };
        let minter = Minter::new(source);
        let (sequence, lost, losing) = (0, 0, false);
        Some(Writer { recording, events, marks, fence, sequence, lost, losing, minter, collector, rows })
    }

    /// A way for the calling thread's rows, which holds as many as a ring holds events.
    fn open_rows(&self) -> Option<Sender<ROW>> {
        let words = Words::anonymous(room(CAPACITY, ROW)).ok()?;
        let (sender, taker) = lane(&words, CAPACITY);
        self.lock().rows.push(taker);
        Some(sender)
    }

    /// The ways for rows that threads have opened since the last call.
    pub(super) fn new_rows(&self) -> Vec<Taker<ROW>> {
        std::mem::take(&mut self.lock().rows)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
