//! A fence between the many who write and the one who takes, whose cost is the taker's alone where the system allows it.
//!
//! Linux can make every running thread of a process pass a full fence (`membarrier`). Then a writer has only to keep the
//! compiler from reordering, and the taker asks for all of them. Elsewhere each side fences for itself.

use std::sync::LazyLock;
use std::sync::atomic::{Ordering, compiler_fence, fence};

/// Whether the taker can fence for the writers; found out once for the process.
static FOR_ALL: LazyLock<bool> = LazyLock::new(register);

/// How a writer fences. One is made where a ring is opened, so that a call asks nobody.
#[derive(Clone, Copy, Debug)]
pub(super) struct WriterFence {
    for_all: bool,
}

impl WriterFence {
    pub(super) fn new() -> Self {
        Self { for_all: *FOR_ALL }
    }

    /// Between what the writer has announced and what it then reads: ordered with every [`taker_fence`].
    #[inline]
    pub(super) fn pass(self) {
        if self.for_all {
            compiler_fence(Ordering::SeqCst);
        } else {
            fence(Ordering::SeqCst);
        }
    }
}

/// The taker's: when it returns, each writer has passed its own fence before it, or passes it after this began.
pub(super) fn taker_fence() {
    if *FOR_ALL {
        fence_all();
    }
    fence(Ordering::SeqCst);
}

#[cfg(target_os = "linux")]
fn register() -> bool {
    use rustix::thread::{MembarrierCommand, membarrier};
    membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok()
}

#[cfg(target_os = "linux")]
fn fence_all() {
    use rustix::thread::{MembarrierCommand, membarrier};
    let fenced = membarrier(MembarrierCommand::PrivateExpedited);
    // It fails only where nobody has registered.
    debug_assert!(fenced.is_ok(), "{fenced:?}");
}

#[cfg(not(target_os = "linux"))]
fn register() -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
fn fence_all() {}
