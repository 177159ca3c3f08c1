//! Contents that come in pieces: a method, a header, bodies.

use std::collections::HashMap;
use std::sync::Arc;

use amq_protocol::protocol::basic::Publish;
use bytes::{Bytes, BytesMut};

use crate::fault::Fault;
use crate::memory::{Memory, Reservation};
use crate::state::Content;
use crate::wire::{BASIC_CLASS, ContentHeader};

/// What each channel is in the middle of.
#[derive(Debug)]
pub(super) struct Contents {
    pending: HashMap<u16, Pending>,
    /// Counts the unfinished bodies of all connections.
    memory: Arc<Memory>,
    message_max: u64,
}

#[derive(Debug)]
enum Pending {
    Header(Publish),
    Body { publish: Publish, header: Box<ContentHeader>, body: BytesMut, memory: Vec<Reservation> },
}

/// A publish that is whole.
pub(super) type Whole = (Publish, Content);

impl Contents {
    pub(super) fn new(memory: Arc<Memory>, message_max: u64) -> Self {
        Self { pending: HashMap::new(), memory, message_max }
    }

    /// Whether a channel is in the middle of a content.
    pub(super) fn is_pending(&self, channel: u16) -> bool {
        self.pending.contains_key(&channel)
    }

    /// Forgets what a channel was in the middle of.
    pub(super) fn forget(&mut self, channel: u16) {
        self.pending.remove(&channel);
    }

    /// A publish begins.
    pub(super) fn begin(&mut self, channel: u16, publish: Publish) {
        self.pending.insert(channel, Pending::Header(publish));
    }

    pub(super) fn header(&mut self, channel: u16, header: Box<ContentHeader>) -> Result<Option<Whole>, Fault> {
        let Some(Pending::Header(publish)) = self.pending.remove(&channel) else {
            return Err(Fault::unexpected_frame("expected method frame, got content header frame instead"));
        };
        if header.class != BASIC_CLASS {
            return Err(Fault::unexpected_frame(format_args!(
                "expected content header for class {BASIC_CLASS}, got one for class {} instead",
                header.class
            )));
        }
        if header.size > self.message_max {
            return Err(Fault::precondition_failed(format_args!(
                "message size {} is larger than configured max size {}",
                header.size, self.message_max
            )));
        }
        if header.size == 0 {
            return Ok(Some(whole(publish, header, Bytes::new())));
        }
        let pending = Pending::Body { publish, header, body: BytesMut::new(), memory: Vec::new() };
        self.pending.insert(channel, pending);
        Ok(None)
    }

    pub(super) fn body(&mut self, channel: u16, part: Bytes) -> Result<Option<Whole>, Fault> {
        let Some(Pending::Body { publish, header, mut body, mut memory }) = self.pending.remove(&channel) else {
            return Err(Fault::unexpected_frame("expected method frame, got content body frame instead"));
        };
        let length = (body.len() + part.len()) as u64;
        if length > header.size {
            return Err(Fault::frame_error(format_args!(
                "body of {length} bytes where {} were announced",
                header.size
            )));
        }
        if length == header.size && body.is_empty() {
            return Ok(Some(whole(publish, header, part)));
        }
        let reserved = self.memory.try_reserve(part.len());
        memory.push(reserved.ok_or_else(|| Fault::resource_error("too much of unfinished messages"))?);
        body.extend_from_slice(&part);
        if length == header.size {
            return Ok(Some(whole(publish, header, body.freeze())));
        }
        self.pending.insert(channel, Pending::Body { publish, header, body, memory });
        Ok(None)
    }
}

fn whole(publish: Publish, header: Box<ContentHeader>, body: Bytes) -> Whole {
    let header = *header;
    (publish, Content { properties: header.properties, raw: header.raw, body })
}
