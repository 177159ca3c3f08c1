//! What a queue tells: its transitions, numbered, each with the length just before and after.

/// One step of one copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transition {
    /// What happened.
    pub kind: TransitionKind,
    /// Its number in this queue, from 1, one per transition, without a gap.
    pub ordinal: u64,
    /// Which copy: the ordinal of its [`TransitionKind::Enqueued`].
    pub copy: u64,
    /// Ready copies just before, as counted then.
    pub before: u32,
    /// Ready copies just after, as counted then; not reckoned from the step.
    pub after: u32,
    /// Why.
    pub cause: Cause,
}

/// What can happen to a copy.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TransitionKind {
    /// It came: ready + 1.
    Enqueued,
    /// A consumer got it: ready - 1.
    Delivered,
    /// Its delivery is done; ready unchanged.
    Acked,
    /// Its delivery was rejected for good; ready unchanged.
    Nacked,
    /// Its delivery came back to its old place: ready + 1.
    Requeued,
    /// It had its time: ready - 1.
    Expired,
    /// The queue was too long: ready - 1.
    Dropped,
    /// Someone emptied or deleted the queue: ready - 1.
    Purged,
    /// It goes on to the dead-letter exchange; follows what removed it, ready unchanged.
    DeadLettered,
}

impl TransitionKind {
    /// What it does to the number of ready copies.
    #[must_use]
    pub const fn step(self) -> i32 {
        match self {
            Self::Enqueued | Self::Requeued => 1,
            Self::Delivered | Self::Expired | Self::Dropped | Self::Purged => -1,
            Self::Acked | Self::Nacked | Self::DeadLettered => 0,
        }
    }
}

/// Why it happened. The numbers are those of the recording's causes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Cause {
    /// Enqueued: a publish was routed here.
    Published = 1,
    /// Enqueued: another queue dead-lettered it.
    DeadLettered = 2,
    /// Delivered: a consumer had room for it.
    Consumer = 3,
    /// Delivered: someone asked for one.
    Get = 4,
    /// Acked: the consumer said so.
    Ack = 5,
    /// Acked: the consumer asked for no acknowledgement.
    Automatic = 6,
    /// Nacked, DeadLettered: the consumer rejected it for good.
    Rejected = 7,
    /// Requeued: the consumer gave it back.
    Nack = 8,
    /// Requeued: the consumer asked for all its deliveries again.
    Recover = 9,
    /// Requeued: the consumer's channel or connection has ended.
    ChannelLost = 10,
    /// Expired, DeadLettered: by the message's own limit.
    MessageTtl = 11,
    /// Expired, DeadLettered: by the queue's limit.
    QueueTtl = 12,
    /// Dropped, DeadLettered: the queue is as long as it may be.
    MaxLength = 13,
    /// Purged: someone emptied the queue.
    Purge = 14,
    /// Purged, Nacked: the queue was deleted.
    Deleted = 15,
}

/// Who hears what a queue does: called for every transition, in the order of the ordinals, before the call that caused
/// it returns.
pub trait Sink<T, D> {
    /// A transition of `item`'s copy; `delivery` as the driver named it, on Delivered, Acked, Nacked and Requeued.
    fn transition(&mut self, transition: &Transition, item: &T, delivery: Option<&D>);

    /// A copy goes on to the dead-letter exchange: called right after its [`TransitionKind::DeadLettered`].
    fn dead_letter(&mut self, item: T, cause: Cause);
}
