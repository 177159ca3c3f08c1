//! A ring of records of N words, with one who sends and one who takes: threads of one process, or of two.

use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use super::words::Words;

/// Words between two that different sides write, so that they are on cache lines of their own.
pub(super) const LINE: usize = 16;

/// How many records were sent, written by the sender alone.
const SENT: usize = 0;
/// How many were taken, written by the taker alone.
const TAKEN: usize = LINE;
/// The first record.
const RECORDS: usize = 2 * LINE;

/// The words of a ring of so many records of so many words.
pub(super) const fn room(capacity: usize, width: usize) -> usize {
    // Whole lines, so that what comes behind begins with one.
    (RECORDS + capacity * width).next_multiple_of(LINE)
}

/// The sending end.
#[derive(Debug)]
pub(super) struct Sender<const N: usize> {
    words: Words,
    capacity: u64,
    sent: u64,
    /// What the taker had taken when it was last looked at.
    taken: u64,
    both: Arc<()>,
}

/// The taking end.
#[derive(Debug)]
pub(super) struct Taker<const N: usize> {
    words: Words,
    capacity: u64,
    taken: u64,
    both: Arc<()>,
}

/// The two ends of a ring within this process, over words that are all 0.
pub(super) fn lane<const N: usize>(words: &Words, capacity: usize) -> (Sender<N>, Taker<N>) {
    let both = Arc::new(());
    let sender = Sender::over(words.clone(), capacity, Arc::clone(&both));
    (sender, Taker::over(words.clone(), capacity, both))
}

/// Whether only one still holds what both had.
fn alone(both: &Arc<()>) -> bool {
    let alone = Arc::strong_count(both) < 2;
    // What the other did before it let go is seen from here on.
    fence(Ordering::Acquire);
    alone
}

impl<const N: usize> Sender<N> {
    /// One end of a ring of `capacity` records, a power of two; the other has a clone of `both`.
    pub(super) fn over(words: Words, capacity: usize, both: Arc<()>) -> Self {
        debug_assert!(capacity.is_power_of_two() && words.len() >= room(capacity, N));
        Self { words, capacity: capacity as u64, sent: 0, taken: 0, both }
    }

    /// Sends a record; `false`: there is no room.
    #[inline]
    pub(super) fn push(&mut self, record: [u64; N]) -> bool {
        // Wraps where the other side says that it took more than was sent.
        if self.sent.wrapping_sub(self.taken) >= self.capacity {
            self.taken = self.words[TAKEN].load(Ordering::Acquire);
            if self.sent.saturating_sub(self.taken) >= self.capacity {
                return false;
            }
        }
        let at = RECORDS + (self.sent & (self.capacity - 1)) as usize * N;
        for (word, value) in self.words[at..at + N].iter().zip(record) {
            word.store(value, Ordering::Relaxed);
        }
        self.sent += 1;
        self.words[SENT].store(self.sent, Ordering::Release);
        true
    }

    /// Sends a record as the one behind so many, for a test that plays the other process.
    #[cfg(test)]
    pub(super) fn push_at(mut self, sent: u64, record: [u64; N]) {
        self.sent = sent;
        assert!(self.push(record));
    }

    /// Whether nobody takes any more.
    pub(super) fn is_abandoned(&self) -> bool {
        alone(&self.both)
    }
}

impl<const N: usize> Taker<N> {
    /// The other end, as in [`Sender::over`].
    pub(super) fn over(words: Words, capacity: usize, both: Arc<()>) -> Self {
        Self { words, capacity: capacity as u64, taken: 0, both }
    }

    /// How many records can be taken.
    pub(super) fn ready(&self) -> u64 {
        // No more than there can be, whatever the other side says.
        self.words[SENT].load(Ordering::Acquire).saturating_sub(self.taken).min(self.capacity)
    }

    /// The nth of those that can be taken.
    #[inline]
    pub(super) fn peek(&self, n: u64) -> [u64; N] {
        let at = RECORDS + ((self.taken + n) & (self.capacity - 1)) as usize * N;
        let words = &self.words[at..at + N];
        std::array::from_fn(|word| words[word].load(Ordering::Relaxed))
    }

    /// Takes so many of those that can be.
    pub(super) fn take(&mut self, count: u64) {
        self.taken += count;
        self.words[TAKEN].store(self.taken, Ordering::Release);
    }

    /// Whether nobody sends any more; what was sent before can be taken still.
    pub(super) fn is_abandoned(&self) -> bool {
        alone(&self.both)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_in_order_and_a_full_ring_takes_none() {
        let words = Words::anonymous(room(4, 2)).unwrap();
        let (mut sender, mut taker) = lane::<2>(&words, 4);
        for round in 0..5 {
            let sent: Vec<_> = (0..5).map(|n| sender.push([round, n])).collect();
            assert_eq!(sent, [true, true, true, true, false]);
            assert_eq!((taker.ready(), taker.peek(3)), (4, [round, 3]));
            taker.take(3);
            assert!(sender.push([round, 9]));
            assert_eq!((taker.peek(0), taker.peek(1)), ([round, 3], [round, 9]));
            taker.take(2);
            assert_eq!(taker.ready(), 0);
        }
        assert!(!taker.is_abandoned());
        sender.push([7, 7]);
        drop(sender);
        assert!(taker.is_abandoned() && taker.peek(0) == [7, 7]);
    }

    #[test]
    fn a_ring_believes_no_number_of_the_other_side() {
        let words = Words::anonymous(room(4, 1)).unwrap();
        let (mut sender, taker) = lane::<1>(&words, 4);
        words[SENT].store(u64::MAX, Ordering::Release);
        assert_eq!(taker.ready(), 4);
        words[TAKEN].store(u64::MAX, Ordering::Release);
        assert!((0..9).all(|n| sender.push([n])), "it is told that all is taken");
    }

    #[test]
    fn two_threads_pass_what_they_send() {
        const COUNT: u64 = 200_000;
        let words = Words::anonymous(room(64, 3)).unwrap();
        let (mut sender, mut taker) = lane::<3>(&words, 64);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for n in 0..COUNT {
                    while !sender.push([n, n * 3, !n]) {
                        std::thread::yield_now();
                    }
                }
            });
            let mut next = 0;
            while next < COUNT {
                let ready = taker.ready();
                for n in 0..ready {
                    assert_eq!(taker.peek(n), [next, next * 3, !next]);
                    next += 1;
                }
                taker.take(ready);
                std::thread::yield_now();
            }
        });
    }
}
