//! The event: one stamped fact, the smallest thing that is recorded.
//!
//! An event holds numbers only; what they mean stands in the table of kinds ([`crate::kind`]),
//! in the plan and in the Names frames. It never changes once it is stamped.

use crate::id::{LinkIndex, MessageId, PlaceIndex, TraceId};
use crate::kind::{Attempt, Kind, LATE};

/// One stamped fact: 56 bytes, copied freely.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Event {
    /// Nanoseconds since the measured clock's zero, when it was stamped; negative during setup.
    pub time: i64,
    /// The one request or event that this belongs to, or [`TraceId::NONE`].
    pub trace: TraceId,
    /// The message with its attempt, or [`MessageId::NONE`].
    pub message: MessageId,
    /// The message (with its attempt) that caused this one: set on `Intended` and on every kind
    /// that opens an attempt, [`MessageId::NONE`] at a root and on all other kinds.
    pub parent: MessageId,
    /// First value; its meaning is the kind's ([`crate::KindInfo::a`]).
    pub a: u64,
    /// Second value; its meaning is the kind's ([`crate::KindInfo::b`]).
    pub b: u64,
    /// Where it was stamped, or [`PlaceIndex::NONE`] for the run as a whole.
    pub place: PlaceIndex,
    /// What happened.
    pub kind: Kind,
    /// The link that the message passes over, or [`LinkIndex::NONE`].
    pub link: LinkIndex,
}

impl Event {
    /// An event with nothing but its time and kind: no place, link, trace, message or parent, and
    /// both values 0. What stamps fills in the rest with struct update syntax.
    #[must_use]
    pub const fn new(time: i64, kind: Kind) -> Self {
        Self {
            time,
            trace: TraceId::NONE,
            message: MessageId::NONE,
            parent: MessageId::NONE,
            a: 0,
            b: 0,
            place: PlaceIndex::NONE,
            kind,
            link: LinkIndex::NONE,
        }
    }

    /// The status that `a` carries, without the mark of a late one; for kinds whose `a` is a
    /// [`crate::kind::ValueMeaning::Status`].
    #[must_use]
    pub const fn status(&self) -> u64 {
        self.a & !LATE
    }

    /// Whether this closes an attempt that was closed already (a reply after the timeout). It
    /// then counts in no latency figure, and the attempt is not closed twice.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.a & LATE != 0 && self.kind.info().is_some_and(|info| info.attempt == Attempt::Closes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_56_bytes() {
        assert_eq!(size_of::<Event>(), 56);
    }

    #[test]
    fn only_a_closing_event_can_be_late() {
        let late = |kind| Event { a: LATE | 200, ..Event::new(0, kind) }.is_late();
        assert!(late(Kind::COMPLETED));
        assert_eq!(Event { a: LATE | 200, ..Event::new(0, Kind::COMPLETED) }.status(), 200);
        assert!(!late(Kind::INTENDED));
        assert!(!late(Kind(60_000)));
        assert!(!Event { a: 200, ..Event::new(0, Kind::COMPLETED) }.is_late());
    }
}
