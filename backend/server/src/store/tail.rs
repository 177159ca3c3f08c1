//! A reader of one run's frames, from any frame on, that follows the file while it grows.
//!
//! It holds a file and a place in it and nothing of the run, so that a slow reader holds nothing up and misses nothing.
//! One that would rather be at the head than miss nothing asks [`Tail::leap`].

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use hopscope_record::decoder::{Decoder, Framing};
use tokio::sync::watch;

use super::Progress;
use super::keep::Reading;
use super::keys::{Keys, Spot};

/// Whole frames that are handed out together: until they have so many bytes.
const BATCH: usize = 256 * 1024;

/// Frames of a range: no more are added once they have so many bytes.
pub const MOST_FRAMES_BYTES: usize = 1 << 20;

/// Reads a run's frames, as they were written.
pub struct Tail {
    reader: Option<Reader>,
    progress: watch::Receiver<Progress>,
    keys: Keys,
    /// Whether the file was seen to have all that it will ever have.
    broken: bool,
    /// Says that the run is being read.
    _reading: Reading,
}

struct Reader {
    file: File,
    decoder: Decoder,
    /// Where the decoder's first byte stands in the file.
    begin: u64,
    /// Bytes of the file up to the last that the decoder has.
    read: u64,
    /// Number of the next frame in the file.
    next: u32,
    /// The first frame to hand out.
    from: u32,
    chunk: Vec<u8>,
}

impl Tail {
    pub(super) fn new(
        file: File,
        from: u32,
        keys: Keys,
        progress: watch::Receiver<Progress>,
        reading: Reading,
    ) -> io::Result<Self> {
        let decoder = Decoder::new(Framing::Stream);
        let mut reader = Reader { file, decoder, begin: 0, read: 0, next: 0, from, chunk: Vec::new() };
        reader.seek(keys.spot_before(from))?;
        Ok(Self { reader: Some(reader), progress, keys, broken: false, _reading: reading })
    }

    /// The next frames, one or more; empty when all that the file has so far were handed out.
    ///
    /// # Errors
    /// When the file cannot be read or is damaged.
    pub async fn read(&mut self) -> io::Result<Vec<u8>> {
        let Progress { bytes: end, broken, .. } = *self.progress.borrow_and_update();
        self.broken = broken;
        self.with_reader(move |reader| reader.read_batch(end, u32::MAX, BATCH)).await
    }

    /// Waits until the file may have more than the last [`Tail::read`] saw; `false` when it never will, whether the run is
    /// over or goes on. May be given up at any time.
    pub async fn grown(&mut self) -> bool {
        !self.broken && self.progress.changed().await.is_ok()
    }

    /// Brings a reader that is behind by more than `most` bytes to the head: what it needs to go on there, which is
    /// Hello and Names as far as it has not had them, then a Keyframe. The newest is taken that leaves a frame to be
    /// read, so that a recording's End always is. `None` if it is not that far behind, or no Keyframe would help.
    ///
    /// # Errors
    /// When the side file cannot be read.
    pub async fn leap(&mut self, most: u64) -> io::Result<Option<Vec<u8>>> {
        let Progress { frames, bytes, .. } = *self.progress.borrow();
        let Some(reader) = &self.reader else { return Ok(None) };
        let Some(at_most) = frames.checked_sub(2).filter(|_| bytes.saturating_sub(reader.position()) > most) else {
            return Ok(None);
        };
        let keys = self.keys.clone();
        self.with_reader(move |reader| {
            let Some(leap) = keys.leap(reader.next.max(reader.from), at_most)? else { return Ok(None) };
            reader.from = leap.to.frame;
            reader.seek(leap.to)?;
            Ok(Some(leap.frames))
        })
        .await
    }

    /// The frames before number `to` that the file has by now, up to [`MOST_FRAMES_BYTES`]. Waits for the disk.
    pub(super) fn read_range(&mut self, to: u32) -> io::Result<Vec<u8>> {
        let end = self.progress.borrow_and_update().bytes;
        let reader = self.reader.as_mut().ok_or_else(given_up)?;
        if to <= reader.from { Ok(Vec::new()) } else { reader.read_batch(end, to, MOST_FRAMES_BYTES) }
    }

    /// Files are read where waiting for a disk holds up nobody.
    async fn with_reader<T: Send + 'static>(
        &mut self,
        read: impl FnOnce(&mut Reader) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let mut reader = self.reader.take().ok_or_else(given_up)?;
        let task = tokio::task::spawn_blocking(move || {
            let result = read(&mut reader);
            (reader, result)
        });
        let (reader, result) = task.await.map_err(io::Error::other)?;
        self.reader = Some(reader);
        result
    }
}

fn given_up() -> io::Error {
    io::Error::other("an earlier read of this recording was given up")
}

impl Reader {
    fn seek(&mut self, spot: Spot) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(spot.offset))?;
        self.decoder = Decoder::new(Framing::Stream);
        (self.begin, self.read, self.next) = (spot.offset, spot.offset, spot.frame);
        Ok(())
    }

    /// Bytes of the file up to the last frame that was handed out or passed over.
    const fn position(&self) -> u64 {
        self.begin + self.decoder.good_offset()
    }

    /// Frames before number `to` in the first `end` bytes of the file; when they have `most` bytes, no more of them.
    fn read_batch(&mut self, end: u64, to: u32, most: usize) -> io::Result<Vec<u8>> {
        let mut batch = Vec::new();
        loop {
            while let Some(frame) = self.decoder.next_frame().map_err(io::Error::other)? {
                if frame.header.number != self.next {
                    let Reader { next, .. } = self;
                    return Err(io::Error::other(format!("frame {next} is not where it belongs")));
                }
                if self.next >= self.from {
                    batch.extend_from_slice(frame.bytes);
                }
                self.next = self.next.saturating_add(1);
                if batch.len() >= most || self.next >= to {
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
