//! What the protocols over sockets share: a port on loopback with a task per connection, and connections that tell of
//! their beginning and their end.

use std::error::Error;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hopscope_record::kind::DisconnectReason;
use hopscope_record::{Kind, MessageId, TraceId};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;

use super::{Address, BoxFuture, Endpoint, TransportError};
use crate::record::Recorder;
use crate::record::clock::monotonic_ns;
use crate::tasks::Tasks;

/// How long accepting rests after an error, such as no file handle left: trying at once would only burn the CPU.
const ACCEPT_REST: Duration = Duration::from_millis(10);

/// Connections that may wait to be accepted; the runtime's own listener takes 128, which a burst of calls overflows. The system
/// lowers it to its own limit (Linux: `net.core.somaxconn`, 4,096).
const BACKLOG: u32 = 4_096;

/// Listens on a free loopback port, and serves each connection (without Nagle's delay) by a task of the endpoint, which
/// `serve` is given for the tasks that it needs beside its own.
///
/// # Errors
/// When no port can be had.
pub(super) async fn listen<F>(
    serve: impl Fn(TcpStream, Tasks) -> F + Send + 'static,
) -> Result<Box<dyn Endpoint>, TransportError>
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = bind().map_err(TransportError::Bind)?;
    let address = listener.local_addr().map_err(TransportError::Bind)?;
    let tasks = Tasks::new(Handle::current());
    tasks.spawn(accept(listener, serve, tasks.clone()));
    Ok(Box::new(SocketEndpoint { address, tasks }))
}

/// A free loopback port.
pub(crate) fn bind() -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    socket.listen(BACKLOG)
}

struct SocketEndpoint {
    address: SocketAddr,
    tasks: Tasks,
}

impl Endpoint for SocketEndpoint {
    fn address(&self) -> Address {
        Address::Socket(self.address)
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.tasks.end())
    }
}

impl Drop for SocketEndpoint {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

async fn accept<F>(listener: TcpListener, serve: impl Fn(TcpStream, Tasks) -> F, tasks: Tasks)
where
    F: Future<Output = ()> + Send + 'static,
{
    loop {
        match listener.accept().await {
            Ok((stream, _)) => match stream.set_nodelay(true) {
                Ok(()) => tasks.spawn(serve(stream, tasks.clone())),
                Err(error) => tracing::debug!("a connection ended before its first request: {error}"),
            },
            Err(error) => {
                tracing::warn!("a connection could not be accepted: {error}");
                tokio::time::sleep(ACCEPT_REST).await;
            }
        }
    }
}

/// A connection on its way to a receiver.
pub(super) struct Dialled {
    /// Without Nagle's delay.
    pub(super) stream: TcpStream,
    /// When it was begun, in raw ns.
    pub(super) began: i64,
}

/// Connects to a receiver.
///
/// # Errors
/// When it does not answer.
pub(super) async fn dial(address: SocketAddr) -> std::io::Result<Dialled> {
    let began = monotonic_ns();
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(Dialled { stream, began })
}

/// Stamps that the connection that was begun at `began` stands, lets `driver` carry it as one of `tasks`, and stamps its
/// end with the reason: this end closed it if the tasks were told to end or the flag is set by then.
pub(super) fn drive<E: Error + Send + 'static>(
    recorder: Recorder,
    tasks: &Tasks,
    began: i64,
    closed_by_us: Arc<AtomicBool>,
    driver: impl Future<Output = Result<(), E>> + Send + 'static,
) {
    let took = monotonic_ns().saturating_sub(began).unsigned_abs();
    stamp(&recorder, Kind::CONNECTED, took, 0);
    let group = tasks.clone();
    tasks.spawn_until_ended(async move {
        let (reason, text) = tokio::select! {
            end = driver => match end {
                _ if closed_by_us.load(Ordering::Acquire) => (DisconnectReason::Closed, 0),
                Ok(()) => (DisconnectReason::ClosedByPeer, 0),
                Err(error) => (DisconnectReason::Broken, recorder.name(&chain(&error))),
            },
            () = group.ended() => (DisconnectReason::Closed, 0),
        };
        stamp(&recorder, Kind::DISCONNECTED, reason as u64, text);
    });
}

fn stamp(recorder: &Recorder, kind: Kind, a: u64, b: u64) {
    recorder.record(kind, TraceId::NONE, MessageId::NONE, MessageId::NONE, a, b);
}

/// An error with its causes: the text of hyper's own leaves them out.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| (**cause).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
