//! Queues that nobody uses: `x-expires`.
//!
//! A queue's time runs while it has no consumer, from when it was declared, declared again, asked for a copy, or left by
//! its last consumer. It stands in the broker's expiries by the nearer of that time's end and its head's.

use super::{BrokerQueue, QueueId, State};
use crate::message::ms_to_ns;
use crate::observer::Observer;

impl<O: Observer> BrokerQueue<O> {
    /// When it will have been unused for as long as it may be; `None` where it has a consumer, or may be unused for ever.
    fn unused_until(&self) -> Option<i64> {
        self.unused_until.filter(|_| self.machine.consumers() == 0)
    }

    /// When there will be something to do for it: its head will have had its time, or itself.
    pub(super) fn next_expiry(&self) -> Option<i64> {
        [self.machine.next_expiry(), self.unused_until()].into_iter().flatten().min()
    }
}

impl<O: Observer> State<O> {
    /// A queue is used: its time begins anew. With a consumer there is none until the last one leaves.
    pub(super) fn used(&mut self, id: QueueId) {
        let now = self.now();
        let Some(queue) = self.queues.get_mut(&id) else { return };
        if let Some(ms) = queue.declaration.arguments.expires_ms
            && queue.machine.consumers() == 0
        {
            queue.unused_until = Some(now.saturating_add(ms_to_ns(ms)));
            self.schedule(id);
        }
    }

    /// Deletes a queue that was unused for as long as it may be; whether it was.
    pub(super) fn delete_if_unused(&mut self, id: QueueId, now: i64) -> bool {
        let unused = self.queues.get(&id).and_then(BrokerQueue::unused_until).is_some_and(|until| until <= now);
        if unused {
            self.delete_queue(id);
        }
        unused
    }
}

#[cfg(test)]
mod tests;
