//! Requests of which two programs may disagree where they end. Whoever stands in front and counts otherwise must not be able to
//! put a request of somebody else's making behind a first one: what is doubtful is refused or ends its connection.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use hopscope_tests::server::Server;

use crate::support::{exchange, get, live};

/// What becomes of a request and of what stands behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// It is answered by 400, and its connection ends.
    Refused,
    /// It is answered, whatever the answer is, and its connection ends: what stands behind it is never read.
    Last,
    /// It is answered, and what stands behind its end is the next request.
    One,
}

use Fate::{Last, One, Refused};

/// A shape: what it is called, its headers and its body, and what becomes of it. `{smuggled}` stands for a whole request.
type Shape = (&'static str, &'static str, &'static str, Fate);

const SHAPES: &[Shape] = &[
    // Both lengths.
    ("a length, then chunks", "Content-Length: 400\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n{smuggled}", Last),
    ("chunks, then a length", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n{smuggled}", Last),
    // Two lengths.
    ("two lengths", "Content-Length: 4\r\nContent-Length: 0\r\n", "{smuggled}", Refused),
    ("two lengths, the other way", "Content-Length: 0\r\nContent-Length: 4\r\n", "{smuggled}", Refused),
    ("two lengths in one header", "Content-Length: 4, 0\r\n", "{smuggled}", Refused),
    ("one length twice", "Content-Length: 4\r\nContent-Length: 4\r\n", "abcd", One),
    // Lengths that are none.
    ("a length with a sign", "Content-Length: +4\r\n", "abcd{smuggled}", Refused),
    ("a length below 0", "Content-Length: -4\r\n", "{smuggled}", Refused),
    ("a hexadecimal length", "Content-Length: 0x4\r\n", "abcd{smuggled}", Refused),
    ("a length of two numbers", "Content-Length: 4 0\r\n", "{smuggled}", Refused),
    ("an empty length", "Content-Length:\r\n", "{smuggled}", Refused),
    ("a length beyond 64 bits", "Content-Length: 18446744073709551620\r\n", "{smuggled}", Refused),
    // Codings that are none, or not the last.
    ("a coding after chunks", "Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n{smuggled}", Refused),
    ("a coding that is none", "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n{smuggled}", Refused),
    ("a coding with a tab of the other kind", "Transfer-Encoding: \u{b}chunked\r\n", "0\r\n\r\n{smuggled}", Refused),
    ("a second coding", "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", "0\r\n\r\n{smuggled}", Refused),
    ("a space before the colon", "Transfer-Encoding : chunked\r\n", "0\r\n\r\n{smuggled}", Refused),
    ("a length with a space before the colon", "Content-Length : 4\r\n", "{smuggled}", Refused),
    // Lines.
    ("a folded header", "X-A: b\r\n Content-Length: 4\r\n", "{smuggled}", Refused),
    ("a folded coding", "Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n{smuggled}", Refused),
    ("a bare CR", "X-A: b\rContent-Length: 4\r\n", "{smuggled}", Refused),
    ("a zero byte", "X-A: b\0\r\n", "{smuggled}", Refused),
    ("a header without a name", ": b\r\n", "{smuggled}", Refused),
    // A bare LF ends a line, as RFC 9112, 2.2 lets it: the length counts, and what it covers is no request.
    ("a bare LF", "X-A: b\nContent-Length: {length}\r\n", "{smuggled}", One),
    (
        "a bare LF before chunks and a length",
        "X: b\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "0\r\n\r\n{smuggled}",
        Last,
    ),
    // Chunks.
    ("a chunk with a sign", "Transfer-Encoding: chunked\r\n", "+4\r\nabcd\r\n0\r\n\r\n{smuggled}", Refused),
    ("a chunk with a prefix", "Transfer-Encoding: chunked\r\n", "0x4\r\nabcd\r\n0\r\n\r\n{smuggled}", Refused),
    ("a chunk without a size", "Transfer-Encoding: chunked\r\n", "\r\n\r\n{smuggled}", Refused),
    (
        "a chunk beyond 64 bits",
        "Transfer-Encoding: chunked\r\n",
        "10000000000000004\r\nabcd\r\n0\r\n\r\n{smuggled}",
        Refused,
    ),
    ("a chunk's size ended by LF", "Transfer-Encoding: chunked\r\n", "4\nabcd\r\n0\r\n\r\n{smuggled}", Refused),
    ("a chunk's extension ended by LF", "Transfer-Encoding: chunked\r\n", "4;a\nabcd\r\n0\r\n\r\n{smuggled}", Refused),
    (
        "a chunk that is longer than it says",
        "Transfer-Encoding: chunked\r\n",
        "3\r\nabcd\r\n0\r\n\r\n{smuggled}",
        Refused,
    ),
    ("a size of two numbers", "Transfer-Encoding: chunked\r\n", "4 4\r\nabcd\r\n0\r\n\r\n{smuggled}", Refused),
    ("an extension", "Transfer-Encoding: chunked\r\n", "4;a=\"b\"\r\nabcd\r\n0\r\n\r\n", One),
    ("lengths in the trailers", "Transfer-Encoding: chunked\r\n", "0\r\nContent-Length: 99\r\nHost: evil\r\n\r\n", One),
];

/// A request that is recognised by its answer.
fn request(to: SocketAddr, path: &str, more: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: {to}\r\nContent-Length: 0\r\n{more}\r\n")
}

/// Tries every shape: `path` is where a request may be posted to, `smuggled` and `next` are told apart from it by their answer.
async fn try_all(to: SocketAddr, path: &str) -> Result<()> {
    let (smuggled, next) = (request(to, "/api/smuggled", ""), request(to, "/api/next", "Connection: close\r\n"));
    for (name, headers, body, fate) in SHAPES {
        let body = body.replace("{smuggled}", &smuggled);
        let headers = headers.replace("{length}", &body.len().to_string());
        let bytes = format!("POST {path} HTTP/1.1\r\nHost: {to}\r\n{headers}\r\n{body}{next}");
        let answers = exchange(to, bytes.as_bytes()).await?;
        let statuses: Vec<_> = answers.iter().map(|(status, _)| *status).collect();
        let as_told = match fate {
            Refused => statuses == [400],
            Last => statuses.len() == 1,
            // Nothing is at the second's path.
            One => statuses.len() == 2 && statuses[0] != 400 && statuses[1] == 404,
        };
        ensure!(as_told, "{name}: not {fate:?}, but {statuses:?}");
    }
    // HTTP/1.0 has no chunks.
    let old = format!("POST {path} HTTP/1.0\r\nHost: {to}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}");
    ensure!(matches!(exchange(to, old.as_bytes()).await?[..], [(400, _)]), "chunks in HTTP/1.0");
    Ok(())
}

#[tokio::test]
async fn the_server_takes_no_request_for_two() -> Result<()> {
    let server = Server::start().await?;
    let (id, _) = live(&server).await?;
    // A body of this request that is no JSON is refused by 422, one that cannot be read by 400.
    try_all(server.address()?, "/api/runs").await?;
    // The run that was there is there, and no other.
    let listed: serde_json::Value = serde_json::from_slice(&get(&server, "/api/runs").await?)?;
    ensure!(listed.as_array().is_some_and(|runs| runs.len() == 1 && runs[0]["id"] == id.as_str()), "{listed}");
    Ok(())
}

#[tokio::test]
async fn a_node_of_a_run_takes_no_request_for_two() -> Result<()> {
    let server = Server::start().await?;
    let (_, node) = live(&server).await?;
    try_all(node, "/").await
}
