//! The record of a run: what one event is, how it is named on the wire, and how events become
//! bytes and states.
//!
//! This package owns the one event ([`Event`]), the one table of kinds ([`KINDS`]), the one codec
//! ([`codec`], [`frame`], [`decoder`]) and the one fold ([`state`]). Live runs, files, replays,
//! imports and exports all use them; there is no second event model. It depends on no other
//! package of the project, performs no IO, and reads no clock: times come in with the events.

mod bytes;
mod checksum;
pub mod codec;
pub mod decoder;
pub mod event;
pub mod frame;
pub mod id;
pub mod kind;
pub mod stamps;
pub mod state;
pub mod trace_context;

pub use event::Event;
pub use id::{LinkIndex, MessageId, Minter, NameIndex, PlaceIndex, RunKey, SourceId, TraceId};
pub use kind::{KINDS, Kind, KindInfo};
