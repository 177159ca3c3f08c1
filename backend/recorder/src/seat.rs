//! A child process that stamps in a run of this one: the memory that both have mapped.
//!
//! The child's threads write their rings there and the collector takes from them as from those of its own threads. So an
//! event that was stamped is there when its process is killed, and costs the child no more than one of ours.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hopscope_record::kind::ValueMeaning;
use hopscope_record::{Event, SourceId};

use super::contents::ROW;
use super::lane::{LINE, Sender, Taker, room};
use super::names::{LONGEST, Names};
use super::ring::{CAPACITY, EVENT};
use super::words::Words;

/// Threads of a child that can have a ring: its runtime has one or two, its generator another.
const RINGS: usize = 8;

/// Sources of a child: one per ring, and one for what has none.
pub(super) const SOURCES: u16 = RINGS as u16 + 1;

/// What the first word says: who maps something else has another program on the other side.
const MAGIC: u64 = u64::from_le_bytes(*b"hopscop1");

/// How many rings are open, written by the child.
const OPENED: usize = LINE;
/// How many events came from threads that can have no ring, written by the child.
const HOMELESS: usize = 2 * LINE;
/// How many words of texts there are, written by the child.
const TOLD: usize = 3 * LINE;
/// The texts, each a word with its length and then its bytes.
const TEXTS: usize = 4 * LINE;
/// Words for them: for as many and as long ones as a run keeps.
const TEXT_WORDS: usize = 1 << 18;
/// Where the rings begin.
const FIRST: usize = TEXTS + TEXT_WORDS;
/// In a ring's words: marks, then its events, then its rows.
const EVENTS: usize = LINE;
const ROWS: usize = EVENTS + room(CAPACITY, EVENT);
const WIDTH: usize = ROWS + room(CAPACITY, ROW);

const WORDS: usize = FIRST + RINGS * WIDTH;

/// A child's place in a recording: what it is given to stamp with. Dropped when the child has ended.
#[derive(Debug)]
pub struct Seat {
    file: File,
    seated: Arc<Seated>,
}

impl Seat {
    pub(super) fn new(first: SourceId) -> io::Result<(Self, Arc<Seated>)> {
        let file = memory()?;
        file.set_len((WORDS * size_of::<AtomicU64>()) as u64)?;
        let words = Words::of(&file, WORDS)?;
        words[0].store(MAGIC, Ordering::Release);
        let seated = Arc::new(Seated { words, first, gone: AtomicBool::new(false), texts: Mutex::default() });
        Ok((Self { file, seated: Arc::clone(&seated) }, seated))
    }

    /// The memory, for the child's [`crate::Recorder::in_child`].
    #[must_use]
    pub fn memory(&self) -> &File {
        &self.file
    }

    /// The first of its sources.
    #[must_use]
    pub fn first(&self) -> SourceId {
        self.seated.first
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seated.gone.store(true, Ordering::Release);
    }
}

/// Memory that has no name and is gone with who has it open.
#[cfg(target_os = "linux")]
fn memory() -> io::Result<File> {
    use rustix::fs::{MemfdFlags, memfd_create};
    Ok(File::from(memfd_create("hopscope-rings", MemfdFlags::CLOEXEC)?))
}

#[cfg(not(target_os = "linux"))]
fn memory() -> io::Result<File> {
    tempfile::tempfile()
}

/// The collector's view of a child.
#[derive(Debug)]
pub(super) struct Seated {
    words: Words,
    first: SourceId,
    gone: AtomicBool,
    texts: Mutex<Texts>,
}

/// The texts of a child that are known here.
#[derive(Debug, Default)]
struct Texts {
    /// Words that were read.
    read: usize,
    /// The value that the run has for each, in the child's order.
    values: Vec<u64>,
}

/// One ring of a child.
pub(super) struct SeatedRing {
    pub(super) source: SourceId,
    pub(super) marks: Words,
    pub(super) events: Taker<EVENT>,
    pub(super) rows: Taker<ROW>,
    /// While this lives, rows may come.
    pub(super) sends_rows: Arc<()>,
}

impl Seated {
    /// Whether the child has ended. What it stamped is there.
    pub(super) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// How many rings it has.
    pub(super) fn opened(&self) -> usize {
        (self.words[OPENED].load(Ordering::Acquire) as usize).min(RINGS)
    }

    /// One of them.
    pub(super) fn ring(&self, number: usize) -> SeatedRing {
        let words = self.words.part(FIRST + number * WIDTH..FIRST + (number + 1) * WIDTH);
        let sends_rows = Arc::new(());
        SeatedRing {
            source: nth(self.first, number),
            marks: words.part(0..LINE),
            events: Taker::over(words.part(EVENTS..ROWS), CAPACITY, Arc::default()),
            rows: Taker::over(words.part(ROWS..WIDTH), CAPACITY, Arc::clone(&sends_rows)),
            sends_rows,
        }
    }

