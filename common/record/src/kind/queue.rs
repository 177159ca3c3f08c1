//! A transition of a queue, as the second value of what a queue stamps.

/// One step of a queue: its ready copies just before and just after, as counted then, and why.
///
/// In 64 bits: the length before in the lowest 28, the difference to the length after in the next 28 (zigzag: 0, -1,
/// +1, -2 ... as 0, 1, 2, 3 ...), the cause in the highest 8. So a queue that goes up and down by one writes small
/// differences, and a step that is not the kind's own can still be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueueStep {
    /// L1: ready copies just before. At most [`QueueStep::MAX`].
    pub before: u32,
    /// L2: ready copies just after. At most [`QueueStep::MAX`].
    pub after: u32,
    /// Why.
    pub cause: QueueCause,
}

/// Why a queue took a step. Numbers are never reused; one without a name here can be carried.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct QueueCause(pub u8);

/// The causes that this build stamps, each with the name that exports write.
const CAUSES: &[(QueueCause, &str)] = &[
    (QueueCause::PUBLISHED, "published"),
    (QueueCause::DEAD_LETTERED, "dead-lettered"),
    (QueueCause::CONSUMER, "consumer"),
    (QueueCause::GET, "get"),
    (QueueCause::ACK, "ack"),
    (QueueCause::AUTOMATIC, "automatic"),
    (QueueCause::REJECTED, "rejected"),
    (QueueCause::NACK, "nack"),
    (QueueCause::RECOVER, "recover"),
    (QueueCause::CHANNEL_LOST, "channel-lost"),
    (QueueCause::MESSAGE_TTL, "message-ttl"),
    (QueueCause::QUEUE_TTL, "queue-ttl"),
    (QueueCause::MAX_LENGTH, "max-length"),
    (QueueCause::PURGE, "purge"),
    (QueueCause::DELETED, "deleted"),
];

impl QueueCause {
    /// None told.
    pub const NONE: Self = Self(0);
    /// Enqueued: a publish was routed here.
    pub const PUBLISHED: Self = Self(1);
    /// Enqueued: another queue dead-lettered it.
    pub const DEAD_LETTERED: Self = Self(2);
    /// Delivered: a consumer had room for it.
    pub const CONSUMER: Self = Self(3);
    /// Delivered: someone asked for one.
    pub const GET: Self = Self(4);
    /// Acked: the consumer said so.
    pub const ACK: Self = Self(5);
    /// Acked: the consumer asked for no acknowledgement.
    pub const AUTOMATIC: Self = Self(6);
    /// Nacked, DeadLettered: the consumer rejected it for good.
    pub const REJECTED: Self = Self(7);
    /// Requeued: the consumer gave it back.
    pub const NACK: Self = Self(8);
    /// Requeued: the consumer asked for all its deliveries again.
    pub const RECOVER: Self = Self(9);
    /// Requeued: the consumer's channel or connection has ended.
    pub const CHANNEL_LOST: Self = Self(10);
    /// Expired, DeadLettered: by the message's own limit.
    pub const MESSAGE_TTL: Self = Self(11);
    /// Expired, DeadLettered: by the queue's limit.
    pub const QUEUE_TTL: Self = Self(12);
    /// Dropped, DeadLettered: the queue is as long as it may be.
    pub const MAX_LENGTH: Self = Self(13);
    /// Purged: someone emptied the queue.
    pub const PURGE: Self = Self(14);
    /// Purged: the queue was deleted.
    pub const DELETED: Self = Self(15);

    /// Its name, or `None` where this build has none.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        CAUSES.iter().find(|(cause, _)| *cause == self).map(|(_, name)| *name)
    }

    /// The cause of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        CAUSES.iter().find(|(_, known)| *known == name).map(|(cause, _)| *cause)
    }
}

const BITS: u32 = 28;
const MASK: u64 = (1 << BITS) - 1;

impl QueueStep {
    /// Greatest length that can be told; a longer queue is told as this long.
    pub const MAX: u32 = (1 << (BITS - 1)) - 1;

