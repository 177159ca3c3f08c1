//! An outside reader of a stream: a WebSocket, and the frames that it holds by their numbers.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail, ensure};
use futures_util::StreamExt as _;
use hopscope_record::decoder::{Decoder, Framing};
use hopscope_record::frame::{FrameType, Payload};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// Bytes that a reader's socket holds: few, so that one that does not read is soon behind.
const SOCKET_BYTES: u32 = 8 << 10;

/// A stream that is being read.
pub struct Reader {
    socket: WebSocketStream<TcpStream>,
    /// What it has read.
    pub held: Held,
}

/// Frames, by their numbers.
#[derive(Default)]
pub struct Held {
    frames: BTreeMap<u32, Vec<u8>>,
    /// How many Keyframes came; they are no frames of the recording.
    pub keyframes: usize,
    /// How far the run's time has come in its frames of events, in ns.
    pub time: i64,
}

impl Held {
    /// Takes whole frames; those that are held already must not come again.
    ///
    /// # Errors
    /// When one does, or the bytes are no whole frames.
    pub fn take(&mut self, bytes: &[u8]) -> Result<()> {
        let mut decoder = Decoder::new(Framing::Stream);
        decoder.push(bytes);
        while let Some(frame) = decoder.next_frame()? {
            if frame.header.frame_type == FrameType::KEYFRAME {
                self.keyframes += 1;
                continue;
            }
            if let Payload::Events(events) = frame.read()? {
                self.time = self.time.max(events.cut);
            }
            let before = self.frames.insert(frame.header.number, frame.bytes.to_vec());
            ensure!(before.is_none(), "frame {} came twice", frame.header.number);
        }
        ensure!(!decoder.is_mid_frame(), "a message is not whole frames");
        Ok(())
    }

    /// The number after the last frame.
    #[must_use]
    pub fn next(&self) -> u32 {
        self.frames.last_key_value().map_or(0, |(last, _)| last + 1)
    }

    /// The first frames that are missing.
    #[must_use]
    pub fn hole(&self) -> Option<(u32, u32)> {
        let first = (0..self.next()).find(|number| !self.frames.contains_key(number))?;
        let (end, _) = self.frames.range(first..).next()?;
        Some((first, *end))
    }

    /// Discards the frames from this number on.
    pub fn truncate(&mut self, frames: u32) {
        self.frames.split_off(&frames);
    }

    /// The frames, one after the other.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.frames.values().flatten().copied().collect()
    }
}

impl Reader {
    /// Begins to follow a run; `query` says from where and how.
    ///
    /// # Errors
    /// When the server is not there, or refuses.
    pub async fn connect(address: SocketAddr, id: &str, query: &str) -> Result<Self> {
        Self::go_on(Held::default(), address, id, query).await
    }

    /// Follows a run again with what a lost connection left.
    ///
    /// # Errors
    /// As [`Reader::connect`].
    pub async fn go_on(held: Held, address: SocketAddr, id: &str, query: &str) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(SOCKET_BYTES)?;
        let stream = socket.connect(address).await?;
        let url = format!("ws://{address}/api/runs/{id}/stream?{query}");
        let (socket, _) = tokio_tungstenite::client_async(url, stream).await?;
        Ok(Self { socket, held })
    }

    /// Reads one message; its close, if it was that.
    ///
    /// # Errors
    /// When the stream breaks off, or brings what it must not.
    pub async fn read(&mut self) -> Result<Option<CloseFrame>> {
        match self.socket.next().await.context("the stream ended without a close")?? {
            Message::Binary(frames) => self.held.take(&frames)?,
            Message::Close(close) => return Ok(Some(close.context("closed without a code")?)),
            Message::Ping(_) | Message::Pong(_) => {}
            other => bail!("{other:?}"),
        }
        Ok(None)
    }

    /// Reads to the close.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub async fn read_to_close(&mut self) -> Result<CloseFrame> {
        loop {
            if let Some(close) = self.read().await? {
                return Ok(close);
            }
        }
    }

    /// Reads on while the stream is open, until it holds what is wanted.
    ///
    /// # Errors
    /// As [`Reader::read`], or when it is closed before.
    pub async fn read_until(&mut self, holds: impl Fn(&Held) -> bool) -> Result<()> {
        while !holds(&self.held) {
            ensure!(self.read().await?.is_none(), "the stream was closed before");
        }
        Ok(())
    }

    /// The frames that it holds, one after the other.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.held.bytes()
    }
}
