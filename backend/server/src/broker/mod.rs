//! The brokers of a run: what starts and stops each, and says where it is reached.
//!
//! Every run has its own; no two runs share a queue. The transports of messages reach any of them alike, by its address.

mod built_in;
mod stamps;

pub use built_in::{BrokerError, BuiltIn};
pub use stamps::QueueSite;
