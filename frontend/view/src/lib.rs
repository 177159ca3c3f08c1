//! What the page computes before it paints.
//!
//! Models, layouts and state machines of the canvas and the player as plain values: no framework, no browser, no clock.
//! The page feeds them with inputs and paints what they say; so all of it is tested natively.

pub mod buffer;
pub mod clock;
pub mod dots;
pub mod form;
pub mod geometry;
pub mod gestures;
pub mod judge;
pub mod latency;
pub mod scene;
pub mod sequence;
pub mod steps;
pub mod transfer;

pub use hopscope_report::figures as format;
