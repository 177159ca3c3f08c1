//! Every ring of a recording, and how the collector takes everything up to a cut. Owns the cut.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use hopscope_record::{Event, Kind, LinkIndex, MessageId, PlaceIndex, SourceId, TraceId};

use super::clock::monotonic_ns;
use super::fences::taker_fence;
use super::lane::Taker;
use super::names::Names;
use super::ring::{EVENT, LOST, LOST_FROM, LOST_TO, Registry, SEQUENCE, Waiting};
use super::seat::Seated;
use super::words::Words;

/// How long a cut waits for a child that was stopped within a call; then it is left out of it.
const PATIENCE: Duration = Duration::from_millis(200);

#[inline]
fn from_words([time, trace, message, parent, a, b, site]: [u64; EVENT]) -> Event {
    Event {
        time: time.cast_signed(),
        trace: TraceId(trace),
        message: MessageId(message),
        parent: MessageId(parent),
        a,
        b,
        place: PlaceIndex((site >> 32) as u32),
        kind: Kind((site >> 16) as u16),
        link: LinkIndex(site as u16),
    }
}

/// The collector's end of one ring.
pub(super) struct Reader {
    source: SourceId,
    events: Taker<EVENT>,
    marks: Words,
    lost: u64,
    lost_to: i64,
    accepted: u64,
    /// Of a child: whose, ...
    seated: Option<Arc<Seated>>,
    /// ... what keeps its rows, ...
    _rows: Option<Arc<()>>,
    /// ... the call within which it was stopped, ...
    stopped: Option<u64>,
    /// ... and the last cut that did not wait for it.
    left_out: i64,
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
    /// In the order of their sources.
    readers: Vec<Reader>,
    children: Vec<Child>,
    /// What rings of ended threads had accepted.
    closed: Vec<(SourceId, u64)>,
}

/// A child process, as far as its rings are known.
struct Child {
    seated: Arc<Seated>,
    opened: usize,
    homeless: u64,
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
    /// Waiting ends: a call neither blocks nor loops, and we wait only until its number has changed. A child process may be
    /// stopped within one, or have died there: who has died is not waited for, and who is stopped only for so long. What
    /// it had stamped at or before the cut and pushes later is told as lost.
    pub(super) fn take(
        &mut self,
        registry: &Registry,
        names: &Names,
        events: &mut Vec<Event>,
        lost: &mut Vec<Lost>,
    ) -> i64 {
        // Before the cut: who is seated later begins later, and who is here already needs the fence of this one.
        self.seat(&mut registry.lock());
        let cut = monotonic_ns();
        while monotonic_ns() <= cut {}
        taker_fence(!self.children.is_empty());
        self.look_for_more(registry);
        let begin = events.len();
        for reader in &mut self.readers {
            let left_out = reader.is_left_out();
            reader.take(cut, names, events, lost);
            if left_out {
                reader.left_out = cut;
            }
            lost.extend(reader.losses());
        }
        for child in &mut self.children {
            let (source, count) = child.seated.homeless();
            if let Some(count) = count.checked_sub(child.homeless).filter(|count| *count > 0) {
                child.homeless += count;
                lost.push(Lost { source, count, from: cut, to: cut });
            }
        }
        // Readers stand in the order of their sources and each ring is in the order of time, so a stable sort by time
        // makes (time, source, ordinal) of it.
        if let Some(new) = events.get_mut(begin..) {
            new.sort_by_key(|event| event.time);
        }
        self.forget_ended();
        cut
    }

    /// Takes in the children that have been seated.
    fn seat(&mut self, waiting: &mut Waiting) {
        let seats = waiting.seats.drain(..).map(|seated| Child { seated, opened: 0, homeless: 0 });
        self.children.extend(seats);
    }

