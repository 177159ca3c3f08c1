//! Publishes: checked, shown to the observer, routed, put into queues, confirmed.

use std::sync::Arc;

use amq_protocol::protocol::{AMQPClass, BasicProperties, basic};
use amq_protocol::types::ShortString;
use bytes::Bytes;
use hopscope_rules::queue::{Arrival, Cause};

use super::{Connection, Item, QueueId, State};
use crate::fault::Fault;
use crate::message::{COPY_OVERHEAD, MESSAGE_OVERHEAD, Message, expiration};
use crate::observer::{ConnectionId, Incoming, Observer, Routing};
use crate::recipients;
use crate::wire;

/// The largest message that RabbitMQ can be configured to take, bytes.
const MESSAGE_MAX: u64 = 512 << 20;

/// What came after `basic.publish`.
#[derive(Debug)]
pub(crate) struct Content {
    /// `None` where they cannot be read.
    pub(crate) properties: Option<BasicProperties>,
    /// The properties as they came.
    pub(crate) raw: Bytes,
    /// Bytes of the body.
    pub(crate) size: u64,
    /// The body; empty where it is larger than a message may be.
    pub(crate) body: Bytes,
}

/// Who publishes, and what becomes of what no queue takes.
#[derive(Clone, Copy)]
pub(super) struct Publisher {
    pub(super) connection: ConnectionId,
    pub(super) channel: u16,
    pub(super) mandatory: bool,
}

