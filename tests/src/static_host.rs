//! A host of plain files, like any that serves a folder: it knows nothing of Hopscope and answers nothing but GET.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Where the page lies, as on hosts that have more than one.
const FOLDER: &str = "/hopscope/";

/// The host, gone with its owner.
pub struct StaticHost {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl StaticHost {
    /// Serves the page as it was built.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn of_the_page() -> Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../frontend/page/dist");
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, asked) = (listener.local_addr()?, Arc::<Mutex<Vec<String>>>::default());
        let seen = asked.clone();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                // A browser that goes away in the middle of an answer is no fault.
                let (folder, seen) = (folder.clone(), seen.clone());
                connections.spawn(async move { answer(stream, &folder, &seen).await.unwrap_or_default() });
            }
        });
        Ok(Self { address, asked, task })
    }

    /// The page's address, like `http://127.0.0.1:40321/hopscope/`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}{FOLDER}", self.address)
    }

    /// What it was asked for so far, like `GET /index.html 404`.
    ///
    /// # Errors
    /// When an answer panicked.
    pub fn asked(&self) -> Result<Vec<String>> {
        Ok(self.asked.lock().ok().context("an answer panicked")?.clone())
    }
}

impl Drop for StaticHost {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(mut stream: TcpStream, folder: &Path, seen: &Mutex<Vec<String>>) -> Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let head = String::from_utf8(head)?;
    let mut words = head.split(' ');
    let (method, target) = (words.next().context("no method")?, words.next().context("no path")?);
    let file = file(folder, target).filter(|_| method == "GET");
    let (status, body) = match &file {
        Some(file) => ("200 OK", tokio::fs::read(file).await?),
        None => ("404 Not Found", b"<!doctype html><title>404</title>".to_vec()),
    };
    if let Ok(mut seen) = seen.lock() {
        seen.push(format!("{method} {target} {}", &status[..3]));
    }
    let media = file.as_deref().map_or("text/html", media_type);
    let length = body.len();
    let start =
        format!("HTTP/1.1 {status}\r\ncontent-type: {media}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    stream.write_all(&[start.as_bytes(), &body].concat()).await?;
    Ok(())
}

/// The file that a path names, if there is one.
fn file(folder: &Path, target: &str) -> Option<PathBuf> {
    let path = target.split('?').next()?.strip_prefix(FOLDER)?;
    let path = folder.join(if path.is_empty() { "index.html" } else { path });
    path.is_file().then_some(path)
}

fn media_type(file: &Path) -> &'static str {
    match file.extension().and_then(|ending| ending.to_str()) {
        Some("html") => "text/html",
        Some("js") => "text/javascript",
        Some("wasm") => "application/wasm",
        Some("css") => "text/css",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}
