//! HTTP by hand: what another program sends is what a test writes, header by header.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Headers in their order, names in lower case.
pub type Headers = Vec<(String, String)>;

/// Posts a body to `/`; gives status and body of the reply.
///
/// # Errors
/// When there is no whole reply.
pub async fn post(to: SocketAddr, headers: &Headers, body: &[u8]) -> Result<(u16, Vec<u8>)> {
    request("POST /", to, headers, body).await
}

/// Makes a request with this method and path. A `content-length` among the headers stands in place of the body's own.
///
/// # Errors
/// When there is no whole reply.
pub async fn request(line: &str, to: SocketAddr, headers: &Headers, body: &[u8]) -> Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(to).await?;
    let mut head = format!("{line} HTTP/1.1\r\nhost: {to}\r\n");
    if headers.iter().all(|(name, _)| name != "content-length") {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(&[head.as_bytes(), body].concat()).await?;
    let (start, _, body) = read(&mut stream).await?;
    let status = start.split(' ').nth(1).context("no status")?.parse()?;
    Ok((status, body))
}

/// A reply of any length.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// All its headers.
    pub headers: Headers,
    /// Its body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The first header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// Makes a request as HTTP/1.0 has it, whose reply ends with the connection, as an export's does that has no length. The
/// host is told unless it is among the headers.
///
/// # Errors
/// When there is no whole reply.
pub async fn fetch(line: &str, to: SocketAddr, headers: &[(&str, &str)], body: &[u8]) -> Result<Reply> {
    let mut head = format!("{line} HTTP/1.0\r\ncontent-length: {}\r\n", body.len());
    if headers.iter().all(|(name, _)| *name != "host") {
        head.push_str(&format!("host: {to}\r\n"));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let mut stream = TcpStream::connect(to).await?;
    // A server may answer, and close, before it has read all: an answer that is there is one, whatever became of the rest.
    let (mut from, mut into) = stream.split();
    let (whole, mut answer) = ([head.as_bytes(), body].concat(), Vec::new());
    let (sent, received) = tokio::join!(into.write_all(&whole), from.read_to_end(&mut answer));
    if answer.is_empty() {
        sent?;
        received?;
    }
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").context("no head")?;
    let body = answer.split_off(end + 4);
    let head = String::from_utf8(answer)?;
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status")?.parse()?;
    let pairs = lines.filter_map(|line| line.split_once(':'));
    let headers = pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    Ok(Reply { status, headers, body })
}

/// Reads one request or reply with a content-length: its first line, its other headers, its body.
///
/// # Errors
/// When it is not whole, or has no content-length.
pub async fn read(stream: &mut TcpStream) -> Result<(String, Headers, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        ensure!(stream.read_buf(&mut bytes).await? > 0, "the connection ended in a head");
    };
    let head = String::from_utf8(bytes[..end].to_vec())?;
    let mut lines = head.lines();
    let start = lines.next().context("no first line")?.to_owned();
    let all: Headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let (framing, headers): (Headers, Headers) =
        all.into_iter().partition(|(name, _)| matches!(name.as_str(), "host" | "content-length" | "connection"));
    let length = framing.iter().find(|(name, _)| name == "content-length").context("no content-length")?;
    let length: usize = length.1.parse()?;
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        ensure!(stream.read_buf(&mut body).await? > 0, "the connection ended in a body");
    }
    Ok((start, headers, body))
}
