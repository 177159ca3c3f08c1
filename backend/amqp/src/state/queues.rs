//! Queues: declare, delete, purge, bind; consumers at them.

use std::sync::Arc;

use amq_protocol::protocol::{AMQPClass, basic, queue};
use amq_protocol::types::{AMQPValue, FieldTable, ShortString};
use hopscope_rules::queue::{ConsumerSettings, Overflow, Queue, Settings};

use super::publish::{no_exchange, no_queue};
use super::reply_to::PSEUDO_QUEUE;
use super::{BrokerQueue, Consumer, QueueId, State, Taker, VHOST};
use crate::broker::QueueStatus;
use crate::exchange::integer;
use crate::fault::Fault;
use crate::message::ms_to_ns;
use crate::observer::{ConnectionId, ConsumerInfo, Observer, QueueInfo};
use crate::wire;

/// What a queue was declared with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Declaration {
    pub(super) flags: QueueFlags,
    pub(super) exclusive_to: Option<ConnectionId>,
    pub(super) arguments: Arguments,
}

/// The flags of a declaration.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct QueueFlags {
    pub(crate) durable: bool,
    pub(crate) auto_delete: bool,
}

/// The arguments that this broker knows.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Arguments {
    pub(crate) message_ttl_ms: Option<u64>,
    pub(crate) max_length: Option<u64>,
    pub(crate) max_length_bytes: Option<u64>,
    pub(crate) overflow: Option<String>,
    pub(crate) dead_letter_exchange: Option<String>,
    pub(crate) dead_letter_routing_key: Option<String>,
}

impl Arguments {
    /// Reads the arguments of a declaration of `name`.
    fn parse(table: &FieldTable, name: &str) -> Result<Self, Fault> {
        let invalid = |argument: &str, why: &str| {
            Fault::precondition_failed(format_args!(
                "invalid arg '{argument}' for queue '{name}' in vhost '{VHOST}': {why}"
            ))
        };
        let number = |argument: &str| match table.inner().get(argument) {
            None => Ok(None),
            Some(value) => match integer(value) {
                Some(value) => u64::try_from(value)
                    .map(Some)
                    .map_err(|_| invalid(argument, &format!("{{value_negative,{value}}}"))),
                None => Err(invalid(argument, "{unacceptable_type,number expected}")),
            },
        };
        let text = |argument: &str| match table.inner().get(argument) {
            None => Ok(None),
            Some(AMQPValue::LongString(text)) => Ok(Some(text.to_string())),
            Some(_) => Err(invalid(argument, "{unacceptable_type,longstr expected}")),
        };
        let arguments = Self {
            message_ttl_ms: number("x-message-ttl")?,
            max_length: number("x-max-length")?,
            max_length_bytes: number("x-max-length-bytes")?,
            overflow: text("x-overflow")?,
            dead_letter_exchange: text("x-dead-letter-exchange")?,
            dead_letter_routing_key: text("x-dead-letter-routing-key")?,
        };
        if !matches!(arguments.overflow.as_deref(), None | Some("drop-head" | "reject-publish" | "reject-publish-dlx"))
        {
            return Err(invalid("x-overflow", "invalid_overflow"));
        }
        if arguments.dead_letter_routing_key.is_some() && arguments.dead_letter_exchange.is_none() {
            return Err(invalid("x-dead-letter-routing-key", "routing_key_but_no_dlx_defined"));
        }
        Ok(arguments)
    }

    fn settings(&self) -> Settings {
        let reject = matches!(self.overflow.as_deref(), Some("reject-publish" | "reject-publish-dlx"));
        Settings {
            max_length: self.max_length.map(|max| u32::try_from(max).unwrap_or(u32::MAX)),
            max_bytes: self.max_length_bytes,
            overflow: if reject { Overflow::RejectPublish } else { Overflow::DropHead },
            ttl: self.message_ttl_ms.map(ms_to_ns),
            dead_letters: self.dead_letter_exchange.is_some(),
        }
    }

