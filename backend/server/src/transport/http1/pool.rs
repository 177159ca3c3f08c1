//! The connections of a calling end: one per call in flight, kept open and used again.
//!
//! A call that finds no idle one waits for whichever is free first: one that another call gives back, or a new one. New ones
//! are opened by tasks of the caller's, [`OPENING`] at once: all at once, a burst of calls would overflow the receiver's
//! backlog, and the system tries a connection that it dropped there again only after a second. A call waits for no other
//! call's reply: as long as any wait, connections are being opened.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::carriage::Carriage;
use crate::record::Recorder;
use crate::tasks::Tasks;
use crate::transport::socket::{self, Dialled};

/// Connections that are being opened at once.
const OPENING: usize = 16;

/// A cheap clone in front of one caller's connections.
#[derive(Clone)]
pub(super) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    address: SocketAddr,
    recorder: Recorder,
    state: Mutex<State>,
    tasks: Tasks,
}

/// While a call waits there is no idle connection.
#[derive(Default)]
struct State {
    /// The last one used is taken first: it is the warmest.
    idle: Vec<Connection>,
    /// The one that has waited longest is served first.
    waiting: VecDeque<oneshot::Sender<std::io::Result<Connection>>>,
    opening: usize,
}

/// One connection; dropping it closes it.
pub(super) struct Connection {
    pub(super) sender: SendRequest<Full<Bytes>>,
    /// Carries it while a call is under way.
    pub(super) carriage: Arc<Carriage>,
    /// Whether it has served a call.
    pub(super) used: bool,
    closed_by_us: Arc<AtomicBool>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.closed_by_us.store(true, Ordering::Release);
        // The keeper sees to its end.
        self.carriage.hand_back();
    }
}

impl Pool {
    /// An empty pool, whose connections are tasks of the runtime that this is called on.
    pub(super) fn new(address: SocketAddr, recorder: Recorder) -> Self {
        let tasks = Tasks::new(Handle::current());
        Self { shared: Arc::new(Shared { address, recorder, state: Mutex::default(), tasks }) }
    }

    /// A connection for one call. Dropping the future leaves what comes of it to the other calls.
    ///
    /// # Errors
    /// When a new one could not be opened.
    pub(super) async fn take(&self) -> std::io::Result<Connection> {
        let receiver = {
            let mut state = self.lock();
            if let Some(connection) = state.idle.pop() {
                return Ok(connection);
            }
            let (sender, receiver) = oneshot::channel();
            state.waiting.push_back(sender);
            receiver
        };
        let mut turn = Turn { pool: self.clone(), receiver };
        self.open_more();
        (&mut turn.receiver).await.unwrap_or_else(|_| Err(closed()))
    }

    /// Gives a connection to whoever waits, or keeps it.
    pub(super) fn put_back(&self, mut connection: Connection) {
        connection.used = true;
        connection.carriage.hand_back();
        if !connection.sender.is_closed() {
            self.lock().give(Ok(connection));
        }
    }

    /// Ends every connection; resolves when nothing of them is left. Whoever waits is told.
    pub(super) async fn close(&self) {
        {
            let mut state = self.lock();
            state.idle.clear();
            state.waiting.clear();
        }
        self.shared.tasks.end().await;
    }

    /// Resets every connection, without waiting.
    pub(super) fn abort(&self) {
        self.shared.tasks.abort();
    }

    /// Ends every connection, without waiting.
    pub(super) fn cancel(&self) {
        self.shared.tasks.cancel();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Lists of connections and of calls cannot be left half changed.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a connection for each call that waits, as far as so many may be opened at once.
    fn open_more(&self) {
        let more = {
            let mut state = self.lock();
            let due = OPENING.min(state.waiting.len());
            let more = due.saturating_sub(state.opening);
            state.opening += more;
            more
        };
        // Never under the lock: a task that cannot begin any more is dropped right here, and takes it.
        for _ in 0..more {
            let opening = Opening { pool: self.clone(), outcome: None };
            self.shared.tasks.spawn(opening.run());
        }
    }

    async fn open(&self) -> std::io::Result<Connection> {
        let Shared { address, recorder, tasks, .. } = &*self.shared;
        let Dialled { stream, began } = socket::dial(*address, tasks).await?;
        let (sender, driver) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(std::io::Error::other)?;
        let closed_by_us = Arc::new(AtomicBool::new(false));
        let (carriage, keeper) = Carriage::new(driver);
        socket::drive(recorder.clone(), tasks, began, Arc::clone(&closed_by_us), keeper);
        Ok(Connection { sender, carriage, used: false, closed_by_us })
    }
}

impl State {
    /// Gives an outcome to the call that has waited longest; keeps a connection that nobody waits for.
    fn give(&mut self, mut outcome: std::io::Result<Connection>) {
        while let Some(waiting) = self.waiting.pop_front() {
            match waiting.send(outcome) {
                Ok(()) => return,
                // The call was given up.
                Err(back) => outcome = back,
            }
        }
        if let Ok(connection) = outcome {
            self.idle.push(connection);
        }
    }
}

/// A call's turn to come.
struct Turn {
    pool: Pool,
    receiver: oneshot::Receiver<std::io::Result<Connection>>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.receiver.close();
        // It may have come at the moment of giving up.
        if let Ok(Ok(connection)) = self.receiver.try_recv() {
            self.pool.put_back(connection);
        }
    }
}

/// A connection that is being opened. However that ends, the call that has waited longest is told and others may be opened.
struct Opening {
    pool: Pool,
    outcome: Option<std::io::Result<Connection>>,
}

impl Opening {
    async fn run(mut self) {
        self.outcome = Some(self.pool.open().await);
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        let outcome = self.outcome.take().unwrap_or_else(|| Err(closed()));
        {
            let mut state = self.pool.lock();
            state.opening -= 1;
            state.give(outcome);
        }
        self.pool.open_more();
    }
}

fn closed() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::NotConnected, "the link was closed")
}

// What a full backlog does, and where to see it, is Linux's.
#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
