use super::*;
use crate::codec::{EncodeError, EventDecoder};
use crate::event::Event;
use crate::id::{LinkIndex, NameIndex, RunKey, SourceId};
use crate::kind::Kind;
use proptest::prelude::*;

fn hello() -> Hello {
    Hello {
        codec_version: CODEC_VERSION,
        build: "0.1".into(),
        run_id: "r1".into(),
        run_key: RunKey(0x0102_0304_0506_0708),
        unix_ns_at_zero: -2,
        kinds: vec![(Kind(1), "I".into()), (Kind(300), "X".into())],
        plan: b"{}".to_vec(),
    }
}

fn end() -> End {
    End {
        time: 5_000,
        reason: EndReason::STOPPED,
        detail: Some(NameIndex(0)),
        counts: vec![EndCount::events(SourceId(1), 300), EndCount::open_attempts(LinkIndex(2), 1)],
    }
}

fn rows() -> [MessageRow; 2] {
    let bare = MessageRow { message: 1 << 40 | 5, key: None, value: None, event_time: None, bytes: 256 };
    let full = MessageRow { key: Some(NameIndex(3)), value: Some(-2), event_time: Some(-1), ..bare };
    [MessageRow { message: full.message - 1, ..full }, MessageRow { event_time: Some(200), ..bare }]
}

/// With a measure that no build knows.
fn sample() -> Sample {
    Sample { time: 1_000, values: vec![(Measure::SPAN_NS, 64), (Measure::OTHER_RUNS, 0), (Measure(300), -1)] }
}

fn read(frame: &[u8]) -> Result<Payload<'_>, PayloadError> {
    let (head, payload) = frame.split_first_chunk::<HEADER_LEN>().unwrap();
    let header = Header::from_bytes(*head).unwrap();
    assert_eq!(header.payload_len as usize, payload.len());
    assert!(header.matches(payload));
    Payload::read(header.frame_type, header.skippable, payload)
}

/// Released bytes: a change here breaks every recording that exists.
#[test]
#[rustfmt::skip]
fn the_bytes_of_frames_are_fixed() {
    let mut writer = FrameWriter::new();
    assert_eq!(writer.hello(&hello()).unwrap(), [
        35, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 181, 17, 33, 249,
        1, 3, b'0', b'.', b'1', 2, b'r', b'1', 8, 7, 6, 5, 4, 3, 2, 1,
        254, 255, 255, 255, 255, 255, 255, 255, 2, 1, 1, b'I', 0xac, 2, 1, b'X', 2, b'{', b'}',
    ]);
    assert_eq!(writer.events(7, &[]).unwrap(), [
        12, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 83, 102, 244, 8,
        7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ]);
    assert_eq!(writer.names(NameIndex(3), &["a", "é"]).unwrap(), [
        7, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 115, 216, 164, 87,
        3, 2, 1, b'a', 2, 0xc3, 0xa9,
    ]);
    assert_eq!(writer.losses(&[Loss { source: SourceId(1), count: 2, from: -1, to: 1 }]).unwrap(), [
        5, 0, 0, 0, 6, 0, 0, 0, 3, 0, 0, 0, 255, 52, 100, 213,
        1, 1, 2, 1, 2,
    ]);
    assert_eq!(writer.end(&end()).unwrap(), [
        12, 0, 0, 0, 7, 0, 0, 0, 4, 0, 0, 0, 84, 21, 181, 160,
        0x90, 0x4e, 2, 1, 2, 1, 1, 0xac, 2, 2, 2, 1,
    ]);
    assert_eq!(writer.messages(7, &rows()).unwrap(), [
        19, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 55, 229, 24, 53,
        7, 2, 7, 0x86, 0x80, 0x80, 0x80, 0x80, 64, 0x80, 4, 3, 3, 1, 4, 0, 0, 0x92, 3,
    ]);
    assert_eq!(writer.clock(&sample()).unwrap(), [
        11, 0, 0, 0, 5, 1, 0, 0, 6, 0, 0, 0, 173, 147, 164, 39,
        0xd0, 0x0f, 3, 1, 0x80, 1, 9, 0, 0xac, 2, 1,
    ]);
    assert_eq!(file_header(), [0x89, b'H', b'O', b'P', b'S', 13, 10, 26, 1, 0, 0, 0]);
}

#[test]
fn payloads_come_back() {
    let mut writer = FrameWriter::new();
    assert_eq!(read(&writer.hello(&hello()).unwrap()), Ok(Payload::Hello(hello())));
    let names = NamesPayload { first: NameIndex(4), names: vec![String::new(), "peer closed".into()] };
    assert_eq!(read(&writer.names(NameIndex(4), &["", "peer closed"]).unwrap()), Ok(Payload::Names(names)));
    let losses = vec![Loss { source: SourceId(u16::MAX), count: u64::MAX, from: i64::MIN, to: i64::MAX }];
    assert_eq!(read(&writer.losses(&losses).unwrap()), Ok(Payload::Loss(losses)));
    assert_eq!(read(&writer.end(&end()).unwrap()), Ok(Payload::End(end())));
    let messages = MessagesPayload { first: 9, rows: rows().to_vec() };
    assert_eq!(read(&writer.messages(9, &rows()).unwrap()), Ok(Payload::Messages(messages)));
    assert_eq!(read(&writer.clock(&sample()).unwrap()), Ok(Payload::Clock(sample())));
    let empty = Sample { time: i64::MIN, values: Vec::new() };
    assert_eq!(read(&writer.clock(&empty).unwrap()), Ok(Payload::Clock(empty)));
    assert_eq!(writer.next_number(), 7);
}

