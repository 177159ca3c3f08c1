//! Sets of offsets.

use std::ops::Range;

use crate::numbered::Numbered;

/// A set of offsets: a bit each, in chunks, so that a recording that names a great one costs no more than a small one.
#[derive(Default)]
pub(super) struct Offsets(Numbered<Chunk>);

const WORDS: usize = 16;
const CHUNK: u64 = WORDS as u64 * u64::BITS as u64;

#[derive(Clone, Copy, Default)]
struct Chunk([u64; WORDS]);

impl Offsets {
    /// Adds an offset; whether it is new.
    pub(super) fn add(&mut self, offset: u64) -> bool {
        let chunk = self.0.get_or_insert_with(offset / CHUNK, Chunk::default);
        let (word, bit) = place_of(offset);
        let Some(word) = chunk.0.get_mut(word) else { return false };
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Whether an offset is there.
    pub(super) fn has(&self, offset: u64) -> bool {
        let (word, bit) = place_of(offset);
        self.0.get(offset / CHUNK).and_then(|chunk| chunk.0.get(word)).is_some_and(|word| word & bit != 0)
    }

    /// Those of a range.
    pub(super) fn within(&self, offsets: Range<u64>) -> impl Iterator<Item = u64> {
        let chunks = offsets.start / CHUNK..offsets.end.div_ceil(CHUNK);
        let there = self.0.iter().filter(move |(chunk, _)| chunks.contains(chunk)).map(|(chunk, _)| chunk);
        let there = there.flat_map(|chunk| chunk * CHUNK..(chunk + 1).saturating_mul(CHUNK));
        there.filter(move |offset| offsets.contains(offset) && self.has(*offset))
    }
}

/// The word and the bit of an offset in its chunk.
const fn place_of(offset: u64) -> (usize, u64) {
    ((offset % CHUNK / u64::BITS as u64) as usize, 1 << (offset % u64::BITS as u64))
}
