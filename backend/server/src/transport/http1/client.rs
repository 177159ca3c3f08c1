//! The calling end: a connection per call in flight, kept open and used again.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use hopscope_record::trace_context::{TRACEPARENT, TRACESTATE};
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use tokio::runtime::Handle;

use super::BODY_LIMIT;
use crate::record::Recorder;
use crate::tasks::Tasks;
use crate::transport::socket::{self, Dialled};
use crate::transport::{BoxFuture, CallError, Caller, Outgoing, Reply, TransportError, Verdict};

/// Opens the calling end with its first connection.
pub(super) async fn connect(address: SocketAddr, recorder: Recorder) -> Result<Arc<dyn Caller>, TransportError> {
    let host = HeaderValue::from_str(&address.to_string())
        .map_err(|error| TransportError::Connect { address, source: std::io::Error::other(error) })?;
    let tasks = Tasks::new(Handle::current());
    let caller = Http1Caller { address, host, recorder, idle: Mutex::new(Vec::new()), tasks };
    let first = caller.open().await.map_err(|source| TransportError::Connect { address, source })?;
    caller.put_back(first);
    Ok(Arc::new(caller))
}

struct Http1Caller {
    address: SocketAddr,
    host: HeaderValue,
    recorder: Recorder,
    /// Connections without a call. The last one used is taken first: it is the warmest.
    idle: Mutex<Vec<Connection>>,
    tasks: Tasks,
}

impl Caller for Http1Caller {
    fn call(self: Arc<Self>, outgoing: Outgoing) -> BoxFuture<'static, Result<Reply, CallError>> {
        Box::pin(async move {
            let mut connection = self.take().await.map_err(CallError::Connect)?;
            let request = self.request(outgoing);
            let response = connection.sender.send_request(request).await.map_err(|error| broken(&error))?;
            let reply = read(response).await?;
            self.put_back(connection);
            Ok(reply)
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.idle().clear();
            self.tasks.end().await;
        })
    }
}

impl Drop for Http1Caller {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

impl Http1Caller {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        // A list of connections cannot be left half changed.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An idle connection that is still open, or else a new one.
    async fn take(&self) -> std::io::Result<Connection> {
        loop {
            let Some(mut connection) = self.idle().pop() else { return self.open().await };
            // What the other end has closed meanwhile says so here, before anything is sent on it.
            if connection.sender.ready().await.is_ok() {
                return Ok(connection);
            }
        }
    }

    fn put_back(&self, connection: Connection) {
        if !connection.sender.is_closed() {
            self.idle().push(connection);
        }
    }

    async fn open(&self) -> std::io::Result<Connection> {
        let Dialled { stream, began } = socket::dial(self.address).await?;
        let (sender, driver) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(std::io::Error::other)?;
        let closed_by_us = Arc::new(AtomicBool::new(false));
        socket::drive(self.recorder.clone(), &self.tasks, began, Arc::clone(&closed_by_us), driver);
        Ok(Connection { sender, closed_by_us })
    }

    fn request(&self, outgoing: Outgoing) -> Request<Full<Bytes>> {
        let Outgoing { identity, body, .. } = outgoing;
        let media_type = HeaderValue::from_static(body.media_type());
        let mut request = Request::new(Full::new(body.bytes));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from_static("/");
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

/// One connection; dropping it closes it.
struct Connection {
    sender: SendRequest<Full<Bytes>>,
    closed_by_us: Arc<AtomicBool>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.closed_by_us.store(true, Ordering::Release);
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
    Ok(Reply { verdict, status: status.as_u16(), body: body.to_bytes() })
}

fn broken(error: &hyper::Error) -> CallError {
    CallError::Broken(socket::chain(error))
}
