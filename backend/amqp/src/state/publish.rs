//! Publishes: checked, shown to the observer, routed, put into queues, confirmed.

use std::sync::Arc;

use amq_protocol::protocol::{AMQPClass, BasicProperties, basic};
use amq_protocol::types::ShortString;
use bytes::Bytes;
use hopscope_rules::queue::{Arrival, Cause};

use super::{Item, QueueId, State, USER, VHOST};
use crate::fault::Fault;
use crate::message::{COPY_OVERHEAD, MESSAGE_OVERHEAD, Message, expiration};
use crate::observer::{ConnectionId, Incoming, Observer, Routing};
use crate::wire;

/// What came after `basic.publish`.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) properties: BasicProperties,
    /// The properties as they came.
    pub(crate) raw: Bytes,
    pub(crate) body: Bytes,
}

impl<O: Observer> State<O> {
    /// One whole publish.
    pub(crate) fn publish(
        &mut self,
        id: ConnectionId,
        number: u16,
        publish: basic::Publish,
        mut content: Content,
    ) -> Result<(), Fault> {
        self.check_publish(&publish, &content.properties)?;
        let channel = self.channel(id, number)?;
        let confirm = channel.confirms.as_mut().map(|confirms| {
            *confirms += 1;
            *confirms
        });
        let token = self.reply_to_token(id, number, &content.properties)?;
        let mut incoming = Incoming {
            connection: id,
            channel: number,
            confirm,
            exchange: publish.exchange.as_str(),
            routing_key: publish.routing_key.as_str(),
            mandatory: publish.mandatory,
            body: &content.body,
            properties: &mut content.properties,
            changed: false,
        };
        let mark = self.observer.published(&mut incoming);
        let changed = incoming.changed;
        if let Some(address) = token {
            content.properties = content.properties.with_reply_to(address);
            content.raw = wire::properties(&content.properties);
        } else if changed {
            content.raw = wire::properties(&content.properties);
        }
        let size = content.body.len() + content.raw.len() + MESSAGE_OVERHEAD;
        let message = Arc::new(Message {
            exchange: publish.exchange,
            routing_key: publish.routing_key,
            properties: content.properties,
            raw: content.raw,
            body: content.body,
            mark,
            memory: self.memory.reserve(size),
        });
        let accepted = self.place(id, number, &message, publish.mandatory);
        if let Some(delivery_tag) = confirm {
            let method = if accepted {
                basic::AMQPMethod::Ack(basic::Ack { delivery_tag, multiple: false })
            } else {
                basic::AMQPMethod::Nack(basic::Nack { delivery_tag, multiple: false, requeue: false })
            };
            self.send(id, number, &AMQPClass::Basic(method));
        }
        self.bury();
        Ok(())
    }

    /// Puts a message where it belongs and tells the observer; `false` where a full queue refused it.
    fn place(&mut self, id: ConnectionId, number: u16, message: &Item<O>, mandatory: bool) -> bool {
        if self.deliver_reply(message) {
            self.observer.routed(&message.mark, Routing::Direct);
            return true;
        }
        let targets = self.route(message);
        if targets.is_empty() {
            let routing = if mandatory { Routing::Returned } else { Routing::Unroutable };
            self.observer.routed(&message.mark, routing);
            if mandatory {
                self.return_message(id, number, message);
            }
            return true;
        }
        let mut took = 0_u32;
        let mut refused = false;
        for target in targets {
            if self.enqueue(target, message, Cause::Published) {
                took = took.saturating_add(1);
            } else {
                refused = true;
            }
        }
        let routing = if refused { Routing::Refused(took) } else { Routing::Routed(took) };
        self.observer.routed(&message.mark, routing);
        !refused
    }

    /// Puts a copy into one queue and lets the queue go on; `false`: it is full and refuses.
    pub(super) fn enqueue(&mut self, id: QueueId, message: &Item<O>, cause: Cause) -> bool {
        let now = self.now();
        let ttl = message.properties.expiration().as_ref().and_then(|text| expiration(text.as_str()));
        let priority = message.properties.priority().unwrap_or(0);
        let arrival = Arrival { bytes: message.size(), ttl, priority, cause };
        let item = Arc::clone(message);
        let Some(Ok(_)) = self.drive(id, |machine, watch| machine.enqueue(item, arrival, now, watch)) else {
            self.refused(id, message);
            return false;
        };
        message.memory.grow(COPY_OVERHEAD);
        // Delivered before limits are looked at: what a consumer takes at once is neither too old nor too much.
        while self.deliver_one(id) {}
        self.limit(id, now);
        true
    }

    /// The queues that a message's exchange leads to.
    pub(super) fn route(&self, message: &Item<O>) -> Vec<QueueId> {
        let mut targets = Vec::new();
        if message.exchange.as_str().is_empty() {
            targets.extend(self.names.get(&message.routing_key));
        } else if let Some(exchange) = self.exchanges.get(&message.exchange) {
            exchange.route(message.routing_key.as_str(), message.properties.headers().as_ref(), &mut targets);
        }
        targets
    }

    fn check_publish(&self, publish: &basic::Publish, properties: &BasicProperties) -> Result<(), Fault> {
        let name = publish.exchange.as_str();
        if !name.is_empty() {
            let Some(exchange) = self.exchanges.get(&publish.exchange) else { return Err(no_exchange(name)) };
            if exchange.internal {
                return Err(Fault::access_refused(format_args!(
                    "cannot publish to internal exchange '{name}' in vhost '{VHOST}'"
                )));
            }
        }
        if let Some(text) = properties.expiration().as_ref().filter(|text| expiration(text.as_str()).is_none()) {
            return Err(Fault::precondition_failed(format_args!("invalid expiration '{text}'")));
        }
        if let Some(user) = properties.user_id().as_ref().filter(|user| user.as_str() != USER) {
            return Err(Fault::precondition_failed(format_args!(
                "user_id property set to '{user}' but authenticated user was '{USER}'"
            )));
        }
        Ok(())
    }

    fn return_message(&self, id: ConnectionId, number: u16, message: &Item<O>) {
        let method = AMQPClass::Basic(basic::AMQPMethod::Return(basic::Return {
            reply_code: 312,
            reply_text: wire::short("NO_ROUTE"),
            exchange: message.exchange.clone(),
            routing_key: message.routing_key.clone(),
        }));
        if let Some(connection) = self.connections.get(&id) {
            connection.outbox.content(number, &method, &message.raw, &message.body);
        }
    }
}

/// There is no such exchange.
pub(super) fn no_exchange(name: &str) -> Fault {
    Fault::not_found(format_args!("no exchange '{name}' in vhost '{VHOST}'"))
}

/// There is no such queue.
pub(super) fn no_queue(name: &ShortString) -> Fault {
    Fault::not_found(format_args!("no queue '{name}' in vhost '{VHOST}'"))
}
