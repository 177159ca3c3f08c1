//! What encoder and decoder both keep, so that they predict the same.

use crate::event::Event;
use crate::id::{LinkIndex, MessageId, PlaceIndex, SourceId, TraceId};
use crate::kind::Kind;

/// Bits of a control byte; the format's own, see docs/recording-format.md.
pub(super) mod control {
    /// The origin is not the one of the site's event before: its row follows.
    pub(crate) const ORIGIN: u8 = 1;
    /// The message's number is not the predicted one: the difference follows.
    pub(crate) const MESSAGE: u8 = 1 << 1;
    /// The trace's number is not the predicted one: the difference follows.
    pub(crate) const TRACE: u8 = 1 << 2;
    /// The parent's number is not the predicted one: the difference follows.
    pub(crate) const PARENT: u8 = 1 << 3;
    /// `a` is not the one before: the difference to that follows.
    pub(crate) const A_FROM_LAST: u8 = 1 << 4;
    /// `a` is not the one before: the difference to the event's time follows.
    pub(crate) const A_FROM_TIME: u8 = 1 << 5;
    /// `b` is not the one before: the difference follows.
    pub(crate) const B: u8 = 1 << 6;
    /// Has no meaning.
    pub(crate) const UNUSED: u8 = 1 << 7;
}

pub(super) const COUNTER_MASK: u64 = (1 << 40) - 1;
pub(super) const TRACE_COUNTER_MASK: u64 = (1 << 48) - 1;

/// Kind, link and place in one word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Site(pub(super) u64);

impl Site {
    #[inline]
    pub(super) const fn of(event: &Event) -> Self {
        Self::new(event.kind, event.link, event.place)
    }

    #[inline]
    pub(super) const fn new(kind: Kind, link: LinkIndex, place: PlaceIndex) -> Self {
        Self(((kind.0 as u64) << 48) | ((link.0 as u64) << 32) | place.0 as u64)
    }

    #[inline]
    pub(super) const fn kind(self) -> Kind {
        Kind((self.0 >> 48) as u16)
    }

    #[inline]
    pub(super) const fn link(self) -> LinkIndex {
        LinkIndex((self.0 >> 32) as u16)
    }

    #[inline]
    pub(super) const fn place(self) -> PlaceIndex {
        PlaceIndex(self.0 as u32)
    }
}

/// Sources and attempts of message, parent and trace in one word: all of the ids but their
/// numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin(pub(super) u64);

impl Origin {
    #[inline]
    pub(super) const fn of(event: &Event) -> Self {
        Self::new(
            (event.message.source(), event.message.attempt()),
            event.trace.source(),
            (event.parent.source(), event.parent.attempt()),
        )
    }

    #[inline]
    pub(super) const fn new(message: (SourceId, u8), trace: SourceId, parent: (SourceId, u8)) -> Self {
        Self(
            ((message.0.0 as u64) << 48)
                | ((message.1 as u64) << 40)
                | ((trace.0 as u64) << 24)
                | ((parent.0.0 as u64) << 8)
                | parent.1 as u64,
        )
    }

    #[inline]
    pub(super) const fn message_source(self) -> SourceId {
        SourceId((self.0 >> 48) as u16)
    }

    #[inline]
    pub(super) const fn message_attempt(self) -> u8 {
        (self.0 >> 40) as u8
    }

    #[inline]
    pub(super) const fn trace_source(self) -> SourceId {
        SourceId((self.0 >> 24) as u16)
    }

    #[inline]
    pub(super) const fn parent_source(self) -> SourceId {
        SourceId((self.0 >> 8) as u16)
    }

    #[inline]
    pub(super) const fn parent_attempt(self) -> u8 {
        self.0 as u8
    }
}

/// The numbers of an event's ids, without sources and attempts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) message: u64,
    pub(super) trace: u64,
    pub(super) parent: u64,
}

/// What was last said at one site by one origin.
#[derive(Clone, Copy)]
pub(super) struct Context {
    last: Numbers,
    pub(super) a: u64,
    pub(super) b: u64,
}

impl Context {
    pub(super) const NEW: Self = Self { last: Numbers { message: 0, trace: 0, parent: 0 }, a: 0, b: 0 };

    /// The message after the last one, or none if the origin says none.
    #[inline]
    pub(super) fn message(&self, origin: Origin) -> u64 {
        let none = origin.0 >> 40 == 0;
        if none { 0 } else { self.last.message.wrapping_add(1) & COUNTER_MASK }
    }

    /// The trace as far from the last one as `message` is from the last message.
    #[inline]
    pub(super) fn trace(&self, origin: Origin, message: u64) -> u64 {
        let step = message.wrapping_sub(self.last.message);
        if origin.trace_source().0 == 0 { 0 } else { self.last.trace.wrapping_add(step) & TRACE_COUNTER_MASK }
    }

    /// The parent as far from the last one as `message` is from the last message.
    #[inline]
    pub(super) fn parent(&self, origin: Origin, message: u64) -> u64 {
        let step = message.wrapping_sub(self.last.message);
        let none = origin.0 & 0xff_ffff == 0;
        if none { 0 } else { self.last.parent.wrapping_add(step) & COUNTER_MASK }
    }

    #[inline]
    pub(super) fn remember(&mut self, numbers: Numbers, a: u64, b: u64) {
        *self = Self { last: numbers, a, b };
    }
}

const CONTEXTS: usize = 1024;

/// A context for each site and origin; far apart ones may share, which costs bytes and nothing
/// else.
pub(super) struct Contexts(Box<[Context]>);

impl Contexts {
    pub(super) fn new() -> Self {
        Self(vec![Context::NEW; CONTEXTS].into_boxed_slice())
    }

    pub(super) fn clear(&mut self) {
        self.0.fill(Context::NEW);
    }

    #[inline]
    pub(super) fn at(&mut self, site: u32, origin: u32) -> &mut Context {
        let slot = site.wrapping_mul(37).wrapping_add(origin) as usize % CONTEXTS;
        &mut self.0[slot]
    }
}

/// The event that site, origin and numbers make.
#[inline]
pub(super) const fn assemble(time: i64, site: Site, origin: Origin, numbers: Numbers, a: u64, b: u64) -> Event {
    Event {
        time,
        trace: TraceId::new(origin.trace_source(), numbers.trace),
        message: MessageId::new(origin.message_source(), numbers.message, origin.message_attempt()),
        parent: MessageId::new(origin.parent_source(), numbers.parent, origin.parent_attempt()),
        a,
        b,
        place: site.place(),
        kind: site.kind(),
        link: site.link(),
    }
}
