//! What a connection's frames mean: its phases, its channels' contents, and how faults end the one or the other.

mod ending;
mod opening;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use amq_protocol::protocol::{AMQPClass, channel, connection};
use tokio::time::Instant;

use super::content::{Command, Contents, PUBLISH};
use super::handshake::{Agreed, Client};
use super::{Home, seconds};
use crate::broker::Shared;
use crate::fault::Fault;
use crate::observer::{ConnectionId, Observer};
use crate::outbox::Outbox;
use crate::state::State;
use crate::virtual_host::Host;
use crate::wire::{Bad, Decoder, Frame, short};

/// Largest frame before a size is agreed, as RabbitMQ takes it.
const FIRST_FRAME_MAX: u32 = 4096;

/// Most frames that are worked off under one hold of the lock.
const BATCH: usize = 64;

/// Where a connection stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Waits for the protocol header.
    Header,
    /// Waits for who the client is.
    StartOk,
    /// Waits for the client's limits.
    TuneOk,
    /// Waits for the virtual host.
    Open,
    Running,
    /// Has told the client that it ends, and waits for its answer.
    Closing(Instant),
    Ended,
}

/// One connection's protocol.
pub(super) struct Session<O: Observer> {
    id: ConnectionId,
    peer: SocketAddr,
    shared: Arc<Shared<O>>,
    outbox: Arc<Outbox>,
    decoder: Decoder,
    phase: Phase,
    client: Client,
    user: Arc<str>,
    /// Where it is open.
    home: Arc<Home<O>>,
    agreed: Agreed,
    contents: Contents,
    /// Channels that were told that they end; all but the answer is passed over.
    closing: HashSet<u16>,
    published: bool,
    blocked: bool,
    /// What comes is no frames any more: it is thrown away until the peer closes.
    deaf: bool,
}

impl<O: Observer> Session<O> {
    pub(super) fn new(
        id: ConnectionId,
        peer: SocketAddr,
        shared: Arc<Shared<O>>,
        home: Arc<Home<O>>,
        outbox: Arc<Outbox>,
    ) -> Self {
        let config = Arc::clone(&shared.config);
        let agreed = Agreed { channel_max: config.channel_max, frame_max: config.frame_max, heartbeat: 0 };
        let contents = Contents::new(Arc::clone(&shared.unfinished), config.message_max);
        Self {
            id,
            peer,
            shared,
            outbox,
            decoder: Decoder::new(FIRST_FRAME_MAX),
            phase: Phase::Header,
            client: Client::default(),
            user: Arc::default(),
            home,
            agreed,
            contents,
            closing: HashSet::new(),
            published: false,
            blocked: false,
            deaf: false,
        }
    }

    pub(super) fn decoder(&mut self) -> &mut Decoder {
        &mut self.decoder
    }

    /// The agreed interval; none before it is agreed, or where there are to be none.
    pub(super) fn heartbeat(&self) -> Option<Duration> {
        seconds(self.agreed.heartbeat)
    }

    pub(super) fn is_open(&self) -> bool {
        self.phase == Phase::Running
    }

    pub(super) fn has_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    pub(super) fn has_published(&self) -> bool {
        self.published
    }

    pub(super) fn closing_since(&self) -> Option<Instant> {
        if let Phase::Closing(since) = self.phase { Some(since) } else { None }
    }

    fn host(&self) -> Option<Arc<Host<O>>> {
        self.home.get().cloned()
    }

    /// Nothing more is read from this client until there is memory.
    pub(super) fn tell_blocked(&mut self) {
        if !std::mem::replace(&mut self.blocked, true) {
            let blocked = connection::Blocked { reason: short("low on memory") };
            self.tell_flow(connection::AMQPMethod::Blocked(blocked));
        }
    }

    /// Reading goes on.
    pub(super) fn tell_unblocked(&mut self) {
        if std::mem::take(&mut self.blocked) {
            self.tell_flow(connection::AMQPMethod::Unblocked(connection::Unblocked {}));
        }
    }

    fn tell_flow(&self, method: connection::AMQPMethod) {
        if let Some(host) = self.home.get() {
            host.lock().set_blocked(self.id, self.blocked);
        }
        if self.client.blocked && self.phase == Phase::Running {
            self.say(method);
        }
    }

    /// Works off whole frames that have come; whether there may be more of them.
    pub(super) fn work(&mut self) -> bool {
        if self.deaf {
            self.decoder.buffer().clear();
            return false;
        }
        if self.phase == Phase::Header && !self.begin() {
            return false;
        }
        let host = self.host();
        let mut state = host.as_ref().map(|host| host.lock());
        for _ in 0..BATCH {
            if self.phase == Phase::Ended {
                return false;
            }
            if self.outbox.is_full() {
                return true;
            }
            match self.decoder.frame() {
                Ok(Some(frame)) => match state.as_deref_mut() {
                    Some(state) => self.frame(state, frame),
                    None => {
                        self.next_opening_frame(frame);
                        // From here on there is a lock to be had.
                        if self.home.get().is_some() {
                            return true;
                        }
                    }
                },
                Ok(None) => return false,
                Err(error) => {
                    // What follows cannot be told apart any more: the client hears why, and nothing is read again.
                    self.deaf = true;
                    match state.as_deref_mut() {
                        _ if self.closing_since().is_some() => (),
                        Some(state) => self.fail_connection(state, &error.into(), (0, 0)),
                        None if self.phase == Phase::Open => self.say_close(&error.into(), (0, 0)),
                        None => self.phase = Phase::Ended,
                    }
                    return false;
                }
            }
        }
        true
    }

