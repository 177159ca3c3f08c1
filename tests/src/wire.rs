//! A wire between browser and server that can be cut: TCP, byte for byte.

use std::net::SocketAddr;

use anyhow::Result;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// The wire, gone with its owner.
pub struct Wire {
    address: SocketAddr,
    is_cut: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Wire {
    /// Lays a wire to a server.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn to(server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (is_cut, cut) = watch::channel(false);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                // While the wire is cut, whoever comes finds nobody.
                if !*cut.borrow() {
                    connections.spawn(carry(stream, server, cut.clone()));
                }
            }
        });
        Ok(Self { address, is_cut, task })
    }

    /// The end that a browser connects to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends every connection at once, and lets none through until it is mended.
    pub fn cut(&self) {
        self.is_cut.send_replace(true);
    }

    /// Lets connections through again.
    pub fn mend(&self) {
        self.is_cut.send_replace(false);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(mut near: TcpStream, server: SocketAddr, mut cut: watch::Receiver<bool>) {
    let carried = async {
        let mut far = TcpStream::connect(server).await?;
        copy_bidirectional(&mut near, &mut far).await
    };
    // However it ends, both ends are closed with it.
    tokio::select! {
        _ = carried => {}
        _ = cut.wait_for(|is_cut| *is_cut) => {}
    }
}
