//! The calling end: one connection, on which every call is a stream of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use hopscope_record::trace_context::{TRACEPARENT, TRACESTATE};
use hopscope_scenario::model::Content;
use http::Uri;
use http::uri::{InvalidUri, PathAndQuery};
use serde::Deserialize;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tonic::metadata::AsciiMetadataValue;
use tonic::{Code, Status};
use tonic_prost::ProstCodec;

use super::connection::{Connection, Lost};
use super::proto::node::{CallReply, CallRequest};
use super::{MESSAGE_LIMIT, number};
use crate::record::Recorder;
use crate::tasks::Tasks;
use crate::transport::socket::{self, Dialled};
use crate::transport::{BoxFuture, CallError, Caller, Options, Outgoing, Reply, TransportError, Verdict};

/// Opens the calling end with its connection.
pub(super) async fn connect(
    address: SocketAddr,
    options: Options,
    recorder: Recorder,
) -> Result<Arc<dyn Caller>, TransportError> {
    let caller = caller(address, &options, recorder)?;
    caller.connection().await.map_err(|source| TransportError::Connect { address, source })?;
    Ok(Arc::new(caller))
}

/// The calling end without its connection.
pub(super) fn caller(address: SocketAddr, options: &Options, recorder: Recorder) -> Result<GrpcCaller, TransportError> {
    let Called { method } = options.read()?;
    let method = PathAndQuery::try_from(method).map_err(|error| failed_method(&error))?;
    let failed = |error| TransportError::Connect { address, source: std::io::Error::other(error) };
    let origin = Uri::try_from(format!("http://{address}")).map_err(failed)?;
    Ok(GrpcCaller {
        address,
        origin,
        method,
        recorder,
        connection: Mutex::new(None),
        tasks: Tasks::new(Handle::current()),
    })
}

/// What a link says of what it calls: of a service that is none of Hopscope's, the method. Its request and its reply then have what
/// a message carries as their first field, as those of the method that nodes have do.
#[derive(Deserialize)]
struct Called {
    #[serde(default = "of_nodes")]
    method: String,
}

fn of_nodes() -> String {
    "/hopscope.v1.Node/Call".to_owned()
}

fn failed_method(error: &InvalidUri) -> TransportError {
    TransportError::Options(serde::de::Error::custom(error))
}

pub(super) struct GrpcCaller {
    address: SocketAddr,
    origin: Uri,
    /// What is called.
    method: PathAndQuery,
    recorder: Recorder,
    /// Held while it is opened, so that all calls wait for the one.
    connection: Mutex<Option<Connection>>,
    tasks: Tasks,
}

impl Caller for GrpcCaller {
    fn call(self: Arc<Self>, outgoing: Outgoing) -> BoxFuture<'static, Result<Reply, CallError>> {
        Box::pin(async move {
            let connection = self.connection().await.map_err(CallError::Connect)?;
            outgoing.carried.set(true);
            let client = tonic::client::Grpc::with_origin(connection, self.origin.clone());
            let mut client = client.max_decoding_message_size(MESSAGE_LIMIT);
            client.ready().await.map_err(|error| CallError::Broken(error.to_string()))?;
            let codec = ProstCodec::<CallRequest, CallReply>::default();
            match client.unary(self.request(outgoing), self.method.clone(), codec).await {
                Ok(reply) => Ok(Reply {
                    verdict: Verdict::Good,
                    status: number(Code::Ok),
                    body: reply.into_inner().body,
                    position: None,
                }),
                Err(status) => no_message(&status),
            }
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.tasks.end())
    }

    fn reset(&self) -> BoxFuture<'_, ()> {
        self.tasks.abort();
        self.close()
    }
}

impl Drop for GrpcCaller {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

impl GrpcCaller {
    /// The connection, which is opened anew when the one before has ended.
    async fn connection(&self) -> std::io::Result<Connection> {
        let mut current = self.connection.lock().await;
        if let Some(connection) = current.as_ref().filter(|connection| !connection.is_closed()) {
            return Ok(connection.clone());
        }
        let connection = self.open().await?;
        *current = Some(connection.clone());
        Ok(connection)
    }

    async fn open(&self) -> std::io::Result<Connection> {
        let Dialled { stream, began } = socket::dial(self.address, &self.tasks).await?;
        let (connection, driver) = Connection::begin(stream).await.map_err(std::io::Error::other)?;
        // This end closes it by ending its tasks, and in no other way.
        let closed_by_us = Arc::new(AtomicBool::new(false));
        socket::drive(self.recorder.clone(), &self.tasks, began, closed_by_us, driver);
        Ok(connection)
    }

    fn request(&self, outgoing: Outgoing) -> tonic::Request<CallRequest> {
        let Outgoing { identity, body, .. } = outgoing;
        // Bytes alone need no word: an empty field is not sent.
        let content_type = if body.content == Content::Binary { "" } else { body.media_type() };
        let message = CallRequest { content_type: content_type.to_owned(), body: body.bytes };
        let mut request = tonic::Request::new(message);
        let (traceparent, tracestate) = (identity.traceparent(self.recorder.run_key()), identity.tracestate());
        for (name, value) in [(TRACEPARENT, traceparent.as_slice()), (TRACESTATE, tracestate.as_bytes())] {
            // Digits, letters, dots and dashes: always a legal value.
            if let Ok(value) = AsciiMetadataValue::try_from(value) {
                request.metadata_mut().insert(name, value);
            }
        }
        request
    }
}

/// What a call came to that brought no message: a status that the receiver sent, or why there is none.
fn no_message(status: &Status) -> Result<Reply, CallError> {
    let source = std::error::Error::source(status);
    if let Some(lost) = source.and_then(|source| source.downcast_ref::<Lost>()) {
        return Err(lost.clone().into());
    }
    let verdict = if status.code() == Code::ResourceExhausted { Verdict::Refused } else { Verdict::Failed };
    Ok(Reply { verdict, status: number(status.code()), body: Bytes::new(), position: None })
}

#[cfg(test)]
mod tests {
    use super::super::proto::node::node_client::NodeClient;
    use super::*;

    #[tokio::test]
    async fn a_connection_that_has_ended_since_it_was_looked_at_gives_no_status() {
        let (near, far) = tokio::io::duplex(1 << 16);
        let (connection, driver) = Connection::begin(near).await.unwrap();
        drop((driver, far));
        assert!(connection.is_closed());
        let mut client = NodeClient::new(connection);
        let status = client.call(CallRequest::default()).await.unwrap_err();
        let lost = no_message(&status);
        assert!(matches!(lost, Err(CallError::Broken(_))), "{lost:?}");
    }
}
