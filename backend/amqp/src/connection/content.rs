//! Frames to commands: a method alone, or a publish with its header and its bodies, whole.

use std::collections::HashMap;
use std::sync::Arc;

use amq_protocol::protocol::basic::{AMQPMethod, Publish};
use amq_protocol::protocol::{AMQPClass, BasicProperties};
use bytes::{Bytes, BytesMut};

use crate::fault::Fault;
use crate::memory::{Memory, Reservation};
use crate::state::Content;
use crate::wire::{BASIC_CLASS, ContentHeader};

/// Class and method of `basic.publish`, to which contents belong.
pub(super) const PUBLISH: (u16, u16) = (60, 40);

/// Where frames come together, and what each channel is in the middle of.
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
    Body(Box<Partial>),
}

/// A publish whose body has not come whole.
#[derive(Debug)]
struct Partial {
    publish: Publish,
    properties: Option<BasicProperties>,
    raw: Bytes,
    /// Bytes that are announced.
    size: u64,
    /// Bytes that have come. Beyond what is announced, a body never ends, as RabbitMQ has it.
    came: u64,
    /// What is kept of them: nothing, where the message is too large to be taken.
    body: BytesMut,
    memory: Vec<Reservation>,
}

/// What a client asks for.
#[derive(Debug)]
pub(super) enum Command {
    Method(AMQPClass),
    Publish(Box<(Publish, Content)>),
}

impl Contents {
    pub(super) fn new(memory: Arc<Memory>, message_max: u64) -> Self {
        Self { pending: HashMap::new(), memory, message_max }
    }

    /// Whether a channel is in the middle of a content.
    pub(super) fn is_pending(&self, channel: u16) -> bool {
        self.pending.contains_key(&channel)
    }

    pub(super) fn method(&mut self, channel: u16, method: AMQPClass) -> Result<Option<Command>, Fault> {
        match (self.pending.get(&channel), method) {
            (Some(Pending::Header(_)), _) => Err(no_header()),
            (Some(Pending::Body(_)), _) => Err(no_body()),
            (None, AMQPClass::Basic(AMQPMethod::Publish(publish))) => {
                self.pending.insert(channel, Pending::Header(publish));
                Ok(None)
            }
            (None, method) => Ok(Some(Command::Method(method))),
        }
    }

    pub(super) fn header(&mut self, channel: u16, header: ContentHeader) -> Result<Option<Command>, Fault> {
        let publish = match self.pending.remove(&channel) {
            None => return Err(no_method()),
            Some(Pending::Body(_)) => return Err(no_body()),
            Some(Pending::Header(publish)) => publish,
        };
        let ContentHeader { class, weight, size, properties, raw } = header;
        if weight != 0 {
            return Err(no_header());
        }
        if class != BASIC_CLASS {
            return Err(Fault::unexpected_frame(format_args!(
                "expected content header for class {BASIC_CLASS}, got one for class {class} instead"
            ))
            .naming(PUBLISH));
        }
        let (body, memory) = (BytesMut::new(), Vec::new());
        let partial = Partial { publish, properties, raw, size, came: 0, body, memory };
        if size == 0 {
            return Ok(Some(partial.whole(Bytes::new())));
        }
        self.pending.insert(channel, Pending::Body(Box::new(partial)));
        Ok(None)
    }

    pub(super) fn body(&mut self, channel: u16, part: Bytes) -> Result<Option<Command>, Fault> {
        let mut partial = match self.pending.remove(&channel) {
            None => return Err(no_method()),
            Some(Pending::Header(_)) => return Err(no_header()),
            Some(Pending::Body(partial)) => partial,
        };
        let first = partial.came == 0;
        partial.came = partial.came.saturating_add(part.len() as u64);
        let (is_whole, kept) = (partial.came == partial.size, partial.size <= self.message_max);
        if is_whole && (first || !kept) {
            return Ok(Some(partial.whole(if kept { part } else { Bytes::new() })));
        }
        if kept && partial.came <= partial.size {
            let reserved = self.memory.try_reserve(part.len());
            partial.memory.push(reserved.ok_or_else(|| Fault::resource_error("too much of unfinished messages"))?);
            partial.body.extend_from_slice(&part);
        }
        if is_whole {
            let body = std::mem::take(&mut partial.body).freeze();
            return Ok(Some(partial.whole(body)));
        }
        self.pending.insert(channel, Pending::Body(partial));
        Ok(None)
    }
}

impl Partial {
    fn whole(self, body: Bytes) -> Command {
        let Self { publish, properties, raw, size, .. } = self;
        Command::Publish(Box::new((publish, Content { properties, raw, size, body })))
    }
}

fn no_method() -> Fault {
    Fault::unexpected_frame("expected method frame, got non method frame instead").naming((0, 0))
}

fn no_header() -> Fault {
    let class = BASIC_CLASS;
    Fault::unexpected_frame(format_args!(
        "expected content header for class {class}, got non content header frame instead"
    ))
    .naming(PUBLISH)
}

fn no_body() -> Fault {
    Fault::unexpected_frame("expected content body, got non content body frame instead").naming(PUBLISH)
}
