//! Copies on their way to consumers: turns, credit, room in the outbox; and the observer between queue and wire.

use std::collections::HashMap;
use std::sync::Arc;

use amq_protocol::protocol::{AMQPClass, basic};
use amq_protocol::types::ShortString;
use hopscope_rules::queue::{Cause, Sink, Transition};

use super::dead::Dead;
use super::{BrokerQueue, Connection, Item, Label, Out, QueueId, State, Taker};
use crate::fault::Fault;
use crate::message::Message;
use crate::observer::{ConnectionId, Delivery, Observer};

/// Between a queue and the observer.
pub(super) struct Watch<'a, O: Observer> {
    pub(super) observer: &'a O,
    pub(super) queue: &'a O::Queue,
    pub(super) id: QueueId,
    pub(super) dead: &'a mut Vec<Dead<O>>,
}

impl<O: Observer> Sink<Item<O>, Label<O::Consumer>> for Watch<'_, O> {
    fn transition(&mut self, transition: &Transition, item: &Item<O>, delivery: Option<&Label<O::Consumer>>) {
        let delivery = delivery.map(|label| Delivery {
            connection: label.connection,
            channel: label.channel,
            consumer_tag: label.taker.as_ref().map_or("", |taker| taker.tag.as_str()),
            delivery_tag: label.delivery_tag,
            consumer: label.taker.as_ref().map(|taker| &taker.handle),
        });
        self.observer.transition(self.queue, transition, &item.mark, delivery);
    }

    fn dead_letter(&mut self, item: Item<O>, cause: Cause) {
        self.dead.push(Dead { message: item, queue: self.id, cause, told: true });
    }
}