    /// The first that another declaration has otherwise, with both values.
    fn difference(&self, other: &Self) -> Option<(&'static str, String, String)> {
        let numbers = [
            ("x-message-ttl", self.message_ttl_ms, other.message_ttl_ms),
            ("x-max-length", self.max_length, other.max_length),
            ("x-max-length-bytes", self.max_length_bytes, other.max_length_bytes),
        ];
        let texts = [
            ("x-overflow", &self.overflow, &other.overflow),
            ("x-dead-letter-exchange", &self.dead_letter_exchange, &other.dead_letter_exchange),
            ("x-dead-letter-routing-key", &self.dead_letter_routing_key, &other.dead_letter_routing_key),
        ];
        let told = |value: Option<String>| value.map_or_else(|| "none".to_owned(), |value| format!("'{value}'"));
        let numbers = numbers.into_iter().filter(|(_, own, others)| own != others).map(|(name, own, others)| {
            (name, told(own.map(|own| own.to_string())), told(others.map(|others| others.to_string())))
        });
        let texts = texts
            .into_iter()
            .filter(|(_, own, others)| own != others)
            .map(|(name, own, others)| (name, told(own.clone()), told(others.clone())));
        numbers.chain(texts).next()
    }
}

impl<O: Observer> State<O> {
    pub(super) fn declare_queue(
        &mut self,
        id: ConnectionId,
        number: u16,
        declare: &queue::Declare,
    ) -> Result<(), Fault> {
        let name = match declare.queue.as_str() {
            "" if declare.passive => self.last_queue(id, number)?,
            "" => self.generate_name(id),
            _ => declare.queue.clone(),
        };
        if declare.passive && self.is_reply_address(&name) {
            let declared = queue::DeclareOk { queue: name, message_count: 0, consumer_count: 1 };
            self.send(id, number, &AMQPClass::Queue(queue::AMQPMethod::DeclareOk(declared)));
            return Ok(());
        }
        if declare.passive {
            let queue = self.usable_queue(id, number, &name)?;
            self.pump(queue);
        } else {
            let flags = QueueFlags { durable: declare.durable, auto_delete: declare.auto_delete };
            let exclusive_to = declare.exclusive.then_some(id);
            let given = !declare.queue.as_str().is_empty();
            self.ensure_queue(&name, given, flags, exclusive_to, Some(id), &declare.arguments)?;
        }
        self.channel(id, number)?.last_queue = Some(name.clone());
        if declare.nowait {
            return Ok(());
        }
        let queue = self.names.get(&name).and_then(|queue| self.queues.get(queue));
        let (message_count, consumer_count) =
            queue.map_or((0, 0), |queue| (queue.machine.ready(), queue.machine.consumers()));
        let declared = queue::DeclareOk { queue: name, message_count, consumer_count };
        self.send(id, number, &AMQPClass::Queue(queue::AMQPMethod::DeclareOk(declared)));
        Ok(())
    }

    /// Makes sure that a queue is there as asked. `given`: whether a client chose its name. `asking`: the connection that
    /// asks; none where the broker's owner does.
    pub(crate) fn ensure_queue(
        &mut self,
        name: &ShortString,
        given: bool,
        flags: QueueFlags,
        exclusive_to: Option<ConnectionId>,
        asking: Option<ConnectionId>,
        arguments: &FieldTable,
    ) -> Result<(), Fault> {
        let arguments = Arguments::parse(arguments, name.as_str())?;
        let declaration = Declaration { flags, exclusive_to, arguments };
        if let Some(queue) = self.names.get(name).and_then(|queue| self.queues.get(queue)) {
            check_owner(queue.declaration.exclusive_to, asking, name)?;
            return check_same(&queue.declaration, &declaration, name);
        }
        if given && name.as_str().starts_with("amq.") {
            return Err(Fault::access_refused(format_args!("queue name '{name}' contains reserved prefix 'amq.*'")));
        }
        if self.queues.len() >= self.config.queues_max {
            return Err(Fault::precondition_failed(format_args!(
                "cannot declare queue '{name}': queue limit in vhost '{VHOST}' ({}) is reached",
                self.config.queues_max
            )));
        }
        let id = QueueId(self.mint());
        let info = QueueInfo { name: name.as_str(), exclusive_to, auto_delete: flags.auto_delete };
        let handle = self.observer.queue_declared(&info);
        let machine = Queue::new(declaration.arguments.settings());
        self.queues.insert(
            id,
            BrokerQueue {
                name: name.clone(),
                declaration,
                machine,
                takers: Default::default(),
                handle,
                consumed_exclusively: false,
                had_consumers: false,
                expiry: None,
            },
        );
        self.names.insert(name.clone(), id);
        Ok(())
    }

