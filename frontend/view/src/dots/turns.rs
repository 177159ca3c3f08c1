//! Which figures of a busy picture are told with which frame.

use super::MANY;

/// Frames from one telling of a figure to its next where dots are many: five a second at sixty frames.
const EVERY: u32 = 12;

/// What is told beside the dots with one frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Told {
    /// The time: clock, scrubber, the charts' cursors.
    pub time: bool,
    /// What each node holds.
    pub levels: bool,
}

/// Tells everything with every frame while that can be followed. Where dots are many the numbers change faster than anybody
/// reads: time and levels then take turns, and the frames between are the dots' alone.
#[derive(Clone, Copy, Default, Debug)]
pub struct Turns {
    frame: u32,
}

impl Turns {
    /// What to tell with the next frame, which has so many dots.
    pub fn next(&mut self, dots: usize, playing: bool) -> Told {
        if !playing || dots <= MANY {
            self.frame = 0;
            return Told { time: true, levels: true };
        }
        let frame = self.frame;
        self.frame = (frame + 1) % EVERY;
        Told { time: frame == 0, levels: frame == EVERY / 2 }
    }
}