impl<O: Observer> State<O> {
    /// One whole publish; on a transactional channel it waits for the commit.
    pub(crate) fn publish(
        &mut self,
        id: ConnectionId,
        number: u16,
        publish: basic::Publish,
        content: Content,
    ) -> Result<(), Fault> {
        let publisher = Publisher { connection: id, channel: number, mandatory: publish.mandatory };
        let message = self.prepare(publisher, publish, content)?;
        let channel = self.channel(id, number)?;
        if channel.tx.is_some() {
            return self.postpone(publisher, message);
        }
        let confirm = channel.confirms.as_mut().map(|confirms| {
            *confirms += 1;
            *confirms
        });
        let message = self.show(publisher, confirm, message);
        let route = self.route(&message);
        let replied = self.reply(&route.replies, &message);
        let accepted = self.place(publisher, &message, &route.queues, replied);
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

    /// Checks a publish and makes it the message that goes on.
    fn prepare(
        &mut self,
        publisher: Publisher,
        publish: basic::Publish,
        content: Content,
    ) -> Result<Message<()>, Fault> {
        let Content { properties, mut raw, size, body } = content;
        if publish.immediate {
            return Err(Fault::not_implemented("immediate=true"));
        }
        self.check_size(size)?;
        self.check_exchange(&publish.exchange)?;
        // RabbitMQ's channel breaks where it cannot read them.
        let mut properties = properties.ok_or_else(Fault::internal_error)?;
        let address = self.reply_to_token(publisher.connection, publisher.channel, &properties)?;
        self.check_user(publisher.connection, &properties)?;
        check_expiration(&properties)?;
        let copies = recipients::copies(&properties)?;
        check_delivery_mode(&properties)?;
        let visible = recipients::visible(&properties);
        let rewritten = address.is_some() || visible.is_some();
        if let Some(address) = address {
            properties = properties.with_reply_to(address);
        }
        if let Some(visible) = visible {
            properties = properties.with_headers(visible);
        }
        if rewritten {
            raw = wire::properties(&properties);
        }
        let memory = self.memory.reserve(body.len() + raw.len() + MESSAGE_OVERHEAD);
        let (exchange, routing_key) = (publish.exchange, publish.routing_key);
        Ok(Message { exchange, routing_key, copies, properties, raw, body, mark: (), memory })
    }

    /// Shows a publish to the observer. `confirm`: its number on a channel with confirms.
    pub(super) fn show(&self, publisher: Publisher, confirm: Option<u64>, message: Message<()>) -> Item<O> {
        let Message { exchange, routing_key, copies, mut properties, mut raw, body, mark: (), memory } = message;
        let mut incoming = Incoming {
            connection: publisher.connection,
            channel: publisher.channel,
            confirm,
            exchange: exchange.as_str(),
            routing_key: routing_key.as_str(),
            mandatory: publisher.mandatory,
            body: &body,
            properties: &mut properties,
            changed: false,
        };
        let mark = self.observer.published(&mut incoming);
        if incoming.changed {
            let before = raw.len();
            raw = wire::properties(&properties);
            memory.grow(raw.len().saturating_sub(before));
        }
        Arc::new(Message { exchange, routing_key, copies, properties, raw, body, mark, memory })
    }

    /// Puts a message into its queues and tells the observer; `false` where a full queue refused it. `replied`: it went
    /// straight to a consumer that asked by direct reply-to.
    pub(super) fn place(&mut self, publisher: Publisher, message: &Item<O>, queues: &[QueueId], replied: bool) -> bool {
        if queues.is_empty() {
            let routing = match (replied, publisher.mandatory) {
                (true, _) => Routing::Direct,
                (false, true) => Routing::Returned,
                (false, false) => Routing::Unroutable,
            };
            self.observer.routed(&message.mark, routing);
            self.return_unplaced(publisher, message);
            return true;
        }
        let (took, refused) = self.enqueue_all(queues, message);
        let routing = if refused { Routing::Refused(took) } else { Routing::Routed(took) };
        self.observer.routed(&message.mark, routing);
        !refused
    }

    /// Puts a copy into each queue: how many took one, and whether another refused.
    pub(super) fn enqueue_all(&mut self, queues: &[QueueId], message: &Item<O>) -> (u32, bool) {
        let (mut took, mut refused) = (0_u32, false);
        for queue in queues {
            if self.enqueue(*queue, message, Cause::Published) {
                took = took.saturating_add(1);
            } else {
                refused = true;
            }
        }
        (took, refused)
    }

    /// Puts a copy into one queue and lets the queue go on; `false`: it is full and refuses.
    pub(super) fn enqueue(&mut self, id: QueueId, message: &Item<O>, cause: Cause) -> bool {
        let now = self.now();
        let ttl = message.properties.expiration().as_ref().and_then(|text| expiration(text.as_str()).ok());
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

    fn check_size(&self, size: u64) -> Result<(), Fault> {
        let max = self.config.message_max;
        if size <= max {
            return Ok(());
        }
        let whose = if max == MESSAGE_MAX { "max" } else { "configured max" };
        Err(Fault::precondition_failed(format_args!("message size {size} is larger than {whose} size {max}")))
    }

    fn check_user(&self, id: ConnectionId, properties: &BasicProperties) -> Result<(), Fault> {
        if let (Some(claimed), Some(Connection { user, .. })) = (properties.user_id(), self.connections.get(&id))
            && claimed.as_str() != &**user
        {
            return Err(Fault::precondition_failed(format_args!(
                "user_id property set to '{claimed}' but authenticated user was '{user}'"
            )));
        }
        Ok(())
    }

    fn check_exchange(&self, name: &ShortString) -> Result<(), Fault> {
        if name.as_str().is_empty() {
            return Ok(());
        }
        let Some(exchange) = self.exchanges.get(name) else { return Err(no_exchange(name.as_str(), &self.vhost)) };
        if exchange.internal {
            return Err(Fault::access_refused(format_args!(
                "cannot publish to internal exchange '{name}' in vhost '{}'",
                self.vhost
            )));
        }
        Ok(())
    }

    /// Gives a message that no queue took back, where its publisher wants it. What went straight to a consumer was taken
    /// by no queue either, as RabbitMQ has it.
    pub(super) fn return_unplaced(&self, publisher: Publisher, message: &Item<O>) {
        if !publisher.mandatory {
            return;
        }
        let method = AMQPClass::Basic(basic::AMQPMethod::Return(basic::Return {
            reply_code: 312,
            reply_text: wire::short("NO_ROUTE"),
            exchange: message.exchange.clone(),
            routing_key: message.routing_key.clone(),
        }));
        if let Some(connection) = self.connections.get(&publisher.connection) {
            connection.outbox.content(publisher.channel, &method, &message.raw, &message.body);
        }
    }
}

fn check_expiration(properties: &BasicProperties) -> Result<(), Fault> {
    let Some(text) = properties.expiration() else { return Ok(()) };
    match expiration(text.as_str()) {
        Ok(_) => Ok(()),
        Err(why) => Err(Fault::precondition_failed(format_args!("invalid expiration '{text}': {why}"))),
    }
}

fn check_delivery_mode(properties: &BasicProperties) -> Result<(), Fault> {
    match *properties.delivery_mode() {
        None | Some(1 | 2) => Ok(()),
        Some(other) => {
            Err(Fault::precondition_failed(format_args!("invalid message: {{delivery_mode_unknown,{other}}}")))
        }
    }
}

/// There is no such exchange.
pub(super) fn no_exchange(name: &str, vhost: &str) -> Fault {
    Fault::not_found(format_args!("no exchange '{name}' in vhost '{vhost}'"))
}

/// There is no such queue.
pub(super) fn no_queue(name: &ShortString, vhost: &str) -> Fault {
    Fault::not_found(format_args!("no queue '{name}' in vhost '{vhost}'"))
}
