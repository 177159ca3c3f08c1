//! Which dots there are at a time of the run.

use super::live::{self, Stretch};
use super::{Dot, MAX_DOTS, Shape, Stage};
use crate::buffer::{Journey, Leg, RunBuffer};
use crate::geometry::Point;

/// What to draw.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Picture {
    /// A replay at this time, ns on the run's clock; what ended badly stays to be seen for so many ns.
    Replay {
        /// The time.
        time: i64,
        /// How long a bad end is shown.
        linger: i64,
    },
    /// The run as it goes on, each trace stretched by itself.
    Live {
        /// The time of the head, ns on the run's clock.
        time: i64,
    },
}

/// The dots of one instant; kept from frame to frame, so that its memory is.
#[derive(Debug, Default)]
pub struct Layout {
    /// The dots, in the order of painting.
    pub dots: Vec<Dot>,
    /// How many messages one dot stands for: a power of two.
    pub messages_per_dot: u32,
    /// What stands in queues: place, order, dot.
    queued: Vec<(u32, u32, usize)>,
    /// By place: messages that wait and workers that are held. All of them, also those without a dot.
    pub levels: Vec<Level>,
}

/// What a place holds.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Level {
    /// Messages that wait for a worker.
    pub waiting: u32,
    /// Workers that are held.
    pub busy: u32,
}

impl Layout {
    /// Puts the dots of a buffer on a stage.
    pub fn update(&mut self, buffer: &RunBuffer, stage: &Stage, picture: Picture) {
        self.update_with(buffer, stage, picture, MAX_DOTS);
    }

    /// As [`Layout::update`], with at most so many dots.
    pub fn update_with(&mut self, buffer: &RunBuffer, stage: &Stage, picture: Picture, most: usize) {
        self.clear(stage);
        match picture {
            Picture::Replay { time, linger } => self.replay(buffer, stage, time, linger, most),
            Picture::Live { time } => self.live(buffer, stage, time, most),
        }
    }

    fn clear(&mut self, stage: &Stage) {
        self.dots.clear();
        self.queued.clear();
        self.levels.clear();
        self.levels.resize(stage.places.len(), Level::default());
    }

    fn replay(&mut self, buffer: &RunBuffer, stage: &Stage, time: i64, linger: i64, most: usize) {
        let Some(journeys) = buffer.journeys() else {
            self.messages_per_dot = 1;
            return;
        };
        let from = time.saturating_sub(linger);
        // How many there are is known at the end only; mostly it is as the frame before had it.
        let mut sampling = self.messages_per_dot.max(1);
        loop {
            let mut shown = 0_usize;
            for (row, journey) in journeys.alive_between(from, time) {
                let rank = self.count(journey, time);
                // Work that its caller has given up is counted, and has no dot; of what is over, only a bad end has one.
                let ends_shown = if journey.ends_badly() { from } else { time };
                if journey.gone_at().is_some_and(|gone| gone < ends_shown) {
                    continue;
                }
                shown += 1;
                // In a queue all have their place, also those without a dot.
                if row.is_multiple_of(sampling) {
                    let queued = journey.is_queued_at(time).then_some((journey.queue.0, journey.copy_of));
                    self.put(dot(journey, stage, time, rank), queued);
                }
            }
            self.messages_per_dot = per_dot(shown, most);
            if self.messages_per_dot == sampling {
                break;
            }
            sampling = self.messages_per_dot;
            self.clear(stage);
        }
        self.line_up(stage, sampling);
    }

    /// Adds a dot; one that stands in a queue gets its place there by [`Layout::line_up`].
    fn put(&mut self, dot: Option<Dot>, queued: Option<(u32, u32)>) {
        let Some(dot) = dot else { return };
        if let Some((place, order)) = queued {
            self.queued.push((place, order, self.dots.len()));
        }
        self.dots.push(dot);
    }

    /// Gives what stands in queues its place: the oldest at the front, also what went back there.
    fn line_up(&mut self, stage: &Stage, messages_per_dot: u32) {
        self.queued.sort_unstable();
        let (mut before, mut rank) = (None, 0);
        for (place, _, dot) in &self.queued {
            rank = if before == Some(*place) { rank + messages_per_dot as usize } else { 0 };
            before = Some(*place);
            let place = stage.places.get(*place as usize).and_then(Option::as_ref);
            if let (Some(place), Some(dot)) = (place, self.dots.get_mut(*dot)) {
                dot.at = place.waiting(rank);
            }
        }
    }

