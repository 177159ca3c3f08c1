//! What a connection's frames mean: its phases, its channels' contents, and how faults end the one or the other.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use amq_protocol::protocol::{AMQPClass, channel, connection};
use tokio::time::Instant;

use super::content::{Command, Contents, PUBLISH};
use super::handshake::{self, Agreed, Client};
use super::seconds;
use crate::broker::Shared;
use crate::fault::Fault;
use crate::observer::{ConnectionId, Observer};
use crate::outbox::Outbox;
use crate::state::{State, VHOST};
use crate::wire::{Decoder, Frame, WireError, short};

/// What every connection begins with.
const PROTOCOL_HEADER: [u8; 8] = *b"AMQP\0\0\x09\x01";

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
    agreed: Agreed,
    contents: Contents,
    /// Channels that were told that they end; all but the answer is passed over.
    closing: HashSet<u16>,
    published: bool,
    told_blocked: bool,
    /// What comes is no frames any more: it is thrown away until the peer closes.
    deaf: bool,
}

impl<O: Observer> Session<O> {
    pub(super) fn new(id: ConnectionId, peer: SocketAddr, shared: Arc<Shared<O>>, outbox: Arc<Outbox>) -> Self {
        let config = Arc::clone(&shared.config);
        let agreed = Agreed { channel_max: config.channel_max, frame_max: config.frame_max, heartbeat: 0 };
        let contents = Contents::new(Arc::clone(&shared.unfinished), config.message_max);
        Self {
            id,
            peer,
            shared,
            outbox,
            decoder: Decoder::new(config.frame_max),
            phase: Phase::Header,
            client: Client::default(),
            agreed,
            contents,
            closing: HashSet::new(),
            published: false,
            told_blocked: false,
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

    /// The broker ends.
    pub(super) fn stop(&mut self) {
        match self.phase {
            Phase::Header => self.phase = Phase::Ended,
            Phase::Closing(_) | Phase::Ended => (),
            _ => {
                let shared = Arc::clone(&self.shared);
                let fault = Fault::connection_forced("broker forced connection closure with reason 'shutdown'");
                self.fail_connection(&mut shared.lock(), &fault, (0, 0));
            }
        }
    }

    /// Nothing more is read from this client until there is memory.
    pub(super) fn tell_blocked(&mut self) {
        if self.client.blocked && !self.told_blocked && self.phase == Phase::Running {
            let blocked = connection::Blocked { reason: short("low on memory") };
            self.outbox.method(0, &AMQPClass::Connection(connection::AMQPMethod::Blocked(blocked)));
            self.told_blocked = true;
        }
    }

    /// Reading goes on.
    pub(super) fn tell_unblocked(&mut self) {
        if std::mem::take(&mut self.told_blocked) {
            let unblocked = connection::AMQPMethod::Unblocked(connection::Unblocked {});
            self.outbox.method(0, &AMQPClass::Connection(unblocked));
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
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        for _ in 0..BATCH {
            if self.phase == Phase::Ended {
                return false;
            }
            if self.outbox.is_full() {
                return true;
            }
            match self.decoder.frame() {
                Ok(Some(frame)) => self.frame(&mut state, frame),
                Ok(None) => return false,
                Err(error) => {
                    // The client hears why, and nothing is read again where frames cannot be told apart any more.
                    self.deaf = error.loses_sync();
                    self.refuse(&mut state, error);
                    if self.deaf {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// What has come is no frame, or none that may come.
    fn refuse(&mut self, state: &mut State<O>, error: WireError) {
        if self.closing_since().is_some() {
            return;
        }
        if let WireError::UnknownMethod { .. } = error {
            // RabbitMQ hangs up without a word.
            tracing::debug!("connection {} ends: {error}", self.id.get());
            state.disconnect(self.id);
            self.phase = Phase::Ended;
            return;
        }
        self.fail_connection(state, &error.into(), (0, 0));
    }

    /// Takes the protocol header; whether frames may follow.
    fn begin(&mut self) -> bool {
        let Some(header) = self.decoder.protocol_header() else { return false };
        if header != PROTOCOL_HEADER {
            self.outbox.raw(&PROTOCOL_HEADER);
            self.phase = Phase::Ended;
            return false;
        }
        self.say(connection::AMQPMethod::Start(handshake::start()));
        self.phase = Phase::StartOk;
        true
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
        let (number, method) = match &frame {
            Frame::Method(number, method) => (*number, (method.get_amqp_class_id(), method.get_amqp_method_id())),
            Frame::Header(number, _) | Frame::Body(number, _) => (*number, PUBLISH),
            Frame::Heartbeat => return,
        };
        let done = match frame {
            Frame::Method(0, AMQPClass::Connection(method)) => self.connection_method(state, &method),
            _ if self.phase != Phase::Running => Err(Fault::command_invalid("the connection is not open yet")),
            _ if number == 0 => Err(not_now()),
            frame => self.channel_frame(state, number, frame),
        };
        if let Err(fault) = done {
            self.fail(state, number, &fault, method);
        }
    }

    fn answer_while_closing(&mut self, method: &connection::AMQPMethod) {
        match method {
            connection::AMQPMethod::CloseOk(_) => self.phase = Phase::Ended,
            connection::AMQPMethod::Close(_) => {
                self.say(connection::AMQPMethod::CloseOk(connection::CloseOk {}));
                self.phase = Phase::Ended;
            }
            _ => (),
        }
    }

    fn connection_method(&mut self, state: &mut State<O>, method: &connection::AMQPMethod) -> Result<(), Fault> {
        match (self.phase, method) {
            (Phase::StartOk, connection::AMQPMethod::StartOk(start_ok)) => {
                self.client = handshake::client(&start_ok.client_properties);
                if let Err(fault) = handshake::login(start_ok) {
                    if self.client.login_close {
                        return Err(fault);
                    }
                    self.phase = Phase::Ended;
                    return Ok(());
                }
                self.say(connection::AMQPMethod::Tune(handshake::tune(&self.shared.config)));
                self.phase = Phase::TuneOk;
            }
            (Phase::TuneOk, connection::AMQPMethod::TuneOk(answer)) => {
                self.agreed = handshake::agree(&self.shared.config, answer)?;
                self.decoder.set_frame_max(self.agreed.frame_max);
                self.outbox.set_frame_max(self.agreed.frame_max);
                self.phase = Phase::Open;
            }
            (Phase::Open, connection::AMQPMethod::Open(open)) => self.open(state, open)?,
            (_, connection::AMQPMethod::Close(_)) => {
                state.disconnect(self.id);
                self.say(connection::AMQPMethod::CloseOk(connection::CloseOk {}));
                self.phase = Phase::Ended;
            }
            (Phase::Running, _) => return Err(not_now()),
            _ => return Err(Fault::command_invalid("unexpected method of the connection")),
        }
        Ok(())
    }

    fn open(&mut self, state: &mut State<O>, open: &connection::Open) -> Result<(), Fault> {
        if open.virtual_host.as_str() != VHOST {
            return Err(Fault::not_allowed(format_args!("vhost {} not found", open.virtual_host)));
        }
        let max = self.shared.config.connections_max;
        if state.connection_count() >= max {
            return Err(Fault::not_allowed(format_args!("connection limit ({max}) is reached")));
        }
        state.connect(self.id, self.peer, &self.client.name, &self.outbox, self.client.cancel_notify);
        self.say(connection::AMQPMethod::OpenOk(connection::OpenOk {}));
        self.phase = Phase::Running;
        Ok(())
    }

    fn channel_frame(&mut self, state: &mut State<O>, number: u16, frame: Frame) -> Result<(), Fault> {
        self.check_channel_max(state, number)?;
        let command = match frame {
            Frame::Method(_, method) => self.contents.method(number, method)?,
            Frame::Header(_, header) => self.contents.header(number, *header)?,
            Frame::Body(_, part) => self.contents.body(number, part)?,
            Frame::Heartbeat => None,
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

    /// Ends the channel or the connection, as the fault asks.
    fn fail(&mut self, state: &mut State<O>, number: u16, fault: &Fault, method: (u16, u16)) {
        if fault.closes_connection || number == 0 {
            return self.fail_connection(state, fault, method);
        }
        tracing::debug!("channel {number} of connection {} ends: {}", self.id.get(), fault.text);
        state.close_channel(self.id, number);
        self.closing.insert(number);
        let method = fault.method.unwrap_or(method);
        let close = channel::Close {
            reply_code: fault.code,
            reply_text: fault.reply_text(),
            class_id: method.0,
            method_id: method.1,
        };
        self.outbox.method(number, &AMQPClass::Channel(channel::AMQPMethod::Close(close)));
    }

    fn fail_connection(&mut self, state: &mut State<O>, fault: &Fault, method: (u16, u16)) {
        tracing::debug!("connection {} ends: {}", self.id.get(), fault.text);
        state.disconnect(self.id);
        let method = fault.method.unwrap_or(method);
        self.say(connection::AMQPMethod::Close(connection::Close {
            reply_code: fault.code,
            reply_text: fault.reply_text(),
            class_id: method.0,
            method_id: method.1,
        }));
        self.phase = Phase::Closing(Instant::now());
    }
}

/// A method on channel 0 that is none of the connection's, or none of an open one.
fn not_now() -> Fault {
    Fault::channel_error("unexpected method in connection state running")
}

impl<O: Observer> Drop for Session<O> {
    fn drop(&mut self) {
        self.shared.lock().disconnect(self.id);
    }
}