    /// One frame of a connection that is not open: not yet, or not any more.
    fn next_opening_frame(&mut self, frame: Frame) {
        match (self.phase, frame) {
            (Phase::Closing(_), Frame::Method(0, AMQPClass::Connection(method))) => {
                self.answer_while_closing(&method);
            }
            (Phase::Closing(_), _) => (),
            (_, frame) => self.opening_frame(frame),
        }
    }

    fn say(&self, method: connection::AMQPMethod) {
        self.outbox.method(0, &AMQPClass::Connection(method));
    }

    fn frame(&mut self, state: &mut State<O>, frame: Frame) {
        if let Phase::Closing(_) = self.phase {
            if let Frame::Method(0, AMQPClass::Connection(method)) = frame {
                self.answer_while_closing(&method);
            }
            return;
        }
        let (number, method) = (frame.channel(), frame.method().unwrap_or(PUBLISH));
        let done = match frame {
            Frame::Heartbeat(0) => return,
            Frame::Bad(_, Bad::UnknownMethod) => return self.leave(state),
            Frame::Bad(0, Bad::Fields { .. }) => Err(Fault::internal_error()),
            Frame::Header(0, _) | Frame::Body(0, _) | Frame::Heartbeat(_) => Err(self.unexpected_frame()),
            Frame::Bad(_, Bad::Unknown) => Err(self.unknown_frame()),
            Frame::Bad(_, Bad::Fields { fields, .. }) => {
                Err(Fault::frame_error(format_args!("cannot decode {fields}")))
            }
            Frame::Method(0, AMQPClass::Connection(method)) => self.connection_method(state, &method),
            Frame::Method(0, _) => Err(self.unexpected_method()),
            frame => self.channel_frame(state, number, frame),
        };
        if let Err(fault) = done {
            self.fail(state, number, &fault, method);
        }
    }

    fn connection_method(&mut self, state: &mut State<O>, method: &connection::AMQPMethod) -> Result<(), Fault> {
        match method {
            connection::AMQPMethod::Close(_) => {
                state.disconnect(self.id);
                self.say(connection::AMQPMethod::CloseOk(connection::CloseOk {}));
                self.phase = Phase::Ended;
            }
            // A password does not expire: there is nothing to update.
            connection::AMQPMethod::UpdateSecret(_) => {
                self.say(connection::AMQPMethod::UpdateSecretOk(connection::UpdateSecretOk {}));
            }
            _ => return Err(self.unexpected_method()),
        }
        Ok(())
    }

    fn channel_frame(&mut self, state: &mut State<O>, number: u16, frame: Frame) -> Result<(), Fault> {
        self.check_channel_max(state, number)?;
        let command = match frame {
            Frame::Method(_, method) => self.contents.method(number, method)?,
            Frame::Header(_, header) => self.contents.header(number, *header)?,
            Frame::Body(_, part) => self.contents.body(number, part)?,
            Frame::Heartbeat(_) | Frame::Bad(..) => None,
        };
        match command {
            Some(command) => self.command(state, number, command),
            None => Ok(()),
        }
    }

    /// Checks that there is room for one more channel, where this is one.
    fn check_channel_max(&self, state: &State<O>, number: u16) -> Result<(), Fault> {
        let is_known =
            self.closing.contains(&number) || state.has_channel(self.id, number) || self.contents.is_pending(number);
        let (open, max) = (state.channel_count(self.id) + self.closing.len(), self.agreed.channel_max);
        if is_known || max == 0 || open < usize::from(max) {
            return Ok(());
        }
        Err(Fault::not_allowed(format_args!(
            "number of channels opened ({open}) has reached the negotiated channel_max ({max})"
        ))
        .naming((0, 0)))
    }

    fn command(&mut self, state: &mut State<O>, number: u16, command: Command) -> Result<(), Fault> {
        let is_closing = self.closing.contains(&number);
        match command {
            Command::Method(AMQPClass::Channel(channel::AMQPMethod::Open(_))) => {
                let is_open = is_closing || !state.open_channel(self.id, number);
                if is_open { Err(Fault::channel_error("second 'channel.open' seen")) } else { Ok(()) }
            }
            Command::Method(AMQPClass::Channel(channel::AMQPMethod::CloseOk(_))) if is_closing => {
                self.closing.remove(&number);
                Ok(())
            }
            Command::Method(AMQPClass::Channel(channel::AMQPMethod::Close(_))) if is_closing => {
                self.close_ok(number);
                Ok(())
            }
            // All but the answer is passed over.
            _ if is_closing => Ok(()),
            _ if !state.has_channel(self.id, number) => Err(Fault::channel_error("expected 'channel.open'")),
            Command::Method(AMQPClass::Channel(channel::AMQPMethod::Close(_))) => {
                state.close_channel(self.id, number);
                self.close_ok(number);
                Ok(())
            }
            Command::Method(method) => state.dispatch(self.id, number, &method),
            Command::Publish(whole) => {
                let (publish, content) = *whole;
                self.published = true;
                state.publish(self.id, number, publish, content)
            }
        }
    }

    fn close_ok(&self, number: u16) {
        let method = channel::AMQPMethod::CloseOk(channel::CloseOk {});
        self.outbox.method(number, &AMQPClass::Channel(method));
    }
}

impl<O: Observer> Drop for Session<O> {
    fn drop(&mut self) {
        if let Some(host) = self.home.get() {
            host.lock().disconnect(self.id);
        }
    }
}
