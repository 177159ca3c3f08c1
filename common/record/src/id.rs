//! Numbers that name things: places, links, names, sources, traces and messages.
//!
//! Everything here is a newtype over an integer, so that a link can never be passed for a place.
//! Tables (of places, links and names) belong to the plan and to the Names frames; this module
//! only names their rows. Ids are minted without coordination: whoever holds a [`Minter`] has a
//! source of its own, and no two sources are equal within one run.

use std::fmt;

/// A row of the plan's table of places. [`PlaceIndex::NONE`] stands for the run as a whole.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PlaceIndex(pub u32);

impl PlaceIndex {
    /// No place: the event concerns the run as a whole, as a change of phase does.
    pub const NONE: Self = Self(u32::MAX);

    /// Whether this names no place.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == u32::MAX
    }
}

/// A row of the plan's table of links. [`LinkIndex::NONE`] stands for "on no link".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LinkIndex(pub u16);

impl LinkIndex {
    /// No link: the event happened at a place, not on a connection.
    pub const NONE: Self = Self(u16::MAX);

    /// Whether this names no link.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == u16::MAX
    }
}

/// A row of the run's append-only list of strings, which the Names frames carry. From 0.
///
/// In an event's value it stands as row + 1, so that 0 says "no text"
/// ([`NameIndex::to_value`], [`NameIndex::from_value`]).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NameIndex(pub u32);

impl NameIndex {
    /// How a value of an event carries an optional name: row + 1, or 0 for none.
    #[must_use]
    pub fn to_value(name: Option<Self>) -> u64 {
        name.map_or(0, |name| u64::from(name.0) + 1)
    }

    /// The name that a value of an event carries; `None` for 0 and for what is no row.
    #[must_use]
    pub fn from_value(value: u64) -> Option<Self> {
        u32::try_from(value.checked_sub(1)?).ok().map(Self)
    }
}

/// A number that the run hands out once: one per ring, one per consumer channel, a range per
/// child process. Handed-out sources begin at 1; 0 is never handed out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SourceId(pub u16);

/// The first half of every trace-id of a run on the wire. Random, never 0, new for each run, so
/// that a message of another run (or of a program with its own tracing) is told apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RunKey(pub u64);

impl fmt::Debug for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunKey({:016x})", self.0)
    }
}

const COUNTER_BITS: u32 = 40;
const COUNTER_MASK: u64 = (1 << COUNTER_BITS) - 1;
const TRACE_COUNTER_BITS: u32 = 48;
const TRACE_COUNTER_MASK: u64 = (1 << TRACE_COUNTER_BITS) - 1;
const ATTEMPT_BITS: u32 = 8;

/// One request or event with all that it causes: source (16 bits), counter (48 bits); 0 is none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId(pub u64);

impl TraceId {
    /// No trace: the event belongs to a place or to the run.
    pub const NONE: Self = Self(0);

    /// The trace with this number at this source. Bits of `counter` above 48 are dropped.
    #[must_use]
    pub const fn new(source: SourceId, counter: u64) -> Self {
        Self(((source.0 as u64) << TRACE_COUNTER_BITS) | (counter & TRACE_COUNTER_MASK))
    }

    /// Who minted it.
    #[must_use]
    pub const fn source(self) -> SourceId {
        SourceId((self.0 >> TRACE_COUNTER_BITS) as u16)
    }

    /// Its number at its source, below 2^48.
    #[must_use]
    pub const fn counter(self) -> u64 {
        self.0 & TRACE_COUNTER_MASK
    }

    /// Whether this names no trace.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceId({}.{})", self.source().0, self.counter())
    }
}

/// One attempt of one passage over one link: source (16 bits), counter (40 bits), attempt
/// (8 bits, from 1); 0 is none.
///
/// A retry is the same message with another attempt: [`MessageId::message`] is equal, the id is
/// not. On the wire it is the span id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

impl MessageId {
    /// No message: no parent, or an event that belongs to a place or to the run.
    pub const NONE: Self = Self(0);

    /// The message with this number at this source, in this attempt. Bits of `counter` above 40
    /// are dropped.
    #[must_use]
    pub const fn new(source: SourceId, counter: u64, attempt: u8) -> Self {
        Self(
            ((source.0 as u64) << (COUNTER_BITS + ATTEMPT_BITS))
                | ((counter & COUNTER_MASK) << ATTEMPT_BITS)
                | attempt as u64,
        )
    }

