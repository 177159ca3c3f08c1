//! HTTP/1.1 over loopback: `POST /` with the message as its body, of the media type that says its content, and its
//! identity in `traceparent` and `tracestate`.

mod client;
mod server;

#[cfg(test)]
pub(super) use client::Requests;

use std::sync::Arc;

use hopscope_scenario::protocol::Protocol;

use super::socket::address_of;
use super::{Address, BoxFuture, Caller, Door, Endpoint, Options, Transport, TransportError};
use crate::record::Recorder;

/// Largest body of a request or a reply in bytes.
const BODY_LIMIT: usize = 4 << 20;

/// The media type of a reply: what it means is the scenario's, not HTTP's.
const MEDIA_TYPE: http::HeaderValue = http::HeaderValue::from_static("application/octet-stream");

/// HTTP/1.1.
#[derive(Clone, Copy, Debug)]
pub struct Http1;

impl Transport for Http1 {
    fn protocol(&self) -> Protocol {
        Protocol::Http1
    }

    fn bind(&self, door: Door) -> BoxFuture<'static, Result<Box<dyn Endpoint>, TransportError>> {
        Box::pin(server::bind(door, None))
    }

    fn bind_again(
        &self,
        door: Door,
        address: Address,
    ) -> BoxFuture<'static, Result<Box<dyn Endpoint>, TransportError>> {
        Box::pin(async move { server::bind(door, Some(address_of(&address, Protocol::Http1)?)).await })
    }

    fn caller(&self, address: &Address, _: &Options, recorder: Recorder) -> Result<Arc<dyn Caller>, TransportError> {
        Ok(Arc::new(client::caller(address_of(address, Protocol::Http1)?, recorder)?))
    }

    fn connect(
        &self,
        address: Address,
        _: &Options,
        recorder: Recorder,
    ) -> BoxFuture<'static, Result<Arc<dyn Caller>, TransportError>> {
        Box::pin(async move { client::connect(address_of(&address, Protocol::Http1)?, recorder).await })
    }
}
