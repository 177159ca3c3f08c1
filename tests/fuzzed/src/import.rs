//! Recordings that come as JSON.

use std::convert::Infallible;
use std::io::Cursor;

use hopscope_record::decoder::{Decoder, Framing};
use hopscope_report::export::{Document, Format};

/// Any bytes as a document. What is taken in is a recording, which exported and taken in again is the same.
pub(crate) fn import(bytes: &[u8]) {
    if let Some(file) = imported(bytes) {
        let json = exported(&file);
        assert!(imported(&json).is_some_and(|again| again == file), "the recording comes back as another");
    }
}

/// What an export has written, taken in again, exports the same bytes; it may be refused where no run would have recorded it.
pub(crate) fn comes_back(json: &[u8]) {
    if let Some(file) = imported(json) {
        assert!(exported(&file) == json, "the document comes back as another");
    }
}

fn imported(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut file = Vec::new();
    let put = |part: &[u8]| {
        file.extend_from_slice(part);
        Ok(())
    };
    hopscope_report::import::import(bytes, put).ok()?;
    let mut decoder = Decoder::new(Framing::File);
    decoder.push(&file);
    while let Ok(Some(frame)) = decoder.next_frame() {
        assert!(frame.read().is_ok(), "{:?} cannot be read", frame.header);
    }
    assert_eq!((decoder.good_offset(), decoder.is_mid_frame()), (file.len() as u64, false));
    Some(file)
}

fn exported(file: &[u8]) -> Vec<u8> {
    let mut json = Vec::new();
    let put = |chunk: Vec<u8>| {
        json.extend(chunk);
        Ok::<_, Infallible>(())
    };
    let format = Format::find("json");
    let document = format.and_then(|format| Document::survey(format, Cursor::new(file), file.len() as u64).ok());
    assert!(document.is_some_and(|document| document.write(put).is_ok()), "what was imported cannot be exported");
    json
}
