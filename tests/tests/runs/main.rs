//! Whole runs, by what they show: brokers, placements, options of queues, alterations that each law finds.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed; clippy knows #[test] functions only")]

mod both_brokers;
mod exchanges;
mod processes;
mod queue_options;
mod rabbitmq;
mod recorded;
mod streams;
mod tampered;
