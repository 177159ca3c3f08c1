//! Bodies without end, bodies that would be many times as large once unpacked: refused or read as they come, in bounded memory.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use hopscope_tests::http::fetch;
use hopscope_tests::server::Server;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{HELLO, STUCK, ask, code, get, live, ran, read_to_close, refusal};

const GIB: usize = 1 << 30;
const MIB: usize = 1 << 20;

/// What a server may take while it reads a body of any length, all that it takes otherwise included.
const MEMORY: u64 = 256 << 20;

/// Sends a body in chunks for as long as it is taken; gives how many bytes were, and status and body of the answer.
async fn stream(to: SocketAddr, path: &str, first: &[u8], part: &[u8], most: usize) -> Result<(usize, u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(to).await?;
    let head = format!("POST {path} HTTP/1.1\r\nHost: {to}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let chunk = |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    let (first, part_chunk) = (chunk(first), chunk(part));
    let mut sent = 0;
    let sending = async {
        // Who has heard enough closes, and the rest cannot be written.
        let mut open = stream.write_all(&first).await.is_ok();
        while open && sent < most {
            open = stream.write_all(&part_chunk).await.is_ok();
            sent += part.len();
        }
        open
    };
    let open = timeout(STUCK, sending).await.context("the body is not taken")?;
    if open {
        // It may have had enough by now.
        let _ = stream.write_all(b"0\r\n\r\n").await;
    }
    let answer = read_to_close(&mut stream).await?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").context("no answer")?;
    let head = std::str::from_utf8(&answer[..end])?;
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    Ok((sent, status, answer[end + 4..].to_vec()))
}

#[tokio::test]
async fn a_gigabyte_is_refused_after_the_little_that_is_allowed() -> Result<()> {
    let server = Server::start().await?;
    let (_, node) = live(&server).await?;
    let part = vec![b' '; MIB];
    let (sent, status, body) = stream(server.address()?, "/api/runs", b" ", &part, GIB).await?;
    assert_eq!((status, code(&body)?.as_str()), (413, "body-too-large"));
    ensure!(sent < 64 * MIB, "{sent} bytes were taken");
    let (sent, status, _) = stream(node, "/", b" ", &part, GIB).await?;
    assert_eq!(status, 413);
    ensure!(sent < 64 * MIB, "{sent} bytes were taken by a node");
    // Of one that tells its length nothing is read.
    for (to, path) in [(server.address()?, "/api/runs"), (server.address()?, "/api/runs/import"), (node, "/")] {
        let mut stream = TcpStream::connect(to).await?;
        let length = GIB + 1;
        stream
            .write_all(format!("POST {path} HTTP/1.1\r\nHost: {to}\r\nContent-Length: {length}\r\n\r\n").as_bytes())
            .await?;
        let answer = read_to_close(&mut stream).await?;
        ensure!(answer.starts_with(b"HTTP/1.1 413 "), "{path}: {}", String::from_utf8_lossy(&answer));
    }
    let most = server.process()?.most_memory()?;
    ensure!(most < MEMORY, "{} MiB were taken", most >> 20);
    Ok(())
}

/// A recording up to its last event, which others may follow, and that event.
async fn recording(server: &Server) -> Result<(Vec<u8>, Vec<u8>)> {
    let mut scenario: Value = serde_json::from_str(HELLO)?;
    scenario["nodes"][0]["load"] = json!({"kind": "constant", "rate": "100/s", "count": 3});
    let id = ran(server, &scenario, "1 s").await?;
    let document = get(server, &format!("/api/runs/{id}/export?format=json")).await?;
    let text = String::from_utf8(document)?;
    let all = text.strip_suffix("\n  ]\n}\n").context("another end")?;
    let last = all.rsplit_once('\n').context("no event")?.1;
    Ok((all.as_bytes().to_vec(), last.as_bytes().to_vec()))
}

#[tokio::test]
async fn a_gigabyte_of_a_recording_is_read_as_it_comes_and_refused_at_its_limit() -> Result<()> {
    let server = Server::start().await?;
    let (first, last) = recording(&server).await?;
    // The last event again and again, each with as many spaces before it as an event may have.
    let mut part = vec![b' '; MIB - 64 * 1024];
    part[0] = b',';
    part.extend_from_slice(&last);
    let (sent, status, body) = stream(server.address()?, "/api/runs/import", &first, &part, GIB + MIB).await?;
    assert_eq!((status, code(&body)?.as_str()), (413, "body-too-large"));
    ensure!(sent > GIB - 64 * MIB, "only {sent} bytes were taken");
    let most = server.process()?.most_memory()?;
    ensure!(most < MEMORY, "{} MiB were taken", most >> 20);
    // Nothing of it is left but the run that it was made of.
    let listed: Value = serde_json::from_slice(&get(&server, "/api/runs").await?)?;
    ensure!(listed.as_array().is_some_and(|runs| runs.len() == 1), "{listed}");
    let drafts = std::fs::read_dir(server.data())?.flatten();
    let drafts: Vec<_> =
        drafts.map(|file| file.file_name()).filter(|name| name != ".served" && !is_of_a_run(name)).collect();
    ensure!(drafts.is_empty(), "{drafts:?}");
    Ok(())
}

fn is_of_a_run(name: &std::ffi::OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with("20") && name.as_bytes().get(8) == Some(&b'-'))
}

