//! A recording's file, frame by frame.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use anyhow::Result;
use hopscope_record::decoder::{Decoder, Frame, Framing};

/// Bytes read at a time.
const CHUNK: usize = 256 * 1024;

/// Reads the first `bytes` of a recording's file, from its beginning, and hands over each frame.
///
/// # Errors
/// When the file cannot be read or is damaged, or those of `each`.
pub(crate) fn each_frame(file: &mut File, bytes: u64, mut each: impl FnMut(&Frame<'_>) -> Result<()>) -> Result<()> {
    file.seek(SeekFrom::Start(0))?;
    let mut file = file.take(bytes);
    let mut decoder = Decoder::new(Framing::File);
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = file.read(&mut chunk)?;
        if count == 0 {
            return Ok(());
        }
        decoder.push(chunk.get(..count).unwrap_or_default());
        while let Some(frame) = decoder.next_frame()? {
            each(&frame)?;
        }
    }
}
