//! Channels: open, close, quality of service, confirms.

use amq_protocol::protocol::{AMQPClass, basic, channel, confirm};
use hopscope_rules::queue::Cause;

use super::{Channel, State};
use crate::fault::Fault;
use crate::observer::{ConnectionId, Observer};

impl<O: Observer> State<O> {
    /// Whether a channel is open.
    pub(crate) fn has_channel(&self, id: ConnectionId, channel: u16) -> bool {
        self.connections.get(&id).is_some_and(|connection| connection.channels.contains_key(&channel))
    }

    /// Opens a channel. `max`: the agreed number of channels, 0 for the protocol's own limit.
    pub(crate) fn open_channel(&mut self, id: ConnectionId, channel: u16, max: u16) -> Result<(), Fault> {
        if self.has_channel(id, channel) {
            return Err(Fault::channel_error("second 'channel.open' seen"));
        }
        let Some(connection) = self.connections.get_mut(&id) else { return Ok(()) };
        let open = connection.channels.len();
        if max > 0 && (open >= usize::from(max) || channel > max) {
            return Err(Fault::not_allowed(format_args!(
                "number of channels opened ({open}) has reached the negotiated channel_max ({max})"
            )));
        }
        connection.channels.insert(channel, Channel::new());
        self.send(id, channel, &AMQPClass::Channel(channel::AMQPMethod::OpenOk(channel::OpenOk {})));
        Ok(())
    }

    /// A channel has ended: its consumers go first, so that none of them gets back what it had.
    pub(crate) fn close_channel(&mut self, id: ConnectionId, number: u16) {
        let Ok(channel) = self.channel(id, number) else { return };
        let consumers = std::mem::take(&mut channel.consumers);
        let unacked = std::mem::take(&mut channel.unacked);
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

    pub(super) fn flow(&mut self, id: ConnectionId, number: u16, active: bool) -> Result<(), Fault> {
        self.channel(id, number)?.flow = active;
        self.send(id, number, &AMQPClass::Channel(channel::AMQPMethod::FlowOk(channel::FlowOk { active })));
        if active {
            for queue in self.consumed_by(id, Some(number)) {
                self.pump(queue);
            }
        }
        Ok(())
    }

    /// RabbitMQ's meaning of `global`: false is the prefetch of each consumer to come, true that of the whole channel.
    pub(super) fn qos(&mut self, id: ConnectionId, number: u16, qos: &basic::Qos) -> Result<(), Fault> {
        let channel = self.channel(id, number)?;
        let count = u32::from(qos.prefetch_count);
        if qos.global {
            channel.prefetch_all = count;
        } else {
            channel.prefetch = count;
        }
        self.send(id, number, &AMQPClass::Basic(basic::AMQPMethod::QosOk(basic::QosOk {})));
        if qos.global {
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
        self.channel(id, number)?.confirms.get_or_insert(0);
        if !select.nowait {
            self.send(id, number, &AMQPClass::Confirm(confirm::AMQPMethod::SelectOk(confirm::SelectOk {})));
        }
        Ok(())
    }
}
