//! The connections of a calling end whose protocol has one call at a time on each: kept open and used again.
//!
//! A call that finds no idle one waits for whichever is free first: one that another call gives back, or a new one. New ones
//! are opened by tasks of the caller's, [`OPENING`] at once: all at once, a burst of calls would overflow the receiver's
//! backlog, and the system tries a connection that it dropped there again only after a second. A call waits for no other
//! call's reply: as long as any wait, connections are being opened.

use std::collections::VecDeque;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::Carried;
use super::carriage::{Carriage, Driver};
use super::socket::{self, Dialled, Socket};
use crate::record::Recorder;
use crate::tasks::Tasks;

/// Connections that are being opened at once.
const OPENING: usize = 16;

/// What a protocol has in hand of a connection.
pub(super) trait Wire: Sized + Send + 'static {
    /// What a connection may end with.
    type Error: Error + Send + Sync + 'static;

    /// Begins to speak on a stream; gives what carries it too.
    fn begin(stream: Socket) -> impl Future<Output = std::io::Result<(Self, Driver<Self::Error>)>> + Send;

    /// Resolves when a call can be made, or never will be, as far as is known.
    fn ready(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Whether it has ended, as far as is known.
    fn is_closed(&self) -> bool;
}

/// In front of one caller's connections: a clone is cheap.
pub(super) struct Pool<W: Wire> {
    shared: Arc<Shared<W>>,
}

impl<W: Wire> Clone for Pool<W> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

struct Shared<W: Wire> {
    address: SocketAddr,
    recorder: Recorder,
    state: Mutex<State<W>>,
    tasks: Tasks,
}

/// While a call waits there is no idle connection.
struct State<W: Wire> {
    /// The last one used is taken first: it is the warmest.
    idle: Vec<Connection<W>>,
    /// The one that has waited longest is served first.
    waiting: VecDeque<oneshot::Sender<Opened<W>>>,
    opening: usize,
}

type Opened<W> = std::io::Result<Connection<W>>;

/// One connection; dropping it closes it.
pub(super) struct Connection<W: Wire> {
    pub(super) wire: W,
    /// Carries it while a call is under way.
    pub(super) carriage: Arc<Carriage<W::Error>>,
    /// Whether it has served a call.
    used: bool,
    closed_by_us: Arc<AtomicBool>,
}

impl<W: Wire> Drop for Connection<W> {
    fn drop(&mut self) {
        self.closed_by_us.store(true, Ordering::Release);
        // The keeper sees to its end.
        self.carriage.hand_back();
    }
}

impl<W: Wire> Pool<W> {
    /// An empty pool, whose connections are tasks of the runtime that this is called on.
    pub(super) fn new(address: SocketAddr, recorder: Recorder) -> Self {
        let tasks = Tasks::new(Handle::current());
        let state = Mutex::new(State { idle: Vec::new(), waiting: VecDeque::new(), opening: 0 });
        Self { shared: Arc::new(Shared { address, recorder, state, tasks }) }
    }

    /// A connection that is still open, for one attempt, which is told that it has one.
    ///
    /// # Errors
    /// When none could be opened.
    pub(super) async fn ready(&self, carried: &Carried) -> Opened<W> {
        loop {
            let mut connection = self.take().await?;
            carried.set(true);
            // What the other end has closed meanwhile says so here, before anything is sent on it.
            let Connection { wire, carriage, .. } = &mut connection;
            match carriage.carry(wire.ready()).await {
                Ok(()) => return Ok(connection),
                Err(_) if connection.used => carried.set(false),
                // One that ends as soon as it stands tells of the way there: the next would end likewise.
                Err(error) => return Err(std::io::Error::new(std::io::ErrorKind::ConnectionReset, error)),
            }
        }
    }

    /// A connection for one call. Dropping the future leaves what comes of it to the other calls.
    ///
    /// # Errors
    /// When a new one could not be opened.
    pub(super) async fn take(&self) -> Opened<W> {
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

    /// Takes every connection that is idle.
    pub(super) fn take_idle(&self) -> Vec<Connection<W>> {
        std::mem::take(&mut self.lock().idle)
    }

    /// Gives a connection to whoever waits, or keeps it.
    pub(super) fn put_back(&self, mut connection: Connection<W>) {
        connection.used = true;
        connection.carriage.hand_back();
        if !connection.wire.is_closed() {
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

    fn lock(&self) -> MutexGuard<'_, State<W>> {
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

    async fn open(&self) -> Opened<W> {
        let Shared { address, recorder, tasks, .. } = &*self.shared;
        let Dialled { stream, began } = socket::dial(*address, tasks).await?;
        let (wire, driver) = W::begin(stream).await?;
        let closed_by_us = Arc::new(AtomicBool::new(false));
        let (carriage, keeper) = Carriage::new(driver);
        socket::drive(recorder.clone(), tasks, began, Arc::clone(&closed_by_us), keeper);
        Ok(Connection { wire, carriage, used: false, closed_by_us })
    }
}

impl<W: Wire> State<W> {
    /// Gives an outcome to the call that has waited longest; keeps a connection that nobody waits for.
    fn give(&mut self, mut outcome: Opened<W>) {
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
struct Turn<W: Wire> {
    pool: Pool<W>,
    receiver: oneshot::Receiver<Opened<W>>,
}

impl<W: Wire> Drop for Turn<W> {
    fn drop(&mut self) {
        self.receiver.close();
        // It may have come at the moment of giving up.
        if let Ok(Ok(connection)) = self.receiver.try_recv() {
            self.pool.put_back(connection);
        }
    }
}

/// A connection that is being opened. However that ends, the call that has waited longest is told and others may be opened.
struct Opening<W: Wire> {
    pool: Pool<W>,
    outcome: Option<Opened<W>>,
}

impl<W: Wire> Opening<W> {
    async fn run(mut self) {
        self.outcome = Some(self.pool.open().await);
    }
}

impl<W: Wire> Drop for Opening<W> {
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
