//! The figures of the run bar, from the fold.

use hopscope_record::kind::{LinkCount, Phase};
use hopscope_record::state::{LinkState, State};

use super::FrameRow;

const SECOND: i64 = 1_000_000_000;

/// What the links that schedules feed came to: what a person asked for. What services then call and publish by themselves,
/// replies through a queue among it, is told by the link.
fn roots(state: &State) -> impl Iterator<Item = &LinkState> {
    state.links().iter().filter(|link| link.count(LinkCount::Intended) > 0)
}

fn sent(state: &State) -> u64 {
    roots(state).map(|link| link.count(LinkCount::Sent)).sum()
}

/// What those links came to after a frame.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Totals {
    pub(super) events: u64,
    pub(super) sent: u64,
}

impl Totals {
    pub(super) fn of(state: &State) -> Self {
        Self { events: state.events, sent: sent(state) }
    }
}

/// What the run bar shows.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub struct Figures {
    /// Messages that a schedule wanted.
    pub intended: u64,
    /// Of these, given up before they were sent.
    pub not_sent: u64,
    /// Attempts made, over the links that schedules feed.
    pub sent: u64,
    /// Of these, closed as they should be: by a good reply, or by a confirm where no reply is awaited.
    pub completed: u64,
    /// Attempts that are open.
    pub in_flight: i64,
    /// Attempts closed in any other way.
    pub errors: u64,
    /// Attempts per second: over the last second of a run that goes on, over its measured phase after the end.
    pub rate: Option<f64>,
    /// ns since the measured clock's zero; 0 before.
    pub elapsed: i64,
    /// The phase.
    pub phase: Option<Phase>,
    /// Events recorded.
    pub events: u64,
}

/// When load was offered and measured.
pub(super) struct Offered<'a> {
    /// The phases in the order they began, with their times.
    pub(super) phases: &'a [(Phase, i64)],
    /// What the links had come to when the measured phase began.
    pub(super) before: Option<Totals>,
}

pub(super) fn figures(state: &State, frames: &[FrameRow], offered: &Offered<'_>, head: i64, ended: bool) -> Figures {
    let sum = |count| -> u64 { roots(state).map(|link| link.count(count)).sum() };
    let errors = [LinkCount::Failed, LinkCount::TimedOut, LinkCount::Refused, LinkCount::Cancelled];
    let (sent, errors) = (sum(LinkCount::Sent), errors.into_iter().map(sum).sum::<u64>());
    let in_flight: i64 = roots(state).map(|link| link.open).sum();
    Figures {
        intended: sum(LinkCount::Intended),
        not_sent: sum(LinkCount::NotSent),
        sent,
        completed: sent.saturating_sub(errors).saturating_sub(in_flight.max(0).unsigned_abs()),
        in_flight,
        errors,
        rate: if ended { mean_rate(state, offered) } else { recent_rate(frames) },
        elapsed: head.max(0),
        phase: if ended { Some(Phase::End) } else { state.phase },
        events: state.events,
    }
}

/// Attempts per second while load was measured.
fn mean_rate(state: &State, offered: &Offered<'_>) -> Option<f64> {
    let began = |wanted| offered.phases.iter().find(|(phase, _)| *phase == wanted).map(|(_, time)| *time);
    let length = began(Phase::Drain)? - began(Phase::Measured)?.max(0);
    let sent = sent(state).saturating_sub(offered.before?.sent);
    (length > 0).then(|| sent as f64 / (length as f64 / SECOND as f64))
}

/// Attempts per second over the last second.
fn recent_rate(frames: &[FrameRow]) -> Option<f64> {
    let last = frames.last()?;
    let since = (last.cut - SECOND).max(0);
    // Nothing was sent before the first frame, or a Keyframe stands for what was.
    let oldest = frames.first().filter(|first| first.stands_for_earlier);
    let first = frames.iter().rev().find(|frame| frame.cut <= since).or(oldest);
    let (sent, cut) = first.map_or((0, 0), |frame| (frame.totals.sent, frame.cut.max(0)));
    let length = last.cut - cut;
    // Less than a fifth of a second says nothing about a second.
    (length >= SECOND / 5).then(|| (last.totals.sent - sent) as f64 / (length as f64 / SECOND as f64))
}

/// Spreads each frame's events evenly from the cut before it to its own.
pub(super) fn density(frames: [&[FrameRow]; 2], (from, to): (i64, i64), columns: usize) -> Vec<u64> {
    let mut density = vec![0.0; columns];
    let scale = columns as f64 / (to - from).max(1) as f64;
    let (mut before, mut events_before) = (from, 0);
    for frame in frames.into_iter().flatten() {
        let events = frame.totals.events.saturating_sub(events_before) as f64;
        let left = ((before.clamp(from, to) - from) as f64 * scale).min(columns as f64);
        let right = ((frame.cut.clamp(from, to) - from) as f64 * scale).min(columns as f64);
        // What a Keyframe stands for happened before it, nobody knows when.
        if !frame.stands_for_earlier {
            spread(&mut density, left, right, events);
        }
        (before, events_before) = (frame.cut, frame.totals.events);
    }
    density.into_iter().map(|events: f64| events.round() as u64).collect()
}

fn spread(density: &mut [f64], left: f64, right: f64, events: f64) {
    if right <= left {
        return;
    }
    for (column, total) in density.iter_mut().enumerate().skip(left as usize).take((right - left) as usize + 2) {
        let overlap = (right.min(column as f64 + 1.0) - left.max(column as f64)).max(0.0);
        *total += events * overlap / (right - left);
    }
}
