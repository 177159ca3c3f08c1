//! Hopscope's server: serves the page, takes runs, streams what they record.
//!
//! Everything is reachable through [`serve`], which is given its listener and its end, so that tests run on port 0 and
//! stop when they want. The server answers only requests that name it, and beyond loopback only who has shown the token
//! (`api::guard`).

pub mod access;
mod api;
pub mod broker;
pub mod client;
pub mod link;
pub mod network;
mod open_files;
pub mod run;
pub mod standalone;
pub mod store;
mod stream;
pub mod targets;
pub mod tasks;
pub mod timer;
pub mod transport;

use std::net::SocketAddr;

pub use api::page::{Asset, Page};
pub use hopscope_recorder as record;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use access::Access;
use api::runs::Runs;
use broker::Brokers;
use store::Store;

/// What a server needs to know before it starts.
pub struct Config {
    /// The built page.
    pub page: Arc<dyn Page>,
    /// The folder of runs.
    pub store: Store,
    /// Who may use it.
    pub access: Access,
    /// Events at which a run's load ends.
    pub most_events: u64,
    /// The brokers that runs may have.
    pub brokers: Brokers,
}

impl Config {
    /// A server for this machine's own programs, with the usual limits.
    #[must_use]
    pub fn new(page: Arc<dyn Page>, store: Store) -> Self {
        Self { page, store, access: Access::default(), most_events: run::MOST_EVENTS, brokers: Brokers::default() }
    }
}

/// Why a server could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The listener has no address or accepting failed for good.
    #[error("the listener failed: {0}")]
    Listener(#[from] std::io::Error),
    /// Others than this machine's own programs could use it as they like.
    #[error("{0} can be reached from elsewhere, and no token is asked for there; give one, or listen on 127.0.0.1")]
    Unguarded(SocketAddr),
}

/// Serves on `listener` until `shutdown` resolves, open requests are answered, and live runs are stopped and stored.
///
/// # Errors
/// When others could reach it and it has no token, or the listener fails.
pub async fn serve(
    config: Config,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let address: SocketAddr = listener.local_addr()?;
    if config.access.token.is_none() && config.access.needs_token(address) {
        return Err(ServeError::Unguarded(address));
    }
    let closing = CancellationToken::new();
    let runs = Runs::new(config.store.clone(), config.most_events, config.brokers.clone(), closing.clone());
    let app = api::router(&config, runs.clone(), address);
    let keeper = runs.clone();
    tokio::spawn(async move { keeper.keep().await });
    let closed = async move {
        shutdown.await;
        closing.cancel();
    };
    axum::serve(listener, app).with_graceful_shutdown(closed).await?;
    runs.end().await;
    config.brokers.stop().await;
    Ok(())
}
