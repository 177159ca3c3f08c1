//! gRPC as another program has it: HTTP/2 by hyper, messages framed by hand, any metadata.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message as _;
use tokio::net::TcpStream;

use crate::http::Headers;

/// The method that the nodes of a run call one another by.
pub const CALL: &str = "/hopscope.v1.Node/Call";
/// The method of gRPC's introductions.
pub const SAY_HELLO: &str = "/helloworld.Greeter/SayHello";

/// A message whose one field has the number 1 and is bytes or text, as all of both services are.
#[derive(Clone, PartialEq, prost::Message)]
struct Message {
    #[prost(bytes = "vec", tag = "1")]
    body: Vec<u8>,
}

/// What was read of a request or a reply, to its end.
pub struct Whole {
    /// Its headers, for a reply without its status.
    pub headers: Headers,
    /// Its data: framed messages.
    pub data: Bytes,
    /// Its trailers.
    pub trailers: Option<HeaderMap>,
}

impl Whole {
    /// Reads to the end.
    ///
    /// # Errors
    /// When it breaks off.
    pub async fn read(headers: &HeaderMap, body: hyper::body::Incoming) -> Result<Self> {
        let body = body.collect().await?;
        let text = |(name, value): (&HeaderName, &HeaderValue)| Ok((name.to_string(), value.to_str()?.to_owned()));
        let headers = headers.iter().map(text).collect::<Result<Headers>>()?;
        let trailers = body.trailers().cloned();
        Ok(Self { headers, data: body.to_bytes(), trailers })
    }

    /// gRPC's status, from the trailers or, of a reply without a message, from the headers.
    ///
    /// # Errors
    /// When there is none.
    pub fn status(&self) -> Result<u16> {
        let trailer = self.trailers.as_ref().and_then(|trailers| trailers.get("grpc-status"));
        let status = match trailer {
            Some(status) => status.to_str()?,
            None => &self.headers.iter().find(|(name, _)| name == "grpc-status").context("no grpc-status")?.1,
        };
        Ok(status.parse()?)
    }
}

/// Makes a unary call with these metadata; gives gRPC's status and the field of the reply's message, empty if there is none.
///
/// # Errors
/// When there is no whole reply.
pub async fn call(method: &str, to: SocketAddr, metadata: &Headers, body: &[u8]) -> Result<(u16, Vec<u8>)> {
    send(method, to, metadata, framed(&Message { body: body.to_vec() }.encode_to_vec())).await
}

/// As [`call`], with data of one's own.
///
/// # Errors
/// When there is no whole reply.
pub async fn send(method: &str, to: SocketAddr, metadata: &Headers, data: Bytes) -> Result<(u16, Vec<u8>)> {
    let mut headers: Headers =
        vec![("content-type".to_owned(), "application/grpc".to_owned()), ("te".to_owned(), "trailers".to_owned())];
    headers.extend(metadata.iter().cloned());
    let (status, reply) = post(method, to, &headers, data).await?;
    ensure!(status == 200, "HTTP's status is {status}");
    let message = if reply.data.is_empty() { Vec::new() } else { Message::decode(unframed(&reply.data)?)?.body };
    Ok((reply.status()?, message))
}

/// Posts data over a connection of its own; gives HTTP's status and the reply.
///
/// # Errors
/// When there is no whole reply.
pub async fn post(path: &str, to: SocketAddr, headers: &Headers, data: Bytes) -> Result<(u16, Whole)> {
    let stream = TcpStream::connect(to).await?;
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let mut request = Request::post(format!("http://{to}{path}"));
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let (head, body) = sender.send_request(request.body(Full::new(data))?).await?.into_parts();
    let reply = Whole::read(&head.headers, body).await?;
    drop(sender);
    connection.await??;
    Ok((head.status.as_u16(), reply))
}

/// A reply that another one's data and trailers make.
///
/// # Errors
/// When its headers are none.
pub fn response(
    reply: Whole,
) -> Result<Response<impl hyper::body::Body<Data = Bytes, Error = std::convert::Infallible>>> {
    let mut response = Response::builder();
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    let trailers = reply.trailers.map(Ok);
    Ok(response.body(Full::new(reply.data).with_trailers(std::future::ready(trailers)))?)
}

/// A message as it stands on the wire: not compressed, its length, itself.
#[must_use]
pub fn framed(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(message.len() + 5);
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.put_slice(message);
    framed.freeze()
}

fn unframed(data: &[u8]) -> Result<&[u8]> {
    let (prefix, message) = data.split_at_checked(5).context("no whole message")?;
    ensure!(prefix[0] == 0, "the message is compressed");
    let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]);
    ensure!(usize::try_from(length)? == message.len(), "not exactly one message");
    Ok(message)
}
