//! Transactions: what a channel has published and settled and not yet committed.
//!
//! A publish is checked and routed when it comes and told of when it takes effect; a settlement takes its deliveries out
//! of the channel's unacked at once. Both wait for the commit. What goes straight to a consumer by direct reply-to does
//! not wait, as RabbitMQ has it.

use std::collections::BTreeMap;

use amq_protocol::protocol::{AMQPClass, tx};
use amq_protocol::types::ShortString;

use super::publish::Publisher;
use super::settle::Settlement;
use super::{Item, Out, QueueId, State};
use crate::fault::Fault;
use crate::message::Message;
use crate::observer::{ConnectionId, Observer, Routing};

/// What waits for its channel's commit.
pub(super) struct Transaction<O: Observer> {
    publishes: Vec<Pending<O>>,
    /// In the order of their coming, those that follow and end alike in one; by delivery tags.
    settlements: Vec<(Settlement, BTreeMap<u64, Out>)>,
}

/// A publish that waits.
struct Pending<O: Observer> {
    message: Shown<O>,
    /// Where it leads, as its exchange was bound when it came.
    queues: Vec<ShortString>,
    mandatory: bool,
}

/// Whether the observer knows of it.
enum Shown<O: Observer> {
    Not(Box<Message<()>>),
    /// Someone has got it straight.
    Already(Item<O>),
}

impl<O: Observer> Default for Transaction<O> {
    fn default() -> Self {
        Self { publishes: Vec::new(), settlements: Vec::new() }
    }
}

impl<O: Observer> Transaction<O> {
    /// Deliveries that end so at the commit.
    pub(super) fn settle(&mut self, settlement: Settlement, settled: BTreeMap<u64, Out>) {
        match self.settlements.last_mut() {
            Some((last, deliveries)) if *last == settlement => deliveries.extend(settled),
            _ => self.settlements.push((settlement, settled)),
        }
    }

    /// The deliveries that were to be settled, by their tags.
    pub(super) fn into_deliveries(self) -> BTreeMap<u64, Out> {
        self.settlements.into_iter().flat_map(|(_, deliveries)| deliveries).collect()
    }

    /// How many of these deliveries count against the channel's prefetch until they are settled.
    pub(super) fn held(&self) -> u32 {
        let deliveries = self.settlements.iter().flat_map(|(_, deliveries)| deliveries.values());
        u32::try_from(deliveries.filter(|out| out.counts).count()).unwrap_or(u32::MAX)
    }
}

impl<O: Observer> State<O> {
    pub(super) fn tx_select(&mut self, id: ConnectionId, number: u16) -> Result<(), Fault> {
        let channel = self.channel(id, number)?;
        if channel.confirms.is_some() {
            return Err(Fault::precondition_failed("cannot switch from confirm to tx mode"));
        }
        channel.tx.get_or_insert_default();
        self.send(id, number, &AMQPClass::Tx(tx::AMQPMethod::SelectOk(tx::SelectOk {})));
        Ok(())
    }

    /// Lets all that waits take effect: the publishes, then the settlements, each in the order of their coming.
    pub(super) fn tx_commit(&mut self, id: ConnectionId, number: u16) -> Result<(), Fault> {
        let transaction = self.take_transaction(id, number)?;
        let mut refused = false;
        for pending in transaction.publishes {
            refused |= !self.commit_publish(id, number, pending);
            self.bury();
        }
        for (settlement, deliveries) in transaction.settlements {
            self.carry_out(id, number, deliveries, settlement)?;
            self.bury();
        }
        if refused {
            return Err(Fault::precondition_failed("partial tx completion"));
        }
        self.send(id, number, &AMQPClass::Tx(tx::AMQPMethod::CommitOk(tx::CommitOk {})));
        Ok(())
    }

    /// Forgets what waits; the deliveries are the channel's again.
    pub(super) fn tx_rollback(&mut self, id: ConnectionId, number: u16) -> Result<(), Fault> {
        let transaction = self.take_transaction(id, number)?;
        self.channel(id, number)?.unacked.extend(transaction.into_deliveries());
        self.send(id, number, &AMQPClass::Tx(tx::AMQPMethod::RollbackOk(tx::RollbackOk {})));
        Ok(())
    }

    /// What waits on a channel, which begins anew.
    fn take_transaction(&mut self, id: ConnectionId, number: u16) -> Result<Transaction<O>, Fault> {
        let transaction = self.channel(id, number)?.tx.as_mut().map(std::mem::take);
        transaction.ok_or_else(|| Fault::precondition_failed("channel is not transactional"))
    }

    /// Lets a publish wait for its channel's commit.
    pub(super) fn postpone(&mut self, publisher: Publisher, message: Message<()>) -> Result<(), Fault> {
        let route = self.route(&message);
        let names = route.queues.iter().filter_map(|queue| self.queues.get(queue).map(|queue| queue.name.clone()));
        let queues: Vec<ShortString> = names.collect();
        let message = if route.replies.is_empty() {
            Shown::Not(Box::new(message))
        } else {
            let message = self.show(publisher, None, message);
            let replied = self.reply(&route.replies, &message);
            self.observer.routed(&message.mark, if replied { Routing::Direct } else { Routing::Unroutable });
            Shown::Already(message)
        };
        let pending = Pending { message, queues, mandatory: publisher.mandatory };
        if let Some(transaction) = &mut self.channel(publisher.connection, publisher.channel)?.tx {
            transaction.publishes.push(pending);
        }
        Ok(())
    }

    /// A publish takes effect; `false` where a full queue refused it.
    fn commit_publish(&mut self, id: ConnectionId, number: u16, pending: Pending<O>) -> bool {
        let publisher = Publisher { connection: id, channel: number, mandatory: pending.mandatory };
        // Those that have gone meanwhile take nothing.
        let queues: Vec<QueueId> = pending.queues.iter().filter_map(|name| self.names.get(name).copied()).collect();
        match pending.message {
            Shown::Not(message) => {
                let message = self.show(publisher, None, *message);
                self.place(publisher, &message, &queues, false)
            }
            Shown::Already(message) if queues.is_empty() => {
                self.return_unplaced(publisher, &message);
                true
            }
            Shown::Already(message) => !self.enqueue_all(&queues, &message).1,
        }
    }
}
