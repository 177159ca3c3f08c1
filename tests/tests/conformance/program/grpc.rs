//! A program in between that speaks gRPC.

use std::net::SocketAddr;
use std::pin::pin;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use hopscope_tests::grpc::{CALL, Whole, framed, post, response, send};
use hopscope_tests::http::Headers;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::TurnedAway;

/// Handles the one request of a caller: sends it on to `next` with the headers that `change` makes of those that came, and
/// hands back what it is answered.
pub(super) async fn handle(caller: TcpStream, next: SocketAddr, change: fn(Headers) -> Headers) -> Result<()> {
    let (tell, mut handled) = mpsc::unbounded_channel();
    let service = service_fn(move |request: Request<Incoming>| {
        let tell = tell.clone();
        async move {
            let reply = async { response(pass_on(request, next, change).await?) }.await;
            let (reply, outcome) = match reply {
                Ok(reply) => (Ok(reply), Ok(())),
                Err(error) => (Err(std::io::Error::other(error.to_string())), Err(error)),
            };
            // Nobody waits for a second request.
            let _ = tell.send(outcome);
            reply
        }
    });
    let mut connection =
        pin!(http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(caller), service));
    tokio::select! {
        end = &mut connection => Ok(end?),
        outcome = handled.recv() => {
            outcome.context("the connection ended before a request")??;
            connection.as_mut().graceful_shutdown();
            Ok(connection.await?)
        }
    }
}

async fn pass_on(request: Request<Incoming>, next: SocketAddr, change: fn(Headers) -> Headers) -> Result<Whole> {
    let (head, body) = request.into_parts();
    let request = Whole::read(&head.headers, body).await?;
    Ok(post(head.uri.path(), next, &change(request.headers), request.data).await?.1)
}

/// gRPC's UNIMPLEMENTED, INTERNAL and OUT_OF_RANGE.
const UNIMPLEMENTED: u16 = 12;
const INTERNAL: u16 = 13;
const OUT_OF_RANGE: u16 = 11;

/// Methods that a node does not have, no message, what is none, and one that is announced as too large.
pub(super) async fn no_messages(node: SocketAddr) -> Result<Vec<TurnedAway>> {
    let large = [&[0_u8][..], &((4_u32 << 20) + 1).to_be_bytes()].concat();
    let cases = [
        ("no such method", "/hopscope.v1.Node/Elsewhere", framed(b""), UNIMPLEMENTED),
        ("no such service", "/elsewhere.Node/Call", framed(b""), UNIMPLEMENTED),
        ("no message", CALL, Bytes::new(), INTERNAL),
        ("not a message", CALL, framed(b"\xff"), INTERNAL),
        ("too large", CALL, Bytes::from(large), OUT_OF_RANGE),
    ];
    let mut turned_away = Vec::new();
    for (what, method, data, due) in cases {
        turned_away.push((what, send(method, node, &Headers::new(), data).await?.0, due));
    }
    Ok(turned_away)
}