#[tokio::test]
async fn a_part_of_a_recording_that_never_ends_is_refused() -> Result<()> {
    let server = Server::start().await?;
    let address = server.address()?;
    let spaces = vec![b' '; MIB];
    let (sent, status, body) = stream(address, "/api/runs/import", b"{", &spaces, GIB).await?;
    assert_eq!((status, code(&body)?.as_str()), (422, "too-large"));
    ensure!(sent < 128 * MIB, "{sent} bytes were taken");
    // One name that never ends.
    let (_, status, body) = stream(address, "/api/runs/import", b"{\"names\": [\"", &spaces, GIB).await?;
    assert_eq!((status, code(&body)?.as_str()), (422, "too-large"));
    // Many values that are next to nothing each: what they come to in memory is bounded, and not their text alone.
    for (first, one) in [(&b"{\"names\": ["[..], "0,"), (b"{\"names\": [", "{\"a\":0},"), (b"{\"losses\": [", "[],")] {
        let (sent, status, body) =
            stream(address, "/api/runs/import", first, one.repeat(MIB / one.len()).as_bytes(), GIB).await?;
        assert_eq!((status, code(&body)?.as_str()), (422, "too-many"), "{one}");
        ensure!(sent < 64 * MIB, "{sent} bytes of {one} were taken");
    }
    let most = server.process()?.most_memory()?;
    ensure!(most < 3 * MEMORY, "{} MiB were taken", most >> 20);
    Ok(())
}

/// Ten million spaces, by gzip. Members may follow one another: four hundred of them are below the limit of a request's body, and
/// four thousand million bytes unpacked.
const MEMBER: &[u8] = include_bytes!("spaces.gz");

#[tokio::test]
async fn nothing_is_unpacked() -> Result<()> {
    let server = Server::start().await?;
    let (id, node) = live(&server).await?;
    let bomb = MEMBER.repeat(400);
    for coding in ["gzip", "x-gzip", "deflate", "br", "gzip, gzip, gzip"] {
        for (path, refused) in [
            ("/api/runs/import".to_owned(), (422, "not-json")),
            ("/api/runs".to_owned(), (400, "bad-body")),
            (format!("/api/runs/{id}/control"), (400, "bad-body")),
        ] {
            let headers = [("content-encoding", coding), ("content-type", "application/json")];
            let reply = fetch(&format!("POST {path}"), server.address()?, &headers, &bomb).await?;
            let (status, code) = refusal(&reply)?;
            ensure!((status, code.as_str()) == refused, "{path} by {coding}: {status} {code}");
        }
        // A node takes it for the bytes that it is.
        assert_eq!(fetch("POST /", node, &[("content-encoding", coding)], &bomb).await?.status, 200);
    }
    // Nobody is told that it would be taken.
    let reply = ask(&server, "OPTIONS /api/runs/import", b"").await?;
    ensure!(reply.header("accept-encoding").is_none(), "{reply:?}");
    let most = server.process()?.most_memory()?;
    ensure!(most < MEMORY, "{} MiB were taken", most >> 20);
    Ok(())
}
