//! What the page computes for every frame that it paints and every event that it takes in.
//!
//! Models and layouts of the canvas and the player as plain values: no framework, no browser, no clock. The page feeds them
//! with inputs and paints what they say; so all of it is tested natively. Compiled for speed; what runs only when a person
//! acts is in `hopscope_interaction`, compiled for size.

pub mod buffer;
pub mod clock;
pub mod dots;
pub mod geometry;
pub mod judge;
pub mod latency;
pub mod scene;

pub use hopscope_report::figures as format;
