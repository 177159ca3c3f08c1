//! What no owner of a broker needs: the reading of the wire alone, for who throws bytes at it.

use bytes::BytesMut;

use crate::wire::Decoder;

/// The frames of bytes that come in such pieces, as text, and why nothing follows them where they are no frames any more.
pub fn frames<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, frame_max: u32) -> (Vec<String>, Option<String>) {
    let (mut decoder, mut frames) = (Decoder::new(frame_max), Vec::new());
    for piece in pieces {
        let buffer: &mut BytesMut = decoder.buffer();
        buffer.extend_from_slice(piece);
        loop {
            match decoder.frame() {
                Ok(Some(frame)) => frames.push(format!("{frame:?}")),
                Ok(None) => break,
                Err(error) => return (frames, Some(error.to_string())),
            }
        }
    }
    (frames, None)
}
