//! Whether an attempt has what carries it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Says whether an attempt has a connection, or its share of one. Before it has, no byte of it was handed over: its caller
/// may give it up as if it had never been made. It changes only while the attempt's future is polled. Cloning is cheap.
#[derive(Clone, Debug, Default)]
pub struct Carried(Arc<AtomicBool>);

impl Carried {
    /// Whether it has.
    #[must_use]
    pub fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// The transport's word on it.
    pub fn set(&self, carried: bool) {
        self.0.store(carried, Ordering::Release);
    }
}
