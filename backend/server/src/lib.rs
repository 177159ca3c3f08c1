//! Hopscope's server: serves the page, takes runs, streams what they record.
//!
//! Everything is reachable through [`serve`], which is given its listener and its end, so that tests run on port 0 and
//! stop when they want. The server listens on loopback and answers only requests that name it (`api::guard`).

mod api;
pub mod broker;
pub mod link;
pub mod record;
pub mod run;
pub mod store;
mod stream;
pub mod tasks;
pub mod timer;
pub mod transport;

use std::net::SocketAddr;
use std::path::PathBuf;

pub use api::page::{Asset, Page};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use api::runs::Runs;
use store::Store;

/// What a server needs to know before it starts.
pub struct Config {
    /// The built page.
    pub page: Arc<dyn Page>,
    /// The folder of runs; [`store::default_folder`] is the usual one.
    pub data: PathBuf,
}

/// Why a server could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The listener has no address or accepting failed for good.
    #[error("the listener failed: {0}")]
    Listener(#[from] std::io::Error),
    /// The folder of runs cannot be used.
    #[error(transparent)]
    Store(#[from] store::StoreError),
}

/// Serves on `listener` until `shutdown` resolves, open requests are answered, and live runs are stopped and stored.
///
/// # Errors
/// When the folder of runs cannot be used or the listener fails.
pub async fn serve(
    config: Config,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let address: SocketAddr = listener.local_addr()?;
    let closing = CancellationToken::new();
    let runs = Runs::new(Store::open(&config.data)?, closing.clone());
    let app = api::router(&config, runs.clone(), address);
    let closed = async move {
        shutdown.await;
        closing.cancel();
    };
    axum::serve(listener, app).with_graceful_shutdown(closed).await?;
    runs.end().await;
    Ok(())
}
