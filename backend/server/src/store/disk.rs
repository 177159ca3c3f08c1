//! What a run's file is written to. A trait, so that a test can put a disk in its place that takes no more.

use std::fs::File;
use std::io;

/// A file that grows at its end.
pub(super) trait Disk: io::Write + Send {
    /// Leaves so many bytes of it.
    ///
    /// # Errors
    /// When the system does not.
    fn cut(&self, bytes: u64) -> io::Result<()>;

    /// Waits until all of it is on the disk.
    ///
    /// # Errors
    /// When something of it cannot be stored.
    fn sync(&self) -> io::Result<()>;
}

impl Disk for File {
    fn cut(&self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_all()
    }
}

/// A disk with room for so many bytes: the frame that meets its end is written in part, as the system does.
#[cfg(test)]
pub(super) struct Small {
    pub(super) file: File,
    pub(super) room: usize,
}

#[cfg(test)]
impl io::Write for Small {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let fits = bytes.get(..bytes.len().min(self.room)).unwrap_or_default();
        if fits.is_empty() && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let written = self.file.write(fits)?;
        self.room -= written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
impl Disk for Small {
    fn cut(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }
}
