//! Opens the side file of a recording that is over, or makes it again.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use hopscope_record::decoder::{Decoder, Framing};
use hopscope_record::frame::FILE_HEADER_LEN;

use super::maker::header;
use super::{Index, Keys, Maker};
use crate::store::Progress;

/// Bytes read at a time.
const CHUNK: usize = 256 * 1024;

/// The index of the recording at `recording`, which has come to `progress` and grows no more. A side file that does not
/// fit it is made again, by way of `draft`; where that cannot be written the recording is read without one.
pub(in crate::store) fn open(recording: &Path, progress: Progress, path: &Path, draft: &Path) -> Keys {
    if let Ok(Some(index)) = load(recording, progress, path) {
        return Keys::new(path, index);
    }
    match rebuild(recording, progress, path, draft) {
        Ok(keys) => keys,
        Err(error) => {
            tracing::warn!("{} is read from its first frame on: {error}", recording.display());
            // Half of one is worth nothing; it may not even be there.
            let _ = fs::remove_file(draft);
            Keys::none(path)
        }
    }
}

/// What stands in the side file; `None` if it is not this recording's, not whole, or not this build's.
fn load(recording: &Path, progress: Progress, path: &Path) -> io::Result<Option<Index>> {
    let bytes = fs::read(path)?;
    let header = header();
    let Some(rest) = bytes.strip_prefix(&header) else { return Ok(None) };
    let Some(index) = index(rest, header.len() as u64) else { return Ok(None) };
    let last = index.keys.last().map(|key| (key.row.frame.checked_add(1), key.next_offset));
    if last != Some((Some(progress.frames), progress.bytes)) {
        return Ok(None);
    }
    // The run's own key is in Hello: a side file of another run never fits.
    let Some(hello) = index.intro.first().filter(|row| row.frame == 0) else { return Ok(None) };
    let mut there = vec![0; hello.len];
    File::open(recording)?.read_exact_at(&mut there, FILE_HEADER_LEN as u64)?;
    let ours = rest.get(..hello.len);
    Ok((hello.at == header.len() as u64 && ours == Some(there.as_slice())).then_some(index))
}

/// Reads the frames of a side file; `None` if one of them is damaged or has nothing to do there.
fn index(bytes: &[u8], at: u64) -> Option<Index> {
    let mut decoder = Decoder::new(Framing::Stream);
    decoder.push(bytes);
    let mut index = Index::default();
    while let Some(frame) = decoder.next_frame().ok()? {
        index.note(&frame, at)?;
    }
    let in_order = index.intro.is_sorted_by(|one, next| one.frame < next.frame)
        && index.keys.is_sorted_by(|one, next| one.row.frame < next.row.frame && one.next_offset < next.next_offset);
    (in_order && !decoder.is_mid_frame()).then_some(index)
}

/// Makes the side file from the recording, in one step for whoever looks for it.
fn rebuild(recording: &Path, progress: Progress, path: &Path, draft: &Path) -> io::Result<Keys> {
    let mut file = File::open(recording)?.take(progress.bytes);
    let mut maker = Maker::create(draft)?;
    let mut decoder = Decoder::new(Framing::File);
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = file.read(&mut chunk)?;
        if count == 0 {
            break;
        }
        decoder.push(chunk.get(..count).unwrap_or_default());
        while let Some(frame) = decoder.next_frame().map_err(io::Error::other)? {
            maker.note(&frame, frame.offset + frame.bytes.len() as u64)?;
        }
    }
    let index = maker.finish()?.read(Index::clone);
    fs::rename(draft, path)?;
    Ok(Keys::new(path, index))
}
