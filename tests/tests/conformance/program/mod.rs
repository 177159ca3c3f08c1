//! A program of someone else's: between two nodes, where it changes headers as it likes and calls on, or a caller from
//! outside.

mod grpc;
mod http1;
mod thrift;

use std::net::SocketAddr;

use anyhow::{Result, bail};
use hopscope_scenario::protocol::Protocol;
use hopscope_tests::http::Headers;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

/// A running program; it ends when dropped.
pub(crate) struct Program {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    task: AbortOnDropHandle<Result<()>>,
}

impl Program {
    /// Starts one that handles a single request: it sends the same body on to `next` with the headers that `change` makes
    /// of the ones that came, and answers what it is answered.
    pub(crate) async fn start(protocol: Protocol, next: SocketAddr, change: fn(Headers) -> Headers) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            let (caller, _) = listener.accept().await?;
            match protocol {
                Protocol::Http1 => http1::handle(caller, next, change).await,
                Protocol::Grpc => grpc::handle(caller, next, change).await,
                Protocol::Thrift => thrift::handle(caller, next, change).await,
                Protocol::InProcess | Protocol::Amqp | Protocol::Kafka => bail!("there is no such program"),
            }
        });
        Ok(Self { address, task: AbortOnDropHandle::new(task) })
    }

    /// Waits until it has handled its request.
    pub(crate) async fn end(self) -> Result<()> {
        self.task.await?
    }
}

/// Calls a node from outside; gives the status and the body of the reply.
pub(crate) async fn call(
    protocol: Protocol,
    node: SocketAddr,
    headers: &Headers,
    body: &[u8],
) -> Result<(u16, Vec<u8>)> {
    match protocol {
        Protocol::Http1 => hopscope_tests::http::post(node, headers, body).await,
        Protocol::Grpc => hopscope_tests::grpc::call(hopscope_tests::grpc::CALL, node, headers, body).await,
        Protocol::Thrift => hopscope_tests::thrift::call(node, headers, body).await,
        Protocol::InProcess | Protocol::Amqp | Protocol::Kafka => bail!("no other program can call it"),
    }
}

/// What came of a request that is no message: which, the status that it was turned away with, and the one that is due.
pub(crate) type TurnedAway = (&'static str, u16, u16);

/// Sends a node what is no message, in every way that the protocol has.
pub(crate) async fn no_messages(protocol: Protocol, node: SocketAddr) -> Result<Vec<TurnedAway>> {
    match protocol {
        Protocol::Http1 => http1::no_messages(node).await,
        Protocol::Grpc => grpc::no_messages(node).await,
        Protocol::Thrift => thrift::no_messages(node).await,
        Protocol::InProcess | Protocol::Amqp | Protocol::Kafka => bail!("no other program can call it"),
    }
}
