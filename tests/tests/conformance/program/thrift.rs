//! A program in between that speaks Thrift, framed by THeader.

use std::net::SocketAddr;

use anyhow::Result;
use hopscope_tests::http::Headers;
use hopscope_tests::thrift::{CALL, Framed, REPLY, framed, message, send};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::TurnedAway;

/// Handles the one call of a caller: makes it at `next` with the headers that `change` makes of those that came, and hands
/// back what it is answered.
pub(super) async fn handle(mut caller: TcpStream, next: SocketAddr, change: fn(Headers) -> Headers) -> Result<()> {
    let mut asked = Framed::read(&mut caller).await?;
    asked.headers = change(asked.headers);
    let mut onward = TcpStream::connect(next).await?;
    onward.write_all(&asked.to_bytes()).await?;
    let reply = Framed::read(&mut onward).await?;
    Ok(caller.write_all(&reply.to_bytes()).await?)
}

/// Thrift's UNKNOWN_METHOD, INVALID_MESSAGE_TYPE and PROTOCOL_ERROR, each with the 1,000 that tells them from fields.
const UNKNOWN_METHOD: u16 = 1_001;
const INVALID_MESSAGE_TYPE: u16 = 1_002;
const PROTOCOL_ERROR: u16 = 1_007;
/// Nothing is answered: the connection is closed.
const CLOSED: u16 = 0;

/// Methods that a node does not have, what is no call, what is cut short or too large, and what is no Thrift.
pub(super) async fn no_messages(node: SocketAddr) -> Result<Vec<TurnedAway>> {
    let large = [&((4_u32 << 20) + (64 << 10) + 1).to_be_bytes()[..], &[0x80, 1]].concat();
    let body = Some(&b"body"[..]);
    let mut cut = message("call", CALL, body);
    cut.truncate(cut.len() - 3);
    let mut other = Framed { protocol: 1, headers: Headers::new(), payload: message("call", CALL, body) };
    let unknown = other.to_bytes();
    other.protocol = 0;
    let mut transformed = other.to_bytes();
    // Behind the length, the magic, the flags, the number, the size and the protocol: how many transforms.
    transformed[4 + 10 + 1] = 1;
    let cases = [
        ("no such method", framed(&message("elsewhere", CALL, body)), UNKNOWN_METHOD),
        ("a reply", framed(&message("call", REPLY, body)), INVALID_MESSAGE_TYPE),
        ("no argument", framed(&message("call", CALL, None)), PROTOCOL_ERROR),
        ("cut short in its frame", framed(&cut), PROTOCOL_ERROR),
        ("too large", large, PROTOCOL_ERROR),
        ("another protocol inside", unknown, PROTOCOL_ERROR),
        ("a transform", transformed, PROTOCOL_ERROR),
        ("no Thrift", b"GET / HTTP/1.1\r\n\r\n".to_vec(), CLOSED),
    ];
    let mut turned_away = Vec::new();
    for (what, bytes, due) in cases {
        turned_away.push((what, send(node, &bytes).await?.unwrap_or(CLOSED), due));
    }
    Ok(turned_away)
}
