//! The player: one frame scheduler, the dots over the canvas, and the strip that a person plays by.

mod area;
mod colors;
mod frames;
mod overlay;
mod strip;

pub(crate) use area::TimeArea;
pub(crate) use overlay::Overlay;
pub(crate) use strip::Strip;
