//! Every format alike: what the list of exports promises of each.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io::Cursor;

use hopscope_report::export::{Document, DocumentError, EXPORTS, Format, SourceError};

use crate::lawful::{self, Shape};
use crate::recording::Recording;

const USUAL: Shape =
    Shape { messages: 3_000, period: 1_000_000, work: 400_000, sources: 3, workers: 4, unusual: 10, seed: 42 };

/// A recording's file as a document, and its longest chunk but for the last.
pub(crate) fn written(format: &Format, file: &[u8]) -> (Vec<u8>, usize) {
    let (mut document, mut longest, mut last) = (Vec::new(), 0, 0);
    let survey = Document::survey(format, Cursor::new(file), file.len() as u64).unwrap();
    let put = |chunk: Vec<u8>| {
        (longest, last) = (longest.max(last), chunk.len());
        document.extend(chunk);
        Ok::<_, Infallible>(())
    };
    survey.write(put).unwrap();
    (document, longest)
}

#[test]
fn formats_are_told_apart_and_found_by_their_names() {
    let distinct = |of: fn(&Format) -> &'static str| EXPORTS.map(of).into_iter().collect::<BTreeSet<_>>().len();
    assert_eq!((distinct(|format| format.id), distinct(|format| format.extension)), (EXPORTS.len(), EXPORTS.len()));
    for format in EXPORTS {
        assert_eq!(Format::find(format.id).map(|found| found.id), Some(format.id));
        assert!(format.media_type.contains('/'), "{format:?}");
    }
    assert!(Format::find("xml").is_none());
}

#[test]
fn every_format_comes_in_bounded_chunks_and_leaves_no_trace_of_frames() {
    let mut recording = Recording::of(lawful::run(Shape { messages: 20_000, ..USUAL }));
    for format in EXPORTS {
        recording.batch = 60_000;
        let (expected, longest) = written(format, &recording.file());
        assert!(expected.len() > 2_000_000 && longest < 70_000, "{}: {longest} of {}", format.id, expected.len());
        recording.batch = 4_097;
        assert!(written(format, &recording.file()).0 == expected, "{}", format.id);
    }
}

#[test]
fn every_format_takes_recordings_that_are_cut_or_empty_and_refuses_what_is_none() {
    let cut = Recording { end: None, ..Recording::of(lawful::run(USUAL)) }.file();
    let empty = Recording::of(Vec::new()).file();
    for format in EXPORTS {
        assert!(!written(format, &cut).0.is_empty() && !written(format, &empty).0.is_empty(), "{}", format.id);
        let survey = |bytes: &[u8]| Document::survey(format, Cursor::new(bytes.to_vec()), bytes.len() as u64).err();
        assert!(matches!(survey(b""), Some(SourceError::Export(_))), "{}", format.id);
        assert!(matches!(survey(b"not a recording"), Some(SourceError::Decode(_))), "{}", format.id);
    }
}

#[test]
fn a_reader_that_has_had_enough_ends_the_writing() {
    let file = Recording::of(lawful::run(USUAL)).file();
    for format in EXPORTS {
        let mut chunks = 0;
        let put = |_: Vec<u8>| {
            chunks += 1;
            Err("enough")
        };
        let survey = Document::survey(format, Cursor::new(&file), file.len() as u64).unwrap();
        assert!(matches!(survey.write(put), Err(DocumentError::Put("enough"))), "{}", format.id);
        assert_eq!(chunks, 1, "{}", format.id);
    }
}
