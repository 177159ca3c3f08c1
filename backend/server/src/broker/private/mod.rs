//! What a broker of Hopscope's own is made of, whichever product it is: a folder, free ports, processes that end with
//! Hopscope, and one node that all share who want it.

mod folder;
mod kept;
mod node;
mod process;
mod tools;

use std::io;
use std::net::{Ipv4Addr, TcpListener};

pub use kept::LocalState;
pub(super) use kept::{Kept, Lack, Reached, Ready, Seen};
pub(super) use node::{Home, Node};
pub(super) use process::{Children, LOOK, end, spawn};
pub(super) use tools::{on_path, path, tools};

/// Loopback ports that are free now, no two the same.
///
/// # Errors
/// When the system gives none.
pub(super) fn free_ports<const N: usize>() -> io::Result<[u16; N]> {
    let listen = |_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let held = (0..N).map(listen).collect::<io::Result<Vec<_>>>()?;
    let mut ports = [0; N];
    for (port, held) in ports.iter_mut().zip(&held) {
        *port = held.local_addr()?.port();
    }
    Ok(ports)
}
