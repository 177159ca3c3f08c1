//! The receiving end: one listener per replica, keep-alive connections, each a task.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use hopscope_record::trace_context::{TRACEPARENT, TRACESTATE, TraceParent, parse_tracestate};
use http::header::{ALLOW, CONTENT_TYPE, ORIGIN};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;

use super::{BODY_LIMIT, MEDIA_TYPE};
use crate::tasks::Tasks;
use crate::transport::{Address, Answer, BoxFuture, Door, Endpoint, TransportError, http_status};

/// How long accepting rests after an error, such as no file handle left: trying at once would only burn the CPU.
const ACCEPT_REST: Duration = Duration::from_millis(10);

/// Listens on a free loopback port.
pub(super) async fn bind(door: Door) -> Result<Box<dyn Endpoint>, TransportError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(TransportError::Bind)?;
    let address = listener.local_addr().map_err(TransportError::Bind)?;
    let tasks = Tasks::new(Handle::current());
    tasks.spawn(accept(listener, door, tasks.clone()));
    Ok(Box::new(Http1Endpoint { address, tasks }))
}

struct Http1Endpoint {
    address: SocketAddr,
    tasks: Tasks,
}

impl Endpoint for Http1Endpoint {
    fn address(&self) -> Address {
        Address::Socket(self.address)
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.tasks.end())
    }
}

impl Drop for Http1Endpoint {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

async fn accept(listener: TcpListener, door: Door, tasks: Tasks) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => tasks.spawn(serve(stream, door.clone())),
            Err(error) => {
                tracing::warn!("a connection could not be accepted: {error}");
                tokio::time::sleep(ACCEPT_REST).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, door: Door) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("a connection ended before its first request: {error}");
        return;
    }
    let service = service_fn(|request| {
        let door = door.clone();
        async move { Ok::<_, Infallible>(respond(request, &door).await) }
    });
    // An error is a caller that went away or wrote no HTTP: the caller's own events tell of it.
    if let Err(error) = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
    {
        tracing::debug!("a connection ended: {error}");
    }
}

async fn respond(request: Request<Incoming>, door: &Door) -> Response<Full<Bytes>> {
    if let Some(refusal) = refuse(&request) {
        return refusal;
    }
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return too_large(),
        Err(error) => return text(StatusCode::BAD_REQUEST, format!("The body could not be read: {error}")),
    };
    let traceparent = head.headers.get(TRACEPARENT).and_then(|value| TraceParent::parse(value.as_bytes()));
    let hs = head.headers.get_all(TRACESTATE).iter().find_map(|value| parse_tracestate(value.as_bytes()));
    let Answer { verdict, body } = door.admit_claimed(traceparent, hs, body, http_status).await;
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = StatusCode::from_u16(http_status(verdict)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, MEDIA_TYPE);
    response
}

/// Answers what is no message, before its body is read.
fn refuse(request: &Request<Incoming>) -> Option<Response<Full<Bytes>>> {
    if request.headers().contains_key(ORIGIN) {
        // A page of another site must not be able to put messages into a run.
        return Some(text(StatusCode::FORBIDDEN, "Browsers may not call a node of a run.".to_owned()));
    }
    if request.uri().path() != "/" {
        return Some(text(StatusCode::NOT_FOUND, "A node is called at /".to_owned()));
    }
    if *request.method() != Method::POST {
        let mut refusal = text(StatusCode::METHOD_NOT_ALLOWED, "A node is called by POST.".to_owned());
        refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return Some(refusal);
    }
    (request.body().size_hint().lower() > BODY_LIMIT as u64).then(too_large)
}

fn too_large() -> Response<Full<Bytes>> {
    text(StatusCode::PAYLOAD_TOO_LARGE, format!("A message may have at most {BODY_LIMIT} bytes."))
}

fn text(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
