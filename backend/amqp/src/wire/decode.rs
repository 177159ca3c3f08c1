//! Bytes to frames.

use amq_protocol::protocol::basic::parse_properties;
use amq_protocol::protocol::{AMQPClass, BasicProperties, parse_class};
use bytes::{Buf as _, Bytes, BytesMut};

use super::FRAME_OVERHEAD;
use super::depth::is_shallow;
use crate::fault::Fault;
use crate::term;

/// Bytes of a frame before its payload: type, channel, length.
const HEAD: usize = 7;

/// The octet that ends every frame.
const FRAME_END: u8 = 206;

/// Bytes of a content header before its properties: class, weight, size of the body.
const HEADER_HEAD: usize = 12;

/// One frame.
#[derive(Debug)]
pub(crate) enum Frame {
    Method(u16, AMQPClass),
    Header(u16, Box<ContentHeader>),
    Body(u16, Bytes),
    Heartbeat,
}

/// What announces a content.
#[derive(Debug)]
pub(crate) struct ContentHeader {
    pub(crate) class: u16,
    /// 0 with every client that keeps to the protocol.
    pub(crate) weight: u16,
    pub(crate) size: u64,
    /// `None` where they cannot be read.
    pub(crate) properties: Option<BasicProperties>,
    /// The properties as they came.
    pub(crate) raw: Bytes,
}

/// Why bytes are no frame, or one that no client may send; in RabbitMQ's words.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error("type {kind}, all octets = <<>>: {{frame_too_large,{length},{max}}}")]
    TooLarge { kind: u8, length: u32, max: u32 },
    #[error("type {kind}, {octets}: {{invalid_frame_end_marker,{end}}}")]
    End { kind: u8, octets: String, end: u8 },
    #[error("type {kind}, {octets}: unknown_frame")]
    Unknown { kind: u8, octets: String },
    #[error("type {kind}, {octets}")]
    Unexpected { kind: u8, octets: String },
    #[error("cannot decode {fields}")]
    Fields { class: u16, method: u16, fields: String },
    #[error("method {method} of class {class} is unknown")]
    UnknownMethod { class: u16, method: u16 },
    #[error("tables lie too deep in each other")]
    Depth,
}

impl WireError {
    /// Whether what follows cannot be told apart any more.
    pub(crate) fn loses_sync(&self) -> bool {
        matches!(self, Self::TooLarge { .. } | Self::End { .. })
    }
}

impl From<WireError> for Fault {
    fn from(error: WireError) -> Self {
        match error {
            WireError::TooLarge { .. } | WireError::End { .. } | WireError::Unknown { .. } => Self::frame_error(error),
            WireError::Fields { class, method, .. } => Self::frame_error(error).naming((class, method)),
            WireError::Unexpected { .. } => Self::unexpected_frame(error),
            WireError::UnknownMethod { .. } => Self::internal_error(),
            WireError::Depth => Self::syntax_error(error),
        }
    }
}

/// Holds what has come and gives frames.
#[derive(Debug)]
pub(crate) struct Decoder {
    buffer: BytesMut,
    frame_max: u32,
}

impl Decoder {
    /// `frame_max`: largest frame in bytes, head and end included.
    pub(crate) fn new(frame_max: u32) -> Self {
        Self { buffer: BytesMut::new(), frame_max }
    }

    /// What was agreed meanwhile.
    pub(crate) fn set_frame_max(&mut self, frame_max: u32) {
        self.frame_max = frame_max;
    }

    /// Where to read into.
    pub(crate) fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// The first 8 bytes of a connection, once they are there.
    pub(crate) fn protocol_header(&mut self) -> Option<[u8; 8]> {
        let header = self.buffer.first_chunk::<8>().copied()?;
        self.buffer.advance(header.len());
        Some(header)
    }

    /// The next whole frame; `None` until more has come. What is no frame is passed over where sync is not lost.
    pub(crate) fn frame(&mut self) -> Result<Option<Frame>, WireError> {
        let Some(&[kind, c1, c0, l3, l2, l1, l0]) = self.buffer.first_chunk::<HEAD>() else { return Ok(None) };
        let channel = u16::from_be_bytes([c1, c0]);
        let length = u32::from_be_bytes([l3, l2, l1, l0]);
        // As RabbitMQ has it, a payload may be as long as a whole frame: clients get that wrong.
        if length > self.frame_max {
            return Err(WireError::TooLarge { kind, length, max: self.frame_max.saturating_sub(FRAME_OVERHEAD) });
        }
        let length = length as usize;
        let Some(&end) = self.buffer.get(HEAD + length) else {
            self.buffer.reserve((HEAD + length + 1).saturating_sub(self.buffer.len()));
            return Ok(None);
        };
        let payload = self.buffer.get(HEAD..HEAD + length).unwrap_or_default();
        if end != FRAME_END {
            return Err(WireError::End { kind, octets: octets(payload), end });
        }
        let frame = parse(kind, channel, payload);
        self.buffer.advance(HEAD + length + 1);
        frame.map(Some)
    }
}

