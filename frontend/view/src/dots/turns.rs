//! With which frames of a busy picture its figures are told.

use super::MANY;

/// Frames from one telling to the next where dots are many: five a second at sixty frames.
const EVERY: u32 = 12;

/// Tells time and levels with every frame while they can be followed. Where dots are many the numbers change faster than
/// anybody reads: they are told together, since what a browser does for the first change of a page's text it need not do
/// for the second, and the frames between are the dots' alone.
#[derive(Clone, Copy, Default, Debug)]
pub struct Turns {
    frame: u32,
}

impl Turns {
    /// Whether to tell with the next frame, which has so many dots.
    pub fn is_due(&mut self, dots: usize, playing: bool) -> bool {
        if !playing || dots <= MANY {
            self.frame = 0;
            return true;
        }
        let frame = self.frame;
        self.frame = (frame + 1) % EVERY;
        frame == 0
    }
}
