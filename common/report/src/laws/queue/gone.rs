//! What the broker of a topic removes before a group has come to it: a record that is old, or one that gave way to a newer one of its
//! key. A group may pass over those, and no others.

use std::ops::Range;

use hopscope_record::frame::MessageRow;
use hopscope_record::{Event, Kind, MessageId, TraceId};

use crate::laws::links::LogSite;
use crate::numbered::Numbered;

/// How much younger than it should be a record may look that is removed for its age, ns: brokers go by the clock on the wall, in
/// milliseconds, and that may be set.
const SLACK_NS: i64 = 50_000_000;

/// The keys of records, by their traces: whoever reads a record and publishes on hands its key on. Kept only where a broker goes by
/// them.
#[derive(Default)]
pub(in crate::laws) struct Keys {
    wanted: bool,
    messages: Numbered<u32>,
    traces: Numbered<u32>,
}

impl Keys {
    /// None yet; `wanted`: whether any are asked for.
    pub(in crate::laws) fn new(wanted: bool) -> Self {
        Self { wanted, ..Self::default() }
    }

    /// Takes what messages carry, ahead of their first events.
    pub(in crate::laws) fn carry(&mut self, rows: &[MessageRow]) {
        for row in rows.iter().filter(|_| self.wanted) {
            if let Some(key) = row.key {
                self.messages.set(row.message, key.0);
            }
        }
    }

    /// Takes an event, which may be the first of a message.
    pub(in crate::laws) fn take(&mut self, event: &Event) {
        if self.wanted
            && event.kind == Kind::INTENDED
            && let Some(key) = self.messages.remove(event.message.message())
        {
            self.traces.set(event.trace.0, key);
        }
    }

    /// The key of what is published in a trace.
    pub(super) fn of(&self, trace: TraceId) -> Option<u32> {
        self.traces.get(trace.0).copied()
    }
}

/// A record that was confirmed.
#[derive(Clone, Copy)]
pub(super) struct Confirmed {
    pub(super) trace: TraceId,
    pub(super) message: MessageId,
    /// When it was published, at the latest; long ago where that is not known.
    pub(super) published: i64,
    /// Its key, where that is known and asked for.
    pub(super) key: Option<u32>,
}

/// A record that was passed over, and of which nothing newer of its key was confirmed yet.
#[derive(Clone, Copy)]
pub(super) struct Owed {
    pub(super) offset: u64,
    pub(super) record: Confirmed,
    /// When it was passed over.
    pub(super) time: i64,
}

/// What is gone of a partition, as far as one group came to know.
#[derive(Default)]
pub(super) struct Gone {
    /// The greatest offset that was confirmed, by key.
    newest: Numbered<u64>,
    owed: Vec<Owed>,
    count: u64,
}

impl Gone {
    /// How many records were passed over.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// Those of which nothing newer has come.
    pub(super) fn owed(&self) -> &[Owed] {
        &self.owed
    }

    /// A record was confirmed; gives how many that were passed over gave way to it.
    pub(super) fn confirmed(&mut self, key: Option<u32>, offset: u64) -> u64 {
        let Some(key) = key else { return 0 };
        let newest = self.newest.get_or_insert_with(u64::from(key), || offset);
        *newest = offset.max(*newest);
        let before = self.owed.len();
        self.owed.retain(|owed| owed.record.key != Some(key) || owed.offset >= offset);
        (before - self.owed.len()) as u64
    }

    /// The group went on behind these offsets: whether all that was there may be gone.
    pub(super) fn pass(
        &mut self,
        unread: &mut Numbered<Confirmed>,
        offsets: Range<u64>,
        time: i64,
        site: &LogSite,
    ) -> bool {
        let gone = take_within(unread, offsets).into_iter();
        gone.fold(true, |fine, (offset, record)| self.pass_one(offset, record, time, site) && fine)
    }

    /// One record was passed over: whether it may be gone.
    pub(super) fn pass_one(&mut self, offset: u64, record: Confirmed, time: i64, site: &LogSite) -> bool {
        self.count += 1;
        let age = time.saturating_sub(record.published).saturating_add(SLACK_NS);
        if site.retention.is_some_and(|kept| age >= kept) {
            return true;
        }
        if !site.compacts {
            return false;
        }
        let newest = record.key.map(|key| self.newest.get(u64::from(key)).copied().unwrap_or(0));
        // Without a known key nobody can tell.
        if newest.is_some_and(|newest| newest <= offset) {
            self.owed.push(Owed { offset, record, time });
        }
        true
    }
}

/// Takes out the records at these offsets.
pub(super) fn take_within(unread: &mut Numbered<Confirmed>, offsets: Range<u64>) -> Vec<(u64, Confirmed)> {
    // Whichever is shorter.
    let there: Vec<u64> = if offsets.end.saturating_sub(offsets.start) <= unread.len() as u64 {
        offsets.filter(|offset| unread.contains(*offset)).collect()
    } else {
        unread.iter().map(|(offset, _)| offset).filter(|offset| offsets.contains(offset)).collect()
    };
    there.into_iter().filter_map(|offset| Some((offset, unread.remove(offset)?))).collect()
}
