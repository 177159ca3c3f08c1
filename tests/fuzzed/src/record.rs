//! Recordings: frames as they are, batches of events, and whole files by all that reads one.

use std::io::Cursor;

use hopscope_record::codec::{EventDecoder, EventEncoder, MAX_EVENTS};
use hopscope_record::decoder::{DecodeError, Decoder, Frame, Framing};
use hopscope_record::frame::{FILE_HEADER_LEN, FrameType, HEADER_LEN, Keyframe, Payload, file_header};
use hopscope_record::{Event, Kind, LinkIndex, MessageId, PlaceIndex, TraceId};
use hopscope_report::compare::{Reading, document};
use hopscope_report::export::{Document, EXPORTS};
use hopscope_report::laws::Laws;
use hopscope_report::verdict::verdict;

/// The type of frames that fuzzing makes up for a Keyframe of its own, which are no frames of recordings.
const KEYFRAME: u8 = 8;

/// Frames of these bytes, and why nothing follows them.
fn frames(framing: Framing, pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Option<DecodeError>) {
    let (mut decoder, mut frames) = (Decoder::new(framing), Vec::new());
    for piece in pieces {
        decoder.push(piece);
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => {
                    look(&frame);
                    frames.push(frame.bytes.to_vec());
                }
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}

/// Reads what a frame holds.
fn look(frame: &Frame<'_>) {
    let mut events = Vec::new();
    if let Ok(Payload::Events(payload)) = frame.read() {
        let _ = EventDecoder::new().decode(payload.batch, &mut events);
    }
    if let Ok(keyframe) = Keyframe::read(frame) {
        // What is read can be written, and is then the same.
        let written = keyframe.to_frame().ok();
        let again = written.as_deref().and_then(|bytes| Frame::from_bytes(bytes, 0));
        assert!(again.is_none_or(|again| Keyframe::read(&again).is_ok_and(|again| again == keyframe)));
    }
}

/// Any bytes as a file and as a stream, whole and in two pieces: the frames are the same, and so is what ends them.
pub(crate) fn decoder(bytes: &[u8]) {
    let (cut, bytes) = bytes.split_first().map_or((0, bytes), |(first, rest)| (usize::from(*first), rest));
    let (left, right) = bytes.split_at(cut.min(bytes.len()));
    for framing in [Framing::File, Framing::Stream] {
        assert!(frames(framing, &[bytes]) == frames(framing, &[left, right]), "cut at {cut}");
    }
    let mut events = Vec::new();
    if EventDecoder::new().decode(bytes, &mut events).is_ok() {
        comes_back(&events);
    }
}

/// Bytes of an event.
const EVENT: usize = 8 + 2 + 2 + 4 + 5 * 8;

/// Any events come back from their batch bit for bit.
pub(crate) fn events(bytes: &[u8]) {
    let mut events: Vec<_> = bytes.chunks_exact(EVENT).take(MAX_EVENTS).map(event).collect();
    events.sort_by_key(|event| event.time);
    comes_back(&events);
}

fn comes_back(events: &[Event]) {
    let (mut batch, mut back) = (Vec::new(), Vec::new());
    assert_eq!(EventEncoder::new().encode(events, &mut batch), Ok(()));
    assert_eq!(EventDecoder::new().decode(&batch, &mut back), Ok(()));
    assert!(back == events, "{events:?} came back as {back:?}");
}

fn event(bytes: &[u8]) -> Event {
    let at = |from: usize, count: usize| {
        let part = bytes.get(from..from + count).unwrap_or_default();
        part.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
    };
    let half = |from| u16::try_from(at(from, 2)).unwrap_or_default();
    Event {
        link: LinkIndex(half(10)),
        place: PlaceIndex(u32::try_from(at(12, 4)).unwrap_or_default()),
        trace: TraceId(at(16, 8)),
        message: MessageId(at(24, 8)),
        parent: MessageId(at(32, 8)),
        a: at(40, 8),
        b: at(48, 8),
        ..Event::new(at(0, 8).cast_signed(), Kind(half(8)))
    }
}

/// An event as the bytes that make it, for a corpus.
#[must_use]
pub fn bytes_of(event: &Event) -> Vec<u8> {
    let mut bytes = event.time.to_le_bytes().to_vec();
    bytes.extend_from_slice(&event.kind.0.to_le_bytes());
    bytes.extend_from_slice(&event.link.0.to_le_bytes());
    bytes.extend_from_slice(&event.place.0.to_le_bytes());
    for number in [event.trace.0, event.message.0, event.parent.0, event.a, event.b] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes
}

/// A recording's file of made up payloads, each with its type and its length before it: checksums and numbers are right, so that
/// what stands behind them is reached. Read by all that the server and the page read a file with.
pub(crate) fn recording(bytes: &[u8]) {
    let file = file(bytes);
    let (whole, error) = frames(Framing::File, &[&file]);
    let length = whole.iter().map(Vec::len).sum::<usize>() + FILE_HEADER_LEN;
    assert!(error.is_some() || length == file.len(), "{length} bytes of {} are frames", file.len());
    for format in EXPORTS {
        let document = Document::survey(format, Cursor::new(&file), length as u64);
        let mut written = Vec::new();
        let put = |chunk: Vec<u8>| {
            written.extend(chunk);
            Ok::<_, std::convert::Infallible>(())
        };
        let done = document.map(|document| document.write(put).is_ok());
        if let (Ok(true), "json") = (done, format.id) {
            assert!(serde_json::from_slice::<serde_json::Value>(&written).is_ok(), "that is no JSON");
            crate::import::comes_back(&written);
        }
    }
    let (mut decoder, mut laws) = (Decoder::new(Framing::File), Laws::new());
    decoder.push(&file);
    while let Ok(Some(frame)) = decoder.next_frame() {
        if laws.push(&frame).is_err() {
            break;
        }
    }
    assert_eq!(laws.report().len(), Laws::new().report().len());
    let _ = laws.queues();
    let mut reading = Reading::new(Framing::File);
    // What was read before a fault stays.
    let _ = reading.push(&file);
    if let Some(figures) = reading.figures() {
        let _ = document(figures, figures);
        let _ = verdict(figures.1.controls(), figures.1.traces());
    }
}

/// Most bytes of one payload, so that many fit the bytes that are made up.
const MOST: usize = 0xffff;

/// A file of the payloads that bytes tell of: type, flags, length (two bytes), payload.
fn file(mut bytes: &[u8]) -> Vec<u8> {
    let (mut file, mut number) = (file_header().to_vec(), 0_u32);
    while let Some((&[frame_type, flags, l0, l1], rest)) = bytes.split_first_chunk::<4>() {
        let length = usize::from(u16::from_le_bytes([l0, l1])).min(rest.len());
        let (payload, rest) = rest.split_at(length);
        // A Keyframe is no part of a recording.
        let frame_type = if frame_type == KEYFRAME { FrameType::EVENTS.0 } else { frame_type };
        file.extend(frame(frame_type, flags & 1, number, payload));
        (bytes, number) = (rest, number + 1);
    }
    file
}

fn frame(frame_type: u8, flags: u8, number: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(HEADER_LEN + payload.len());
    frame.extend_from_slice(&u32::try_from(payload.len()).unwrap_or_default().to_le_bytes());
    frame.extend_from_slice(&[frame_type, flags, 0, 0]);
    frame.extend_from_slice(&number.to_le_bytes());
    let checksum = checksum(&[&frame, payload]);
    frame.extend_from_slice(&checksum.to_le_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// CRC-32 (IEEE 802.3) bit by bit, as docs/recording-format.md names it: the project's own is not asked whether it is right.
fn checksum(parts: &[&[u8]]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    let byte = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc));
    !parts.iter().copied().flatten().fold(u32::MAX, byte)
}

/// The payloads of a recording's file as the bytes that make it, for a corpus. Those that are longer than fits are left out.
#[must_use]
pub fn payloads(file: &[u8]) -> Vec<u8> {
    let (mut decoder, mut bytes) = (Decoder::new(Framing::File), Vec::new());
    decoder.push(file);
    while let Ok(Some(frame)) = decoder.next_frame() {
        let payload = frame.payload();
        if let Ok(length) = u16::try_from(payload.len().min(MOST)) {
            bytes.extend_from_slice(&[frame.header.frame_type.0, u8::from(frame.header.skippable)]);
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(payload.get(..usize::from(length)).unwrap_or_default());
        }
    }
    bytes
}
