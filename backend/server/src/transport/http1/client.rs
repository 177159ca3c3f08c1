//! The calling end: a request on a connection of the pool, and its reply.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use hopscope_record::trace_context::{TRACEPARENT, TRACESTATE};
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use serde::Deserialize;

use super::BODY_LIMIT;
use crate::record::Recorder;
use crate::transport::carriage::Driver;
use crate::transport::pool::{Connection, Pool, Wire};
use crate::transport::socket::{self, Socket};
use crate::transport::{BoxFuture, CallError, Caller, Options, Outgoing, Reply, TransportError, Verdict};

/// Opens the calling end with its first connection.
pub(super) async fn connect(
    address: SocketAddr,
    options: Options,
    recorder: Recorder,
) -> Result<Arc<dyn Caller>, TransportError> {
    let caller = caller(address, &options, recorder)?;
    let first = caller.pool.take().await.map_err(|source| TransportError::Connect { address, source })?;
    caller.pool.put_back(first);
    Ok(Arc::new(caller))
}

/// The calling end without any connection.
pub(super) fn caller(
    address: SocketAddr,
    options: &Options,
    recorder: Recorder,
) -> Result<Http1Caller, TransportError> {
    let Called { path } = options.read()?;
    let uri = Uri::try_from(path).map_err(|error| TransportError::Options(serde::de::Error::custom(error)))?;
    let failed = |error| TransportError::Connect { address, source: std::io::Error::other(error) };
    let host = HeaderValue::from_str(&address.to_string()).map_err(failed)?;
    Ok(Http1Caller { host, uri, recorder: recorder.clone(), pool: Pool::new(address, recorder) })
}

/// hyper's hand on a connection.
pub(in crate::transport) struct Requests(pub(in crate::transport) SendRequest<Full<Bytes>>);

impl Wire for Requests {
    type Error = hyper::Error;

    async fn begin(stream: Socket) -> std::io::Result<(Self, Driver<hyper::Error>)> {
        let begun = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (sender, driver) = begun.map_err(std::io::Error::other)?;
        Ok((Self(sender), Box::pin(driver)))
    }

    async fn ready(&mut self) -> Result<(), hyper::Error> {
        self.0.ready().await
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

/// What a link says of what it calls: of a service that is none of Hopscope's, the path.
#[derive(Deserialize)]
struct Called {
    #[serde(default = "of_nodes")]
    path: String,
}

fn of_nodes() -> String {
    "/".to_owned()
}

pub(super) struct Http1Caller {
    host: HeaderValue,
    /// What is called.
    uri: Uri,
    recorder: Recorder,
    pool: Pool<Requests>,
}

impl Caller for Http1Caller {
    fn call(self: Arc<Self>, outgoing: Outgoing) -> BoxFuture<'static, Result<Reply, CallError>> {
        Box::pin(async move {
            let mut connection = self.pool.ready(&outgoing.carried).await.map_err(CallError::Connect)?;
            let request = self.request(outgoing);
            let Connection { wire, carriage, .. } = &mut connection;
            let response = carriage.carry(wire.0.send_request(request)).await.map_err(|error| broken(&error))?;
            let reply = carriage.carry(read(response)).await?;
            self.pool.put_back(connection);
            Ok(reply)
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.pool.close())
    }

    fn reset(&self) -> BoxFuture<'_, ()> {
        self.pool.abort();
        self.close()
    }
}

impl Drop for Http1Caller {
    fn drop(&mut self) {
        self.pool.cancel();
    }
}

impl Http1Caller {
    fn request(&self, outgoing: Outgoing) -> Request<Full<Bytes>> {
        let Outgoing { identity, body, .. } = outgoing;
        let media_type = HeaderValue::from_static(body.media_type());
        let mut request = Request::new(Full::new(body.bytes));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        headers.insert(CONTENT_TYPE, media_type);
        let (traceparent, tracestate) = (identity.traceparent(self.recorder.run_key()), identity.tracestate());
        for (name, value) in [(TRACEPARENT, traceparent.as_slice()), (TRACESTATE, tracestate.as_bytes())] {
            // Digits, letters, dots and dashes: always a legal value.
            if let Ok(value) = HeaderValue::from_bytes(value) {
                headers.insert(name, value);
            }
        }
        request
    }
}

async fn read(response: Response<Incoming>) -> Result<Reply, CallError> {
    let status = response.status();
    let body = Limited::new(response.into_body(), BODY_LIMIT).collect().await;
    let body = body.map_err(|error| match error.downcast::<hyper::Error>() {
        Ok(error) => broken(&error),
        Err(error) if error.is::<LengthLimitError>() => CallError::TooLarge { limit: BODY_LIMIT },
        Err(error) => CallError::Broken(error.to_string()),
    })?;
    let verdict = match status {
        StatusCode::SERVICE_UNAVAILABLE => Verdict::Refused,
        status if status.is_success() => Verdict::Good,
        _ => Verdict::Failed,
    };
    Ok(Reply { verdict, status: status.as_u16(), body: body.to_bytes(), position: None })
}

fn broken(error: &hyper::Error) -> CallError {
    CallError::Broken(socket::chain(error))
}
