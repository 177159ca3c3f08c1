//! Tests of the report through its public face.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed; clippy knows #[test] functions only")]

mod csv;
mod exports;
mod import;
mod json;
#[path = "../../../record/tests/it/lawful.rs"]
mod lawful;
mod laws;
mod perfetto;
mod recording;
mod stats;
