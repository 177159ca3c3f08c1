//! Listening, and the end of it.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::broker::{Broker, Shared};
use crate::config::Config;
use crate::connection;
use crate::observer::Observer;

/// How long accepting rests after an error, such as no file handle left: trying at once would only burn the CPU.
const ACCEPT_REST: Duration = Duration::from_millis(10);

/// Connections that may be in their handshake beside the open ones.
const HANDSHAKES: usize = 256;

/// Starts a broker on a listener, in the current Tokio runtime, until `shutdown` resolves.
///
/// The handle can be used at once. The other half resolves when every client has been told (`connection.close` with 320),
/// has answered or had its time, and nothing of the broker is left; dropping it ends all of that without a word.
///
/// # Errors
/// Where the listener's address cannot be told.
pub fn serve<O: Observer>(
    listener: TcpListener,
    config: Config,
    observer: O,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<(Broker<O>, Serving)> {
    let address = listener.local_addr()?;
    let shared = Arc::new(Shared::new(config, observer));
    let broker = Broker::new(Arc::clone(&shared), address);
    let abort = CancellationToken::new();
    let task = tokio::spawn(run(listener, shared, shutdown, abort.clone()));
    Ok((broker, Serving { task, abort }))
}

/// A broker at work. Await it for its end; drop it, and the broker ends at once.
#[derive(Debug)]
#[must_use = "dropped, it ends the broker"]
pub struct Serving {
    task: JoinHandle<()>,
    abort: CancellationToken,
}

impl Future for Serving {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // An error is a panic or an abort: nothing is left then either.
        Pin::new(&mut self.task).poll(context).map(|_| ())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.abort.cancel();
    }
}

async fn run<O: Observer>(
    listener: TcpListener,
    shared: Arc<Shared<O>>,
    shutdown: impl Future<Output = ()>,
    abort: CancellationToken,
) {
    let stop = CancellationToken::new();
    let connections = TaskTracker::new();
    tokio::select! {
        () = accept(&listener, &shared, &connections, &stop, &abort) => (),
        // Ends with `abort`: then nobody is told anything.
        () = shared.expire(&abort) => (),
        () = shutdown => stop.cancel(),
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Takes connections until it is dropped.
async fn accept<O: Observer>(
    listener: &TcpListener,
    shared: &Arc<Shared<O>>,
    connections: &TaskTracker,
    stop: &CancellationToken,
    abort: &CancellationToken,
) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                if connections.len() >= shared.config.connections_max.saturating_add(HANDSHAKES) || !is_local(peer) {
                    // Without a word: who is not let in is told nothing.
                    continue;
                }
                let (id, shared) = (shared.next_connection(), Arc::clone(shared));
                let (stop, abort) = (stop.clone(), abort.clone());
                connections.spawn(async move {
                    tokio::select! {
                        biased;
                        () = abort.cancelled() => (),
                        () = connection::serve(stream, peer, id, shared, stop) => (),
                    }
                });
            }
            Err(error) => {
                tracing::warn!("a connection could not be accepted: {error}");
                tokio::time::sleep(ACCEPT_REST).await;
            }
        }
    }
}

/// guest may come from this machine only.
fn is_local(peer: SocketAddr) -> bool {
    peer.ip().to_canonical().is_loopback()
}
