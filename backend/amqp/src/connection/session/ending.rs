//! How a channel or a connection ends: by a fault, by the client's wish or the broker's, and what comes after.

use amq_protocol::protocol::{AMQPClass, channel, connection};
use tokio::time::Instant;

use super::{Phase, Session};
use crate::fault::Fault;
use crate::observer::Observer;
use crate::state::State;

impl<O: Observer> Session<O> {
    /// The broker ends. Who has not come in yet is told nothing.
    pub(in crate::connection) fn stop(&mut self) {
        match (self.phase, self.host()) {
            (Phase::Running, Some(host)) => {
                let fault = Fault::connection_forced("broker forced connection closure with reason 'shutdown'");
                self.fail_connection(&mut host.lock(), &fault.naming((0, 0)), (0, 0));
            }
            (Phase::Closing(_), _) => (),
            _ => self.phase = Phase::Ended,
        }
    }

    pub(super) fn answer_while_closing(&mut self, method: &connection::AMQPMethod) {
        match method {
            connection::AMQPMethod::CloseOk(_) => self.phase = Phase::Ended,
            connection::AMQPMethod::Close(_) => {
                self.say(connection::AMQPMethod::CloseOk(connection::CloseOk {}));
                self.phase = Phase::Ended;
            }
            _ => (),
        }
    }

    /// Ends it without a word.
    pub(super) fn leave(&mut self, state: &mut State<O>) {
        state.disconnect(self.id);
        self.phase = Phase::Ended;
    }

    /// Ends the channel or the connection, as the fault asks.
    pub(super) fn fail(&mut self, state: &mut State<O>, number: u16, fault: &Fault, method: (u16, u16)) {
        if fault.closes_connection || number == 0 {
            return self.fail_connection(state, fault, method);
        }
        tracing::debug!("channel {number} of connection {} ends: {}", self.id.get(), fault.text);
        state.close_channel(self.id, number);
        self.closing.insert(number);
        let (class_id, method_id) = fault.method.unwrap_or(method);
        let close = channel::Close { reply_code: fault.code, reply_text: fault.reply_text(), class_id, method_id };
        self.outbox.method(number, &AMQPClass::Channel(channel::AMQPMethod::Close(close)));
    }

    pub(super) fn fail_connection(&mut self, state: &mut State<O>, fault: &Fault, method: (u16, u16)) {
        state.disconnect(self.id);
        self.say_close(fault, method);
    }

    pub(super) fn say_close(&mut self, fault: &Fault, method: (u16, u16)) {
        tracing::debug!("connection {} ends: {}", self.id.get(), fault.text);
        let (class_id, method_id) = fault.method.unwrap_or(method);
        self.say(connection::AMQPMethod::Close(connection::Close {
            reply_code: fault.code,
            reply_text: fault.reply_text(),
            class_id,
            method_id,
        }));
        self.phase = Phase::Closing(Instant::now());
    }
}