    /// Every queue as it is now, by name.
    pub(crate) fn queue_statuses(&self) -> Vec<QueueStatus> {
        self.names.values().filter_map(|id| self.queues.get(id)).map(status).collect()
    }

    /// One queue as it is now.
    pub(crate) fn queue_status(&self, name: &str) -> Option<QueueStatus> {
        self.names.get(name).and_then(|id| self.queues.get(id)).map(status)
    }

    /// The queue of this name, if this connection may use it. An empty name is the channel's last one.
    pub(super) fn usable_queue(&mut self, id: ConnectionId, number: u16, name: &ShortString) -> Result<QueueId, Fault> {
        let name = if name.as_str().is_empty() { self.last_queue(id, number)? } else { name.clone() };
        let queue = self.names.get(&name).copied().ok_or_else(|| no_queue(&name))?;
        let owner = self.queues.get(&queue).and_then(|queue| queue.declaration.exclusive_to);
        check_owner(owner, Some(id), &name)?;
        Ok(queue)
    }

    fn last_queue(&mut self, id: ConnectionId, number: u16) -> Result<ShortString, Fault> {
        self.channel(id, number)?.last_queue.clone().ok_or_else(|| Fault::not_found("no previously declared queue"))
    }

    fn generate_name(&mut self, id: ConnectionId) -> ShortString {
        loop {
            let counted = self.mint();
            let mixed = std::hash::BuildHasher::hash_one(self.queues.hasher(), (counted, id.get()));
            let name = wire::short(&format!("amq.gen-{mixed:016x}{counted:06x}"));
            if !self.names.contains_key(&name) {
                return name;
            }
        }
    }

    pub(super) fn purge_queue(&mut self, id: ConnectionId, number: u16, purge: &queue::Purge) -> Result<(), Fault> {
        let queue = self.usable_queue(id, number, &purge.queue)?;
        let message_count = self.drive(queue, |machine, watch| machine.purge(watch)).unwrap_or(0);
        let now = self.now();
        self.limit(queue, now);
        if !purge.nowait {
            let method = queue::AMQPMethod::PurgeOk(queue::PurgeOk { message_count });
            self.send(id, number, &AMQPClass::Queue(method));
        }
        Ok(())
    }

    pub(super) fn delete_queue_of(
        &mut self,
        id: ConnectionId,
        number: u16,
        delete: &queue::Delete,
    ) -> Result<(), Fault> {
        let mut message_count = 0;
        let name = &delete.queue;
        // What is not there is as good as deleted.
        if name.as_str().is_empty() || self.names.contains_key(name) {
            let id = self.usable_queue(id, number, name)?;
            let Some(queue) = self.queues.get(&id) else { return Ok(()) };
            if delete.if_unused && queue.machine.consumers() > 0 {
                return Err(Fault::precondition_failed(format_args!("queue '{name}' in vhost '{VHOST}' in use")));
            }
            if delete.if_empty && queue.machine.ready() > 0 {
                return Err(Fault::precondition_failed(format_args!("queue '{name}' in vhost '{VHOST}' not empty")));
            }
            message_count = queue.machine.ready();
            self.delete_queue(id);
        }
        if !delete.nowait {
            let method = queue::AMQPMethod::DeleteOk(queue::DeleteOk { message_count });
            self.send(id, number, &AMQPClass::Queue(method));
        }
        Ok(())
    }

    /// Deletes a queue by its name; `false` where there is none.
    pub(crate) fn delete_named(&mut self, name: &ShortString) -> bool {
        let Some(id) = self.names.get(name).copied() else { return false };
        self.delete_queue(id);
        true
    }

    /// Deletes a queue with all that is in it and at it.
    fn delete_queue(&mut self, id: QueueId) {
        // What it has left for dead is still its own to send on.
        self.bury();
        self.drive(id, |machine, watch| machine.clear(watch));
        let Some(mut queue) = self.queues.remove(&id) else { return };
        self.names.remove(&queue.name);
        if let Some(at) = queue.expiry {
            self.expiries.remove(&(at, id));
        }
        self.forget_bindings(id);
        for taker in std::mem::take(&mut queue.takers).into_values() {
            self.observer.consumer_gone(&queue.handle, &taker.handle);
            let Some(connection) = self.connections.get_mut(&taker.connection) else { continue };
            if let Some(channel) = connection.channels.get_mut(&taker.channel) {
                channel.consumers.remove(&taker.tag);
            }
            if connection.cancel_notify {
                let cancel = basic::Cancel { consumer_tag: taker.tag.clone(), nowait: true };
                connection.outbox.method(taker.channel, &AMQPClass::Basic(basic::AMQPMethod::Cancel(cancel)));
            }
        }
        self.observer.queue_deleted(&queue.handle);
    }

