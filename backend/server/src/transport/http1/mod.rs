//! HTTP/1.1 over loopback: `POST /` with the message as its body, of the media type that says its content, and its
//! identity in `traceparent` and `tracestate`.

mod client;
mod pool;
mod server;

use std::sync::Arc;

use hopscope_scenario::protocol::Protocol;

use super::{Address, BoxFuture, Caller, Door, Endpoint, Transport, TransportError};
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
        Box::pin(server::bind(door))
    }

    fn connect(
        &self,
        address: Address,
        recorder: Recorder,
    ) -> BoxFuture<'static, Result<Arc<dyn Caller>, TransportError>> {
        Box::pin(async move {
            match address {
                Address::Socket(address) => client::connect(address, recorder).await,
                address => Err(TransportError::ForeignAddress { protocol: Protocol::Http1, address }),
            }
        })
    }
}
