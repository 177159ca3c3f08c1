//! A run's frames, as they come.

use futures_util::StreamExt;
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message, WebSocketError};

/// Why no more bytes come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// The server has sent all there is.
    Sent,
    /// The connection broke, or was never there.
    Lost,
    /// Nobody wants more.
    Unwanted,
    /// The recording has so many frames and not the one asked for: those after them are lost.
    Truncated(u32),
}

/// The code of a close that says: all is sent (RFC 6455, 7.4.1).
const NORMAL: u16 = 1000;
/// The server's own code of a close that says: the recording ends before; the reason is the number of its frames.
const TRUNCATED: u16 = 4001;

/// Reads a run's frames from number `from` on and hands each piece to `take`, until there are no more or it answers
/// `false`. When the page is late or slow it is taken to the head, and the frames between are for it to fetch.
pub(crate) async fn follow(id: &str, from: u32, mut take: impl FnMut(&[u8]) -> bool) -> Over {
    let Some(mut socket) = address(id, from).and_then(|address| WebSocket::open(&address).ok()) else {
        return Over::Lost;
    };
    while let Some(message) = socket.next().await {
        match message {
            Ok(Message::Bytes(bytes)) => {
                if !take(&bytes) {
                    return Over::Unwanted;
                }
            }
            // The stream has no texts; one of a later version is passed over.
            Ok(Message::Text(_)) => {}
            Err(WebSocketError::ConnectionClose(close)) if close.was_clean && close.code == NORMAL => {
                return Over::Sent;
            }
            Err(WebSocketError::ConnectionClose(close)) if close.code == TRUNCATED => {
                return close.reason.parse().map_or(Over::Lost, Over::Truncated);
            }
            Err(_) => return Over::Lost,
        }
    }
    Over::Lost
}

fn address(id: &str, from: u32) -> Option<String> {
    let location = leptos::prelude::window().location();
    let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
    let path = location.pathname().ok()?;
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    Some(format!("{scheme}://{}{folder}/api/streams/{id}?mode=head&from={from}", location.host().ok()?))
}
