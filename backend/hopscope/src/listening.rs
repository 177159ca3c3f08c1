//! Listening on an address that an option names, and what is said where it cannot be had.

use std::io;
use std::net::SocketAddr;

use anyhow::{Result, anyhow};
use hopscope_scenario::text;
use tokio::net::TcpListener;

use crate::say::say;

/// Listens on the address that `option` has; gives the one that it got, with its port.
///
/// # Errors
/// When it cannot be had: what to do instead.
pub(crate) async fn listen(option: &str, wanted: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    let not_had = |error: io::Error| {
        let key = match error.kind() {
            io::ErrorKind::AddrInUse => text!("cli.error.listen.taken"),
            io::ErrorKind::PermissionDenied => text!("cli.error.listen.denied"),
            _ => text!("cli.error.listen"),
        };
        let args = [("address", wanted.to_string()), ("option", option.to_owned())];
        anyhow!(error).context(say(key, args))
    };
    let listener = TcpListener::bind(wanted).await.map_err(not_had)?;
    let address = listener.local_addr().map_err(not_had)?;
    Ok((listener, address))
}
