//! A program in between that speaks HTTP/1.1.

use std::net::SocketAddr;

use anyhow::Result;
use hopscope_tests::http::{Headers, post, read, request};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::TurnedAway;

/// Handles the one request of a caller: posts the same body to `next` with the headers that `change` makes of those that
/// came, and answers with the reply's status and body.
pub(super) async fn handle(mut caller: TcpStream, next: SocketAddr, change: fn(Headers) -> Headers) -> Result<()> {
    let (_, headers, body) = read(&mut caller).await?;
    let (status, reply) = post(next, &change(headers), &body).await?;
    let head = format!("HTTP/1.1 {status} Whatever\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", reply.len());
    Ok(caller.write_all(&[head.as_bytes(), &reply].concat()).await?)
}

/// Wrong methods and paths, a page of another site, and a body that is announced as too large.
pub(super) async fn no_messages(node: SocketAddr) -> Result<Vec<TurnedAway>> {
    let origin = vec![("origin".to_owned(), "http://example.com".to_owned())];
    // The announcement of a body that is too large is enough.
    let large = vec![("content-length".to_owned(), ((4 << 20) + 1).to_string())];
    let cases = [
        ("GET /", Vec::new(), 405),
        ("POST /elsewhere", Vec::new(), 404),
        ("POST /", origin, 403),
        ("POST /", large, 413),
    ];
    let mut turned_away = Vec::new();
    for (line, headers, due) in cases {
        turned_away.push((line, request(line, node, &headers, b"").await?.0, due));
    }
    Ok(turned_away)
}
