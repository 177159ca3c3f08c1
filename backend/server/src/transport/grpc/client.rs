//! The calling end: one connection, on which every call is a stream of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use hopscope_record::trace_context::{TRACEPARENT, TRACESTATE};
use hopscope_scenario::model::Content;
use http::Uri;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tonic::metadata::AsciiMetadataValue;
use tonic::{Code, Status};

use super::connection::{Connection, Lost};
use super::proto::node::CallRequest;
use super::proto::node::node_client::NodeClient;
use super::{MESSAGE_LIMIT, number};
use crate::record::Recorder;
use crate::tasks::Tasks;
use crate::transport::socket::{self, Dialled};
use crate::transport::{BoxFuture, CallError, Caller, Outgoing, Reply, TransportError, Verdict};

/// Opens the calling end with its connection.
pub(super) async fn connect(address: SocketAddr, recorder: Recorder) -> Result<Arc<dyn Caller>, TransportError> {
    let caller = caller(address, recorder)?;
    caller.connection().await.map_err(|source| TransportError::Connect { address, source })?;
    Ok(Arc::new(caller))
}

/// The calling end without its connection.
pub(super) fn caller(address: SocketAddr, recorder: Recorder) -> Result<GrpcCaller, TransportError> {
    let failed = |error| TransportError::Connect { address, source: std::io::Error::other(error) };
    let origin = Uri::try_from(format!("http://{address}")).map_err(failed)?;
    Ok(GrpcCaller { address, origin, recorder, connection: Mutex::new(None), tasks: Tasks::new(Handle::current()) })
}

pub(super) struct GrpcCaller {
    address: SocketAddr,
    origin: Uri,
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
            let mut client =
                NodeClient::with_origin(connection, self.origin.clone()).max_decoding_message_size(MESSAGE_LIMIT);
            match client.call(self.request(outgoing)).await {
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
