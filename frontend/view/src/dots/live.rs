//! The live picture: each trace stretched by itself to about 1.5 s on the screen.
//!
//! What stands in a queue stands there as long as it did, so that the bar is as full as the queue was. A way over a link takes between a quarter and a bit more than half a second, a stay at a receiver up to about a second,
//! and nothing less than it really took. So a trace is never drawn ahead of what is known of it.

use hopscope_scenario::plan::Passage;

use crate::buffer::{ABSENT, Journey, Trace};

const MS: f64 = 1e6;
/// Screen time of the median way over a link, and its limits.
const FLIGHT: f64 = 450.0 * MS;
const FLIGHT_LEAST: f64 = 250.0 * MS;
const FLIGHT_MOST: f64 = 700.0 * MS;
/// Screen time of the median stay, and its limits.
const HOLD: f64 = 600.0 * MS;
const HOLD_LEAST: f64 = 100.0 * MS;
const HOLD_MOST: f64 = 1_000.0 * MS;
/// How long a bad end is shown.
const LINGER: f64 = 600.0 * MS;
/// How long ago a trace may have begun and still be drawn, in ns.
pub(super) const LONGEST: i64 = 12_000_000_000;

/// Messages of a trace on links and in queues, or how many more there are of them.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct UnderWay {
    flying: i32,
    queued: i32,
}

const DEPARTS: UnderWay = UnderWay { flying: 1, queued: 0 };
const LANDS: UnderWay = UnderWay { flying: -1, queued: 0 };
const STAYS: UnderWay = UnderWay { flying: 0, queued: 0 };

/// How the stretching goes at present.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    flying: f64,
    held: f64,
}

/// Where a trace is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Moment {
    /// The time of the run whose picture is shown.
    pub(super) time: i64,
    /// Whether the trace is over and only its bad end is shown.
    lingers: bool,
}

impl Moment {
    /// Whether the attempt is part of the picture.
    pub(super) fn shows(&self, journey: &Journey) -> bool {
        let over = journey.gone_at().is_some_and(|gone| gone <= self.time);
        journey.sent <= self.time && if self.lingers { journey.ends_badly() } else { !over }
    }
}

impl Stretch {
    pub(super) fn new(flight: Option<i64>, hold: Option<i64>) -> Self {
        let factor = |screen: f64, median: Option<i64>| screen / median.unwrap_or(1_000_000).max(1) as f64;
        Self { flying: factor(FLIGHT, flight), held: factor(HOLD, hold) }
    }

    /// Screen time of a piece of a trace.
    fn screen(self, ns: i64, under_way: UnderWay) -> f64 {
        let ns = ns as f64;
        let wanted = if under_way.flying > 0 {
            (ns * self.flying).clamp(FLIGHT_LEAST, FLIGHT_MOST)
        } else if under_way.queued > 0 {
            ns
        } else {
            (ns * self.held).clamp(HOLD_LEAST, HOLD_MOST)
        };
        wanted.max(ns)
    }

    /// Whether a trace that has an end is over on the screen, however it was stretched: a look at the least that
    /// can be said of it, because most traces of the last seconds are.
    pub(super) fn is_past(trace: &Trace, now: i64) -> bool {
        // An attempt has four stamps, so a trace falls into fewer than four pieces for each.
        let pieces = f64::from(trace.hops) * 4.0;
        let longest = (trace.last - trace.began) as f64 + pieces * FLIGHT_MOST.max(HOLD_MOST) + LINGER;
        trace.finished().is_some() && trace.began.saturating_add(longest as i64) < now
    }

    /// What is shown of the trace with these attempts when the head is at `now`; `None` before and after. `stamps` is
    /// memory to be used again.
    pub(super) fn moment<'a>(
        self,
        attempts: impl Iterator<Item = &'a Journey>,
        now: i64,
        stamps: &mut Vec<(i64, UnderWay)>,
    ) -> Option<Moment> {
        let open = gather(attempts, stamps);
        let (mut time, _) = *stamps.first()?;
        let mut left = (now - time) as f64;
        if left < 0.0 {
            return None;
        }
        let mut under_way = DEPARTS;
        for &(next, change) in stamps.iter().skip(1) {
            if next > time {
                let screen = self.screen(next - time, under_way);
                if left < screen {
                    let time = time + ((next - time) as f64 * left / screen) as i64;
                    return Some(Moment { time, lingers: false });
                }
                left -= screen;
                time = next;
            }
            under_way.flying += change.flying;
            under_way.queued += change.queued;
        }
        if open {
            return Some(Moment { time, lingers: false });
        }
        (left < LINGER).then_some(Moment { time, lingers: true })
    }
}

/// When messages of a trace went onto links, came off them, and stood in queues, in the order of time; answers whether an
/// attempt has not closed.
fn gather<'a>(attempts: impl Iterator<Item = &'a Journey>, stamps: &mut Vec<(i64, UnderWay)>) -> bool {
    stamps.clear();
    let mut open = false;
    let known = |stamp: i64| Some(stamp).filter(|stamp| *stamp != ABSENT);
    for attempt in attempts {
        let (closed, received) = (known(attempt.closed), known(attempt.received));
        stamps.push((attempt.sent, DEPARTS));
        if attempt.passage != Passage::Call {
            // An end before the work is none.
            let gone = attempt.gone_at();
            open |= closed.is_none() || gone.is_none();
            let queued = known(attempt.queued);
            let put = queued.filter(|_| attempt.passage == Passage::Publish);
            stamps.extend(put.or(received).or(gone).map(|landed| (landed, LANDS)));
            stamps.extend(queued.map(|queued| (queued, UnderWay { flying: 0, queued: 1 })));
            stamps.extend(gone.map(|gone| (gone, UnderWay { flying: 0, queued: -i32::from(queued.is_some()) })));
            continue;
        }
        let replied = known(attempt.replied).filter(|at| closed.is_none_or(|closed| closed >= *at));
        open |= closed.is_none();
        stamps.extend(received.or(closed).map(|landed| (landed, LANDS)));
        stamps.extend(replied.map(|replied| (replied, DEPARTS)));
        stamps.extend(closed.map(|closed| (closed, if replied.is_some() { LANDS } else { STAYS })));
    }
    stamps.sort_unstable_by_key(|(time, _)| *time);
    open
}
