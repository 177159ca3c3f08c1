//! Tests of the record through its public face.

mod codec;
mod keyframe;
mod lawful;
mod stamps;
mod state;