    /// Takes in the rings that have been opened, those of children too.
    fn look_for_more(&mut self, registry: &Registry) {
        let mut waiting = registry.lock();
        self.seat(&mut waiting);
        let before = self.readers.len();
        self.readers.append(&mut waiting.readers);
        for child in &mut self.children {
            let opened = child.seated.opened();
            for number in child.opened..opened {
                let ring = child.seated.ring(number);
                waiting.rows.push(ring.rows);
                let (seated, _rows) = (Some(Arc::clone(&child.seated)), Some(ring.sends_rows));
                let own = Reader::new(ring.source, ring.events, ring.marks);
                self.readers.push(Reader { seated, _rows, ..own });
            }
            child.opened = child.opened.max(opened);
        }
        if self.readers.len() > before {
            self.readers.sort_by_key(|reader| reader.source);
        }
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
            let ended = reader.has_ended() && reader.events.ready() == 0 && !reader.has_losses();
            if ended {
                closed.push((reader.source, reader.accepted));
            }
            !ended
        });
        let readers = &self.readers;
        self.children.retain(|child| {
            // Its end comes first: no ring is opened after it.
            let gone = child.seated.is_gone();
            let read = !readers.iter().any(|reader| reader.is_of(&child.seated));
            !(gone && read && child.seated.opened() == child.opened && child.seated.homeless().1 == child.homeless)
        });
    }
}

impl Reader {
    /// Of a ring of this process.
    pub(super) fn new(source: SourceId, events: Taker<EVENT>, marks: Words) -> Self {
        let (seated, _rows, stopped) = (None, None, None);
        Self {
            source,
            events,
            marks,
            lost: 0,
            lost_to: i64::MIN,
            accepted: 0,
            seated,
            _rows,
            stopped,
            left_out: i64::MIN,
        }
    }

    fn is_of(&self, seated: &Arc<Seated>) -> bool {
        self.seated.as_ref().is_some_and(|own| Arc::ptr_eq(own, seated))
    }

    /// Whether nothing more will be written. That happens before this is true, so an empty ring stays empty.
    fn has_ended(&self) -> bool {
        match &self.seated {
            Some(seated) => seated.is_gone(),
            None => self.events.is_abandoned(),
        }
    }

    /// Waits until its thread is outside a call that it may be within. Tells whether a child has to be left out.
    fn is_left_out(&mut self) -> bool {
        let seen = self.marks[SEQUENCE].load(Ordering::Acquire);
        if seen.is_multiple_of(2) {
            return false;
        }
        if self.stopped == Some(seen) {
            // It is stopped there still.
            return true;
        }
        let began = self.seated.as_ref().map(|_| Instant::now());
        // The thread may have been descheduled in its call, so give it the processor instead of spinning.
        while self.marks[SEQUENCE].load(Ordering::Acquire) == seen {
            if let (Some(seated), Some(began)) = (&self.seated, began) {
                if seated.is_gone() {
                    return false;
                }
                if began.elapsed() > PATIENCE {
                    self.stopped = Some(seen);
                    return true;
                }
            }
            std::thread::yield_now();
        }
        false
    }

    fn take(&mut self, cut: i64, names: &Names, events: &mut Vec<Event>, lost: &mut Vec<Lost>) {
        let (ready, mut taken) = (self.events.ready(), 0);
        // Stamped before a cut that is made, and pushed after it.
        let mut late: Option<Lost> = None;
        while taken < ready {
            let mut event = from_words(self.events.peek(taken));
            if event.time > cut {
                break;
            }
            taken += 1;
            if let Some(seated) = &self.seated {
                if event.time <= self.left_out {
                    let late =
                        late.get_or_insert(Lost { source: self.source, count: 0, from: event.time, to: event.time });
                    (late.count, late.to) = (late.count + 1, event.time);
                    continue;
                }
                seated.translate(&mut event, names);
            }
            events.push(event);
            self.accepted += 1;
        }
        lost.extend(late);
        self.events.take(taken);
    }

    fn has_losses(&self) -> bool {
        self.marks[LOST].load(Ordering::Acquire) != self.lost
    }

    fn losses(&mut self) -> Option<Lost> {
        let total = self.marks[LOST].load(Ordering::Acquire);
        let count = total.saturating_sub(self.lost);
        if count == 0 {
            return None;
        }
        self.lost = total;
        let to = self.marks[LOST_TO].load(Ordering::Relaxed).cast_signed();
        // A row of losses that goes on from the last cut begins anew after what was told of it.
        let from = self.marks[LOST_FROM].load(Ordering::Relaxed).cast_signed();
        let from = from.max(self.lost_to.saturating_add(1)).min(to);
        self.lost_to = to;
        Some(Lost { source: self.source, count, from, to })
    }
}

#[cfg(test)]
mod tests;