    /// How many events came from threads without a ring, and the source that they count for.
    pub(super) fn homeless(&self) -> (SourceId, u64) {
        (nth(self.first, RINGS), self.words[HOMELESS].load(Ordering::Acquire))
    }

    /// Gives an event that holds a row of the child's texts the run's row in its place.
    pub(super) fn translate(&self, event: &mut Event, names: &Names) {
        let Some(info) = event.kind.info() else { return };
        for (value, meaning) in [(&mut event.a, info.a.meaning), (&mut event.b, info.b.meaning)] {
            if matches!(meaning, ValueMeaning::NameIndex | ValueMeaning::QueueName) && *value > 0 {
                *value = self.value(*value, names);
            }
        }
    }

    /// The run's value of a child's.
    fn value(&self, value: u64, names: &Names) -> u64 {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let told = (self.words[TOLD].load(Ordering::Acquire) as usize).min(TEXT_WORDS);
        while texts.read < told {
            let at = TEXTS + texts.read;
            let length = (self.words[at].load(Ordering::Relaxed) as usize).min(LONGEST);
            let words = length.div_ceil(8).min(TEXT_WORDS - texts.read - 1);
            let bytes = self.words[at + 1..at + 1 + words].iter();
            let bytes: Vec<u8> = bytes.flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()).collect();
            let text = String::from_utf8_lossy(&bytes[..length.min(bytes.len())]).into_owned();
            texts.values.push(names.intern(&text));
            texts.read += 1 + words;
        }
        let known = usize::try_from(value - 1).ok().and_then(|row| texts.values.get(row));
        known.copied().unwrap_or(0)
    }
}

/// The child's end.
#[derive(Debug)]
pub(super) struct ChildMemory {
    words: Words,
    first: SourceId,
    /// What makes no ring of a child look abandoned.
    held: Arc<()>,
    opened: Mutex<usize>,
    told: Mutex<usize>,
}

impl ChildMemory {
    pub(super) fn new(file: &File, first: SourceId) -> io::Result<Self> {
        let words = Words::of(file, WORDS)?;
        if words[0].load(Ordering::Acquire) != MAGIC {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the shared memory is not this program's"));
        }
        Ok(Self { words, first, held: Arc::default(), opened: Mutex::default(), told: Mutex::default() })
    }

    /// The source of what has no ring.
    pub(super) fn spare(&self) -> SourceId {
        nth(self.first, RINGS)
    }

    /// A ring for the calling thread: its source, marks and ways; `None` when there are no more.
    pub(super) fn open(&self) -> Option<(SourceId, Words, Sender<EVENT>, Sender<ROW>)> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let number = *opened;
        if number >= RINGS {
            return None;
        }
        *opened += 1;
        let words = self.words.part(FIRST + number * WIDTH..FIRST + (number + 1) * WIDTH);
        let events = Sender::over(words.part(EVENTS..ROWS), CAPACITY, Arc::clone(&self.held));
        let rows = Sender::over(words.part(ROWS..WIDTH), CAPACITY, Arc::clone(&self.held));
        // Before its first event, so that a cut which does not see it is earlier than that.
        self.words[OPENED].store(*opened as u64, Ordering::Release);
        Some((nth(self.first, number), words.part(0..LINE), events, rows))
    }

    /// Counts an event that has no ring.
    pub(super) fn lose(&self) {
        self.words[HOMELESS].fetch_add(1, Ordering::AcqRel);
    }

    /// Tells the other side of texts that are new here, before any event has their rows.
    pub(super) fn tell(&self, fresh: &[String]) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for text in fresh {
            let words = text.len().div_ceil(8);
            if *told + 1 + words > TEXT_WORDS {
                // Rows behind the last one are none.
                break;
            }
            let at = TEXTS + *told;
            self.words[at].store(text.len() as u64, Ordering::Relaxed);
            for (word, bytes) in self.words[at + 1..].iter().zip(text.as_bytes().chunks(8)) {
                let mut eight = [0; 8];
                eight[..bytes.len()].copy_from_slice(bytes);
                word.store(u64::from_le_bytes(eight), Ordering::Relaxed);
            }
            *told += 1 + words;
        }
        self.words[TOLD].store(*told as u64, Ordering::Release);
    }
}

/// The nth source behind a first one.
fn nth(first: SourceId, number: usize) -> SourceId {
    SourceId(first.0.saturating_add(number as u16))
}

#[cfg(test)]
mod tests;
