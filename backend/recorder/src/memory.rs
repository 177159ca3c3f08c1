//! Frames kept in memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{FrameSink, Summary};

/// A sink that keeps what it takes, for tests and benches: no disk, and always room. Clones share it.
#[derive(Clone, Default, Debug)]
pub struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    /// The frames so far, one after the other, as a stream carries them.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FrameSink for Memory {
    fn has_room(&mut self) -> bool {
        true
    }

    fn put(&mut self, frame: Vec<u8>) {
        self.lock().extend(frame);
    }

    fn finish(self: Box<Self>, _: &Summary) -> std::io::Result<()> {
        Ok(())
    }
}
