//! HTTP/1.1 over loopback: `POST /` with the message as its body, of the media type that says its content, and its
//! identity in `traceparent` and `tracestate`.

mod client;
mod server;

#[cfg(test)]
pub(super) use client::Requests;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use hopscope_scenario::protocol::Protocol;

use super::over_socket::OverSocket;
use super::{Caller, Door, Endpoint, Options, TransportError};
use crate::record::Recorder;

/// Largest body of a request or a reply in bytes.
const BODY_LIMIT: usize = 4 << 20;

/// The media type of a reply: what it means is the scenario's, not HTTP's.
const MEDIA_TYPE: http::HeaderValue = http::HeaderValue::from_static("application/octet-stream");

/// HTTP/1.1.
#[derive(Clone, Copy, Debug)]
pub struct Http1;

impl OverSocket for Http1 {
    const PROTOCOL: Protocol = Protocol::Http1;

    fn bind(
        door: Door,
        again: Option<SocketAddr>,
    ) -> impl Future<Output = Result<Box<dyn Endpoint>, TransportError>> + Send + 'static {
        server::bind(door, again)
    }

    fn caller(address: SocketAddr, options: &Options, recorder: Recorder) -> Result<Arc<dyn Caller>, TransportError> {
        Ok(Arc::new(client::caller(address, options, recorder)?))
    }

    fn connect(
        address: SocketAddr,
        options: &Options,
        recorder: Recorder,
    ) -> impl Future<Output = Result<Arc<dyn Caller>, TransportError>> + Send + 'static {
        client::connect(address, options.clone(), recorder)
    }
}
