//! A program of someone else's between two nodes: changes headers as it likes, and calls on.

use std::net::SocketAddr;

use anyhow::Result;
use hopscope_tests::http::{Headers, post, read};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

/// A running program; it ends when dropped.
pub(crate) struct Program {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    task: AbortOnDropHandle<Result<()>>,
}

impl Program {
    /// Starts one that handles a single request: it posts the same body to `next` with the headers that `change` makes of
    /// the ones that came, and answers with the reply's status and body.
    pub(crate) async fn start(next: SocketAddr, change: fn(Headers) -> Headers) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            let (mut caller, _) = listener.accept().await?;
            let (_, headers, body) = read(&mut caller).await?;
            let (status, reply) = post(next, &change(headers), &body).await?;
            let head =
                format!("HTTP/1.1 {status} Whatever\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", reply.len());
            caller.write_all(&[head.as_bytes(), &reply].concat()).await?;
            Ok(())
        });
        Ok(Self { address, task: AbortOnDropHandle::new(task) })
    }

    /// Waits until it has handled its request.
    pub(crate) async fn end(self) -> Result<()> {
        self.task.await?
    }
}
