//! Thrift as another program has it: frames, headers and the binary protocol by hand.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::http::Headers;

/// What a message is: a call, a reply, an exception, and one that nobody answers.
pub const CALL: u8 = 1;
/// See [`CALL`].
pub const REPLY: u8 = 2;
/// See [`CALL`].
pub const EXCEPTION: u8 = 3;
/// See [`CALL`].
pub const ONEWAY: u8 = 4;

/// The binary protocol's types.
const STOP: u8 = 0;
const I32: u8 = 8;
const STRING: u8 = 11;
const STRUCT: u8 = 12;

/// The status of an exception of Thrift's own is this and its type.
const EXCEPTIONS: u16 = 1_000;

/// A message of the binary protocol whose one argument has `body` as its first field; none: without the argument.
#[must_use]
pub fn message(name: &str, kind: u8, body: Option<&[u8]>) -> Vec<u8> {
    let mut bytes = vec![0x80, 1, 0, kind];
    text(&mut bytes, name.as_bytes());
    bytes.extend(7_i32.to_be_bytes());
    if let Some(body) = body {
        bytes.extend([STRUCT, 0, 1, STRING, 0, 1]);
        text(&mut bytes, body);
        bytes.push(STOP);
    }
    bytes.push(STOP);
    bytes
}

fn text(into: &mut Vec<u8>, text: &[u8]) {
    into.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
    into.extend(text);
}

/// A frame with only its length before it.
#[must_use]
pub fn framed(payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    text(&mut frame, payload);
    frame
}

/// A frame of THeader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framed {
    /// The number of the protocol inside.
    pub protocol: u8,
    /// Its headers.
    pub headers: Headers,
    /// What is inside.
    pub payload: Vec<u8>,
}

impl Framed {
    /// As bytes, the length first.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut header = vec![self.protocol, 0];
        if !self.headers.is_empty() {
            header.push(1);
            varint(&mut header, self.headers.len());
            for text in self.headers.iter().flat_map(|(name, value)| [name, value]) {
                varint(&mut header, text.len());
                header.extend(text.as_bytes());
            }
        }
        header.resize(header.len().next_multiple_of(4), 0);
        let words = u16::try_from(header.len() / 4).unwrap_or(u16::MAX);
        let frame = [&[0x0f, 0xff, 0, 0, 0, 0, 0, 9], &words.to_be_bytes()[..], &header, &self.payload].concat();
        framed(&frame)
    }

    /// Reads one.
    ///
    /// # Errors
    /// When there is no whole one.
    pub async fn read(stream: &mut TcpStream) -> Result<Self> {
        Self::of(&frame(stream).await?)
    }

    fn of(frame: &[u8]) -> Result<Self> {
        ensure!(frame.starts_with(&[0x0f, 0xff]), "no THeader");
        let words = frame.get(8..10).context("no size")?;
        let end = 10 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
        let mut rest = frame.get(10..end).context("a header cut short")?;
        let protocol = u8::try_from(number(&mut rest)?)?;
        ensure!(number(&mut rest)? == 0, "transforms");
        let mut headers = Headers::new();
        if !rest.is_empty() && number(&mut rest)? == 1 {
            for _ in 0..number(&mut rest)? {
                let mut text = || -> Result<String> {
                    let length = number(&mut rest)?;
                    let (text, after) = rest.split_at_checked(length).context("a text cut short")?;
                    rest = after;
                    Ok(String::from_utf8(text.to_vec())?)
                };
                headers.push((text()?, text()?));
            }
        }
        Ok(Self { protocol, headers, payload: frame.get(end..).context("no payload")?.to_vec() })
    }
}

fn varint(into: &mut Vec<u8>, mut number: usize) {
    while number > 0x7f {
        into.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    into.push(number.to_le_bytes()[0]);
}

fn number(rest: &mut &[u8]) -> Result<usize> {
    let mut number = 0;
    for shift in (0..35).step_by(7) {
        let (byte, after) = rest.split_first().context("a number cut short")?;
        *rest = after;
        number |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    bail!("a number without an end")
}

/// Reads a frame; gives it without its length.
///
/// # Errors
/// When there is no whole one.
pub async fn frame(stream: &mut TcpStream) -> Result<Vec<u8>> {
    let length = stream.read_u32().await?;
    let mut frame = vec![0; usize::try_from(length)?];
    stream.read_exact(&mut frame).await?;
    Ok(frame)
}

/// What a reply in the binary protocol says: the field of the result that is set, or 1000 and an exception's type; and the
/// body that it carries, empty if there is none.
///
/// # Errors
/// When it is no reply.
pub fn reply(payload: &[u8]) -> Result<(u16, Vec<u8>)> {
    let mut rest = payload;
    let mut take = |count: usize| -> Result<&[u8]> {
        let (taken, after) = rest.split_at_checked(count).context("a reply cut short")?;
        rest = after;
        Ok(taken)
    };
    let kind = take(4)?[3];
    let length = |bytes: &[u8]| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
    let name = length(take(4)?);
    take(name + 4)?;
    match (kind, take(1)?[0]) {
        (EXCEPTION, mut field) => loop {
            take(2)?;
            match field {
                STRING => {
                    let length = length(take(4)?);
                    take(length)?;
                }
                I32 => return Ok((EXCEPTIONS + u16::try_from(length(take(4)?))?, Vec::new())),
                other => bail!("a field of type {other} in an exception"),
            }
            field = take(1)?[0];
        },
        (REPLY, STRUCT) => {
            let id = take(2)?;
            let status = u16::from_be_bytes([id[0], id[1]]);
            ensure!(take(3)? == [STRING, 0, 1], "no text first");
            let length = length(take(4)?);
            let body = take(length)?.to_vec();
            Ok((status, if status == 0 { body } else { Vec::new() }))
        }
        other => bail!("{other:?}"),
    }
}

/// Calls a node by THeader, with these headers; gives what [`reply`] does.
///
/// # Errors
/// When there is no whole reply.
pub async fn call(to: SocketAddr, headers: &Headers, body: &[u8]) -> Result<(u16, Vec<u8>)> {
    let asking = Framed { protocol: 0, headers: headers.clone(), payload: message("call", CALL, Some(body)) };
    let mut stream = TcpStream::connect(to).await?;
    stream.write_all(&asking.to_bytes()).await?;
    reply(&Framed::read(&mut stream).await?.payload)
}

/// Sends bytes as they are; gives the status of what comes back, framed or by THeader, or `None` where the connection is closed.
///
/// # Errors
/// When it breaks.
pub async fn send(to: SocketAddr, bytes: &[u8]) -> Result<Option<u16>> {
    let mut stream = TcpStream::connect(to).await?;
    stream.write_all(bytes).await?;
    let mut first = [0; 4];
    if stream.read(&mut first).await? == 0 {
        return Ok(None);
    }
    let mut frame = vec![0; usize::try_from(u32::from_be_bytes(first))?];
    stream.read_exact(&mut frame).await?;
    let payload = if frame.starts_with(&[0x0f, 0xff]) { Framed::of(&frame)?.payload } else { frame };
    Ok(Some(reply(&payload)?.0))
}
