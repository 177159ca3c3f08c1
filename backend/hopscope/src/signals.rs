//! When a person or the system asks the process to end.

use anyhow::{Context, Result};
use hopscope_scenario::text;

use crate::say::word;

/// Ctrl-C and SIGTERM, from the making of this on; without it they end the process at once.
pub(crate) struct Interrupts {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Interrupts {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn listen() -> Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let listen = |kind| signal(kind).with_context(|| word(text!("cli.error.signals")));
            Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for the next one. May be given up at any time.
    pub(crate) async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        // Where it cannot be waited for, the default action of Ctrl-C ends the process.
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}
