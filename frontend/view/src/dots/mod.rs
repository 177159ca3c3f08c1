//! Dots: every message where it is, from its own stamps.
//!
//! [`Stage`] says where links and places are on the canvas, [`Layout`] puts the dots there for a time of the run,
//! [`paint`] makes pixels of them. Layout never invents a position: a request is on its link between Sent and Received,
//! a reply between Replied and its closing event, and in between the message stands at its receiver, in the row of those
//! that wait or at the worker that has it. A message to a queue is on its link between Published and Enqueued, stands in the
//! queue until Delivered, and is on the taking link until Received.

mod layout;
mod live;
pub mod paint;
mod stage;
mod turns;

pub use layout::{Layout, Picture};
pub use stage::{Stage, StageLink, StagePlace};
pub use turns::Turns;

use crate::geometry::Point;

#[cfg(test)]
mod tests;

/// Most dots that are painted; above, every second, fourth, ... message is.
pub const MAX_DOTS: usize = 20_000;

/// From so many dots on they are small, and figures are told less often.
const MANY: usize = 4_000;

/// What a dot looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// A request, on its way, waiting or being worked on: a disc.
    Request,
    /// A reply on its way: a ring.
    Reply,
    /// A message that stands in its queue: an upright bar.
    Queued,
    /// What failed, was refused, given up or ran out of time: a cross.
    Bad,
}

/// One message at one instant.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Dot {
    /// Where, in world coordinates.
    pub at: Point,
    /// What it looks like.
    pub shape: Shape,
    /// The number of its colour, as the stage gives it.
    pub color: u8,
    /// The row of its trace.
    pub trace: u32,
}

/// The dot nearest to a point, not farther than `reach` (world units); of two as near the one painted last.
#[must_use]
pub fn nearest(dots: &[Dot], point: Point, reach: f64) -> Option<&Dot> {
    let near = dots.iter().rev().map(|dot| (dot.at.minus(point).length(), dot));
    near.filter(|(distance, _)| *distance <= reach).min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, dot)| dot)
}
