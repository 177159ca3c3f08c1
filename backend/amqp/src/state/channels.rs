//! Channels: open, close, quality of service, confirms.

use amq_protocol::protocol::{AMQPClass, basic, channel, confirm};
use hopscope_rules::queue::Cause;

use super::tx::Transaction;
use super::{Channel, State};
use crate::fault::Fault;
use crate::observer::{ConnectionId, Observer};

impl<O: Observer> State<O> {
    /// Whether a channel is open.
    pub(crate) fn has_channel(&self, id: ConnectionId, channel: u16) -> bool {
        self.connections.get(&id).is_some_and(|connection| connection.channels.contains_key(&channel))
    }

    /// How many channels a connection has open.
    pub(crate) fn channel_count(&self, id: ConnectionId) -> usize {
        self.connections.get(&id).map_or(0, |connection| connection.channels.len())
    }

    /// Opens a channel; `false` where it is open.
    pub(crate) fn open_channel(&mut self, id: ConnectionId, channel: u16) -> bool {
        if self.has_channel(id, channel) {
            return false;
        }
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.channels.insert(channel, Channel::new());
            self.send(id, channel, &AMQPClass::Channel(channel::AMQPMethod::OpenOk(channel::OpenOk {})));
        }
        true
    }

    /// A channel has ended: its consumers go first, so that none of them gets back what it had.
    pub(crate) fn close_channel(&mut self, id: ConnectionId, number: u16) {
        let Ok(channel) = self.channel(id, number) else { return };
        let consumers = std::mem::take(&mut channel.consumers);
        let mut unacked = std::mem::take(&mut channel.unacked);
        // What was not committed is rolled back.
        unacked.extend(channel.tx.take().map(Transaction::into_deliveries).into_iter().flatten());
        channel.held = 0;
        let reply_to = channel.reply_to.take();
        if let Some((_, token)) = reply_to {
            self.reply_to.remove(&token);
        }
        let mut left = Vec::new();
        for consumer in consumers.into_values() {
            left.push(consumer.queue);
            self.remove_consumer(&consumer);
        }
        for out in unacked.values() {
            self.used(out.queue);
        }
        self.give_back(unacked.into_values(), Cause::ChannelLost);
        for queue in &left {
            self.delete_if_abandoned(*queue);
        }
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.channels.remove(&number);
        }
        // Another consumer may be the active one now.
        for queue in left {
            self.pump(queue);
        }
        self.bury();
    }

    /// As RabbitMQ has it, a client cannot stop its deliveries.
    pub(super) fn flow(&mut self, id: ConnectionId, number: u16, active: bool) -> Result<(), Fault> {
        if !active {
            return Err(Fault::not_implemented("active=false"));
        }
        self.send(id, number, &AMQPClass::Channel(channel::AMQPMethod::FlowOk(channel::FlowOk { active })));
        Ok(())
    }

    /// RabbitMQ's meaning of `global`: false is the prefetch of each consumer to come, and none of the whole channel; true
    /// that of the whole channel.
    pub(super) fn qos(&mut self, id: ConnectionId, number: u16, qos: &basic::Qos) -> Result<(), Fault> {
        let channel = self.channel(id, number)?;
        let count = u32::from(qos.prefetch_count);
        let was_limited = channel.prefetch_all > 0;
        if qos.global {
            channel.prefetch_all = count;
        } else {
            channel.prefetch = count;
            channel.prefetch_all = 0;
        }
        self.send(id, number, &AMQPClass::Basic(basic::AMQPMethod::QosOk(basic::QosOk {})));
        if qos.global || was_limited {
            for queue in self.consumed_by(id, Some(number)) {
                self.pump(queue);
            }
        }
        Ok(())
    }

    pub(super) fn confirm_select(
        &mut self,
        id: ConnectionId,
        number: u16,
        select: &confirm::Select,
    ) -> Result<(), Fault> {
        let channel = self.channel(id, number)?;
        if channel.tx.is_some() {
            return Err(Fault::precondition_failed("cannot switch from tx to confirm mode"));
        }
        channel.confirms.get_or_insert(0);
        if !select.nowait {
            self.send(id, number, &AMQPClass::Confirm(confirm::AMQPMethod::SelectOk(confirm::SelectOk {})));
        }
        Ok(())
    }
}