#[test]
fn a_frame_of_events_carries_its_cut_and_its_batch() {
    let events = [Event::new(3, Kind::SENT), Event::new(4, Kind(999))];
    let frame = FrameWriter::new().events(5, &events).unwrap();
    let Ok(Payload::Events(payload)) = read(&frame) else { panic!("not a frame of events") };
    assert_eq!(payload.cut, 5);
    let mut back = Vec::new();
    EventDecoder::new().decode(payload.batch, &mut back).unwrap();
    assert_eq!(back, events);
}

#[test]
fn a_frame_that_was_not_made_takes_no_number() {
    let mut writer = FrameWriter::new();
    let unsorted = [Event::new(2, Kind::SENT), Event::new(1, Kind::SENT)];
    assert_eq!(writer.events(2, &unsorted), Err(WriteError::Events(EncodeError::NotSorted(1))));
    let long = Hello { plan: vec![0; MAX_PAYLOAD], ..hello() };
    assert!(matches!(writer.hello(&long), Err(WriteError::TooLong(_))));
    assert_eq!(writer.next_number(), 0);
}

#[test]
fn another_encoding_is_refused_by_its_version() {
    let frame = FrameWriter::new().hello(&Hello { codec_version: 2, ..hello() }).unwrap();
    assert_eq!(read(&frame), Err(PayloadError::CodecVersion(2)));
}

#[test]
fn an_unknown_type_is_passed_over_only_if_it_may_be() {
    let unknown = FrameType(200);
    assert_eq!(Payload::read(unknown, true, b"x"), Ok(Payload::Skipped(unknown)));
    assert_eq!(Payload::read(unknown, false, b"x"), Err(PayloadError::UnknownType(200)));
    // A type that is known is read, marked or not.
    assert_eq!(Payload::read(FrameType::END, true, b"x"), Err(PayloadError::Malformed(7)));
}

#[test]
fn payloads_cut_short_or_too_long_are_errors() {
    let mut writer = FrameWriter::new();
    let frames = [
        writer.hello(&hello()),
        writer.names(NameIndex(0), &["ab"]),
        writer.messages(0, &rows()),
        writer.clock(&sample()),
        writer.end(&end()),
    ];
    for frame in frames {
        let mut frame = frame.unwrap();
        let frame_type = FrameType(frame[4]);
        for len in HEADER_LEN..frame.len() {
            assert!(Payload::read(frame_type, false, &frame[HEADER_LEN..len]).is_err(), "{frame_type:?} at {len}");
        }
        frame.push(0);
        assert!(Payload::read(frame_type, false, &frame[HEADER_LEN..]).is_err());
    }
}

#[test]
fn a_sample_tells_each_measure_once_and_in_order() {
    let measures = [Measure::SPAN_NS, Measure::RUN_TURNS];
    for (first, second, good) in [(0, 1, true), (1, 0, false), (0, 0, false)] {
        let values = vec![(measures[first], 1), (measures[second], 2)];
        let frame = FrameWriter::new().clock(&Sample { time: 0, values }).unwrap();
        assert_eq!(read(&frame).is_ok(), good, "{first}, {second}");
    }
}

#[test]
fn measures_are_listed_in_the_order_of_their_numbers() {
    let numbers = MEASURES.map(|(measure, _)| usize::from(measure.0));
    assert!(numbers.into_iter().eq(1..=MEASURES.len()));
    assert_eq!(Measure::CPU_STEAL_PPM.name(), Some("cpu_steal_ppm"));
    assert_eq!(Measure(300).name(), None);
}

#[test]
fn headers_of_another_version_and_oversize_ones_are_refused() {
    let mut header = [0; HEADER_LEN];
    header[..4].copy_from_slice(&(MAX_PAYLOAD as u32 + 1).to_le_bytes());
    assert_eq!(Header::from_bytes(header), Err(HeaderError::TooLong(MAX_PAYLOAD as u32 + 1)));
    for at in [5, 6, 7] {
        let mut header = [0; HEADER_LEN];
        header[at] = 2;
        assert_eq!(Header::from_bytes(header), Err(HeaderError::Reserved));
    }
}

proptest! {
    #[test]
    fn any_payload_is_read_or_refused(frame_type: u8, skippable: bool, bytes: Vec<u8>) {
        let _ = Payload::read(FrameType(frame_type), skippable, &bytes);
    }

    /// A count of rows that the bytes cannot hold must not reserve memory for them.
    #[test]
    fn counts_that_cannot_be_are_refused(count: u64) {
        let mut bytes = vec![1];
        crate::bytes::put_varint(&mut bytes, count | 1 << 40);
        for frame_type in [FrameType::HELLO, FrameType::NAMES, FrameType::MESSAGES, FrameType::CLOCK, FrameType::LOSS, FrameType::END] {
            prop_assert!(Payload::read(frame_type, false, &bytes).is_err());
        }
    }
}
