//! What fuzzing calls: for each kind of bytes from elsewhere, what reads them, and what must hold whatever they are.
//!
//! Called by `fuzz/` with bytes that libFuzzer makes up, and by this package's test with those of `fuzz/corpus`, so that every
//! test run replays what fuzzing has found. A function panics where something does not hold; it never fails on bytes that are
//! refused.

mod amqp;
mod import;
mod record;
mod scenario;

pub use amqp::opening;
pub use record::{bytes_of, payloads};

/// A function that takes any bytes.
pub type Target = fn(&[u8]);

/// Every target by its name: its file in `fuzz/fuzz_targets` and its folder in `fuzz/corpus`.
pub static TARGETS: [(&str, Target); 7] = [
    ("amqp_frames", amqp::frames),
    ("amqp_session", amqp::session),
    ("decoder", record::decoder),
    ("events", record::events),
    ("import", import::import),
    ("recording", record::recording),
    ("scenario", scenario::scenario),
];

/// Calls a target by its name.
///
/// # Panics
/// When there is none of that name, or something does not hold.
pub fn call(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    assert!(target.is_some(), "no target is called {name}");
    target.iter().for_each(|(_, target)| target(bytes));
}