    /// Counts the message at the place that has it; answers how many were waiting there before it.
    fn count(&mut self, journey: &Journey, time: i64) -> usize {
        let Some(level) = self.levels.get_mut(journey.to.0 as usize) else { return 0 };
        let before = level.waiting;
        match journey.held_at(time) {
            Some(Leg::Waiting) => level.waiting += 1,
            Some(Leg::Working) => level.busy += 1,
            _ => {}
        }
        before as usize
    }

    fn live(&mut self, buffer: &RunBuffer, stage: &Stage, time: i64, most: usize) {
        self.messages_per_dot = 1;
        let (Some(journeys), Some(state)) = (buffer.journeys(), buffer.state()) else { return };
        let to_u32 = |level: i64| u32::try_from(level.max(0)).unwrap_or(u32::MAX);
        for (level, place) in self.levels.iter_mut().zip(state.places()) {
            *level = Level { waiting: to_u32(place.waiting), busy: to_u32(place.busy) };
        }
        let stretch = Stretch::new(buffer.median_flight(), buffer.median_hold());
        let traces = buffer.traces();
        let first = traces.partition_point(|trace| trace.began < time.saturating_sub(live::LONGEST));
        let end = traces.partition_point(|trace| trace.began <= time);
        self.messages_per_dot = per_dot(end.saturating_sub(first), most);
        let step = self.messages_per_dot as usize;
        let (mut ranks, mut stamps) = (vec![0_usize; stage.places.len()], Vec::new());
        for trace in traces.get(first.next_multiple_of(step)..end).unwrap_or(&[]).iter().step_by(step) {
            if Stretch::is_past(trace, time) {
                continue;
            }
            let attempts = journeys.chain(trace.first_journey).map(|(_, row)| row);
            let Some(moment) = stretch.moment(attempts, time, &mut stamps) else { continue };
            for (_, journey) in journeys.chain(trace.first_journey).filter(|(_, row)| moment.shows(row)) {
                let leg = journey.leg_at(moment.time);
                let waits = leg == Leg::Waiting;
                let rank = ranks.get_mut(journey.to.0 as usize).map_or(0, |rank| {
                    *rank += usize::from(waits);
                    *rank - usize::from(waits)
                });
                let queued = (leg == Leg::Queued).then_some((journey.queue.0, journey.copy_of));
                self.put(dot(journey, stage, moment.time, rank), queued);
            }
        }
        self.line_up(stage, 1);
    }
}

/// The least power of two by which so many dots become few enough.
fn per_dot(count: usize, most: usize) -> u32 {
    u32::try_from(count.div_ceil(most.max(1)).max(1).next_power_of_two()).unwrap_or(1 << 31)
}

/// A message's dot at a time from its sending on; `rank` others wait before it.
fn dot(journey: &Journey, stage: &Stage, time: i64, rank: usize) -> Option<Dot> {
    let link = stage.links.get(usize::from(journey.link.0))?.as_ref()?;
    let bad = journey.ends_badly();
    let gone = journey.gone_at();
    let over = gone.is_some_and(|gone| time >= gone);
    if !bad && gone.is_some_and(|gone| time > gone) {
        return None;
    }
    // What is over is shown where it was last.
    let leg = journey.leg_at(gone.filter(|_| over).unwrap_or(time));
    let place = || stage.places.get(journey.to.0 as usize)?.as_ref();
    let at: Point = match leg {
        Leg::Request(t) => match stage.onward(journey) {
            Some(onward) if t >= 0.5 => onward.path.at(t * 2.0 - 1.0),
            Some(_) => link.path.at(t * 2.0),
            None => link.path.at(t),
        },
        Leg::Reply(t) => link.path.at(1.0 - t),
        Leg::Waiting => place()?.waiting(rank),
        Leg::Working => place()?.worker(journey.worker),
        Leg::Queued => stage.places.get(journey.queue.0 as usize)?.as_ref()?.waiting(0),
        Leg::Over => return None,
    };
    let shape = match leg {
        _ if over && bad => Shape::Bad,
        Leg::Reply(_) if bad => Shape::Bad,
        Leg::Reply(_) => Shape::Reply,
        Leg::Queued => Shape::Queued,
        _ if link.carries_replies => Shape::Reply,
        _ => Shape::Request,
    };
    Some(Dot { at, shape, color: link.color, trace: journey.trace })
}
