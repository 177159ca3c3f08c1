//! A connection as tonic's client uses it: each call a stream of HTTP/2, handed on when its reply is read to its end and has a
//! status. What breaks before is no reply.
//!
//! The streams are the crate h2's own: hyper would start a task for each call, which costs more than all else of it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use h2::client::{Builder, ResponseFuture, SendRequest};
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::BodyExt as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::Status;
use tonic::body::Body;

use super::MESSAGE_LIMIT;
use crate::transport::socket;
use crate::transport::{BoxFuture, CallError};

/// What stands before a message on the wire.
const PREFIX: usize = 5;

/// Bytes of a reply that may be on their way, of one stream and of all: a large one comes without a pause.
const WINDOW: u32 = 2 << 20;
const ALL_WINDOWS: u32 = 5 << 20;

/// A cheap clone in front of one connection.
#[derive(Clone)]
pub(super) struct Connection {
    sender: SendRequest<Bytes>,
    ended: Arc<AtomicBool>,
}

/// Says that a connection has ended, however its driver did.
struct Ends(Arc<AtomicBool>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Connection {
    /// Begins to speak HTTP/2; gives what has to be polled for it too.
    pub(super) async fn begin<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        stream: S,
    ) -> Result<(Self, impl Future<Output = Result<(), h2::Error>> + Send + 'static), h2::Error> {
        let mut builder = Builder::new();
        builder.enable_push(false).initial_window_size(WINDOW).initial_connection_window_size(ALL_WINDOWS);
        let (sender, driver) = builder.handshake(stream).await?;
        let ended = Arc::new(AtomicBool::new(false));
        let ends = Ends(Arc::clone(&ended));
        let driver = async move {
            let _ends = ends;
            driver.await
        };
        Ok((Self { sender, ended }, driver))
    }

    /// Whether it has ended, as far as is known.
    pub(super) fn is_closed(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }
}

impl tower_service::Service<Request<Body>> for Connection {
    type Response = Response<Whole>;
    type Error = Lost;
    type Future = BoxFuture<'static, Result<Self::Response, Lost>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        // Awaited with the call: of an error here, tonic makes a status as if the receiver had sent it.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let sender = self.sender.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            // The one message of a unary call, which is there already.
            let message = body.collect().await.map_err(|status| Lost::Broken(status.to_string()))?.to_bytes();
            let mut sender = sender.ready().await.map_err(|error| Lost::broken(&error))?;
            let request = Request::from_parts(head, ());
            let (reply, mut stream) = sender.send_request(request, false).map_err(|error| Lost::broken(&error))?;
            stream.send_data(message, true).map_err(|error| Lost::broken(&error))?;
            read(reply).await
        })
    }
}

/// Reads a reply to its end.
async fn read(reply: ResponseFuture) -> Result<Response<Whole>, Lost> {
    let broken = |error: h2::Error| Lost::broken(&error);
    let (head, mut body) = reply.await.map_err(broken)?.into_parts();
    let mut whole = BytesMut::new();
    while let Some(data) = body.data().await {
        let data = data.map_err(broken)?;
        body.flow_control().release_capacity(data.len()).map_err(broken)?;
        if whole.len() + data.len() > MESSAGE_LIMIT + PREFIX {
            return Err(Lost::TooLarge);
        }
        whole.extend_from_slice(&data);
    }
    let trailers = body.trailers().await.map_err(broken)?;
    let has_status = |headers: &HeaderMap| headers.contains_key(Status::GRPC_STATUS);
    if !has_status(&head.headers) && !trailers.as_ref().is_some_and(has_status) {
        return Err(Lost::Broken(format!("the reply ended without a gRPC status, HTTP's is {}", head.status)));
    }
    let data = (!whole.is_empty()).then(|| whole.freeze());
    Ok(Response::from_parts(head, Whole { data, trailers }))
}

/// A body that is there as a whole.
pub(super) struct Whole {
    data: Option<Bytes>,
    trailers: Option<HeaderMap>,
}

impl http_body::Body for Whole {
    type Data = Bytes;
    type Error = Lost;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Lost>>> {
        let data = self.data.take().map(Frame::data);
        Poll::Ready(data.or_else(|| self.trailers.take().map(Frame::trailers)).map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && self.trailers.is_none()
    }
}

/// Why there is no reply.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Lost {
    #[error("{0}")]
    Broken(String),
    #[error("the reply is too large")]
    TooLarge,
}

impl Lost {
    fn broken(error: &h2::Error) -> Self {
        Self::Broken(socket::chain(error))
    }
}

impl From<Lost> for CallError {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Broken(reason) => Self::Broken(reason),
            Lost::TooLarge => Self::TooLarge { limit: MESSAGE_LIMIT },
        }
    }
}
