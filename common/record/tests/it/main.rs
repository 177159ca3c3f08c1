//! Tests of the record through its public face.

mod codec;
mod lawful;
mod stamps;
mod state;
