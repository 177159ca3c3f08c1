//! A fence between the many who write and the one who takes, whose cost is the taker's alone where the system allows it.
//!
//! Linux can make every running thread of a process pass a full fence (`membarrier`). Then a writer has only to keep the
//! compiler from reordering, and the taker asks for all of them. Elsewhere each side fences for itself.

use std::sync::LazyLock;
use std::sync::atomic::{Ordering, compiler_fence, fence};

/// Whether the taker can fence for the writers; found out once for the process.
static FOR_ALL: LazyLock<bool> = LazyLock::new(register);

/// Whether a taker in another process can fence for the writers of this one; found out once for the process.
static FOR_OTHERS: LazyLock<bool> = LazyLock::new(register_for_others);

/// How a writer fences. One is made where a ring is opened, so that a call asks nobody.
#[derive(Clone, Copy, Debug)]
pub(super) struct WriterFence {
    for_all: bool,
}

impl WriterFence {
    pub(super) fn new() -> Self {
        Self { for_all: *FOR_ALL }
    }

    /// Of a writer whose taker is another process.
    pub(super) fn across() -> Self {
        Self { for_all: *FOR_OTHERS }
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

/// The taker's: when it returns, each writer has passed its own fence before it, or passes it after this began. `across`:
/// those of other processes too.
pub(super) fn taker_fence(across: bool) {
    if *FOR_ALL {
        fence_all();
    }
    if across {
        fence_others();
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

#[cfg(target_os = "linux")]
fn register_for_others() -> bool {
    use rustix::thread::{MembarrierCommand, membarrier};
    membarrier(MembarrierCommand::RegisterGlobalExpedited).is_ok()
}

#[cfg(target_os = "linux")]
fn fence_others() {
    use rustix::thread::{MembarrierCommand, membarrier};
    // It fails where no process can register, and there each writer fences for itself.
    let _ = membarrier(MembarrierCommand::GlobalExpedited);
}

#[cfg(not(target_os = "linux"))]
fn register_for_others() -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
fn fence_others() {}

#[cfg(not(target_os = "linux"))]
fn register() -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
fn fence_all() {}
