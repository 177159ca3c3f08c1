//! The player's clock: from the time on a screen to the time of a run, pure.
//!
//! Two modes. *Live*: the time is the head's, smoothed; each trace is drawn stretched by itself ([`crate::dots`]), the
//! figures are in real time. *Replay*: one monotone warp for all ([`Warp`]); it goes on slowly where messages travel,
//! at most so long where they are only held, and passes over what is idle. The clock never asks what time it is: each
//! tick says how much screen time has passed.

mod warp;

pub use warp::{Scale, Warp};

use crate::buffer::Tempos;

#[cfg(test)]
mod tests;

const MS: i64 = 1_000_000;
/// How far behind the head the live time may fall before it jumps.
const MOST_BEHIND: i64 = 600 * MS;
/// How far behind the head it is put then: about two frames of the stream.
const BEHIND: i64 = 100 * MS;
/// How long the live picture goes on after the end, so that what is stretched comes home.
const TAIL: i64 = 1_800 * MS;

/// What the clock shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// The head of a run that goes on.
    Live,
    /// What is recorded, at a time of its own.
    Replay,
}

/// What the clock must know of the buffer at a tick.
#[derive(Clone, Copy)]
pub struct Timeline<'a> {
    /// Everything is known up to this, ns on the run's clock.
    pub head: i64,
    /// First and last time of a replay; `None` before the first message.
    pub extent: Option<(i64, i64)>,
    /// Whether nothing more comes.
    pub ended: bool,
    /// When what was going on.
    pub tempos: &'a Tempos,
}

/// The player's clock.
#[derive(Clone, PartialEq, Debug)]
pub struct Clock {
    mode: Mode,
    time: i64,
    playing: bool,
    /// Whether the replay after a live run begins by itself.
    replays_itself: bool,
}

impl Clock {
    /// A clock for a run that begins now. Without motion the replay waits for a person to start it.
    #[must_use]
    pub const fn live(motion: bool) -> Self {
        Self { mode: Mode::Live, time: i64::MIN, playing: true, replays_itself: motion }
    }

    /// What it shows.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// The time it shows, ns on the run's clock.
    #[must_use]
    pub const fn time(&self) -> i64 {
        self.time
    }

    /// Whether it goes on by itself.
    #[must_use]
    pub const fn is_playing(&self) -> bool {
        self.playing
    }

    /// Lets `screen` ns pass.
    pub fn tick(&mut self, screen: i64, timeline: Timeline<'_>, warp: &Warp) {
        if !self.playing {
            return;
        }
        match self.mode {
            Mode::Live => self.tick_live(screen, timeline),
            Mode::Replay => self.tick_replay(screen, timeline, warp),
        }
    }

    fn tick_live(&mut self, screen: i64, timeline: Timeline<'_>) {
        let Timeline { head, ended, .. } = timeline;
        let next = self.time.saturating_add(screen);
        if ended && next > head.saturating_add(TAIL) {
            self.begin_replay(timeline);
        } else if next < head.saturating_sub(MOST_BEHIND) {
            self.time = head.saturating_sub(BEHIND);
        } else {
            self.time = if ended { next } else { next.min(head) };
        }
    }

    fn tick_replay(&mut self, screen: i64, timeline: Timeline<'_>, warp: &Warp) {
        let Some(extent) = timeline.extent else { return };
        self.time = warp.advance(self.time, screen, timeline.tempos, extent);
        if self.time >= extent.1 {
            self.playing = false;
        }
    }

    /// Goes to the first message, in a replay that goes on by itself where motion is wanted.
    pub fn begin_replay(&mut self, timeline: Timeline<'_>) {
        self.rewind(timeline);
        self.playing = self.replays_itself;
    }

    /// Goes to the first message, in a replay.
    pub fn rewind(&mut self, timeline: Timeline<'_>) {
        self.mode = Mode::Replay;
        self.time = timeline.extent.map_or(timeline.head, |(first, _)| first);
    }

    /// Shows a time and stays there; a live picture becomes a replay.
    pub fn seek(&mut self, time: i64, timeline: Timeline<'_>) {
        let (first, last) = timeline.extent.unwrap_or((timeline.head, timeline.head));
        self.mode = Mode::Replay;
        self.playing = false;
        self.time = time.clamp(first, last.max(first));
    }

    /// Goes on; from the beginning, if at the end.
    pub fn play(&mut self, timeline: Timeline<'_>) {
        let at_end = timeline.extent.is_some_and(|(_, last)| self.time >= last);
        if self.mode == Mode::Replay && at_end {
            self.rewind(timeline);
        }
        self.playing = true;
    }

    /// Stays where it is; a live picture becomes a replay.
    pub fn pause(&mut self, timeline: Timeline<'_>) {
        self.seek(self.time, timeline);
    }

    /// Shows the head again, if the run still goes on.
    pub fn follow(&mut self, timeline: Timeline<'_>) {
        if !timeline.ended {
            *self = Self { mode: Mode::Live, time: timeline.head, playing: true, ..*self };
        }
    }
}

/// Which of a trace's events (at `times`, sorted) comes next when a person steps: from `current` if the clock still
/// shows it, else from the clock's time.
#[must_use]
pub fn step(times: &[i64], current: Option<usize>, time: i64, forward: bool) -> Option<usize> {
    let shown = current.filter(|index| times.get(*index) == Some(&time));
    let next = match (shown, forward) {
        (Some(index), true) => index.checked_add(1),
        (Some(index), false) => index.checked_sub(1),
        // From outside of the trace the first step leads into it, from either end.
        (None, true) => Some(times.partition_point(|at| *at <= time)).filter(|next| *next < times.len()).or(Some(0)),
        (None, false) => times.partition_point(|at| *at < time).checked_sub(1).or(times.len().checked_sub(1)),
    };
    next.filter(|index| *index < times.len()).or(shown)
}
