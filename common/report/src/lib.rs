//! What a recording amounts to: its exports, the laws that it must hold, its figures, and the checks of these.
//!
//! Everything here reads frames, one after the other, and nothing else: no counter of the server, no clock, no file.
//! So the command line, the server and the page get the same bytes and the same judgement from the same recording.
//! Nothing keeps the events of a run: memory does not grow with its length, but for what is said where it does.

pub mod checks;
pub mod compare;
pub mod effects;
pub mod export;
pub mod figures;
pub mod frames;
pub mod import;
pub mod laws;
mod measured;
pub mod numbered;
pub mod stats;
pub mod surroundings;
pub mod traces;
pub mod verdict;
