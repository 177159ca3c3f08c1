//! Asking a server that runs already: what the command line says to it.

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Largest answer in bytes.
const ANSWER_LIMIT: usize = 4 << 20;

/// What asking may come to.
type Asked = Result<(StatusCode, Bytes), Box<dyn std::error::Error + Send + Sync>>;

/// Asks a server for what is at a path; gives the answer's status and body.
///
/// # Errors
/// When nothing answers there, or what answers speaks no HTTP.
pub async fn get(server: SocketAddr, path: &str) -> Asked {
    ask(Method::GET, server, path, String::new()).await
}

/// Sends JSON to a path of a server and gives the answer's status and body.
///
/// # Errors
/// As [`get`].
pub async fn post(server: SocketAddr, path: &str, body: String) -> Asked {
    ask(Method::POST, server, path, body).await
}

async fn ask(method: Method, server: SocketAddr, path: &str, body: String) -> Asked {
    let stream = TcpStream::connect(server).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the one answer that is asked of it.
    tokio::spawn(connection);
    let mut request = Request::new(Full::new(Bytes::from(body)));
    *request.method_mut() = method;
    *request.uri_mut() = path.parse()?;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_str(&server.to_string())?);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = Limited::new(body, ANSWER_LIMIT).collect().await?;
    Ok((head.status, body.to_bytes()))
}
