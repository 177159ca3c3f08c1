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

/// Arguments of a method that a reply text can hold: each takes two bytes or more of its 255.
const FIELDS_SHOWN: usize = 128;

/// Bytes of a payload that a reply text shows.
const SNIPPET: usize = 16;

/// One frame.
#[derive(Debug)]
pub(crate) enum Frame {
    Method(u16, AMQPClass),
    Header(u16, Box<ContentHeader>),
    Body(u16, Bytes),
    Heartbeat(u16),
    /// A whole frame that says nothing.
    Bad(u16, Bad),
}

impl Frame {
    /// Its channel.
    pub(crate) fn channel(&self) -> u16 {
        match self {
            Self::Method(channel, _)
            | Self::Header(channel, _)
            | Self::Body(channel, _)
            | Self::Heartbeat(channel)
            | Self::Bad(channel, _) => *channel,
        }
    }

    /// The class and the method that it is; `None` where it is none.
    pub(crate) fn method(&self) -> Option<(u16, u16)> {
        match self {
            Self::Method(_, method) => Some((method.get_amqp_class_id(), method.get_amqp_method_id())),
            Self::Bad(_, Bad::Fields { method, .. }) => Some(*method),
            _ => None,
        }
    }
}

/// What a whole frame lacks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Bad {
    /// Of no known kind, or too short for its kind.
    Unknown,
    /// A method that neither the protocol nor RabbitMQ has.
    UnknownMethod,
    /// A method whose arguments cannot be read. `fields` is their text in a reply.
    Fields { method: (u16, u16), fields: String },
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

/// Why bytes are no frame: what follows them cannot be told apart any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error("type {kind}, all octets = <<>>: {{frame_too_large,{length},{max}}}")]
    TooLarge { kind: u8, length: u32, max: u32 },
    #[error("{snippet}: {{invalid_frame_end_marker,{end}}}")]
    End { snippet: Snippet, end: u8 },
}

impl From<WireError> for Fault {
    fn from(error: WireError) -> Self {
        Self::frame_error(error).naming((0, 0))
    }
}

/// A frame as reply texts show it: its type, and its payload or what it begins with.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Snippet {
    kind: u8,
    length: usize,
    first: [u8; SNIPPET],
}

impl Snippet {
    fn new(kind: u8, payload: &[u8]) -> Self {
        let mut first = [0; SNIPPET];
        for (to, from) in first.iter_mut().zip(payload) {
            *to = *from;
        }
        Self { kind, length: payload.len(), first }
    }
}

impl std::fmt::Display for Snippet {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let which = if self.length <= SNIPPET { "all" } else { "first 16" };
        let shown = term::binary(self.first.get(..self.length).unwrap_or(&self.first));
        write!(formatter, "type {}, {which} octets = {shown}", self.kind)
    }
}

/// Holds what has come and gives frames.
#[derive(Debug)]
pub(crate) struct Decoder {
    buffer: BytesMut,
    frame_max: u32,
    last: Snippet,
}

impl Decoder {
    /// `frame_max`: largest frame in bytes, head and end included.
    pub(crate) fn new(frame_max: u32) -> Self {
        Self { buffer: BytesMut::new(), frame_max, last: Snippet::default() }
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

    /// The frame that came last, as a reply text shows it.
    pub(crate) fn last(&self) -> Snippet {
        self.last
    }

    /// The next whole frame; `None` until more has come.
    pub(crate) fn frame(&mut self) -> Result<Option<Frame>, WireError> {
        let Some(&[kind, c1, c0, l3, l2, l1, l0]) = self.buffer.first_chunk::<HEAD>() else { return Ok(None) };
        let channel = u16::from_be_bytes([c1, c0]);
        let length = u32::from_be_bytes([l3, l2, l1, l0]);
        // As many bytes more than agreed as a frame has around its payload: some clients count those wrong.
        if length > self.frame_max {
            return Err(WireError::TooLarge { kind, length, max: self.frame_max.saturating_sub(FRAME_OVERHEAD) });
        }
        let length = length as usize;
        let Some(&end) = self.buffer.get(HEAD + length) else {
            self.buffer.reserve((HEAD + length + 1).saturating_sub(self.buffer.len()));
            return Ok(None);
        };
        let payload = self.buffer.get(HEAD..HEAD + length).unwrap_or_default();
        self.last = Snippet::new(kind, payload);
        if end != FRAME_END {
            return Err(WireError::End { snippet: self.last, end });
        }
        let frame = match (kind, payload) {
            (1, [_, _, _, _, ..]) => method(channel, payload),
            (2, _) => header(channel, payload),
            // Copied, so that a small message does not keep a whole read's buffer alive.
            (3, _) => Frame::Body(channel, Bytes::copy_from_slice(payload)),
            (8, []) => Frame::Heartbeat(channel),
            _ => Frame::Bad(channel, Bad::Unknown),
        };
        self.buffer.advance(HEAD + length + 1);
        Ok(Some(frame))
    }
}

fn method(channel: u16, payload: &[u8]) -> Frame {
    let Some((&[c1, c0, m1, m0], fields)) = payload.split_first_chunk::<4>() else {
        return Frame::Bad(channel, Bad::Unknown);
    };
    let (class, method) = (u16::from_be_bytes([c1, c0]), u16::from_be_bytes([m1, m0]));
    if !is_method(class, method) {
        return Frame::Bad(channel, Bad::UnknownMethod);
    }
    let parsed = if is_shallow(payload) { parse_class(payload).ok() } else { None };
    match parsed {
        Some(([], parsed)) => Frame::Method(channel, parsed),
        _ => {
            // More of it would not be in the reply.
            let fields = term::bytes(fields.get(..FIELDS_SHOWN).unwrap_or(fields));
            Frame::Bad(channel, Bad::Fields { method: (class, method), fields })
        }
    }
}

fn header(channel: u16, payload: &[u8]) -> Frame {
    let Some((&[c1, c0, w1, w0, ref size @ ..], properties)) = payload.split_first_chunk::<HEADER_HEAD>() else {
        return Frame::Bad(channel, Bad::Unknown);
    };
    let raw = Bytes::copy_from_slice(properties);
    let properties = match parse_properties(properties) {
        Ok(([], properties)) if is_shallow(payload) => Some(properties),
        _ => None,
    };
    let (class, weight) = (u16::from_be_bytes([c1, c0]), u16::from_be_bytes([w1, w0]));
    let header = ContentHeader { class, weight, size: u64::from_be_bytes(*size), properties, raw };
    Frame::Header(channel, Box::new(header))
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
