//! A program of someone else's between two nodes: reads HTTP by hand, changes headers as it likes, and calls on.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

/// Headers in their order, names in lower case.
pub(crate) type Headers = Vec<(String, String)>;

/// A running program; it ends when dropped.
pub(crate) struct Program {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    task: AbortOnDropHandle<Result<()>>,
}

impl Program {
    /// Starts one that handles a single request: it posts the same body to `next` with the headers that `change` makes of
    /// the ones that came, and answers with the reply's status and body.
    pub(crate) async fn start(next: SocketAddr, change: fn(Headers) -> Headers) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            let (mut caller, _) = listener.accept().await?;
            let (_, headers, body) = read(&mut caller).await?;
            let (status, reply) = post(next, &change(headers), &body).await?;
            let head =
                format!("HTTP/1.1 {status} Whatever\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", reply.len());
            caller.write_all(&[head.as_bytes(), &reply].concat()).await?;
            Ok(())
        });
        Ok(Self { address, task: AbortOnDropHandle::new(task) })
    }

    /// Waits until it has handled its request.
    pub(crate) async fn end(self) -> Result<()> {
        self.task.await?
    }
}

/// Posts a body as any HTTP client might; gives status and body of the reply.
pub(crate) async fn post(to: SocketAddr, headers: &Headers, body: &[u8]) -> Result<(u16, Vec<u8>)> {
    request("POST /", to, headers, body).await
}

/// Makes a request with this method and path. A `content-length` among the headers stands in place of the body's own.
pub(crate) async fn request(line: &str, to: SocketAddr, headers: &Headers, body: &[u8]) -> Result<(u16, Vec<u8>)> {
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

/// Reads one request or reply with a content-length: its first line, its other headers, its body.
async fn read(stream: &mut TcpStream) -> Result<(String, Headers, Vec<u8>)> {
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
