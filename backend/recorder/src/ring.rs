//! One ring per OS thread and recording: how an event leaves the thread that stamps it, and how the collector takes
//! everything up to a cut.
//!
//! Owns the cut. Never waits on the writing side, and never allocates there after a thread's first event.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;

use hopscope_record::{Event, MessageId, Minter, SourceId};
use rtrb::{Consumer, Producer, RingBuffer};

use super::clock::monotonic_ns;
use super::contents::{Contents, Row};
use super::fences::{WriterFence, taker_fence};

/// Events that a ring holds: 1.8 MB of address space, of which the kernel gives what is touched.
pub(super) const CAPACITY: usize = 1 << 15;

/// A thread calls the collector each time it has recorded this many, so that a burst is taken before the ring is full.
const CALL_EVERY: u64 = 1 << 13;

/// What a writing thread shows to the collector. On cache lines of its own: it is written with every event.
#[repr(align(128))]
#[derive(Debug, Default)]
struct Marks {
    /// Odd while the thread is inside [`Writer::record`].
    sequence: AtomicU64,
    /// How many events found the ring full.
    lost: AtomicU64,
    /// Raw time of the first one of the latest unbroken row of losses.
    lost_from: AtomicI64,
    /// Raw time of the last one that did.
    lost_to: AtomicI64,
}

/// The writing end: belongs to one OS thread.
#[derive(Debug)]
pub(super) struct Writer {
    recording: u64,
    events: Producer<Event>,
    marks: Arc<Marks>,
    fence: WriterFence,
    sequence: u64,
    lost: u64,
    losing: bool,
    minter: Minter,
    collector: Option<Thread>,
    /// From the first row on.
    rows: Option<Producer<Row>>,
}

impl Writer {
    /// Takes the raw time and pushes the event that is stamped with it; returns the stamp. `stamped` makes the event, so that its
    /// fields go straight to their place in the ring.
    #[inline]
    pub(super) fn record(&mut self, stamped: impl FnOnce(i64) -> Event) -> i64 {
        self.sequence += 1;
        self.marks.sequence.store(self.sequence, Ordering::Relaxed);
        // Pairs with the fence in `Rings::take`, which tells why.
        self.fence.pass();
        let time = monotonic_ns();
        if self.events.push(stamped(time)).is_err() {
            self.lose(time);
        } else {
            self.losing = false;
        }
        self.sequence += 1;
        self.marks.sequence.store(self.sequence, Ordering::Release);
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
        let rows = match &mut self.rows {
            Some(rows) => rows,
            None => self.rows.insert(registry.open_rows()),
        };
        if rows.push(Row { message, contents }).is_err() {
            self.lose(monotonic_ns());
        }
    }

