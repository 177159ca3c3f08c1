//! Reads the side file of a recording that another process makes, as far as it is written.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use hopscope_record::decoder::{Decoder, Framing};

use super::Keys;
use super::maker::{HEADER_LEN, header};

/// A side file that grows, and the index that grows with it.
pub(in crate::store) struct Growing {
    path: PathBuf,
    keys: Keys,
    stage: Stage,
}

enum Stage {
    /// It is not there yet, or its header is not.
    Awaited,
    /// It is read on from where the last look ended.
    Read(File, Decoder),
    /// It is another build's, or damaged: what is known by now is all.
    GivenUp,
}

impl Growing {
    /// Of a side file of which nothing is read yet.
    pub(in crate::store) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), keys: Keys::none(path), stage: Stage::Awaited }
    }

    /// The index, which grows with each look.
    pub(in crate::store) const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Reads what has come. It can be done without, so its troubles are nobody's.
    pub(in crate::store) fn look(&mut self) {
        if matches!(self.stage, Stage::Awaited) {
            self.stage = begin(&self.path).unwrap_or(Stage::Awaited);
        }
        if let Stage::Read(file, decoder) = &mut self.stage
            && read(file, decoder, &self.keys).is_none()
        {
            self.stage = Stage::GivenUp;
        }
    }
}

fn begin(path: &Path) -> io::Result<Stage> {
    let mut file = File::open(path)?;
    let mut there = [0; HEADER_LEN];
    file.read_exact(&mut there)?;
    Ok(if there == header() { Stage::Read(file, Decoder::new(Framing::Stream)) } else { Stage::GivenUp })
}

fn read(file: &mut File, decoder: &mut Decoder, keys: &Keys) -> Option<()> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    decoder.push(&bytes);
    while let Some(frame) = decoder.next_frame().ok()? {
        let mut noted = None;
        keys.change(|index| noted = index.note(&frame, HEADER_LEN as u64));
        noted?;
    }
    Some(())
}
