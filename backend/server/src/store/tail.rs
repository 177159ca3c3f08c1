//! A reader of one run's frames, from any frame on, that follows the file while it grows.
//!
//! It holds a file and a place in it and nothing of the run, so that a slow reader holds nothing up and misses nothing.

use std::fs::File;
use std::io::{self, Read};

use hopscope_record::decoder::{Decoder, Framing};
use tokio::sync::watch;

use super::Progress;

/// Whole frames that are handed out together: until they have so many bytes.
const BATCH: usize = 256 * 1024;

/// Reads a run's frames, as they were written.
pub struct Tail {
    reader: Option<Reader>,
    progress: watch::Receiver<Progress>,
}

struct Reader {
    file: File,
    decoder: Decoder,
    /// Bytes of the file that the decoder has.
    read: u64,
    /// The first frame to hand out.
    from: u32,
    chunk: Vec<u8>,
}

impl Tail {
    pub(super) fn new(file: File, from: u32, progress: watch::Receiver<Progress>) -> Self {
        let decoder = Decoder::new(Framing::File);
        Self { reader: Some(Reader { file, decoder, read: 0, from, chunk: Vec::new() }), progress }
    }

    /// The next frames, one or more; empty when all that the file has so far were handed out.
    ///
    /// # Errors
    /// When the file cannot be read or is damaged.
    pub async fn read(&mut self) -> io::Result<Vec<u8>> {
        let Some(mut reader) = self.reader.take() else {
            return Err(io::Error::other("an earlier read of this recording was given up"));
        };
        let end = self.progress.borrow_and_update().bytes;
        // Files are read where waiting for a disk holds up nobody.
        let (reader, batch) = tokio::task::spawn_blocking(move || {
            let batch = reader.read_batch(end);
            (reader, batch)
        })
        .await
        .map_err(io::Error::other)?;
        self.reader = Some(reader);
        batch
    }

    /// Waits until the file may have more than the last [`Tail::read`] saw; `false` when it never will. May be given up
    /// at any time.
    pub async fn grown(&mut self) -> bool {
        self.progress.changed().await.is_ok()
    }
}

impl Reader {
    fn read_batch(&mut self, end: u64) -> io::Result<Vec<u8>> {
        let mut batch = Vec::new();
        loop {
            while let Some(frame) = self.decoder.next_frame().map_err(io::Error::other)? {
                if frame.header.number >= self.from {
                    batch.extend_from_slice(frame.bytes);
                }
                if batch.len() >= BATCH {
                    return Ok(batch);
                }
            }
            if self.read >= end {
                return Ok(batch);
            }
            self.read_chunk(end)?;
        }
    }

    fn read_chunk(&mut self, end: u64) -> io::Result<()> {
        let wanted = (end - self.read).min(BATCH as u64) as usize;
        self.chunk.resize(wanted, 0);
        let count = self.file.read(&mut self.chunk)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.read += count as u64;
        self.decoder.push(self.chunk.get(..count).unwrap_or_default());
        Ok(())
    }
}
