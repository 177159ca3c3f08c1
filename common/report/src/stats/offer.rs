//! What a client's schedule wanted, and what came of it.

use hopscope_record::PlaceIndex;

const NS_PER_S: f64 = 1e9;

/// When the measured phase was, ns on the run's clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// When it began.
    pub from: i64,
    /// When the next phase began, or of the last event so far.
    pub to: i64,
}

impl Span {
    /// So many of something in it, per second; `None` if it has no length.
    #[must_use]
    pub fn per_second(self, count: u64) -> Option<f64> {
        let length = self.to.saturating_sub(self.from);
        (length > 0).then(|| count as f64 * NS_PER_S / length as f64)
    }
}

/// What came of a client's schedule, over warm-up and measured phase.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Offer {
    /// The client's place.
    pub client: PlaceIndex,
    /// Requests that the schedule wanted while it was surely offered.
    pub wanted: u64,
    /// Requests that the generator came to.
    pub reached: u64,
    /// Events of the run that are not in its recording: some may be requests that it came to.
    pub lost: u64,
    /// For how long it was surely offered, ns.
    pub offered: u64,
    /// From when to when the generator was at it.
    pub span: Span,
}

impl Offer {
    /// What the schedule wanted per second; `None` if it was not offered for long enough to tell.
    #[must_use]
    pub fn wanted_per_second(&self) -> Option<f64> {
        (self.offered > 0).then(|| self.wanted as f64 * NS_PER_S / self.offered as f64)
    }

    /// What the generator came to per second.
    #[must_use]
    pub fn reached_per_second(&self) -> Option<f64> {
        self.span.per_second(self.reached)
    }

    /// Whether the generator was surely too slow for the schedule.
    #[must_use]
    pub const fn is_missed(&self) -> bool {
        self.reached.saturating_add(self.lost) < self.wanted
    }
}