    /// Who minted it.
    #[must_use]
    pub const fn source(self) -> SourceId {
        SourceId((self.0 >> (COUNTER_BITS + ATTEMPT_BITS)) as u16)
    }

    /// Its number at its source, below 2^40.
    #[must_use]
    pub const fn counter(self) -> u64 {
        (self.0 >> ATTEMPT_BITS) & COUNTER_MASK
    }

    /// Which try of the sender's policy this is, from 1 to 255; 0 only in [`MessageId::NONE`].
    #[must_use]
    pub const fn attempt(self) -> u8 {
        (self.0 & 0xff) as u8
    }

    /// The same message in another attempt.
    #[must_use]
    pub const fn with_attempt(self, attempt: u8) -> Self {
        Self((self.0 & !0xff) | attempt as u64)
    }

    /// The message without its attempt: equal for all attempts of one message, and so the key to
    /// group them by. Not an id to send or to record.
    #[must_use]
    pub const fn message(self) -> u64 {
        self.0 >> ATTEMPT_BITS
    }

    /// Whether this names no message.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageId({}.{}#{})", self.source().0, self.counter(), self.attempt())
    }
}

/// Mints the ids of one source, from one counter that begins at 1.
///
/// The counter has 40 bits: at a million messages a second it lasts for twelve days, longer than
/// a run may. It wraps within its own bits, so that it can never spill into another source.
#[derive(Debug)]
pub struct Minter {
    source: SourceId,
    next: u64,
}

impl Minter {
    /// A minter for a source that nobody else holds.
    #[must_use]
    pub const fn new(source: SourceId) -> Self {
        Self { source, next: 1 }
    }

    /// The source it mints for.
    #[must_use]
    pub const fn source(&self) -> SourceId {
        self.source
    }

    /// A new trace and its root message in attempt 1. Both take the same number, so that one can
    /// be told from the other in a listing and costs nothing in the codec.
    pub fn root(&mut self) -> (TraceId, MessageId) {
        let number = self.number();
        (TraceId::new(self.source, number), MessageId::new(self.source, number, 1))
    }

    /// A new message in attempt 1, within a trace that exists.
    pub fn message(&mut self) -> MessageId {
        let number = self.number();
        MessageId::new(self.source, number, 1)
    }

    fn number(&mut self) -> u64 {
        let number = self.next;
        // 0 is left out: with source 0 it would be "none".
        self.next = if number == COUNTER_MASK { 1 } else { number + 1 };
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_ids_come_back() {
        let trace = TraceId::new(SourceId(0xfffe), TRACE_COUNTER_MASK);
        assert_eq!((trace.source(), trace.counter()), (SourceId(0xfffe), TRACE_COUNTER_MASK));
        let message = MessageId::new(SourceId(7), COUNTER_MASK, 255);
        assert_eq!((message.source(), message.counter(), message.attempt()), (SourceId(7), COUNTER_MASK, 255));
        assert_eq!(message.with_attempt(2).message(), message.message());
        assert_eq!(message.with_attempt(2).attempt(), 2);
    }

    #[test]
    fn a_counter_too_wide_stays_out_of_the_source() {
        assert_eq!(MessageId::new(SourceId(1), u64::MAX, 1).source(), SourceId(1));
        assert_eq!(TraceId::new(SourceId(1), u64::MAX).source(), SourceId(1));
    }

    #[test]
    fn minted_ids_are_never_none_and_never_repeat() {
        let mut minter = Minter::new(SourceId(3));
        let (trace, root) = minter.root();
        assert_eq!((trace.counter(), root.counter(), root.attempt()), (1, 1, 1));
        assert_ne!(minter.message().message(), root.message());
        minter.next = COUNTER_MASK;
        assert_eq!(minter.message().counter(), COUNTER_MASK);
        assert_eq!(minter.message(), MessageId::new(SourceId(3), 1, 1));
    }

    #[test]
    fn an_optional_name_goes_through_a_value() {
        for name in [None, Some(NameIndex(0)), Some(NameIndex(u32::MAX))] {
            assert_eq!(NameIndex::from_value(NameIndex::to_value(name)), name);
        }
        assert_eq!(NameIndex::from_value(u64::MAX), None);
    }
}
