use super::*;
use crate::event::Event;
use crate::frame::{End, EndReason, FrameWriter, Hello, file_header};
use crate::id::{NameIndex, RunKey};
use crate::kind::Kind;
use proptest::prelude::*;

fn frames() -> Vec<Vec<u8>> {
    let mut writer = FrameWriter::new();
    let hello = Hello {
        codec_version: crate::frame::CODEC_VERSION,
        build: "test".into(),
        run_id: "r1".into(),
        run_key: RunKey(7),
        unix_ns_at_zero: 0,
        kinds: Vec::new(),
        plan: b"{}".to_vec(),
    };
    let end = End { time: 9, reason: EndReason::LOAD_DONE, detail: None, counts: Vec::new() };
    vec![
        writer.hello(&hello).unwrap(),
        writer.names(NameIndex(0), &["refused"]).unwrap(),
        writer.events(4, &[Event::new(1, Kind::SENT), Event::new(3, Kind::FAILED)]).unwrap(),
        writer.end(&end).unwrap(),
    ]
}

fn file() -> Vec<u8> {
    let mut bytes = file_header().to_vec();
    bytes.extend(frames().concat());
    bytes
}

/// All frames that the pieces give, and the error that ended them.
fn decode<'a>(
    framing: Framing,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Vec<u8>>, Decoder, Option<DecodeError>) {
    let mut decoder = Decoder::new(framing);
    let mut out = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => out.push(frame.bytes.to_vec()),
                Ok(None) => break,
                Err(error) => return (out, decoder, Some(error)),
            }
        }
    }
    (out, decoder, None)
}

#[test]
fn a_file_comes_apart_wherever_it_is_split() {
    let file = file();
    for at in 0..=file.len() {
        let (first, second) = file.split_at(at);
        let (out, decoder, error) = decode(Framing::File, [first, second]);
        assert_eq!((out, error), (frames(), None), "split at {at}");
        assert!(decoder.is_ended() && !decoder.is_mid_frame());
        assert_eq!(decoder.good_offset(), file.len() as u64);
    }
    let (out, _, error) = decode(Framing::File, file.chunks(1));
    assert_eq!((out, error), (frames(), None));
}

#[test]
fn a_stream_has_no_file_header_and_may_begin_anywhere() {
    let frames = frames();
    let resumed = [frames[0].as_slice(), frames[2].as_slice(), frames[3].as_slice()];
    let (out, decoder, error) = decode(Framing::Stream, resumed);
    assert_eq!((out.len(), error), (3, None));
    assert!(decoder.is_ended());
}

#[test]
fn frames_say_where_they_begin_and_what_they_hold() {
    let mut decoder = Decoder::new(Framing::File);
    decoder.push(&file());
    let first = decoder.next_frame().unwrap().unwrap();
    assert_eq!((first.offset, first.header.number, first.header.frame_type), (12, 0, FrameType::HELLO));
    assert!(matches!(first.read(), Ok(Payload::Hello(hello)) if hello.run_key == RunKey(7)));
    let len = first.bytes.len() as u64;
    assert_eq!(decoder.next_frame().unwrap().unwrap().offset, 12 + len);
}

#[test]
fn a_frame_by_itself_is_whole_or_none() {
    let frame = &frames()[2];
    let read = Frame::from_bytes(frame, 40).unwrap();
    assert_eq!((read.header.number, read.offset, read.bytes), (2, 40, frame.as_slice()));
    for len in 0..frame.len() {
        assert_eq!(Frame::from_bytes(&frame[..len], 0), None);
        let mut damaged = frame.clone();
        damaged[len] ^= 0x10;
        assert_eq!(Frame::from_bytes(&damaged, 0), None);
    }
    assert_eq!(Frame::from_bytes(&[frame.as_slice(), &[0]].concat(), 0), None);
}

