//! The side file of a recording, `ID.keys`: Keyframes, and copies of the frames that a reader needs before one.
//!
//! It is the recording's index. A reader that wants frame n seeks to the newest Keyframe before it and reads on from
//! there; one that comes late gets Hello, all Names and the newest Keyframe, and goes on behind it. The run's writer
//! makes the file while it writes the recording ([`Maker`]); where it is missing, torn, of another build or not up to
//! the recording's end, it is made again from the recording ([`open()`]). Of a recording that another process makes it is read
//! as it grows ([`Growing`]). Nothing here is needed to read a recording: the
//! worst that can come of its loss is that a reader begins at the first frame.

mod fold;
mod follow;
mod maker;
mod open;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use hopscope_record::decoder::Frame;
use hopscope_record::frame::{FILE_HEADER_LEN, FrameType, Keyframe};

pub(super) use follow::Growing;
pub(super) use maker::Maker;
pub(super) use open::open;

/// Where a frame of the side file stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Row {
    /// Its number: of a copy, the frame's own; of a Keyframe, of the frame that it comes after.
    frame: u32,
    /// Where it begins in the side file.
    at: u64,
    /// Its length in bytes.
    len: usize,
}

/// A Keyframe of the side file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct KeyRow {
    row: Row,
    /// Where the frame after it begins in the recording.
    next_offset: u64,
}

/// What stands where in the side file, in the order of their numbers.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
struct Index {
    /// Hello and Names.
    intro: Vec<Row>,
    keys: Vec<KeyRow>,
}

impl Index {
    /// Takes the next frame of a side file whose frames begin at byte `begin`; `None` if it has nothing to do there.
    fn note(&mut self, frame: &Frame<'_>, begin: u64) -> Option<()> {
        let row = Row { frame: frame.header.number, at: begin + frame.offset, len: frame.bytes.len() };
        match frame.header.frame_type {
            FrameType::HELLO | FrameType::NAMES => self.intro.push(row),
            FrameType::KEYFRAME => {
                let next_offset = Keyframe::read(frame).ok()?.next_offset;
                self.keys.push(KeyRow { row, next_offset });
            }
            _ => return None,
        }
        Some(())
    }
}

/// A place in a recording where a reader may begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Spot {
    /// Number of the frame that begins there.
    pub(super) frame: u32,
    /// How many bytes of the file are before it.
    pub(super) offset: u64,
}

impl Spot {
    /// The first frame of every recording.
    const FIRST: Self = Self { frame: 0, offset: FILE_HEADER_LEN as u64 };
}

/// What brings a reader to the head, and where it then goes on.
pub(super) struct Leap {
    /// Hello and Names as far as the reader has not had them, and the Keyframe.
    pub(super) frames: Vec<u8>,
    pub(super) to: Spot,
}

/// A handle on the index of one recording and its side file. Clones share it.
#[derive(Clone)]
pub(super) struct Keys {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    index: RwLock<Index>,
}

impl Keys {
    fn new(path: &Path, index: Index) -> Self {
        Self { shared: Arc::new(Shared { path: path.to_owned(), index: RwLock::new(index) }) }
    }

    /// The index of a recording that has no side file: everyone begins at the first frame.
    pub(super) fn none(path: &Path) -> Self {
        Self::new(path, Index::default())
    }

    /// The nearest place from which frame `from` can be reached by reading on.
    pub(super) fn spot_before(&self, from: u32) -> Spot {
        // The frame after a Keyframe is the first that need not be read to reach `from`.
        let key = from.checked_sub(1).and_then(|last| self.newest(last));
        key.map_or(Spot::FIRST, |key| Spot { frame: key.row.frame.saturating_add(1), offset: key.next_offset })
    }

    /// The newest Keyframe after frame `at_most` or an earlier one, as a frame.
    ///
    /// # Errors
    /// When the side file cannot be read.
    pub(super) fn keyframe(&self, at_most: u32) -> io::Result<Option<Vec<u8>>> {
        let Some(key) = self.newest(at_most) else { return Ok(None) };
        let mut frame = Vec::new();
        copy(&File::open(&self.shared.path)?, key.row, &mut frame)?;
        Ok(Some(frame))
    }

    /// What brings a reader that has all frames before `from` behind the newest Keyframe after frame `at_most` or an
    /// earlier one; `None` if there is none that it has not passed.
    ///
    /// # Errors
    /// When the side file cannot be read.
    pub(super) fn leap(&self, from: u32, at_most: u32) -> io::Result<Option<Leap>> {
        let Some(key) = self.newest(at_most).filter(|key| key.row.frame >= from) else { return Ok(None) };
        let known = |row: &Row| (from..=key.row.frame).contains(&row.frame);
        let intro: Vec<Row> = self.read(|index| index.intro.iter().filter(|row| known(row)).copied().collect());
        let file = File::open(&self.shared.path)?;
        let mut frames = Vec::new();
        for row in intro.into_iter().chain([key.row]) {
            copy(&file, row, &mut frames)?;
        }
        let to = Spot { frame: key.row.frame.saturating_add(1), offset: key.next_offset };
        Ok(Some(Leap { frames, to }))
    }

    fn newest(&self, at_most: u32) -> Option<KeyRow> {
        self.read(|index| {
            let after = index.keys.partition_point(|key| key.row.frame <= at_most);
            after.checked_sub(1).and_then(|at| index.keys.get(at)).copied()
        })
    }

    fn read<T>(&self, read: impl FnOnce(&Index) -> T) -> T {
        read(&self.shared.index.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&mut Index)) {
        change(&mut self.shared.index.write().unwrap_or_else(PoisonError::into_inner));
    }
}

fn copy(file: &File, row: Row, out: &mut Vec<u8>) -> io::Result<()> {
    let before = out.len();
    out.resize(before + row.len, 0);
    file.read_exact_at(out.get_mut(before..).unwrap_or_default(), row.at)
}

#[cfg(test)]
mod tests;
