//! What decides: pure state machines that the live run and the simulator drive alike.
//!
//! Each machine is told what happened and answers what to do next. None performs IO, reads a clock, waits, or knows
//! threads; times come in and go out as nanoseconds since the run's zero. All of them are total: no order of calls panics.

pub mod balance;
pub mod body;
pub mod draw;
pub mod effect;
pub mod network;
pub mod payload;
pub mod policy;
pub mod pool;
pub mod population;
pub mod queue;
pub mod schedule;
pub mod tempo;
