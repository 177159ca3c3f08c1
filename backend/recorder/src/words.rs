//! Memory of 64-bit words that two sides use at once: threads of one process, or two processes that have mapped one file.
//!
//! Every word is an atomic, so that no value of the other side's, however wrong, is more than a wrong number here.
#![expect(unsafe_code, reason = "no safe crate gives atomics over a mapping; what is unsafe is this file's alone")]

use std::fs::File;
use std::io;
use std::ops::{Deref, Range};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use memmap2::{MmapMut, MmapOptions, MmapRaw};

const BYTES: usize = size_of::<AtomicU64>();

/// A row of words. Parts of it and clones share the memory, which lives as long as one of them does.
#[derive(Clone, Debug)]
pub(super) struct Words {
    first: NonNull<AtomicU64>,
    count: usize,
    _memory: Arc<MmapRaw>,
}

// SAFETY: what it points at are atomics, which any thread may use, in memory that it keeps alive by itself.
unsafe impl Send for Words {}
// SAFETY: as above.
unsafe impl Sync for Words {}

impl Words {
    /// So many words of this process, all 0. The system gives a page when it is written.
    ///
    /// # Errors
    /// When the system has no address space.
    pub(super) fn anonymous(count: usize) -> io::Result<Self> {
        Self::over(MmapMut::map_anon(count * BYTES)?.into(), count)
    }

    /// The first words of a file, which must be that long, shared with all who map it.
    ///
    /// # Errors
    /// When it is shorter, or cannot be mapped.
    pub(super) fn of(file: &File, count: usize) -> io::Result<Self> {
        let bytes = count * BYTES;
        if file.metadata()?.len() < bytes as u64 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the shared memory is too short"));
        }
        Self::over(MmapOptions::new().len(bytes).map_raw(file)?, count)
    }

    fn over(memory: MmapRaw, count: usize) -> io::Result<Self> {
        let first = NonNull::new(memory.as_mut_ptr().cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { first, count, _memory: Arc::new(memory) })
    }

    /// Some of these words.
    ///
    /// # Panics
    /// When they are not all among these.
    pub(super) fn part(&self, range: Range<usize>) -> Self {
        let part = &self[range];
        Self { first: NonNull::from(part).cast(), count: part.len(), _memory: Arc::clone(&self._memory) }
    }
}

impl Deref for Words {
    type Target = [AtomicU64];

    #[inline]
    fn deref(&self) -> &[AtomicU64] {
        // SAFETY: a mapping begins at a page, so it is aligned; `count` words are within it and zeroed or written by atomics,
        // for which every pattern of bits is a value; it is mapped as long as `_memory` lives. Nobody has a `&mut` to it.
        unsafe { std::slice::from_raw_parts(self.first.as_ptr(), self.count) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    #[test]
    fn two_mappings_of_a_file_are_the_same_words() {
        let file = tempfile::tempfile().unwrap();
        assert!(Words::of(&file, 4).is_err(), "it is empty");
        file.set_len(64).unwrap();
        let (one, other) = (Words::of(&file, 8).unwrap(), Words::of(&file, 4).unwrap());
        one.part(2..4)[1].store(7, Ordering::Release);
        assert_eq!(other.iter().map(|word| word.load(Ordering::Acquire)).collect::<Vec<_>>(), [0, 0, 0, 7]);
    }
}
