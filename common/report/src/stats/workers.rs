//! How long the workers of each place had something to do.

use std::ops::Range;

use hopscope_record::{Event, KindInfo};

use super::Span;
use crate::numbered::Numbered;

/// The integral of busy workers over the measured phase, by place.
#[derive(Default)]
pub(super) struct Workers {
    places: Numbered<Busy>,
    /// When the measured phase began, and when it ended.
    from: Option<i64>,
    to: Option<i64>,
}

#[derive(Clone, Copy, Default)]
struct Busy {
    now: i64,
    /// Since when so many are busy.
    since: i64,
    /// Worker times ns, up to then.
    sum: i128,
}

impl Workers {
    pub(super) fn begin(&mut self, time: i64) {
        self.places.values_mut().for_each(|busy| (busy.since, busy.sum) = (time, 0));
        (self.from, self.to) = (Some(time), None);
    }

    /// Ends the measured phase, if it lasts.
    pub(super) fn end(&mut self, time: i64) {
        if self.from.is_some() && self.to.is_none() {
            self.places.values_mut().for_each(|busy| busy.pass(time));
            self.to = Some(time);
        }
    }

    pub(super) fn take(&mut self, event: &Event, info: &KindInfo) {
        let steps = info.steps;
        if (steps.busy == 0 && !steps.empties) || event.place.is_none() {
            return;
        }
        let (from, over) = (self.from.unwrap_or(i64::MAX), self.to.is_some());
        let busy = self
            .places
            .get_or_insert_with(u64::from(event.place.0), || Busy { since: event.time.max(from), ..Busy::default() });
        if event.time >= from && !over {
            busy.pass(event.time);
        }
        busy.now = if steps.empties { 0 } else { busy.now + i64::from(steps.busy) };
    }

    /// The share of a phase that the workers of these places had something to do, each place with so many.
    pub(super) fn utilisation(&self, phase: Span, places: Range<u32>, workers: u32) -> Option<f64> {
        let to = self.to.unwrap_or(phase.to);
        let length = to.checked_sub(self.from?).filter(|length| *length > 0)?;
        let capacity = length as f64 * f64::from(workers) * places.len() as f64;
        let until = |mut busy: Busy| {
            if self.to.is_none() {
                busy.pass(to);
            }
            busy.sum
        };
        let sum: i128 = places.filter_map(|place| self.places.get(u64::from(place))).map(|busy| until(*busy)).sum();
        (capacity > 0.0).then(|| sum as f64 / capacity)
    }
}

impl Busy {
    fn pass(&mut self, time: i64) {
        self.sum += i128::from(self.now) * i128::from((time - self.since).max(0));
        self.since = time.max(self.since);
    }
}
