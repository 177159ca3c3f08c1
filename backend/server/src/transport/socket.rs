//! What the protocols over sockets share: a port on loopback with a task per connection, and connections that tell of
//! their beginning and their end.

use std::error::Error;
use std::future::Future;
use std::io::IoSlice;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hopscope_record::kind::DisconnectReason;
use hopscope_record::{Kind, MessageId, TraceId};
use hopscope_scenario::protocol::Protocol;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
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

/// Listens on a loopback port, a free one or `again` that of an endpoint that was reset, and serves each connection (without
/// Nagle's delay) by a task of the endpoint, which `serve` is given for the tasks that it needs beside its own.
///
/// # Errors
/// When no port can be had, or that one cannot.
pub(super) async fn listen<F>(
    again: Option<SocketAddr>,
    serve: impl Fn(Socket, Tasks) -> F + Send + 'static,
) -> Result<Box<dyn Endpoint>, TransportError>
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = match again {
        Some(address) => claim(address)
            .and_then(|socket| socket.listen(BACKLOG))
            .map_err(|source| TransportError::Taken { address, source })?,
        None => bind().map_err(TransportError::Bind)?,
    };
    let address = listener.local_addr().map_err(TransportError::Bind)?;
    let tasks = Tasks::new(Handle::current());
    tasks.spawn(accept(listener, serve, tasks.clone()));
    Ok(Box::new(SocketEndpoint { address, tasks, claimed: Mutex::default() }))
}

/// A free loopback port, which can be had again as soon as nobody listens there, whatever is left of its connections: that takes
/// the option on the socket that was before, too.
pub(crate) fn bind() -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    socket.listen(BACKLOG)
}

/// A port on which nobody listens: who connects there is refused, and nobody else is given it.
fn claim(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// The address of a socket, where it is one.
pub(super) fn address_of(address: &Address, protocol: Protocol) -> Result<SocketAddr, TransportError> {
    match address {
        Address::Socket(address) => Ok(*address),
        Address::InProcess(_) => Err(TransportError::ForeignAddress { protocol, address: address.clone() }),
    }
}

/// One end of a connection, without Nagle's delay. Dropped, it is closed; it is reset where its group was aborted.
pub(crate) struct Socket {
    stream: TcpStream,
    group: Tasks,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.group.aborted() {
            // Where that cannot be had, it is closed.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

struct SocketEndpoint {
    address: SocketAddr,
    tasks: Tasks,
    /// Of an endpoint that was reset: its port, until another endpoint has it.
    claimed: Mutex<Option<TcpSocket>>,
}

impl Endpoint for SocketEndpoint {
    fn address(&self) -> Address {
        Address::Socket(self.address)
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.tasks.end())
    }

    fn reset(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.tasks.abort();
            self.tasks.end().await;
            match claim(self.address) {
                Ok(socket) => *self.claimed.lock().unwrap_or_else(PoisonError::into_inner) = Some(socket),
                Err(error) => tracing::warn!("the port of a crashed replica cannot be kept: {error}"),
            }
        })
    }
}

impl Drop for SocketEndpoint {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

/// Lets `serve` have each connection that comes, as a task of the group.
pub(crate) async fn accept<F>(listener: TcpListener, serve: impl Fn(Socket, Tasks) -> F, tasks: Tasks)
where
    F: Future<Output = ()> + Send + 'static,
{
    loop {
        match listener.accept().await {
            Ok((stream, _)) => match stream.set_nodelay(true) {
                Ok(()) => tasks.spawn(serve(Socket { stream, group: tasks.clone() }, tasks.clone())),
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
    /// This end of it.
    pub(super) stream: Socket,
    /// When it was begun, in raw ns.
    pub(super) began: i64,
}

/// Connects to a receiver, for tasks of this group.
///
/// # Errors
/// When it does not answer.
pub(super) async fn dial(address: SocketAddr, group: &Tasks) -> std::io::Result<Dialled> {
    let began = monotonic_ns();
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(Dialled { stream: Socket { stream, group: group.clone() }, began })
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
