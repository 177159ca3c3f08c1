//! The networks of a run's links: relays on their sockets that let bytes through later than this machine would.
//!
//! One thread carries all relays of a run, with a runtime of its own: the system wakes it both when bytes have come and when
//! they are due, and no other thread stands between. A link without a network has no relay. How much later than wanted bytes
//! went out is measured, piece by piece ([`Network::lateness`]).

mod alarm;
mod arrival;
mod relay;

#[cfg(test)]
mod tests;

use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use hopscope_report::stats::Latency;
use hopscope_rules::network::Delays;
use tokio::sync::{mpsc, watch};
use tokio::task::LocalSet;
use tokio_util::sync::CancellationToken;

use crate::timer::{Early, Timer};
use crate::transport::bind;
use relay::{Carrier, relay};

/// What the thread of the relays is given: a port, where it leads, and what is between.
struct Laid {
    listener: TcpListener,
    target: SocketAddr,
    out: Delays,
    back: Delays,
    condition: watch::Receiver<Condition>,
}

/// What is done to a link while the run runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// Its connections are reset, and new ones too.
    pub cut: bool,
    /// What a round trip takes longer than the link's network has it, in ns.
    pub delay_ns: u64,
    /// Bytes that it lets through in a second, each way of each connection; 0 for no limit.
    pub throttle: u64,
}

/// The relays of a run. Dropping it ends them with what is on its way, and waits until they have.
pub struct Network {
    laid: mpsc::UnboundedSender<Laid>,
    lateness: Lateness,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Network {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread, or nothing that watches sockets.
    pub fn start(timer: Timer) -> std::io::Result<Self> {
        let (laid, laying) = mpsc::unbounded_channel();
        let (lateness, stop) = (Lateness::default(), CancellationToken::new());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let (late, stopped) = (lateness.clone(), stop.clone());
        let carries = move || {
            let carrier = Carrier { timer, early: Early::default(), late };
            LocalSet::new().block_on(&runtime, carry(carrier, laying, stopped));
        };
        let thread = std::thread::Builder::new().name("hopscope-network".to_owned()).spawn(carries)?;
        Ok(Self { laid, lateness, stop, thread: Some(thread) })
    }

    /// Lays a way to `target`: who connects to the address that this gives is connected to there, with these delays on the way
    /// out and on the way back, and with what `condition` says from moment to moment. A new connection stands when a round trip has passed, and what comes before then waits for it.
    ///
    /// # Errors
    /// When no loopback port can be had.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn lay(
        &self,
        target: SocketAddr,
        out: Delays,
        back: Delays,
        condition: watch::Receiver<Condition>,
    ) -> std::io::Result<SocketAddr> {
        let listener = bind()?.into_std()?;
        let address = listener.local_addr()?;
        // The thread lives as long as this does.
        let _ = self.laid.send(Laid { listener, target, out, back, condition });
        Ok(address)
    }

    /// How much later than wanted bytes go out.
    #[must_use]
    pub fn lateness(&self) -> Lateness {
        self.lateness.clone()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // An error would be the thread's panic, which has been reported already.
            let _ = thread.join();
        }
    }
}

/// How much later than wanted pieces went out; a cheap clone in front of one table.
#[derive(Clone, Default, Debug)]
pub struct Lateness(Arc<Mutex<Latency>>);

impl Lateness {
    /// That of all pieces since this was asked before.
    #[must_use]
    pub fn take(&self) -> Latency {
        std::mem::take(&mut self.table())
    }

    fn record(&self, ns: i64) {
        self.table().record(ns);
    }

    fn table(&self) -> MutexGuard<'_, Latency> {
        // A histogram that was left half changed is off by one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lays relays until it is told to stop; with it ends what carries them.
async fn carry(carrier: Carrier, mut laying: mpsc::UnboundedReceiver<Laid>, stop: CancellationToken) {
    let carrier = Rc::new(carrier);
    let lays = async {
        while let Some(laid) = laying.recv().await {
            tokio::task::spawn_local(relay(Rc::clone(&carrier), laid));
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = lays => {}
    }
}
