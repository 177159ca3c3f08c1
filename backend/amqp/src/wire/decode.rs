//! Bytes to frames.

use amq_protocol::frame::parsing::parse_content_header;
use amq_protocol::protocol::{AMQPClass, BasicProperties, parse_class};
use bytes::{Buf as _, Bytes, BytesMut};

use super::FRAME_OVERHEAD;
use super::depth::is_shallow;
use crate::fault::Fault;

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
    pub(crate) size: u64,
    pub(crate) properties: BasicProperties,
    /// The properties as they came.
    pub(crate) raw: Bytes,
}

/// Why bytes are no frame. The connection cannot go on after any of them.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error("frame of {size} bytes is larger than the agreed {max}")]
    TooLarge { size: u64, max: u32 },
    #[error("frame end octet is {0}, not {FRAME_END}")]
    End(u8),
    #[error("type {0} is no frame's")]
    Type(u8),
    #[error("a heartbeat belongs to channel 0, not {0}")]
    HeartbeatChannel(u16),
    #[error("method {method} of class {class} cannot be read")]
    Method { class: u16, method: u16 },
    #[error("method {method} of class {class} is unknown")]
    UnknownMethod { class: u16, method: u16 },
    #[error("content header cannot be read")]
    Header,
    #[error("tables lie too deep in each other")]
    Depth,
}

impl From<WireError> for Fault {
    fn from(error: WireError) -> Self {
        match error {
            WireError::TooLarge { .. } | WireError::End(_) | WireError::Type(_) | WireError::HeartbeatChannel(_) => {
                Self::frame_error(error)
            }
            WireError::Method { .. } | WireError::Header | WireError::Depth => Self::syntax_error(error),
            WireError::UnknownMethod { .. } => Self::not_implemented(error),
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

    /// The next whole frame; `None` until more has come.
    pub(crate) fn frame(&mut self) -> Result<Option<Frame>, WireError> {
        let Some(&[kind, c1, c0, l3, l2, l1, l0]) = self.buffer.first_chunk::<HEAD>() else { return Ok(None) };
        if !matches!(kind, 1 | 2 | 3 | 8) {
            return Err(WireError::Type(kind));
        }
        let channel = u16::from_be_bytes([c1, c0]);
        let length = u32::from_be_bytes([l3, l2, l1, l0]);
        let size = u64::from(length) + u64::from(FRAME_OVERHEAD);
        if size > u64::from(self.frame_max) {
            return Err(WireError::TooLarge { size, max: self.frame_max });
        }
        let length = length as usize;
        let Some(&end) = self.buffer.get(HEAD + length) else {
            self.buffer.reserve((HEAD + length + 1).saturating_sub(self.buffer.len()));
            return Ok(None);
        };
        if end != FRAME_END {
            return Err(WireError::End(end));
        }
        let payload = self.buffer.get(HEAD..HEAD + length).unwrap_or_default();
        let frame = match kind {
            1 => Frame::Method(channel, parse_method(payload)?),
            2 => Frame::Header(channel, Box::new(parse_header(payload)?)),
            // Copied, so that a small message does not keep a whole read's buffer alive.
            3 => Frame::Body(channel, Bytes::copy_from_slice(payload)),
            _ if channel != 0 => return Err(WireError::HeartbeatChannel(channel)),
            _ => Frame::Heartbeat,
        };
        self.buffer.advance(HEAD + length + 1);
        Ok(Some(frame))
    }
}

fn parse_method(payload: &[u8]) -> Result<AMQPClass, WireError> {
    if !is_shallow(payload) {
        return Err(WireError::Depth);
    }
    let Some(&[c1, c0, m1, m0]) = payload.first_chunk::<4>() else {
        return Err(WireError::Method { class: 0, method: 0 });
    };
    let (class, method) = (u16::from_be_bytes([c1, c0]), u16::from_be_bytes([m1, m0]));
    match parse_class(payload) {
        Ok(([], parsed)) => Ok(parsed),
        _ if !is_method(class, method) => Err(WireError::UnknownMethod { class, method }),
        _ => Err(WireError::Method { class, method }),
    }
}

fn parse_header(payload: &[u8]) -> Result<ContentHeader, WireError> {
    if !is_shallow(payload) {
        return Err(WireError::Depth);
    }
    match parse_content_header(payload) {
        Ok(([], header)) => Ok(ContentHeader {
            class: header.class_id,
            size: header.body_size,
            properties: header.properties,
            raw: Bytes::copy_from_slice(payload.get(HEADER_HEAD..).unwrap_or_default()),
        }),
        _ => Err(WireError::Header),
    }
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
