//! The figures of one link, and of one queue.

use hopscope_record::LinkIndex;
use hopscope_record::kind::LinkCount;

use super::Latency;
use crate::numbered::Numbered;

/// The figures of one link.
#[derive(Clone, Debug)]
pub struct LinkStats {
    /// Which.
    pub link: LinkIndex,
    pub(super) counts: [u64; LinkCount::LEN],
    /// Attempts that have not closed yet.
    pub open: u64,
    /// Replies that came after their attempt was given up; in no other count.
    pub late: u64,
    /// Good replies received while the measured phase lasted, of whatever phase their trace is: what throughput is of.
    pub completed_in_phase: u64,
    /// T2 - T1 of attempts that a good reply closed.
    pub completed: Latency,
    /// From T1 to the broker's confirm, of publishes that were not given up before.
    pub confirmed: Latency,
    /// Of messages whose last attempt is known to be that.
    pub(super) answered: Latency,
    /// How long it took to close the attempt of each message that may yet be tried again, by message.
    pub(super) doubtful: Numbered<i64>,
}

impl LinkStats {
    pub(super) fn new(link: LinkIndex) -> Self {
        Self {
            link,
            counts: [0; LinkCount::LEN],
            open: 0,
            late: 0,
            completed_in_phase: 0,
            completed: Latency::default(),
            confirmed: Latency::default(),
            answered: Latency::default(),
            doubtful: Numbered::default(),
        }
    }

    /// Deliveries on it: those that were settled in any way, and those that are open.
    #[must_use]
    pub const fn delivered(&self) -> u64 {
        self.count(LinkCount::Acked) + self.count(LinkCount::Nacked) + self.count(LinkCount::Requeued) + self.open
    }

    /// One of its counts. Sent = Completed + Failed + TimedOut + Refused + Cancelled + open.
    #[must_use]
    pub const fn count(&self, count: LinkCount) -> u64 {
        self.counts[count as usize]
    }

    /// From the intended send to the event that closed the message's last attempt, however it did; of messages that a
    /// schedule wanted. One that is about to be tried again is not among them.
    #[must_use]
    pub fn answered(&self) -> Latency {
        let mut answered = self.answered.clone();
        self.doubtful.values().for_each(|took| answered.record(*took));
        answered
    }
}

/// The length of one queue: how many of its copies were ready.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct QueueStats {
    /// Its greatest length from the beginning of the measured phase on.
    pub longest: u32,
    /// Its length after the last step.
    pub last: u32,
}
