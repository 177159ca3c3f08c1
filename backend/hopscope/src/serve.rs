//! `hopscope serve`.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use hopscope_scenario::text;
use hopscope_server::Config;
use tokio::net::TcpListener;

use crate::data::Data;
use crate::exit::Exit;
use crate::page::EmbeddedPage;
use crate::say::{answer, say, word};
use crate::signals::Interrupts;

/// Where the playground is served unless someone says otherwise.
pub(crate) const ADDRESS: &str = "127.0.0.1:7878";

/// Arguments of `hopscope serve`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, default_value = ADDRESS, value_name = "ADDR")]
    listen: SocketAddr,

    #[command(flatten)]
    data: Data,
}

/// Serves until Ctrl-C or SIGTERM.
///
/// # Errors
/// When the address cannot be had, or is not on loopback.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let runtime = tokio::runtime::Runtime::new().with_context(|| word(text!("cli.error.runtime")))?;
    runtime.block_on(serve(arguments))?;
    Ok(Exit::Fine)
}

async fn serve(arguments: &Arguments) -> Result<()> {
    let wanted = arguments.listen;
    if !wanted.ip().is_loopback() {
        bail!(say(text!("cli.error.not-loopback"), [("address", wanted.to_string())]));
    }
    let mut interrupts = Interrupts::listen()?;
    let not_had = || say(text!("cli.error.listen"), [("address", wanted.to_string())]);
    let listener = TcpListener::bind(wanted).await.with_context(not_had)?;
    let address = listener.local_addr().with_context(not_had)?;
    let args = [("version", env!("CARGO_PKG_VERSION").to_owned()), ("address", format!("http://{address}"))];
    answer(&say(text!("cli.serving"), args))?;
    let config = Config { page: Arc::new(EmbeddedPage), data: arguments.data.folder()? };
    let shutdown = async move { interrupts.next().await };
    Ok(hopscope_server::serve(config, listener, shutdown).await?)
}
