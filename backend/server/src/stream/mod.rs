//! A run's frames over a WebSocket: the same bytes as in its file, in binary messages of one or more whole frames.
//!
//! A stream is a reader of the file ([`Tail`]). It knows nothing of the run and the run nothing of it, so that a reader
//! that stalls holds nothing up. What happens when one falls behind is for it to choose ([`Mode`]).

use std::io;
use std::time::Duration;

use axum::extract::ws::{CloseCode, CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::store::Tail;

/// How long a reader may take to answer that the stream is closed.
const CLOSING: Duration = Duration::from_secs(5);

const CLOSING_SERVER: (CloseCode, &str) = (close_code::AWAY, "the server is closing");

/// The code of a close that says: the recording ends before the frame that was asked for. The reason is a number: so
/// many frames there are, and whoever has more must discard those.
pub(crate) const TRUNCATED: CloseCode = 4001;

/// Unread bytes from which on a reader that wants the head is taken there: some hundred thousand events, about as many
/// as a page takes in between two blinks. Below it, reading on is quicker than a Keyframe and its hole.
const BACKLOG: u64 = 1 << 20;

/// What a reader wants that is behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    /// Every frame, however late.
    #[default]
    All,
    /// To be at the head: Hello, Names and the newest Keyframe, and then what comes. The frames between are its to
    /// fetch.
    Head,
}

/// Sends what `tail` reads until the recording ends, the reader goes, or `closing` says that the server does.
pub(crate) async fn send(mut socket: WebSocket, mut tail: Tail, mode: Mode, closing: CancellationToken) {
    let (code, reason) = loop {
        let batch = match next(&mut tail, mode).await {
            Ok(batch) => batch,
            Err(error) => {
                tracing::warn!("a stream ends early: {error}");
                break (close_code::ERROR, "the recording cannot be read any further");
            }
        };
        if batch.is_empty() {
            match wait(&mut socket, &mut tail, &closing).await {
                Next::Read => {}
                Next::Ended => break (close_code::NORMAL, ""),
                Next::Closing => break CLOSING_SERVER,
                Next::Gone => return,
            }
            continue;
        }
        let sent = tokio::select! {
            // First the message: what the socket takes at once is sent whole, and the stream then closed properly.
            biased;
            sent = socket.send(Message::Binary(batch.into())) => sent,
            () = closing.cancelled() => return,
        };
        if sent.is_err() {
            return;
        }
        if closing.is_cancelled() {
            break CLOSING_SERVER;
        }
    };
    close(socket, code, reason).await;
}

/// What is to be sent next; empty when there is nothing yet.
async fn next(tail: &mut Tail, mode: Mode) -> io::Result<Vec<u8>> {
    if mode == Mode::Head
        && let Some(leap) = tail.leap(BACKLOG).await?
    {
        return Ok(leap);
    }
    tail.read().await
}

/// Tells a reader that the recording has only so many frames, and that those after them are to be discarded.
pub(crate) async fn truncate(socket: WebSocket, frames: u32) {
    close(socket, TRUNCATED, frames.to_string()).await;
}

enum Next {
    /// There may be more.
    Read,
    /// There will be no more.
    Ended,
    /// The server closes.
    Closing,
    /// Nobody reads any more.
    Gone,
}

/// Waits for more frames, and meanwhile answers what the reader sends.
async fn wait(socket: &mut WebSocket, tail: &mut Tail, closing: &CancellationToken) -> Next {
    loop {
        tokio::select! {
            grown = tail.grown() => return if grown { Next::Read } else { Next::Ended },
            () = closing.cancelled() => return Next::Closing,
            message = socket.recv() => match message {
                // Pings are answered by the socket itself; nothing else is expected and nothing else matters.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Text(_) | Message::Binary(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Next::Gone,
            },
        }
    }
}

/// Closes the stream and gives the reader time to say that it has seen it, lest the last frames be cut off.
async fn close(mut socket: WebSocket, code: CloseCode, reason: impl Into<Utf8Bytes>) {
    let frame = CloseFrame { code, reason: reason.into() };
    if socket.send(Message::Close(Some(frame))).await.is_err() {
        return;
    }
    // A reader that never answers is left to its own.
    let _ = tokio::time::timeout(CLOSING, async { while let Some(Ok(_)) = socket.recv().await {} }).await;
}
