use amq_protocol::protocol::{AMQPClass, basic, connection};
use proptest::prelude::*;

use super::decode::WireError;
use super::*;
use crate::fault::Fault;

const MAX: u32 = 4096;

fn decode(bytes: &[u8]) -> Result<Vec<Frame>, WireError> {
    let mut decoder = Decoder::new(MAX);
    decoder.buffer().extend_from_slice(bytes);
    let mut frames = Vec::new();
    while let Some(frame) = decoder.frame()? {
        frames.push(frame);
    }
    Ok(frames)
}

fn deliver() -> AMQPClass {
    AMQPClass::Basic(basic::AMQPMethod::Deliver(basic::Deliver {
        consumer_tag: short("tag"),
        delivery_tag: 7,
        redelivered: true,
        exchange: short(""),
        routing_key: short("key"),
    }))
}

#[test]
fn a_content_comes_back_cut_into_frames() {
    let body: Vec<u8> = (0..10_000_u32).map(|n| n as u8).collect();
    let mut bytes = Vec::new();
    content(&mut bytes, 3, &deliver(), &[0, 0], &body, MAX);
    // Whole, and in pieces of one byte.
    let mut decoder = Decoder::new(MAX);
    let mut frames = Vec::new();
    for byte in &bytes {
        decoder.buffer().extend_from_slice(&[*byte]);
        frames.extend(decoder.frame().unwrap());
    }
    assert_eq!(frames.len(), decode(&bytes).unwrap().len());
    assert!(matches!(&frames[0], Frame::Method(3, method) if *method == deliver()));
    assert!(matches!(&frames[1], Frame::Header(3, header) if header.size == 10_000 && header.class == 60));
    let parts: Vec<u8> = frames[2..]
        .iter()
        .flat_map(|frame| match frame {
            Frame::Body(3, part) => part.to_vec(),
            frame => panic!("{frame:?}"),
        })
        .collect();
    assert_eq!(parts, body);
    assert_eq!(frames.len(), 2 + 10_000_usize.div_ceil(MAX as usize - 8));
}

#[test]
fn bytes_that_are_no_frame_are_told_apart() {
    let error = |bytes: &[u8]| decode(bytes).unwrap_err().to_string();
    // As many bytes more than agreed as stand around a payload are let pass.
    assert_eq!(error(&[1, 0, 0, 0, 0, 16, 1]), "type 1, all octets = <<>>: {frame_too_large,4097,4088}");
    assert!(decode(&[1, 0, 0, 0, 0, 16, 0]).unwrap().is_empty());
    let marker = "type 3, all octets = <<\"\\t\">>: {invalid_frame_end_marker,205}";
    assert_eq!(error(&[3, 0, 1, 0, 0, 0, 1, 9, 205]), marker);
}

#[test]
fn frames_that_say_nothing_are_told_apart() {
    let bad = |bytes: &[u8]| match decode(bytes).unwrap().remove(0) {
        Frame::Bad(channel, bad) => (channel, bad),
        frame => panic!("{frame:?}"),
    };
    assert_eq!(bad(&[9, 0, 3, 0, 0, 0, 0, 206]), (3, Bad::Unknown));
    assert_eq!(bad(&[8, 0, 0, 0, 0, 0, 1, 0, 206]), (0, Bad::Unknown));
    assert_eq!(bad(&[1, 0, 1, 0, 0, 0, 2, 0, 60, 206]), (1, Bad::Unknown));
    assert_eq!(bad(&[2, 0, 1, 0, 0, 0, 2, 0, 60, 206]), (1, Bad::Unknown));
    assert_eq!(bad(&[1, 0, 1, 0, 0, 0, 4, 0, 60, 0, 99, 206]), (1, Bad::UnknownMethod));
    let fields = Bad::Fields { method: (60, 40), fields: "<<1,2>>".to_owned() };
    assert_eq!(bad(&[1, 0, 1, 0, 0, 0, 6, 0, 60, 0, 40, 1, 2, 206]), (1, fields));
    assert!(matches!(decode(&[8, 0, 2, 0, 0, 0, 0, 206]).unwrap()[..], [Frame::Heartbeat(2)]));
}

#[test]
fn a_header_keeps_what_cannot_be_read() {
    let mut bytes = vec![2, 0, 1, 0, 0, 0, 14, 0, 60, 0, 1];
    bytes.extend_from_slice(&7_u64.to_be_bytes());
    bytes.extend_from_slice(&[128, 0, 206]);
    let frames = decode(&bytes).unwrap();
    let Frame::Header(1, header) = &frames[0] else { panic!("{frames:?}") };
    assert_eq!((header.class, header.weight, header.size), (60, 1, 7));
    assert_eq!(header.properties, None, "a text is announced and not there");
}

#[test]
fn a_long_reply_text_is_cut_as_rabbitmq_cuts_it() {
    let fault = Fault::not_found("n".repeat(300));
    let text = fault.reply_text();
    assert_eq!((text.as_str().len(), text.as_str().ends_with("nnn...")), (255, true));
}

/// A start-ok whose properties nest tables so deep.
fn nested(depth: usize) -> Vec<u8> {
    let mut table = Vec::new();
    for _ in 0..depth {
        let mut outer = vec![1, b'a', b'F'];
        outer.extend_from_slice(&(table.len() as u32).to_be_bytes());
        outer.extend_from_slice(&table);
        table = outer;
    }
    let mut payload = vec![0, 10, 0, 11];
    payload.extend_from_slice(&(table.len() as u32).to_be_bytes());
    payload.extend_from_slice(&table);
    payload.extend_from_slice(b"\x05PLAIN\0\0\0\0\x05en_US");
    let mut bytes = vec![1, 0, 0];
    bytes.extend_from_slice(&(payload.len() as u32).to_be_bytes());
    bytes.extend_from_slice(&payload);
    bytes.push(206);
    bytes
}

#[test]
fn tables_may_nest_and_not_without_end() {
    let shallow = decode(&nested(60)).unwrap();
    let is_start_ok =
        |frame: &Frame| matches!(frame, Frame::Method(0, AMQPClass::Connection(connection::AMQPMethod::StartOk(_))));
    assert!(is_start_ok(&shallow[0]));
    for depth in [100, 500] {
        assert!(matches!(decode(&nested(depth)).unwrap()[..], [Frame::Bad(0, Bad::Fields { .. })]));
    }
}

#[test]
fn a_text_is_cut_between_characters() {
    assert_eq!(short("text").as_str(), "text");
    assert_eq!(short(&"ä".repeat(200)).as_str(), "ä".repeat(127));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let _ = decode(&bytes);
    }

    #[test]
    fn no_payload_panics(kind in 1..=3_u8, class in 0..12_u16, method in 0..13_u16, rest in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut bytes = vec![kind, 0, 1];
        bytes.extend_from_slice(&(rest.len() as u32 + 4).to_be_bytes());
        bytes.extend_from_slice(&(class * 10).to_be_bytes());
        bytes.extend_from_slice(&(method * 10).to_be_bytes());
        bytes.extend_from_slice(&rest);
        bytes.push(206);
        let _ = decode(&bytes);
    }
}
