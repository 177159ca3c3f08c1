//! What the attacks share: a server with a run that goes on, and connections on which anything can be written.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use hopscope_tests::http::{Reply, fetch};
use hopscope_tests::server::Server;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub(crate) const HELLO: &str = include_str!("../../../scenarios/hello-sync.json");

/// Nothing here takes this long; what does is stuck.
pub(crate) const STUCK: Duration = Duration::from_secs(60);

/// How often it is looked whether something has come about.
pub(crate) const LOOK: Duration = Duration::from_millis(20);

/// The code of an error, whose other texts are there and are filled.
pub(crate) fn code(body: &[u8]) -> Result<String> {
    let body: Value = serde_json::from_slice(body).with_context(|| String::from_utf8_lossy(body).into_owned())?;
    for field in ["path", "message", "remedy"] {
        let text = body[field].as_str().with_context(|| format!("no {field} in {body}"))?;
        ensure!(field == "path" || !text.is_empty(), "{body}");
    }
    Ok(body["code"].as_str().context("no code")?.to_owned())
}

/// Status and code of an answer that is an error.
pub(crate) fn refusal(reply: &Reply) -> Result<(u16, String)> {
    Ok((reply.status, code(&reply.body)?))
}

/// Asks a server by its own name.
pub(crate) async fn ask(server: &Server, line: &str, body: &[u8]) -> Result<Reply> {
    timeout(STUCK, fetch(line, server.address()?, &[("content-type", "application/json")], body)).await?
}

/// What a server says at this path, which has to be there.
pub(crate) async fn get(server: &Server, path: &str) -> Result<Vec<u8>> {
    let reply = ask(server, &format!("GET {path}"), b"").await?;
    ensure!(reply.status == 200, "{path}: {} {}", reply.status, String::from_utf8_lossy(&reply.body));
    Ok(reply.body)
}

/// Starts a run of a scenario; `None` until it is stopped.
pub(crate) async fn start(server: &Server, scenario: &Value, duration: Option<&str>) -> Result<Value> {
    start_at(server, scenario, duration, "tasks").await
}

/// Starts a run whose nodes live there.
pub(crate) async fn start_at(
    server: &Server,
    scenario: &Value,
    duration: Option<&str>,
    placement: &str,
) -> Result<Value> {
    let body = json!({"scenario": scenario, "duration": duration, "placement": placement}).to_string();
    let reply = ask(server, "POST /api/runs", body.as_bytes()).await?;
    ensure!(reply.status == 201, "{}", String::from_utf8_lossy(&reply.body));
    Ok(serde_json::from_slice(&reply.body)?)
}

/// Starts a run of the template that goes on; gives its id and where its service is reached.
pub(crate) async fn live(server: &Server) -> Result<(String, SocketAddr)> {
    let run = start(server, &serde_json::from_str(HELLO)?, None).await?;
    let id = run["id"].as_str().context("no id")?.to_owned();
    let address = run["endpoints"][0]["address"].as_str().context("no endpoint")?.parse()?;
    Ok((id, address))
}

/// Waits until a run is over; gives what is told of it.
pub(crate) async fn over(server: &Server, id: &str) -> Result<Value> {
    let ended = async {
        loop {
            let view: Value = serde_json::from_slice(&get(server, &format!("/api/runs/{id}")).await?)?;
            if ["ended", "cut"].iter().any(|state| view["state"] == *state) {
                return anyhow::Ok(view);
            }
            // A look is a connection of its own: the server has something else to do meanwhile.
            tokio::time::sleep(LOOK).await;
        }
    };
    timeout(STUCK, ended).await.with_context(|| format!("run {id} does not end"))?
}

/// Runs a scenario to its end; gives its id.
pub(crate) async fn ran(server: &Server, scenario: &Value, duration: &str) -> Result<String> {
    let run = start(server, scenario, Some(duration)).await?;
    let id = run["id"].as_str().context("no id")?.to_owned();
    let view = over(server, &id).await?;
    ensure!(view["state"] == "ended" && view["lost"] == 0, "{view}");
    Ok(id)
}

/// Writes bytes on a connection of its own and reads until the other end closes it; gives the answers.
pub(crate) async fn exchange(to: SocketAddr, bytes: &[u8]) -> Result<Vec<(u16, Vec<u8>)>> {
    let mut stream = TcpStream::connect(to).await?;
    // Who is refused may not be read to the end.
    let _ = stream.write_all(bytes).await;
    answers(&read_to_close(&mut stream).await?)
}

/// All that comes until the other end closes or resets the connection.
pub(crate) async fn read_to_close(stream: &mut TcpStream) -> Result<Vec<u8>> {
    let mut answer = Vec::new();
    let read = async {
        // A reset ends it as a close does: what came before is there.
        while stream.read_buf(&mut answer).await.is_ok_and(|count| count > 0) {}
    };
    timeout(STUCK, read).await.context("the connection stays open")?;
    Ok(answer)
}

/// Takes a stream of answers apart, each of which has a length.
fn answers(mut bytes: &[u8]) -> Result<Vec<(u16, Vec<u8>)>> {
    let mut answers = Vec::new();
    while !bytes.is_empty() {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let end = end.with_context(|| format!("no head: {:?}", String::from_utf8_lossy(bytes)))?;
        let head = std::str::from_utf8(&bytes[..end])?.to_ascii_lowercase();
        let status = head.split(' ').nth(1).context("no status")?.parse()?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(Ok(0), str::parse)?;
        let body = bytes.get(end + 4..end + 4 + length);
        let Some(body) = body else { bail!("a body of {length} bytes is cut: {head}") };
        answers.push((status, body.to_vec()));
        bytes = &bytes[end + 4 + length..];
    }
    Ok(answers)
}
