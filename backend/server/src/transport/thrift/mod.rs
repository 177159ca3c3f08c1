//! Thrift over loopback: the service [`generated`] from `thrift/node.thrift`, whose `call` is a call and whose oneway `send` is a
//! message that nobody answers.
//!
//! Apache's crate reads and writes the protocols, binary and compact. It is made for threads that wait; so what is here reads
//! whole messages off a socket, and lets the crate read those. How a message is marked off: by THeader, whose headers
//! carry `traceparent` and `tracestate`; by a frame; or by nothing. Without THeader the message's own fields of these names do. A
//! replica takes every way on one port, tells them apart by their first bytes, and answers as it was asked.
//!
//! Each call in flight has a connection of its own, kept open and used again ([`super::pool`]): replies come in the order of calls.

mod client;
mod envelope;
mod frame;
#[allow(
    dead_code,
    unreachable_pub,
    unused,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::expect_used,
    clippy::needless_pass_by_value,
    clippy::unwrap_used,
    reason = "Thrift's compiler wrote it, and not for us alone"
)]
#[rustfmt::skip]
mod generated;
mod header;
mod server;
mod shape;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use hopscope_scenario::protocol::Protocol;

use super::over_socket::OverSocket;
use super::{Caller, Door, Endpoint, Options, TransportError};
use crate::record::Recorder;

/// Largest body of a request or a reply in bytes.
const BODY_LIMIT: usize = 4 << 20;
/// Largest message: beside its body it has some headers and fields.
const MESSAGE_LIMIT: usize = BODY_LIMIT + (64 << 10);

/// Thrift.
#[derive(Clone, Copy, Debug)]
pub struct Thrift;

impl OverSocket for Thrift {
    const PROTOCOL: Protocol = Protocol::Thrift;

    fn bind(
        door: Door,
        again: Option<SocketAddr>,
    ) -> impl Future<Output = Result<Box<dyn Endpoint>, TransportError>> + Send + 'static {
        server::bind(door, again)
    }

    fn caller(address: SocketAddr, options: &Options, recorder: Recorder) -> Result<Arc<dyn Caller>, TransportError> {
        Ok(Arc::new(client::caller(address, options.read()?, recorder)))
    }

    fn connect(
        address: SocketAddr,
        options: &Options,
        recorder: Recorder,
    ) -> impl Future<Output = Result<Arc<dyn Caller>, TransportError>> + Send + 'static {
        let options = options.read();
        async move { client::connect(address, options?, recorder).await }
    }
}
