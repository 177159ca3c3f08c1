//! Writes a side file while the recording grows.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use hopscope_record::decoder::Frame;
use hopscope_record::frame::FrameType;
use hopscope_record::state::fingerprint;

use super::fold::Fold;
use super::{Index, KeyRow, Keys, Row};

/// Most frames from one Keyframe to the next: about 1.6 s of a busy run. A late reader has at most so many frames to
/// fold before it is at the head, a seek at most so many to pass over; and at the size of a usual plan (some hundred
/// bytes) Keyframes stay well below a hundredth of what is recorded meanwhile.
pub(super) const EVERY_FRAMES: u32 = 32;

/// Events after which the next frame gets a Keyframe, whatever the number of frames: as many as one frame may hold, so
/// that at the highest rates too a reader is one or two frames, some ten milliseconds, away from any place.
const EVERY_EVENTS: u64 = hopscope_record::codec::MAX_EVENTS as u64;

/// First bytes of a side file; the last of them but four its version.
const MAGIC: [u8; 12] = *b"\x89HOPK\r\n\x1a\x01\0\0\0";

/// Bytes before the first frame of a side file.
pub(super) const HEADER_LEN: usize = 16;

/// What a side file of this build begins with: magic, version, and what the fold comes from.
pub(super) fn header() -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    header[..12].copy_from_slice(&MAGIC);
    header[12..].copy_from_slice(&fingerprint().to_le_bytes());
    header
}

/// Writes the side file and keeps its index up.
pub(in crate::store) struct Maker {
    file: File,
    keys: Keys,
    /// Bytes written.
    at: u64,
    fold: Fold,
    /// The last frame, and where the recording goes on behind it.
    last: Option<(u32, u64)>,
    /// Frames since the last Keyframe.
    frames: u32,
    /// Events before the last Keyframe.
    events: u64,
}

impl Maker {
    /// Begins a side file, in place of any that is there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(in crate::store) fn create(path: &Path) -> io::Result<Self> {
        let mut file = File::create(path)?;
        let header = header();
        file.write_all(&header)?;
        let keys = Keys::new(path, Index::default());
        Ok(Self { file, keys, at: header.len() as u64, fold: Fold::new(), last: None, frames: 0, events: 0 })
    }

    /// The index, which grows with the file.
    pub(in crate::store) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Takes the next frame of the recording, behind which the next one begins at `next_offset`.
    ///
    /// # Errors
    /// When the side file cannot be written; what was written before stays good.
    pub(in crate::store) fn note(&mut self, frame: &Frame<'_>, next_offset: u64) -> io::Result<()> {
        self.fold.push(frame);
        if matches!(frame.header.frame_type, FrameType::HELLO | FrameType::NAMES) {
            let row = self.write(frame.header.number, frame.bytes)?;
            self.keys.change(|index| index.intro.push(row));
        }
        self.last = Some((frame.header.number, next_offset));
        self.frames += 1;
        if self.frames >= EVERY_FRAMES || self.fold.events() - self.events >= EVERY_EVENTS {
            self.write_key()?;
        }
        Ok(())
    }

    /// Puts a Keyframe behind the last frame: what tells that the side file goes to the recording's end.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(in crate::store) fn finish(mut self) -> io::Result<Keys> {
        self.write_key()?;
        Ok(self.keys)
    }

    fn write_key(&mut self) -> io::Result<()> {
        let Some((number, next_offset)) = self.last.filter(|_| self.frames > 0) else { return Ok(()) };
        let frame = self.fold.keyframe(number, next_offset).to_frame().map_err(io::Error::other)?;
        let row = self.write(number, &frame)?;
        self.keys.change(|index| index.keys.push(KeyRow { row, next_offset }));
        (self.frames, self.events) = (0, self.fold.events());
        Ok(())
    }

    fn write(&mut self, frame: u32, bytes: &[u8]) -> io::Result<Row> {
        self.file.write_all(bytes)?;
        let row = Row { frame, at: self.at, len: bytes.len() };
        self.at += bytes.len() as u64;
        Ok(row)
    }
}
