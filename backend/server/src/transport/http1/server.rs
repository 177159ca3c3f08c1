//! The receiving end: one listener per replica, keep-alive connections, each a task.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use hopscope_record::trace_context::{TRACEPARENT, TRACESTATE, TraceParent, parse_tracestate};
use http::header::{ALLOW, CONTENT_TYPE, ORIGIN};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

use super::{BODY_LIMIT, MEDIA_TYPE};
use crate::transport::socket::Socket;
use crate::transport::{Answer, Body, Door, Endpoint, TransportError, http_status, socket};

/// Listens on a loopback port, a free one or `again` that of a replica that has crashed.
pub(super) async fn bind(door: Door, again: Option<SocketAddr>) -> Result<Box<dyn Endpoint>, TransportError> {
    socket::listen(again, move |stream, _| serve(stream, door.clone())).await
}

async fn serve(stream: Socket, door: Door) {
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
    let media_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let body = Body::arrived(media_type, body);
    let traceparent = head.headers.get(TRACEPARENT).and_then(|value| TraceParent::parse(value.as_bytes()));
    let hs = head.headers.get_all(TRACESTATE).iter().find_map(|value| parse_tracestate(value.as_bytes()));
    let Answer { verdict, body } =
        door.admit_claimed(traceparent, hs, body, |answer| http_status(answer.verdict)).await;
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
