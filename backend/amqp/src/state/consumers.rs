//! Consumers: who takes from which queue, under which tag.

use std::sync::Arc;

use amq_protocol::protocol::{AMQPClass, basic};
use amq_protocol::types::ShortString;
use hopscope_rules::queue::ConsumerSettings;

use super::arguments::ConsumeArguments;
use super::publish::no_queue;
use super::reply_to::PSEUDO_QUEUE;
use super::{Consumer, State, Taker};
use crate::fault::Fault;
use crate::observer::{ConnectionId, ConsumerInfo, Observer};
use crate::wire;

impl<O: Observer> State<O> {
    pub(super) fn consume(&mut self, id: ConnectionId, number: u16, consume: &basic::Consume) -> Result<(), Fault> {
        let tag = self.consumer_tag(id, number, &consume.consumer_tag)?;
        if consume.queue.as_str() == PSEUDO_QUEUE {
            return self.consume_replies(id, number, tag, consume);
        }
        let queue_id = self.usable_queue(id, number, &consume.queue)?;
        let prefetch = self.channel(id, number)?.prefetch;
        let observer = Arc::clone(&self.observer);
        let Some(queue) = self.queues.get_mut(&queue_id) else { return Err(no_queue(&consume.queue, &self.vhost)) };
        let ConsumeArguments { priority } =
            ConsumeArguments::parse(&consume.arguments, queue.name.as_str(), &self.vhost)?;
        // Where consumers wait for their turn to be the active one, none may have the queue for itself.
        let free = queue.machine.consumers() == 0 && !queue.machine.settings().single_active_consumer;
        if queue.consumed_exclusively || (consume.exclusive && !free) {
            let name = &queue.name;
            return Err(Fault::access_refused(format_args!(
                "queue '{name}' in vhost '{}' in exclusive use",
                self.vhost
            )));
        }
        let info = ConsumerInfo {
            connection: id,
            channel: number,
            tag: tag.as_str(),
            prefetch,
            automatic_ack: consume.no_ack,
        };
        let handle = observer.consumer_added(&queue.handle, &info);
        let settings = ConsumerSettings { prefetch, automatic: consume.no_ack, priority };
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
            // Another may be the active one now.
            self.pump(consumer.queue);
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
        self.used(consumer.queue);
    }
}
