//! One client's connection: a task that reads, lets the session work under the broker's lock, and writes what comes out.
//!
//! Reading and writing go on side by side, so that a peer that only writes and one that only reads are both served. It
//! owns the socket and its deadlines; what frames mean is [`session`]'s.

mod content;
mod handshake;
mod session;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::broker::Shared;
use crate::observer::{ConnectionId, Observer};
use crate::outbox::{Next, Outbox};
use crate::virtual_host::Host;
use session::Session;

/// The virtual host in which a connection is open, from then on.
type Home<O> = OnceLock<Arc<Host<O>>>;

/// Bytes asked for with every read.
const READ: usize = 16 << 10;

/// Serves one connection until it ends. `stop`: the broker wants to end.
pub(crate) async fn serve<O: Observer>(
    stream: TcpStream,
    peer: SocketAddr,
    id: ConnectionId,
    shared: Arc<Shared<O>>,
    stop: CancellationToken,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("a connection ended before its first byte: {error}");
        return;
    }
    let (reader, writer) = stream.into_split();
    converse(reader, writer, peer, id, shared, stop).await;
}

/// Serves one connection over any two halves of a stream, until it ends.
pub(crate) async fn converse<O: Observer, R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    reader: R,
    writer: W,
    peer: SocketAddr,
    id: ConnectionId,
    shared: Arc<Shared<O>>,
    stop: CancellationToken,
) {
    let outbox = Arc::new(Outbox::new(shared.config.frame_max));
    let home: Arc<Home<O>> = Arc::new(OnceLock::new());
    let session = Session::new(id, peer, Arc::clone(&shared), Arc::clone(&home), Arc::clone(&outbox));
    // Cancelled when nothing can be written any more, or nothing is to be read.
    let gone = CancellationToken::new();
    let mut reading = Reading { reader, session, shared: Arc::clone(&shared), outbox: Arc::clone(&outbox) };
    let close_timeout = shared.config.close_timeout;
    let read = async {
        reading.run(&stop, &gone).await;
        // Given back at once, not only when the last byte is out.
        drop(reading);
        outbox.finish();
        // The peer may not read at all.
        let _ = tokio::time::timeout(close_timeout, gone.cancelled()).await;
        gone.cancel();
    };
    let write = async {
        tokio::select! {
            () = write_all(writer, &outbox, &home, id) => (),
            () = gone.cancelled() => (),
        }
        gone.cancel();
    };
    tokio::join!(read, write);
}

/// Writes until the outbox is finished or the peer takes nothing more.
async fn write_all<O: Observer, W: AsyncWrite + Unpin>(
    mut writer: W,
    outbox: &Outbox,
    home: &Home<O>,
    id: ConnectionId,
) {
    let mut buffer = Vec::new();
    loop {
        match outbox.next(&mut buffer).await {
            Next::Write => {
                if let Err(error) = writer.write_all(&buffer).await {
                    tracing::debug!("a connection cannot be written to: {error}");
                    return;
                }
                if outbox.written()
                    && let Some(host) = home.get()
                {
                    host.lock().resume(id);
                }
            }
            Next::Finish => {
                if let Err(error) = writer.shutdown().await {
                    tracing::debug!("a connection was closed by its peer: {error}");
                }
                return;
            }
        }
    }
}

/// The reading half with what it feeds; when it drops, the broker forgets the connection.
struct Reading<O: Observer, R> {
    reader: R,
    session: Session<O>,
    shared: Arc<Shared<O>>,
    outbox: Arc<Outbox>,
}

impl<O: Observer, R: AsyncRead + Unpin> Reading<O, R> {
    async fn run(&mut self, stop: &CancellationToken, gone: &CancellationToken) {
        let began = Instant::now();
        let (mut heard, mut said) = (began, began);
        let mut stopping = false;
        loop {
            let deadline = self.deadline(began, heard);
            let beat = self.session.heartbeat().map(|heartbeat| said + heartbeat / 2);
            self.session.decoder().buffer().reserve(READ);
            tokio::select! {
                read = self.reader.read_buf(self.session.decoder().buffer()) => match read {
                    Ok(0) => return,
                    Ok(_) => heard = Instant::now(),
                    Err(error) => {
                        tracing::debug!("a connection cannot be read from: {error}");
                        return;
                    }
                },
                () = stop.cancelled(), if !stopping => {
                    stopping = true;
                    self.session.stop();
                }
                () = gone.cancelled() => return,
                () = at(deadline) => {
                    tracing::debug!("a connection was silent for too long");
                    return;
                }
                () = at(beat) => {
                    said = Instant::now();
                    self.outbox.heartbeat();
                }
            }
            while self.session.work() {
                // Others want the lock, and this thread.
                tokio::task::yield_now().await;
                if self.wait_for_room(stop, gone).await == Room::Ending {
                    break;
                }
            }
            if self.session.has_ended() {
                return;
            }
            if self.wait_for_room(stop, gone).await == Room::Made {
                // Nobody has listened meanwhile.
                heard = Instant::now();
            }
        }
    }

    /// When the peer must have been heard of.
    fn deadline(&mut self, began: Instant, heard: Instant) -> Option<Instant> {
        if let Some(closing) = self.session.closing_since() {
            return Some(closing + self.shared.config.close_timeout);
        }
        if !self.session.is_open() {
            return Some(began + self.shared.config.handshake_timeout);
        }
        self.session.heartbeat().map(|heartbeat| heard + heartbeat * 2)
    }

    /// Waits while the peer does not read what it is sent, or while it publishes and memory is short.
    async fn wait_for_room(&mut self, stop: &CancellationToken, gone: &CancellationToken) -> Room {
        let outbox = Arc::clone(&self.outbox);
        let memory = Arc::clone(&self.shared.memory);
        let blocked = self.session.has_published() && memory.is_short();
        if !blocked && !outbox.is_full() {
            return Room::Enough;
        }
        if blocked {
            self.session.tell_blocked();
        }
        let room = async {
            outbox.room().await;
            if blocked {
                memory.room().await;
            }
        };
        tokio::pin!(room);
        let made = loop {
            let beat = self.session.heartbeat().map(|heartbeat| Instant::now() + heartbeat / 2);
            tokio::select! {
                biased;
                () = &mut room => break true,
                () = gone.cancelled() => break false,
                () = stop.cancelled() => break false,
                // The peer is not heard, and must hear nevertheless.
                () = at(beat) => outbox.heartbeat(),
            }
        };
        if !made {
            return Room::Ending;
        }
        self.session.tell_unblocked();
        Room::Made
    }
}

/// What waiting for room came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Room {
    /// There was some.
    Enough,
    /// There is some now.
    Made,
    /// The connection or the broker ends.
    Ending,
}

/// Resolves then; never where there is no such time.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// Seconds as the protocol agrees on them; none for 0.
fn seconds(seconds: u16) -> Option<Duration> {
    (seconds > 0).then(|| Duration::from_secs(u64::from(seconds)))
}
