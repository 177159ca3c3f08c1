//! The phases before a connection is open: who the client is, what both agree on, in which virtual host.
//!
//! As with RabbitMQ, a fault before the client's limits are agreed ends the socket without a word: only a refused login is
//! told, to who asked for it, and what is wrong with `connection.open` and in its place.

use amq_protocol::protocol::{AMQPClass, connection};

use super::{Phase, Session};
use crate::connection::handshake::{self, Refused};
use crate::fault::Fault;
use crate::observer::{ConnectionInfo, Observer};
use crate::wire::{Bad, Frame};

/// What a connection begins with.
const PROTOCOL_HEADER: [u8; 8] = *b"AMQP\0\0\x09\x01";

/// The same in the words of 0-9, which is near enough.
const PROTOCOL_HEADER_0_9: [u8; 8] = *b"AMQP\x01\x01\0\x09";

impl<O: Observer> Session<O> {
    /// Takes the protocol header; whether frames may follow.
    pub(super) fn begin(&mut self) -> bool {
        let Some(header) = self.decoder.protocol_header() else { return false };
        if header != PROTOCOL_HEADER && header != PROTOCOL_HEADER_0_9 {
            self.outbox.raw(&PROTOCOL_HEADER);
            self.phase = Phase::Ended;
            return false;
        }
        self.say(connection::AMQPMethod::Start(handshake::start()));
        self.phase = Phase::StartOk;
        true
    }

    /// One frame of a connection that is not open yet.
    pub(super) fn opening_frame(&mut self, frame: Frame) {
        let method = frame.method().unwrap_or_default();
        let done = match frame {
            Frame::Heartbeat(0) => return,
            Frame::Method(0, AMQPClass::Connection(method)) => self.opening_method(&method),
            Frame::Method(0, _) => Err(self.unexpected_method()),
            Frame::Bad(0, Bad::UnknownMethod) => return self.phase = Phase::Ended,
            Frame::Bad(0, Bad::Fields { .. }) => Err(Fault::internal_error()),
            Frame::Bad(0, Bad::Unknown) => Err(self.unknown_frame()),
            _ => Err(self.unexpected_frame()),
        };
        let Err(fault) = done else { return };
        if self.phase == Phase::Open {
            self.say_close(&fault, method);
        } else {
            tracing::debug!("connection {} is not opened: {}", self.id.get(), fault.text);
            self.phase = Phase::Ended;
        }
    }

    fn opening_method(&mut self, method: &connection::AMQPMethod) -> Result<(), Fault> {
        match (self.phase, method) {
            (Phase::StartOk, connection::AMQPMethod::StartOk(start_ok)) => {
                self.client = handshake::client(&start_ok.client_properties);
                match handshake::login(&self.shared.config.users, start_ok) {
                    Ok(user) => self.user = user,
                    Err(refused) => {
                        self.refuse(&refused);
                        return Ok(());
                    }
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
            (Phase::Open, connection::AMQPMethod::Open(open)) => self.open(open)?,
            _ => return Err(self.unexpected_method()),
        }
        Ok(())
    }

    /// Lets nobody in. As RabbitMQ, it names no method as the one that failed.
    fn refuse(&mut self, refused: &Refused) {
        match &refused.fault {
            Some(fault) if self.client.login_close => self.say_close(fault, (0, 0)),
            _ => self.phase = Phase::Ended,
        }
    }

    fn open(&mut self, open: &connection::Open) -> Result<(), Fault> {
        let vhost = &open.virtual_host;
        let host = self.shared.host(vhost.as_str()).cloned();
        let host = host.ok_or_else(|| Fault::not_allowed(format_args!("vhost {vhost} not found")))?;
        let seat = self.shared.common.seat().ok_or_else(|| {
            let (user, max) = (&self.user, self.shared.config.connections_max);
            Fault::not_allowed(format_args!(
                "access to vhost '{vhost}' refused for user '{user}': connection limit ({max}) is reached"
            ))
        })?;
        let info = ConnectionInfo {
            id: self.id,
            peer: self.peer,
            name: &self.client.name,
            user: &self.user,
            vhost: vhost.as_str(),
        };
        host.lock().connect(&info, seat, &self.outbox, self.client.cancel_notify);
        // A connection opens once: there was none before.
        let _ = self.home.set(host);
        self.say(connection::AMQPMethod::OpenOk(connection::OpenOk {}));
        self.phase = Phase::Running;
        Ok(())
    }

    /// A method that has no place where the connection stands.
    pub(super) fn unexpected_method(&self) -> Fault {
        let state = match self.phase {
            Phase::Header | Phase::StartOk => "starting",
            Phase::TuneOk => "tuning",
            Phase::Open => "opening",
            Phase::Running => "running",
            Phase::Closing(_) | Phase::Ended => "closed",
        };
        Fault::channel_error(format_args!("unexpected method in connection state {state}"))
    }

    /// A frame that has no place where the connection stands.
    pub(super) fn unexpected_frame(&self) -> Fault {
        Fault::unexpected_frame(self.decoder.last()).naming((0, 0))
    }

    /// A frame of no known kind.
    pub(super) fn unknown_frame(&self) -> Fault {
        Fault::frame_error(format_args!("{}: unknown_frame", self.decoder.last())).naming((0, 0))
    }
}
