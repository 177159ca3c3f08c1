//! Recording: from the threads that stamp to frames. A package of its own, as it is compiled for speed.
//!
//! Owns the clock, the rings and the collector. Never waits for a reader or a disk, and knows nothing of what the
//! events mean.

pub mod clock;
mod collector;
mod contents;
mod fences;
mod lane;
mod memory;
mod names;
mod recorder;
mod recording;
mod ring;
mod rings;
mod seat;
mod words;

pub use clock::RunClock;
pub use contents::Contents;
pub use memory::Memory;
pub use recorder::Recorder;
pub use recording::{EndInfo, FrameSink, Recording, RecordingOptions, Sampler, Summary, Taken, new_run_key};
pub use seat::Seat;