    #[cold]
    fn lose(&mut self, time: i64) {
        if !self.losing {
            self.losing = true;
            self.marks.lost_from.store(time, Ordering::Relaxed);
        }
        self.lost += 1;
        self.marks.lost_to.store(time, Ordering::Relaxed);
        // Last, so that who sees the count sees times that go with it, or later ones.
        self.marks.lost.store(self.lost, Ordering::Release);
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

/// The collector's end of one ring.
struct Reader {
    source: SourceId,
    events: Consumer<Event>,
    marks: Arc<Marks>,
    lost: u64,
    lost_to: i64,
    accepted: u64,
}

/// Where threads hand in the reading end of a new ring.
#[derive(Default)]
pub(super) struct Registry {
    inner: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    /// Sources handed out, for rings and others. Source 1 is the recording's own.
    handed_out: u16,
    readers: Vec<Reader>,
    rows: Vec<Consumer<Row>>,
}

impl Waiting {
    fn next_source(&mut self) -> Option<SourceId> {
        let handed_out = self.handed_out.checked_add(1)?;
        let source = SourceId(OWN_SOURCE.0.checked_add(handed_out)?);
        self.handed_out = handed_out;
        Some(source)
    }
}

/// The source of what belongs to no thread's ring.
pub(super) const OWN_SOURCE: SourceId = SourceId(1);

impl Registry {
    /// A source that is no ring's, or `None` when the run has used up its sources.
    pub(super) fn source(&self) -> Option<SourceId> {
        self.lock().next_source()
    }

    /// A ring for the calling thread, or `None` when the run has used up its sources.
    pub(super) fn open(&self, recording: u64, collector: Option<Thread>, capacity: usize) -> Option<Writer> {
        let mut waiting = self.lock();
        let source = waiting.next_source()?;
        let (producer, consumer) = RingBuffer::new(capacity);
        let marks = Arc::<Marks>::default();
        waiting.readers.push(Reader {
            source,
            events: consumer,
            marks: Arc::clone(&marks),
            lost: 0,
            lost_to: i64::MIN,
            accepted: 0,
        });
        drop(waiting);
        let minter = Minter::new(source);
        let (sequence, lost, losing, rows) = (0, 0, false, None);
        let fence = WriterFence::new();
        Some(Writer { recording, events: producer, marks, fence, sequence, lost, losing, minter, collector, rows })
    }

    /// A way for the calling thread's rows, which holds as many as a ring holds events.
    fn open_rows(&self) -> Producer<Row> {
        let (producer, consumer) = RingBuffer::new(CAPACITY);
        self.lock().rows.push(consumer);
        producer
    }

    /// The ways for rows that threads have opened since the last call.
    pub(super) fn new_rows(&self) -> Vec<Consumer<Row>> {
        std::mem::take(&mut self.lock().rows)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Events that a ring had no room for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Lost {
    /// Whose.
    pub(super) source: SourceId,
    /// How many since the last cut.
    pub(super) count: u64,
    /// Raw time of the first of them.
    pub(super) from: i64,
    /// Raw time of the last of them.
    pub(super) to: i64,
}

/// Every ring of a recording, as the collector holds them.
#[derive(Default)]
pub(super) struct Rings {
    readers: Vec<Reader>,
    /// What rings of ended threads had accepted.
    closed: Vec<(SourceId, u64)>,
}

impl Rings {
    /// Makes a cut: appends to `events` what was stamped at or before it and not taken yet, in the order of (time,
    /// source, ordinal), and to `lost` what the rings had no room for. Returns the cut, in raw ns. What is stamped
    /// later stays in the rings, so that every event of a later cut is later than this one.
    ///
    /// Why nothing stamped at or before the cut is missed: a writer (W1) makes its sequence odd, (W2) fences, (W3)
    /// reads the clock, (W4) pushes, (W5) makes the sequence even with Release. Here, (C1) the clock is read, (C2) a
    /// fence, (C3) each sequence is loaded with Acquire. The two fences are totally ordered; where ours is one that
    /// every thread passes ([`super::fences`]), what the writer passes at that moment is its own. If the writer's comes
    /// first, C3 sees the odd number of that call, or a later one: then either we wait until the call is over, or it
    /// is; in both cases the push happens before our read of the ring. If ours comes first, W3 comes after C1, and
    /// since CLOCK_MONOTONIC is one clock for all threads, the stamp is not below the cut. It could equal it, so C1
    /// reads until a second reading is later than the first and takes the first. (The second reading has another
    /// purpose too: a fence does not order the processor's counter with what follows, but a reading of the clock does
    /// order the earlier reading.) A ring not yet registered when we lock the registry gets its first event after we
    /// unlock it, so after C1.
    ///
    /// Waiting ends: a call neither blocks nor loops, and we wait only until its number has changed.
    pub(super) fn take(&mut self, registry: &Registry, events: &mut Vec<Event>, lost: &mut Vec<Lost>) -> i64 {
        let cut = monotonic_ns();
        while monotonic_ns() <= cut {}
        taker_fence();
        self.readers.append(&mut registry.lock().readers);
        let begin = events.len();
        for reader in &mut self.readers {
            reader.wait_for_call();
            reader.take(cut, events);
            lost.extend(reader.losses());
        }
        // Readers stand in the order of their sources and each ring is in the order of time, so a stable sort by time
        // makes (time, source, ordinal) of it.
        if let Some(new) = events.get_mut(begin..) {
            new.sort_by_key(|event| event.time);
        }
        self.forget_ended();
        cut
    }

    /// How many events were taken from each ring, in the order of sources.
    pub(super) fn accepted(&self) -> Vec<(SourceId, u64)> {
        let open = self.readers.iter().map(|reader| (reader.source, reader.accepted));
        let mut all: Vec<_> = self.closed.iter().copied().chain(open).collect();
        all.sort_unstable_by_key(|(source, _)| *source);
        all
    }

    /// Gives the memory of rings back whose thread has ended and whose last event is taken.
    fn forget_ended(&mut self) {
        let closed = &mut self.closed;
        self.readers.retain(|reader| {
            // The thread's end happens before `is_abandoned` is true, so an empty ring stays empty.
            let ended = reader.events.is_abandoned() && reader.events.is_empty() && !reader.has_losses();
            if ended {
                closed.push((reader.source, reader.accepted));
            }
            !ended
        });
    }
}

impl Reader {
    fn wait_for_call(&self) {
        let seen = self.marks.sequence.load(Ordering::Acquire);
        if seen.is_multiple_of(2) {
            return;
        }
        // The thread may have been descheduled in its call, so give it the processor instead of spinning.
        while self.marks.sequence.load(Ordering::Acquire) == seen {
            std::thread::yield_now();
        }
    }

    fn take(&mut self, cut: i64, events: &mut Vec<Event>) {
        let ready = self.events.slots();
        let Ok(chunk) = self.events.read_chunk(ready) else { return };
        let mut taken = 0;
        let (first, second) = chunk.as_slices();
        for part in [first, second] {
            let upto = part.partition_point(|event| event.time <= cut);
            events.extend(part.iter().take(upto));
            taken += upto;
            if upto < part.len() {
                break;
            }
        }
        chunk.commit(taken);
        self.accepted += taken as u64;
    }

    fn has_losses(&self) -> bool {
        self.marks.lost.load(Ordering::Acquire) != self.lost
    }

    fn losses(&mut self) -> Option<Lost> {
        let total = self.marks.lost.load(Ordering::Acquire);
        let count = total - self.lost;
        if count == 0 {
            return None;
        }
        self.lost = total;
        let to = self.marks.lost_to.load(Ordering::Relaxed);
        // A row of losses that goes on from the last cut begins anew after what was told of it.
        let from = self.marks.lost_from.load(Ordering::Relaxed).max(self.lost_to.saturating_add(1)).min(to);
        self.lost_to = to;
        Some(Lost { source: self.source, count, from, to })
    }
}

#[cfg(test)]
mod tests;
