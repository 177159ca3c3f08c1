//! Deliveries that end: ack, nack, reject, recover, and what a lost channel gives back.

use std::collections::{BTreeMap, BTreeSet};

use amq_protocol::protocol::{AMQPClass, basic};
use hopscope_rules::queue::Cause;

use super::tx::Transaction;
use super::{Out, State};
use crate::fault::Fault;
use crate::observer::{ConnectionId, Observer};

/// How a delivery ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Settlement {
    Ack,
    Reject,
    Requeue(Cause),
}

impl<O: Observer> State<O> {
    /// Settles a delivery, or with `multiple` all up to it (tag 0: all there are); on a transactional channel at its commit.
    pub(super) fn settle(
        &mut self,
        id: ConnectionId,
        number: u16,
        delivery_tag: u64,
        multiple: bool,
        settlement: Settlement,
    ) -> Result<(), Fault> {
        let channel = self.channel(id, number)?;
        let unknown = || Fault::precondition_failed(format_args!("unknown delivery tag {delivery_tag}"));
        let settled = if multiple && delivery_tag == 0 {
            std::mem::take(&mut channel.unacked)
        } else if !channel.unacked.contains_key(&delivery_tag) {
            return Err(unknown());
        } else if multiple {
            let later = channel.unacked.split_off(&delivery_tag.saturating_add(1));
            std::mem::replace(&mut channel.unacked, later)
        } else {
            channel.unacked.remove_entry(&delivery_tag).into_iter().collect::<BTreeMap<_, _>>()
        };
        if let Some(transaction) = &mut channel.tx {
            transaction.settle(settlement, settled);
            return Ok(());
        }
        self.carry_out(id, number, settled, settlement)
    }

    /// Ends deliveries that are no more the channel's.
    pub(super) fn carry_out(
        &mut self,
        id: ConnectionId,
        number: u16,
        settled: BTreeMap<u64, Out>,
        settlement: Settlement,
    ) -> Result<(), Fault> {
        let channel = self.channel(id, number)?;
        let counted = settled.values().filter(|out| out.counts).count();
        channel.held = channel.held.saturating_sub(u32::try_from(counted).unwrap_or(u32::MAX));
        let limited = channel.prefetch_all > 0;
        let mut touched = self.settle_each(settled.into_values(), settlement);
        if limited && counted > 0 {
            // Room in the channel is room for each of its consumers.
            touched.extend(self.consumed_by(id, Some(number)));
        }
        for queue in touched {
            self.pump(queue);
        }
        Ok(())
    }

    /// Gives every delivery of a channel back, to go out again, perhaps to the same consumer.
    pub(super) fn recover(&mut self, id: ConnectionId, number: u16, requeue: bool, reply: bool) -> Result<(), Fault> {
        if !requeue {
            return Err(Fault::not_implemented("requeue=false"));
        }
        let channel = self.channel(id, number)?;
        let unacked = std::mem::take(&mut channel.unacked);
        channel.held = channel.tx.as_ref().map_or(0, Transaction::held);
        if reply {
            self.send(id, number, &AMQPClass::Basic(basic::AMQPMethod::RecoverOk(basic::RecoverOk {})));
        }
        self.give_back(unacked.into_values(), Cause::Recover);
        Ok(())
    }

    /// Requeues deliveries and lets their queues go on.
    pub(super) fn give_back(&mut self, unacked: impl Iterator<Item = Out>, cause: Cause) {
        for queue in self.settle_each(unacked, Settlement::Requeue(cause)) {
            self.pump(queue);
        }
    }

    fn settle_each(&mut self, settled: impl Iterator<Item = Out>, settlement: Settlement) -> BTreeSet<super::QueueId> {
        let mut touched = BTreeSet::new();
        for Out { queue, copy, .. } in settled {
            // A queue that was deleted meanwhile has settled its deliveries itself.
            let done = self.drive(queue, |machine, watch| match settlement {
                Settlement::Ack => machine.ack(copy, watch),
                Settlement::Reject => machine.reject(copy, watch),
                Settlement::Requeue(cause) => machine.requeue(copy, cause, watch),
            });
            if done.is_some() {
                touched.insert(queue);
            }
        }
        touched
    }
}
