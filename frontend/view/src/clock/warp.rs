//! The warp of a replay: how much screen time each stretch of the run takes.

use crate::buffer::{Span, Tempo, Tempos};

const SECOND: f64 = 1e9;
/// Screen time of the median passage, to scale.
const PASSAGE: f64 = 1.5 * SECOND;
/// Screen time of the median way over a link, evened.
const FLIGHT: f64 = 0.5 * SECOND;
/// Screen time of the median stay at a receiver, evened.
const HOLD: f64 = 0.6 * SECOND;
/// Most screen time of a stretch in which messages are only held, evened.
const HOLD_MOST: f64 = 1.5 * SECOND;
/// Most screen time of a stretch in which nothing is under way.
const IDLE_MOST: f64 = 0.25 * SECOND;
/// Passage to begin with, before the first one is known: 10 ms.
const UNKNOWN: f64 = 10e6;

/// Which times look how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scale {
    /// All at one factor; only what is idle is passed over.
    ToScale,
    /// Slow where messages travel, faster where they are held: each passage can be seen. Order is kept.
    Even,
}

/// A monotone map between screen time and run time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Warp {
    /// Screen ns per run ns while something is on a link.
    flying: f64,
    /// The same while messages are only held.
    held: f64,
    held_most: f64,
    /// How much faster than that a person wants it.
    speed: f64,
}

impl Warp {
    /// The warp for these medians in ns, `speed` times as fast as it would choose.
    #[must_use]
    pub fn new(scale: Scale, passage: Option<i64>, flight: Option<i64>, hold: Option<i64>, speed: f64) -> Self {
        let length = |median: Option<i64>| median.map_or(UNKNOWN, |ns| (ns.max(1)) as f64);
        match scale {
            Scale::ToScale => {
                let factor = (PASSAGE / length(passage)).max(1.0);
                Self { flying: factor, held: factor, held_most: f64::INFINITY, speed }
            }
            Scale::Even => {
                let flying = (FLIGHT / length(flight.or(passage))).max(1.0);
                // Not `clamp`: it would print floats where its ends are wrong, see [`crate::format::fixed`].
                let held = (HOLD / length(hold.or(passage))).max(1.0).min(flying);
                Self { flying, held, held_most: HOLD_MOST, speed }
            }
        }
    }

    /// How many times slower than it was the travelling of messages looks.
    #[must_use]
    pub fn factor(&self) -> f64 {
        self.flying / self.speed
    }

    /// How many times slower than it was the holding of messages looks.
    #[must_use]
    pub fn held_factor(&self) -> f64 {
        self.held / self.speed
    }

    /// Screen ns per run ns in a span of the run, which lasts from `extent.0` to `extent.1`.
    fn stretch(&self, span: Span, extent: (i64, i64)) -> f64 {
        let length = (span.to.min(extent.1).saturating_sub(span.from.max(extent.0))).max(1) as f64;
        let stretch = match span.tempo {
            Tempo::Flying => self.flying,
            Tempo::Held => self.held.min(self.held_most / length),
            Tempo::Idle => self.held.min(IDLE_MOST / length),
        };
        // Below this a tick would pass over hours.
        (stretch / self.speed).max(1e-6)
    }

    /// The run time after `screen` ns from `time` on; never past the end of `extent`.
    #[must_use]
    pub fn advance(&self, time: i64, screen: i64, tempos: &Tempos, extent: (i64, i64)) -> i64 {
        let mut time = time.max(extent.0);
        let mut left = screen.max(0) as f64;
        while time < extent.1 {
            let span = tempos.at(time);
            let stretch = self.stretch(span, extent);
            let end = span.to.min(extent.1);
            let needed = (end - time) as f64 * stretch;
            if needed > left {
                // At least a nanosecond, so that it never stands still.
                return (time + ((left / stretch) as i64).max(i64::from(left > 0.0))).min(end);
            }
            left -= needed;
            time = end;
        }
        extent.1
    }
}
