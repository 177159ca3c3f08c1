//! Hopscope's server: serves the page, takes runs, streams what they record.
//!
//! Everything is reachable through [`serve`], which is given its listener and its end, so that tests run on port 0 and
//! stop when they want. The server listens on loopback and answers only requests that name it (`api::guard`).

mod api;
pub mod link;
pub mod record;
pub mod run;
pub mod store;
pub mod tasks;
pub mod timer;
pub mod transport;

use std::net::SocketAddr;

pub use api::page::{Asset, Page};
use std::sync::Arc;
use tokio::net::TcpListener;

/// What a server needs to know before it starts.
pub struct Config {
    /// The built page.
    pub page: Arc<dyn Page>,
}

/// Why a server could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The listener has no address or accepting failed for good.
    #[error("the listener failed: {0}")]
    Listener(#[from] std::io::Error),
}

/// Serves on `listener` until `shutdown` resolves and open requests are answered.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    config: Config,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let address: SocketAddr = listener.local_addr()?;
    let app = api::router(&config, address);
    axum::serve(listener, app).with_graceful_shutdown(shutdown).await?;
    Ok(())
}
