//! Transactions of those who publish to a topic, as one group that reads it comes to know of them. What one was given up with is read by
//! nobody; and the end of each takes an offset for itself in every partition that it published to.

use std::collections::BTreeMap;

use hopscope_record::kind::Position;
use hopscope_record::{MessageId, TraceId};

use crate::numbered::Numbered;

/// Those of one topic.
#[derive(Default)]
pub(super) struct Transactions {
    /// What each place has published since its last one ended, and where that is, once it is known.
    open: BTreeMap<u32, Vec<(MessageId, Option<Position>)>>,
    /// Publishes that nobody is to read, or whose end nobody saw.
    void: Numbered<()>,
    parts: Vec<Part>,
}

/// What a group passed over in a partition.
#[derive(Default)]
struct Part {
    /// Ends of transactions that are there, or may be.
    ends: u64,
    /// Offsets that no record is known to have.
    holes: u64,
    /// Records.
    passed: Numbered<Passed>,
}

/// A record that was passed over.
#[derive(Clone, Copy)]
pub(super) struct Passed {
    pub(super) trace: TraceId,
    pub(super) message: MessageId,
    pub(super) time: i64,
}

impl Transactions {
    pub(super) fn new(partitions: u16) -> Self {
        Self { parts: (0..partitions).map(|_| Part::default()).collect(), ..Self::default() }
    }

    /// A place publishes.
    pub(super) fn published(&mut self, place: u32, message: MessageId) {
        self.open.entry(place).or_default().push((message, None));
    }

    /// Its publish is confirmed.
    pub(super) fn confirmed(&mut self, place: u32, message: MessageId, position: Position) {
        let open = self.open.get_mut(&place).into_iter().flatten();
        if let Some((_, at)) = open.rev().find(|(other, _)| *other == message) {
            *at = Some(position);
        }
    }

    /// A place's transaction has ended; `stands`: what it published is to be read. Gives whether it is known where all of that is.
    pub(super) fn ended(&mut self, place: u32, stands: bool) -> bool {
        let published = self.open.remove(&place).unwrap_or_default();
        if !stands {
            published.iter().for_each(|(message, _)| self.void.set(message.0, ()));
        }
        let mut partitions: Vec<_> = published.iter().filter_map(|(_, at)| Some(at.as_ref()?.partition)).collect();
        partitions.sort_unstable();
        partitions.dedup();
        for partition in partitions {
            if let Some(part) = self.parts.get_mut(usize::from(partition)) {
                part.ends += 1;
            }
        }
        published.iter().all(|(_, at)| at.is_some())
    }

    /// A group goes on behind offsets that no record is known to have.
    pub(super) fn holes(&mut self, partition: usize, count: u64) {
        if let Some(part) = self.parts.get_mut(partition) {
            part.holes = part.holes.saturating_add(count);
        }
    }

    /// A group goes on behind a record; `late`: it counted as none.
    pub(super) fn pass(&mut self, partition: usize, offset: u64, record: Passed, late: bool) {
        let Some(part) = self.parts.get_mut(partition) else { return };
        part.holes = part.holes.saturating_sub(u64::from(late));
        part.passed.set(offset, record);
    }

    /// Whether a group went on behind the record at an offset before.
    pub(super) fn has_passed(&self, partition: usize, offset: u64) -> bool {
        self.parts.get(partition).is_some_and(|part| part.passed.contains(offset))
    }

    /// Whether nobody is to read a publish, or its end was not seen.
    pub(super) fn is_void(&self, message: MessageId) -> bool {
        self.void.contains(message.0)
    }

    /// The records that were passed over and are to be read: the partition and the offset of each.
    pub(super) fn owed(&self) -> impl Iterator<Item = (usize, u64, Passed)> {
        let of_part = |(number, part): (usize, &'_ Part)| {
            let owed = part.passed.iter().filter(|(_, passed)| !self.is_void(passed.message));
            owed.map(move |(offset, passed)| (number, offset, *passed)).collect::<Vec<_>>()
        };
        self.parts.iter().enumerate().flat_map(of_part)
    }

    /// The partitions in which more offsets without a record were passed over than transactions ended there: both numbers.
    pub(super) fn unexplained(&self) -> impl Iterator<Item = (usize, u64, u64)> {
        let parts = self.parts.iter().enumerate();
        parts.filter(|(_, part)| part.holes > part.ends).map(|(number, part)| (number, part.holes, part.ends))
    }
}
