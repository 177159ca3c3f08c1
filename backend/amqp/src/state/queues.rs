//! Queues: declare, delete, purge.

use amq_protocol::protocol::{AMQPClass, basic, queue};
use amq_protocol::types::{FieldTable, ShortString};
use hopscope_rules::queue::Queue;

use super::arguments::Arguments;
use super::declaration::{Declaration, QueueFlags, locked};
use super::publish::no_queue;
use super::reply_to::PSEUDO_QUEUE;
use super::{BrokerQueue, QueueId, State};
use crate::exchange::Destination;
use crate::fault::Fault;
use crate::observer::{ConnectionId, Observer, QueueInfo};
use crate::wire;

impl<O: Observer> State<O> {
    pub(super) fn declare_queue(
        &mut self,
        id: ConnectionId,
        number: u16,
        declare: &queue::Declare,
    ) -> Result<(), Fault> {
        let name = match declare.queue.as_str() {
            "" if !declare.passive => self.generate_name(id),
            _ => declare.queue.clone(),
        };
        let replies = name.as_str().starts_with(PSEUDO_QUEUE);
        if replies {
            if !self.is_reply_address(&name) {
                return Err(no_queue(&name, &self.vhost));
            }
        } else if declare.passive {
            // An empty name is not the channel's last one here.
            let queue = self.names.get(&name).copied().ok_or_else(|| no_queue(&name, &self.vhost))?;
            let owner = self.queues.get(&queue).and_then(|queue| queue.declaration.exclusive_to);
            check_owner(owner, Some(id), &name, &self.vhost)?;
            self.pump(queue);
        } else {
            // What goes with its connection is not durable.
            let durable = declare.durable && !declare.exclusive;
            let flags = QueueFlags { durable, auto_delete: declare.auto_delete };
            let exclusive_to = declare.exclusive.then_some(id);
            let given = !declare.queue.as_str().is_empty();
            self.ensure_queue(&name, given, flags, exclusive_to, Some(id), &declare.arguments)?;
        }
        self.channel(id, number)?.last_queue = Some(name.clone());
        if declare.nowait {
            return Ok(());
        }
        // Without an answer nobody has looked at it, as RabbitMQ has it.
        if let Some(queue) = self.names.get(&name) {
            self.used(*queue);
        }
        let queue = self.names.get(&name).and_then(|queue| self.queues.get(queue));
        let (message_count, consumer_count) =
            queue.map_or((0, u32::from(replies)), |queue| (queue.machine.ready(), queue.machine.consumers()));
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
        if given && name.as_str().starts_with("amq.") {
            return Err(Fault::access_refused(format_args!("queue name '{name}' contains reserved prefix 'amq.*'")));
        }
        if let Some((id, queue)) = self.names.get(name).and_then(|id| self.queues.get_key_value(id)) {
            queue.declaration.check_same(name, &self.vhost, flags, exclusive_to, arguments)?;
            if asking.is_none() {
                self.used(*id);
            }
            return Ok(());
        }
        if self.queues.len() >= self.config.queues_max {
            return Err(Fault::precondition_failed(format_args!(
                "cannot declare queue '{name}': queue limit in vhost '{}' ({}) is reached",
                self.vhost, self.config.queues_max
            )));
        }
        let parsed = Arguments::parse(arguments, name.as_str(), &self.vhost)?;
        let declaration = Declaration::new(flags, exclusive_to, parsed, arguments);
        let id = QueueId(self.mint());
        let info = QueueInfo { name: name.as_str(), vhost: &self.vhost, exclusive_to, auto_delete: flags.auto_delete };
        let handle = self.observer.queue_declared(&info);
        let machine = Queue::new(declaration.arguments.settings());
        self.queues.insert(
            id,
            BrokerQueue {
                name: name.clone(),
                declaration,
                table: arguments.clone(),
                machine,
                takers: Default::default(),
                handle,
                consumed_exclusively: false,
                had_consumers: false,
                expiry: None,
                unused_until: None,
            },
        );
        self.names.insert(name.clone(), id);
        self.used(id);
        Ok(())
    }

    /// The queue of this name, if this connection may use it. An empty name is the channel's last one.
    pub(super) fn usable_queue(&mut self, id: ConnectionId, number: u16, name: &ShortString) -> Result<QueueId, Fault> {
        let name = self.named_queue(id, number, name)?;
        let queue = self.names.get(&name).copied().ok_or_else(|| no_queue(&name, &self.vhost))?;
        let owner = self.queues.get(&queue).and_then(|queue| queue.declaration.exclusive_to);
        check_owner(owner, Some(id), &name, &self.vhost)?;
        Ok(queue)
    }

    /// The name of the queue that is meant: an empty one is that of the channel's last one.
    pub(super) fn named_queue(
        &mut self,
        id: ConnectionId,
        number: u16,
        name: &ShortString,
    ) -> Result<ShortString, Fault> {
        if name.as_str().is_empty() { self.last_queue(id, number) } else { Ok(name.clone()) }
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
        let (mut message_count, mut doomed) = (0, None);
        let name = &delete.queue;
        // What is not there is as good as deleted.
        if name.as_str().is_empty() || self.names.contains_key(name) {
            let found = self.usable_queue(id, number, name)?;
            let Some(queue) = self.queues.get(&found) else { return Ok(()) };
            if delete.if_unused && queue.machine.consumers() > 0 {
                return Err(Fault::precondition_failed(format_args!(
                    "queue '{name}' in vhost '{}' in use",
                    self.vhost
                )));
            }
            if delete.if_empty && queue.machine.ready() > 0 {
                return Err(Fault::precondition_failed(format_args!(
                    "queue '{name}' in vhost '{}' not empty",
                    self.vhost
                )));
            }
            message_count = queue.machine.ready();
            doomed = Some(found);
        }
        // Answered first: only then do its consumers hear that they are cancelled.
        if !delete.nowait {
            let method = queue::AMQPMethod::DeleteOk(queue::DeleteOk { message_count });
            self.send(id, number, &AMQPClass::Queue(method));
        }
        if let Some(doomed) = doomed {
            self.delete_queue(doomed);
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
    pub(super) fn delete_queue(&mut self, id: QueueId) {
        // What it has left for dead is still its own to send on.
        self.bury();
        self.drive(id, |machine, watch| machine.clear(watch));
        let Some(mut queue) = self.queues.remove(&id) else { return };
        self.names.remove(&queue.name);
        if let Some(at) = queue.expiry {
            self.expiries.remove(&(at, id));
        }
        self.forget_bindings(Destination::Queue(id));
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
}

/// Checks that a queue belongs to nobody else.
pub(super) fn check_owner(
    owner: Option<ConnectionId>,
    asking: Option<ConnectionId>,
    name: &ShortString,
    vhost: &str,
) -> Result<(), Fault> {
    if owner.is_none() || owner == asking {
        return Ok(());
    }
    Err(locked(name, vhost))
}
