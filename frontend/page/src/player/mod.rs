//! The player: one frame scheduler, the dots over the canvas, and the strip that a person plays by.

mod colors;
mod frames;
mod overlay;
mod strip;

pub(crate) use overlay::Overlay;
pub(crate) use strip::Strip;