    pub(super) fn delete_exclusive(&mut self, owner: ConnectionId) {
        let owned = self.queues.iter().filter(|(_, queue)| queue.declaration.exclusive_to == Some(owner));
        let mut owned: Vec<QueueId> = owned.map(|(id, _)| *id).collect();
        owned.sort_unstable();
        for id in owned {
            self.delete_queue(id);
        }
    }

    /// Deletes a queue that was to go with its last consumer, if that has gone.
    pub(super) fn delete_if_abandoned(&mut self, id: QueueId) {
        let abandoned = self.queues.get(&id).is_some_and(|queue| {
            queue.declaration.flags.auto_delete && queue.had_consumers && queue.machine.consumers() == 0
        });
        if abandoned {
            self.delete_queue(id);
        }
    }

    pub(super) fn bind_queue(&mut self, id: ConnectionId, number: u16, bind: &queue::Bind) -> Result<(), Fault> {
        let queue = self.usable_queue(id, number, &bind.queue)?;
        // An empty key of a channel's last queue is that queue's name.
        let key = if bind.queue.as_str().is_empty() && bind.routing_key.as_str().is_empty() {
            self.last_queue(id, number)?
        } else {
            bind.routing_key.clone()
        };
        let exchange = self.bindable_exchange(&bind.exchange)?;
        exchange.bind(queue, key, bind.arguments.clone());
        if !bind.nowait {
            self.send(id, number, &AMQPClass::Queue(queue::AMQPMethod::BindOk(queue::BindOk {})));
        }
        Ok(())
    }

    pub(super) fn unbind_queue(&mut self, id: ConnectionId, number: u16, unbind: &queue::Unbind) -> Result<(), Fault> {
        // What is not bound, or not there, is as good as unbound.
        if unbind.queue.as_str().is_empty() || self.names.contains_key(&unbind.queue) {
            let queue = self.usable_queue(id, number, &unbind.queue)?;
            if unbind.exchange.as_str().is_empty() || self.exchanges.contains_key(&unbind.exchange) {
                let exchange = self.bindable_exchange(&unbind.exchange)?;
                if exchange.unbind(queue, &unbind.routing_key, &unbind.arguments) {
                    self.delete_exchange_if_unbound(&unbind.exchange);
                }
            }
        }
        self.send(id, number, &AMQPClass::Queue(queue::AMQPMethod::UnbindOk(queue::UnbindOk {})));
        Ok(())
    }

    fn bindable_exchange(&mut self, name: &ShortString) -> Result<&mut crate::exchange::Exchange<QueueId>, Fault> {
        if name.as_str().is_empty() {
            return Err(Fault::access_refused("operation not permitted on the default exchange"));
        }
        self.exchanges.get_mut(name).ok_or_else(|| no_exchange(name.as_str()))
    }

    pub(super) fn consume(&mut self, id: ConnectionId, number: u16, consume: &basic::Consume) -> Result<(), Fault> {
        let tag = self.consumer_tag(id, number, &consume.consumer_tag)?;
        if consume.queue.as_str() == PSEUDO_QUEUE {
            return self.consume_replies(id, number, tag, consume);
        }
        let queue_id = self.usable_queue(id, number, &consume.queue)?;
        let prefetch = self.channel(id, number)?.prefetch;
        let observer = Arc::clone(&self.observer);
        let Some(queue) = self.queues.get_mut(&queue_id) else { return Err(no_queue(&consume.queue)) };
        if queue.consumed_exclusively || (consume.exclusive && queue.machine.consumers() > 0) {
            let name = &queue.name;
            return Err(Fault::access_refused(format_args!("queue '{name}' in vhost '{VHOST}' in exclusive use")));
        }
        let info = ConsumerInfo {
            connection: id,
            channel: number,
            tag: tag.as_str(),
            prefetch,
            automatic_ack: consume.no_ack,
        };
        let handle = observer.consumer_added(&queue.handle, &info);
        let settings = ConsumerSettings { prefetch, automatic: consume.no_ack };
        let consumer_id = queue.machine.add_consumer(settings);
        queue.consumed_exclusively = consume.exclusive;
        queue.had_consumers = true;
        let taker =
            Arc::new(Taker { connection: id, channel: number, tag: tag.clone(), automatic: consume.no_ack, handle });
        queue.takers.insert(consumer_id, Arc::clone(&taker));
        let consumer = Consumer { queue: queue_id, id: consumer_id, taker };
        self.channel(id, number)?.consumers.insert(tag.clone(), consumer);
        if !consume.nowait {
            let method = basic::AMQPMethod::ConsumeOk(basic::ConsumeOk { consumer_tag: tag });
            self.send(id, number, &AMQPClass::Basic(method));
        }
        self.pump(queue_id);
        Ok(())
    }

