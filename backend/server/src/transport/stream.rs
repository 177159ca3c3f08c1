//! How far one that reads a stream has come, as its own program knows it: its broker keeps nothing of that.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hopscope_record::PlaceIndex;

/// A reader of a stream. Clones share it; it lives as long as the reader's program.
#[derive(Clone, Debug)]
pub struct Stream {
    place: PlaceIndex,
    read: Arc<Mutex<Read>>,
}

#[derive(Debug, Default)]
struct Read {
    /// Offsets that it took and has not settled.
    held: BTreeSet<u64>,
    /// One more than the greatest that it took; 0 where it took none.
    next: u64,
}

impl Stream {
    /// One that has read nothing; `place`: where the stream stamps.
    #[must_use]
    pub fn new(place: PlaceIndex) -> Self {
        Self { place, read: Arc::default() }
    }

    /// Where the stream stamps.
    #[must_use]
    pub const fn place(&self) -> PlaceIndex {
        self.place
    }

    fn read(&self) -> MutexGuard<'_, Read> {
        // Its steps are whole.
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to read, maybe again: what it had not settled it gives up. Gives the offset to read from.
    #[must_use]
    pub fn begin(&self) -> u64 {
        let mut read = self.read();
        read.next = read.held.first().copied().unwrap_or(read.next);
        read.held.clear();
        read.next
    }

    /// It took the record at an offset.
    pub fn took(&self, offset: u64) {
        let mut read = self.read();
        read.held.insert(offset);
        read.next = read.next.max(offset.saturating_add(1));
    }

    /// It has settled that one.
    pub fn settled(&self, offset: u64) {
        self.read().held.remove(&offset);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_begins_again_reads_what_was_not_settled() {
        let stream = Stream::new(PlaceIndex(3));
        assert_eq!(stream.begin(), 0);
        (0..4).for_each(|offset| stream.took(offset));
        [0, 2].into_iter().for_each(|offset| stream.settled(offset));
        assert_eq!(stream.begin(), 1);
        stream.took(1);
        stream.settled(1);
        assert_eq!(stream.begin(), 2);
    }
}
