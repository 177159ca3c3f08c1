//! What the ends of a run's links count together where the broker stamps nothing: copies under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use hopscope_record::kind::{QueueCause, QueueStep};
use hopscope_record::{Kind, MessageId, TraceId};

use crate::record::Recorder;

/// The copies of one run. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Account {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Copies that are known to be in queues that the run takes from, or with their consumers. Below zero where another
    /// program has put some.
    copies: AtomicI64,
    /// Deliveries that a consumer has and has not settled.
    held: AtomicI64,
    /// Copies that the broker has ever said that it has.
    put: AtomicI64,
    /// There may be other copies than those that were counted.
    unsure: AtomicBool,
}

impl Account {
    /// The broker has said that it has a message for a queue that the run takes from.
    pub(super) fn confirmed(&self) {
        self.shared.copies.fetch_add(1, Ordering::AcqRel);
        self.shared.put.fetch_add(1, Ordering::AcqRel);
    }

    /// A delivery has come that needs no word to be settled.
    pub(super) fn taken(&self) {
        self.shared.copies.fetch_sub(1, Ordering::AcqRel);
    }

    /// A delivery has come; what is given says how it is settled, and counts it as held until then.
    pub(super) fn held(&self, recorder: Recorder, trace: TraceId, message: MessageId) -> Held {
        self.shared.held.fetch_add(1, Ordering::AcqRel);
        Held { account: self.clone(), recorder, trace, message, settled: false }
    }

    /// Copies under way, as far as the run's own parts know.
    #[must_use]
    pub fn copies(&self) -> i64 {
        self.shared.copies.load(Ordering::Acquire)
    }

    /// A number that is another one when the broker has said since that it has a copy.
    #[must_use]
    pub fn put(&self) -> i64 {
        self.shared.put.load(Ordering::Acquire)
    }

    /// Adds what a part of the run has counted elsewhere.
    pub(crate) fn add(&self, copies: i64, deliveries: i64) {
        self.shared.put.fetch_add(copies.max(0), Ordering::AcqRel);
        self.shared.copies.fetch_add(copies, Ordering::AcqRel);
        self.shared.held.fetch_add(deliveries, Ordering::AcqRel);
    }

    /// A part of the run is gone that may have counted what it did not tell, or another program has put something.
    pub(crate) fn lose_track(&self) {
        self.shared.unsure.store(true, Ordering::Release);
    }

    /// Whether the copies under way may be others than the count has it.
    #[must_use]
    pub fn is_unsure(&self) -> bool {
        self.shared.unsure.load(Ordering::Acquire)
    }

    /// Deliveries that the run's consumers have.
    #[must_use]
    pub fn deliveries(&self) -> i64 {
        self.shared.held.load(Ordering::Acquire)
    }
}

/// A delivery that its consumer has not settled. Dropped, it goes back to its queue with the channel, and is stamped so.
#[derive(Debug)]
pub(super) struct Held {
    account: Account,
    recorder: Recorder,
    trace: TraceId,
    message: MessageId,
    settled: bool,
}

impl Held {
    /// Stamps that it is acknowledged; right before that is sent.
    pub(super) fn ack(&mut self) {
        self.settle(Kind::ACKED, QueueCause::ACK);
    }

    /// Stamps that it is rejected for good; right before that is sent.
    pub(super) fn reject(&mut self) {
        self.settle(Kind::NACKED, QueueCause::REJECTED);
    }

    fn settle(&mut self, kind: Kind, cause: QueueCause) {
        self.settled = true;
        self.stamp(kind, cause);
        self.account.shared.copies.fetch_sub(1, Ordering::AcqRel);
        self.account.shared.held.fetch_sub(1, Ordering::AcqRel);
    }

    fn stamp(&self, kind: Kind, cause: QueueCause) {
        // No ordinal and no lengths: these are the queue's to know.
        let said = QueueStep { before: 0, after: 0, cause }.to_value();
        self.recorder.record(kind, self.trace, self.message, MessageId::NONE, 0, said);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.settled {
            self.stamp(Kind::REQUEUED, QueueCause::CHANNEL_LOST);
            self.account.shared.held.fetch_sub(1, Ordering::AcqRel);
        }
    }
}