#[test]
fn a_torn_tail_is_cut_at_the_last_good_frame() {
    let file = file();
    let mut ends: Vec<usize> = vec![FILE_HEADER_LEN];
    for frame in frames() {
        ends.push(ends.last().unwrap() + frame.len());
    }
    for len in 0..=file.len() {
        let (_, decoder, error) = decode(Framing::File, [&file[..len]]);
        let good = ends.iter().copied().filter(|&end| end <= len).max().unwrap_or(0);
        assert_eq!((decoder.good_offset(), error), (good as u64, None), "cut at {len}");
        assert_eq!(decoder.is_mid_frame(), len != good);
        assert_eq!(decoder.is_ended(), len == file.len());
    }
}

#[test]
fn a_changed_byte_anywhere_is_seen() {
    let file = file();
    for at in 0..file.len() {
        let mut bytes = file.clone();
        bytes[at] ^= 0x10;
        let (out, decoder, error) = decode(Framing::File, [bytes.as_slice()]);
        // A changed length may also leave the frame waiting for bytes that never come.
        assert!(error.is_some() || decoder.is_mid_frame(), "byte {at}");
        assert!(out.len() < 4 && frames().starts_with(&out), "byte {at}");
        assert!(decoder.good_offset() <= at as u64, "byte {at}");
    }
}

#[test]
fn an_oversize_length_is_refused_before_its_bytes_are_awaited() {
    let mut decoder = Decoder::new(Framing::Stream);
    let mut head = [0; HEADER_LEN];
    head[..4].copy_from_slice(&u32::MAX.to_le_bytes());
    decoder.push(&head);
    let error = DecodeError::TooLong { at: 0, len: u32::MAX };
    assert_eq!(decoder.next_frame(), Err(error));
    decoder.push(&frames()[0]);
    assert_eq!(decoder.next_frame(), Err(error), "an error stays");
}

#[test]
fn what_is_no_recording_is_told_so() {
    let error = |bytes: &[u8]| decode(Framing::File, [bytes]).2;
    assert_eq!(error(b"{\"format\": 1}"), Some(DecodeError::NotARecording));
    assert_eq!(error(b"{"), Some(DecodeError::NotARecording));
    let mut newer = file();
    newer[8] = 2;
    assert_eq!(error(&newer), Some(DecodeError::FileVersion(2)));
}

#[test]
fn in_a_file_frames_stand_in_their_order() {
    let frames = frames();
    let header = file_header();
    let error = |order: &[usize]| {
        let pieces = order.iter().map(|&frame| frames[frame].as_slice());
        decode(Framing::File, std::iter::once(header.as_slice()).chain(pieces)).2
    };
    assert_eq!(error(&[0, 1, 2, 3]), None);
    for wrong in [&[1][..], &[0, 2], &[0, 0], &[0, 1, 2, 3, 3]] {
        assert!(matches!(error(wrong), Some(DecodeError::OutOfPlace { .. })), "{wrong:?}");
    }
}

#[test]
fn an_unknown_frame_is_passed_over_only_if_it_may_be() {
    for skippable in [false, true] {
        let mut header = Header::for_payload(FrameType(77), 0, b"new").unwrap();
        if skippable {
            header = header.as_skippable(b"new");
        }
        let mut decoder = Decoder::new(Framing::Stream);
        decoder.push(&header.to_bytes());
        decoder.push(b"new");
        let frame = decoder.next_frame().unwrap().unwrap();
        let expected = if skippable { Ok(Payload::Skipped(FrameType(77))) } else { Err(PayloadError::UnknownType(77)) };
        assert_eq!(frame.read(), expected);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_decoded_or_refused(bytes: Vec<u8>, stream: bool) {
        let framing = if stream { Framing::Stream } else { Framing::File };
        let (_, decoder, _) = decode(framing, bytes.chunks(5));
        prop_assert!(decoder.good_offset() <= bytes.len() as u64);
    }

    #[test]
    fn random_bytes_after_good_frames_do_not_harm_them(tail in prop::collection::vec(any::<u8>(), 1..80)) {
        let good = frames();
        let (out, decoder, _) = decode(Framing::Stream, [good.concat().as_slice(), &tail]);
        prop_assert!(out.starts_with(&good));
        prop_assert!(decoder.good_offset() >= good.concat().len() as u64);
    }
}
