//! `hopscope serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use hopscope_server::Config;
use hopscope_server::store::default_folder;
use tokio::net::TcpListener;

use crate::page::EmbeddedPage;

/// Arguments of `hopscope serve`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:7878", value_name = "ADDR")]
    listen: SocketAddr,

    /// Folder that runs are kept in [default: hopscope/runs in the user's data folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Serves until Ctrl-C or SIGTERM.
///
/// # Errors
/// When the address cannot be had, or is not on loopback.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the asynchronous runtime")?;
    runtime.block_on(serve(arguments))
}

async fn serve(arguments: &Arguments) -> Result<()> {
    let wanted = arguments.listen;
    if !wanted.ip().is_loopback() {
        bail!(
            "{wanted} is not on this machine's loopback; anyone on the network could start runs here. Listen on 127.0.0.1 or [::1]"
        );
    }
    let listener = TcpListener::bind(wanted).await.with_context(|| {
        format!(
            "cannot listen on {wanted}; is another hopscope running there? Choose a port with --listen 127.0.0.1:PORT"
        )
    })?;
    let address = listener.local_addr().context("cannot read the address listened on")?;
    println!("Hopscope {} at http://{address}  (Ctrl-C ends it)", env!("CARGO_PKG_VERSION"));
    let data = match &arguments.data {
        Some(folder) => folder.clone(),
        None => default_folder().context("cannot tell the user's data folder; name one with --data DIR")?,
    };
    let config = Config { page: Arc::new(EmbeddedPage), data };
    hopscope_server::serve(config, listener, shutdown()).await.context("the server stopped")
}

/// Resolves when a person or the system asks the process to end.
async fn shutdown() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a handler the default action of Ctrl-C ends the process.
    let _ = tokio::signal::ctrl_c().await;
}
