//! The generator: one thread that wants the requests of all of a run's clients, but for those of users who do not think, which
//! follow from what has just ended ([`super::client`]).
//!
//! It has a thread of its own, which sleeps to each intended send by itself, so that a runtime full of calls cannot hold the
//! schedule back: what is wanted is then told on time, and what cannot be sent is told as not sent. The calls themselves are
//! tasks of the runtime.

use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::client::ClientNode;
use crate::timer::Timer;

/// The waiting or working thread. Dropping it tells the thread to end.
pub(super) struct Generator {
    zero: Option<oneshot::Sender<i64>>,
    ended: oneshot::Receiver<()>,
    halt: CancellationToken,
}

impl Generator {
    /// Starts the thread, which waits for the run's zero.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(clients: Vec<Arc<ClientNode>>, timer: Timer) -> std::io::Result<Self> {
        let (zero, begin) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let halt = CancellationToken::new();
        let (halted, own) = (halt.clone(), timer.clone());
        let offer = async move {
            if let Ok(zero) = begin.await {
                join_all(clients.iter().map(|client| client.offer(timer.clone(), zero))).await;
            }
        };
        std::thread::Builder::new().name("hs-generator".into()).spawn(move || {
            own.block_on(halted.run_until_cancelled_owned(offer));
            // Whoever waits may be gone.
            let _ = end.send(());
        })?;
        Ok(Self { zero: Some(zero), ended, halt })
    }

    /// Begins: the schedules count from `zero`, in raw ns.
    pub(super) fn begin(&mut self, zero: i64) {
        if let Some(begin) = self.zero.take() {
            // The thread waits for this and for nothing else but its end.
            let _ = begin.send(zero);
        }
    }

    /// Resolves when every client has wanted all that it may and its time is over.
    pub(super) async fn ended(&mut self) {
        // An error is the thread's panic: it has been reported, and there is no load any more.
        let _ = (&mut self.ended).await;
    }

    /// Ends the load; resolves when nothing more will be wanted.
    pub(super) async fn end(mut self) {
        self.halt.cancel();
        if !self.ended.is_terminated() {
            self.ended().await;
        }
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        self.halt.cancel();
    }
}