    /// The 64 bits.
    #[must_use]
    pub const fn to_value(self) -> u64 {
        let before = if self.before > Self::MAX { Self::MAX } else { self.before };
        let after = if self.after > Self::MAX { Self::MAX } else { self.after };
        let step = after as i64 - before as i64;
        let zigzag = ((step << 1) ^ (step >> 63)) as u64;
        before as u64 | ((zigzag & MASK) << BITS) | ((self.cause.0 as u64) << (2 * BITS))
    }

    /// What 64 bits say; `None` where the length after would be negative or too long: nothing writes that.
    #[must_use]
    pub fn from_value(value: u64) -> Option<Self> {
        let before = (value & MASK) as u32;
        let zigzag = (value >> BITS) & MASK;
        let step = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
        let after = u32::try_from(i64::from(before) + step).ok().filter(|after| *after <= Self::MAX)?;
        (before <= Self::MAX).then_some(Self { before, after, cause: QueueCause((value >> (2 * BITS)) as u8) })
    }
}

/// What a broker that stamps nothing answers when it is asked for a queue's length. In 64 bits: the ready copies in the
/// lower half, the consumers in the upper one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DepthReport {
    /// Copies that were ready.
    pub ready: u32,
    /// Consumers that took from the queue.
    pub consumers: u32,
}

impl DepthReport {
    /// The 64 bits.
    #[must_use]
    pub const fn to_value(self) -> u64 {
        self.ready as u64 | ((self.consumers as u64) << u32::BITS)
    }

    /// What 64 bits say.
    #[must_use]
    pub const fn from_value(value: u64) -> Self {
        Self { ready: value as u32, consumers: (value >> u32::BITS) as u32 }
    }
}

/// How often a message left a queue as a dead letter, and why. In 64 bits: the count in the lower half, the cause in the
/// highest 8.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Deaths {
    /// How often.
    pub count: u32,
    /// Why.
    pub cause: QueueCause,
}

impl Deaths {
    /// The 64 bits.
    #[must_use]
    pub const fn to_value(self) -> u64 {
        self.count as u64 | ((self.cause.0 as u64) << (2 * BITS))
    }

    /// What 64 bits say; `None` where they say more: nothing writes that.
    #[must_use]
    pub fn from_value(value: u64) -> Option<Self> {
        let deaths = Self { count: value as u32, cause: QueueCause((value >> (2 * BITS)) as u8) };
        (deaths.to_value() == value).then_some(deaths)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_report_comes_back(value: u64) {
            prop_assert_eq!(DepthReport::from_value(value).to_value(), value);
        }

        #[test]
        fn a_step_comes_back(before in 0..=QueueStep::MAX, after in 0..=QueueStep::MAX, cause: u8) {
            let step = QueueStep { before, after, cause: QueueCause(cause) };
            prop_assert_eq!(QueueStep::from_value(step.to_value()), Some(step));
        }

        #[test]
        fn what_is_read_is_written_again(value: u64) {
            if let Some(step) = QueueStep::from_value(value) {
                prop_assert_eq!(step.to_value(), value);
            }
        }
    }

    #[test]
    fn deaths_come_back() {
        let deaths = Deaths { count: u32::MAX, cause: QueueCause::REJECTED };
        assert_eq!(Deaths::from_value(deaths.to_value()), Some(deaths));
        assert_eq!(Deaths::from_value(1 << 40), None);
    }

    #[test]
    fn a_step_of_one_changes_low_bits_only() {
        let step = |before, after| QueueStep { before, after, cause: QueueCause::CONSUMER }.to_value();
        assert_eq!(step(8, 7) - step(7, 6), 1);
    }

    #[test]
    fn every_cause_is_found_by_its_name() {
        for (cause, name) in CAUSES {
            assert_eq!(QueueCause::find(name), Some(*cause));
            assert_eq!(cause.name(), Some(*name));
        }
        assert_eq!(QueueCause::NONE.name(), None);
    }
}