    fn consumer_tag(&mut self, id: ConnectionId, number: u16, asked: &ShortString) -> Result<ShortString, Fault> {
        let channel = self.channel(id, number)?;
        if asked.as_str().is_empty() {
            loop {
                channel.tags_minted += 1;
                let tag = wire::short(&format!("amq.ctag-{}.{number}.{}", id.get(), channel.tags_minted));
                if !channel.consumers.contains_key(&tag) {
                    return Ok(tag);
                }
            }
        }
        let replies = channel.reply_to.as_ref().is_some_and(|(tag, _)| tag == asked);
        if replies || channel.consumers.contains_key(asked) {
            return Err(Fault::not_allowed(format_args!("attempt to reuse consumer tag '{asked}'")));
        }
        Ok(asked.clone())
    }

    pub(super) fn cancel(&mut self, id: ConnectionId, number: u16, cancel: &basic::Cancel) -> Result<(), Fault> {
        let tag = &cancel.consumer_tag;
        let consumer = self.channel(id, number)?.consumers.remove(tag);
        if consumer.is_none() {
            self.cancel_replies(id, number, tag);
        }
        if let Some(consumer) = &consumer {
            self.remove_consumer(consumer);
        }
        if !cancel.nowait {
            let method = basic::AMQPMethod::CancelOk(basic::CancelOk { consumer_tag: tag.clone() });
            self.send(id, number, &AMQPClass::Basic(method));
        }
        if let Some(consumer) = consumer {
            self.delete_if_abandoned(consumer.queue);
        }
        Ok(())
    }

    /// Takes a consumer out of its queue.
    pub(super) fn remove_consumer(&mut self, consumer: &Consumer<O>) {
        let Some(queue) = self.queues.get_mut(&consumer.queue) else { return };
        queue.machine.remove_consumer(consumer.id);
        queue.takers.remove(&consumer.id);
        queue.consumed_exclusively = false;
        self.observer.consumer_gone(&queue.handle, &consumer.taker.handle);
    }
}

fn status<O: Observer>(queue: &BrokerQueue<O>) -> QueueStatus {
    QueueStatus {
        name: queue.name.to_string(),
        ready: queue.machine.ready(),
        unacked: queue.machine.unacked(),
        consumers: queue.machine.consumers(),
    }
}

fn check_owner(owner: Option<ConnectionId>, asking: Option<ConnectionId>, name: &ShortString) -> Result<(), Fault> {
    if owner.is_none() || owner == asking {
        return Ok(());
    }
    Err(Fault::resource_locked(format_args!(
        "cannot obtain exclusive access to locked queue '{name}' in vhost '{VHOST}'. It could be originally declared on \
         another connection or the exclusive property value does not match that of the original declaration."
    )))
}

fn check_same(own: &Declaration, asked: &Declaration, name: &ShortString) -> Result<(), Fault> {
    let flags = [
        ("durable", own.flags.durable, asked.flags.durable),
        ("auto_delete", own.flags.auto_delete, asked.flags.auto_delete),
        ("exclusive", own.exclusive_to.is_some(), asked.exclusive_to.is_some()),
    ];
    let flags = flags.into_iter().filter(|(_, own, asked)| own != asked);
    let mut flags = flags.map(|(flag, own, asked)| (flag, format!("'{own}'"), format!("'{asked}'")));
    let difference = flags.next().or_else(|| own.arguments.difference(&asked.arguments));
    let Some((argument, own, asked)) = difference else { return Ok(()) };
    Err(Fault::precondition_failed(format_args!(
        "inequivalent arg '{argument}' for queue '{name}' in vhost '{VHOST}': received {asked} but current is {own}"
    )))
}