impl<O: Observer> State<O> {
    /// Drives one queue's machine with the observer listening. `None`: there is no such queue.
    pub(super) fn drive<R>(
        &mut self,
        id: QueueId,
        drive: impl FnOnce(&mut BrokerQueueMachine<O>, &mut Watch<'_, O>) -> R,
    ) -> Option<R> {
        let BrokerQueue { machine, handle, .. } = self.queues.get_mut(&id)?;
        let mut watch = Watch { observer: &*self.observer, queue: handle, id, dead: &mut self.dead };
        Some(drive(machine, &mut watch))
    }

    /// Delivers while there is a copy and a consumer for it, then lets limits do their work.
    pub(super) fn pump(&mut self, id: QueueId) {
        let now = self.now();
        loop {
            // Before each: behind a copy of a higher priority may be one that has had its time.
            self.drive(id, |machine, watch| machine.expire(now, watch));
            if !self.deliver_one(id) {
                break;
            }
        }
        self.limit(id, now);
    }

    /// Expires and drops what may not stay, and remembers when to look again.
    pub(super) fn limit(&mut self, id: QueueId, now: i64) {
        self.drive(id, |machine, watch| {
            machine.expire(now, watch);
            machine.trim(watch);
        });
        self.schedule(id);
    }

    /// Remembers when to look at a queue again.
    pub(super) fn schedule(&mut self, id: QueueId) {
        let Some(queue) = self.queues.get_mut(&id) else { return };
        let next = queue.next_expiry();
        if next != queue.expiry {
            if let Some(was) = queue.expiry {
                self.expiries.remove(&(was, id));
            }
            if let Some(next) = next {
                self.expiries.insert((next, id));
            }
            queue.expiry = next;
        }
    }

    /// Lets every head go that has had its time, and every queue; when the next will have, ns from now.
    pub(crate) fn expire(&mut self) -> Option<u64> {
        let now = self.now();
        while let Some((at, id)) = self.expiries.first().copied() {
            if at > now {
                return Some(at.abs_diff(now));
            }
            if !self.delete_if_unused(id, now) {
                self.pump(id);
                self.bury();
            }
            // A queue that has just looked stands under a later time, or under none.
            self.expiries.remove(&(at, id));
        }
        None
    }

    /// When the next head or queue will have had its time, ns since the broker began.
    pub(crate) fn next_expiry(&self) -> Option<i64> {
        self.expiries.first().map(|(at, _)| *at)
    }

    pub(super) fn deliver_one(&mut self, id: QueueId) -> bool {
        let Self { queues, connections, observer, dead, .. } = self;
        let Some(queue) = queues.get_mut(&id) else { return false };
        let BrokerQueue { machine, takers, handle, .. } = queue;
        let Some(consumer) =
            machine.next_consumer(|id| takers.get(&id).is_some_and(|taker| may_take(connections, taker)))
        else {
            return false;
        };
        let Some(taker) = takers.get(&consumer) else { return false };
        let Some(connection) = connections.get_mut(&taker.connection) else { return false };
        let Some(channel) = connection.channels.get_mut(&taker.channel) else { return false };
        let delivery_tag = channel.next_delivery_tag();
        let label = Label {
            connection: taker.connection,
            channel: taker.channel,
            delivery_tag,
            taker: Some(Arc::clone(taker)),
        };
        let mut watch = Watch { observer: &**observer, queue: handle, id, dead };
        // Told before it is written: no byte of it can leave earlier than its `Delivered`.
        let Some(taken) = machine.deliver(consumer, label, &mut watch) else { return false };
        if !taker.automatic {
            channel.unacked.insert(delivery_tag, Out { queue: id, copy: taken.copy, counts: true });
            channel.held += 1;
        }
        write_delivery(connection, taker.channel, &taker.tag, delivery_tag, taken.redelivered, &taken.item);
        true
    }

    pub(super) fn get(&mut self, id: ConnectionId, number: u16, get: &basic::Get) -> Result<(), Fault> {
        let queue = self.usable_queue(id, number, &get.queue)?;
        self.used(queue);
        let now = self.now();
        self.drive(queue, |machine, watch| machine.expire(now, watch));
        let channel = self.channel(id, number)?;
        let delivery_tag = channel.delivery_tag + 1;
        let label = Label { connection: id, channel: number, delivery_tag, taker: None };
        let Some(taken) = self.drive(queue, |machine, watch| machine.get(get.no_ack, label, watch)).flatten() else {
            self.send(id, number, &AMQPClass::Basic(basic::AMQPMethod::GetEmpty(basic::GetEmpty {})));
            return Ok(());
        };
        let channel = self.channel(id, number)?;
        channel.delivery_tag = delivery_tag;
        if !get.no_ack {
            channel.unacked.insert(delivery_tag, Out { queue, copy: taken.copy, counts: false });
        }
        // What comes to the head now may have had its time, and is not left then.
        self.limit(queue, now);
        let message_count = self.queues.get(&queue).map_or(0, |queue| queue.machine.ready());
        let method = AMQPClass::Basic(basic::AMQPMethod::GetOk(basic::GetOk {
            delivery_tag,
            redelivered: taken.redelivered,
            exchange: taken.item.exchange.clone(),
            routing_key: taken.item.routing_key.clone(),
            message_count,
        }));
        if let Some(connection) = self.connections.get(&id) {
            connection.outbox.content(number, &method, &taken.item.raw, &taken.item.body);
        }
        Ok(())
    }
}

/// A queue's machine, as the broker drives it.
pub(super) type BrokerQueueMachine<O> = hopscope_rules::queue::Queue<Item<O>, Label<<O as Observer>::Consumer>>;

/// Whether a consumer's channel and connection have room for one more.
fn may_take<O: Observer>(connections: &HashMap<ConnectionId, Connection<O>>, taker: &Taker<O::Consumer>) -> bool {
    connections.get(&taker.connection).is_some_and(|connection| {
        let channel = connection.channels.get(&taker.channel);
        channel.is_some_and(|channel| taker.automatic || channel.has_credit()) && !connection.outbox.is_congested()
    })
}

/// Puts a delivery into a connection's outbox.
pub(super) fn write_delivery<O: Observer>(
    connection: &Connection<O>,
    channel: u16,
    consumer_tag: &ShortString,
    delivery_tag: u64,
    redelivered: bool,
    message: &Message<O::Mark>,
) {
    let method = AMQPClass::Basic(basic::AMQPMethod::Deliver(basic::Deliver {
        consumer_tag: consumer_tag.clone(),
        delivery_tag,
        redelivered,
        exchange: message.exchange.clone(),
        routing_key: message.routing_key.clone(),
    }));
    connection.outbox.content(channel, &method, &message.raw, &message.body);
}