/// The start of a payload, as RabbitMQ tells of it.
fn octets(payload: &[u8]) -> String {
    const TOLD: usize = 16;
    match payload.get(..TOLD) {
        Some(first) if payload.len() > TOLD => format!("first 16 octets = {}", term::binary(first)),
        _ => format!("all octets = {}", term::binary(payload)),
    }
}

fn parse(kind: u8, channel: u16, payload: &[u8]) -> Result<Frame, WireError> {
    let unknown = || WireError::Unknown { kind, octets: octets(payload) };
    let unexpected = || WireError::Unexpected { kind, octets: octets(payload) };
    match kind {
        1 => Ok(Frame::Method(channel, parse_method(payload)?.ok_or_else(unknown)?)),
        2 => {
            let header = parse_header(payload).ok_or_else(unknown)?;
            if channel == 0 { Err(unexpected()) } else { Ok(Frame::Header(channel, Box::new(header))) }
        }
        3 if channel == 0 => Err(unexpected()),
        // Copied, so that a small message does not keep a whole read's buffer alive.
        3 => Ok(Frame::Body(channel, Bytes::copy_from_slice(payload))),
        8 if !payload.is_empty() => Err(unknown()),
        8 if channel != 0 => Err(unexpected()),
        8 => Ok(Frame::Heartbeat),
        _ => Err(unknown()),
    }
}

/// A method; `None` where there is not even room for its name.
fn parse_method(payload: &[u8]) -> Result<Option<AMQPClass>, WireError> {
    let Some((&[c1, c0, m1, m0], fields)) = payload.split_first_chunk::<4>() else { return Ok(None) };
    let (class, method) = (u16::from_be_bytes([c1, c0]), u16::from_be_bytes([m1, m0]));
    if !is_method(class, method) {
        return Err(WireError::UnknownMethod { class, method });
    }
    if !is_shallow(payload) {
        return Err(WireError::Depth);
    }
    match parse_class(payload) {
        Ok(([], parsed)) => Ok(Some(parsed)),
        _ => {
            // More of them than a reply text holds are not told.
            let fields = term::bytes(fields.get(..255).unwrap_or(fields));
            Err(WireError::Fields { class, method, fields })
        }
    }
}

/// A content header; `None` where it is too short for one.
fn parse_header(payload: &[u8]) -> Option<ContentHeader> {
    let (&[c1, c0, w1, w0, ref size @ ..], properties) = payload.split_first_chunk::<HEADER_HEAD>()?;
    let raw = Bytes::copy_from_slice(properties);
    let properties = match parse_properties(properties) {
        Ok(([], properties)) if is_shallow(payload) => Some(properties),
        _ => None,
    };
    let (class, weight) = (u16::from_be_bytes([c1, c0]), u16::from_be_bytes([w1, w0]));
    Some(ContentHeader { class, weight, size: u64::from_be_bytes(*size), properties, raw })
}

/// Whether the protocol, with RabbitMQ's additions, has such a method.
fn is_method(class: u16, method: u16) -> bool {
    match class {
        10 => matches!(method, 10 | 11 | 20 | 21 | 30 | 31 | 40 | 41 | 50 | 51 | 60 | 61 | 70 | 71),
        20 => matches!(method, 10 | 11 | 20 | 21 | 40 | 41),
        30 => matches!(method, 10 | 11),
        40 => matches!(method, 10 | 11 | 20 | 21 | 30 | 31 | 40 | 51),
        50 => matches!(method, 10 | 11 | 20 | 21 | 30 | 31 | 40 | 41 | 50 | 51),
        60 => matches!(
            method,
            10 | 11 | 20 | 21 | 30 | 31 | 40 | 50 | 60 | 70 | 71 | 72 | 80 | 90 | 100 | 110 | 111 | 120
        ),
        85 => matches!(method, 10 | 11),
        90 => matches!(method, 10 | 11 | 20 | 21 | 30 | 31),
        _ => false,
    }
}
