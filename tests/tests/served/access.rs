//! A server that listens beyond loopback, as browsers and programs elsewhere meet it. 0.0.0.0 stands for such an address on
//! every machine; it is reached by 127.0.0.1.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use futures_util::StreamExt as _;
use hopscope_tests::command::hopscope;
use hopscope_tests::http::{Reply, fetch};
use hopscope_tests::server::Server;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Message};

const HELLO: &str = include_str!("../../../scenarios/hello-sync.json");

/// A server on every address of this machine, and who asks it.
struct Elsewhere {
    server: Server,
    address: SocketAddr,
}

impl Elsewhere {
    async fn start(arguments: &[&str], token: Option<&str>) -> Result<Self> {
        let mut command = Command::new(hopscope_tests::variable("HOPSCOPE_BIN")?);
        command.args(["serve", "--listen", "0.0.0.0:0"]).args(arguments).env_remove("HOPSCOPE_TOKEN");
        if let Some(token) = token {
            command.env("HOPSCOPE_TOKEN", token);
        }
        let server = Server::start_by(command, tempfile::tempdir()?).await?;
        // By whatever name it says, it is here.
        let port = server.url().rsplit(':').next().and_then(|rest| rest.split('/').next()).context("no port")?;
        Ok(Self { address: SocketAddr::from(([127, 0, 0, 1], port.parse()?)), server })
    }

    async fn ask(&self, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Reply> {
        fetch(line, self.address, headers, body).await
    }

    /// What the server said is to be opened, as the path of a request.
    fn entrance(&self) -> Result<&str> {
        let rest = self.server.url().strip_prefix("http://").context("no address")?;
        rest.strip_prefix(&self.address.to_string()).context("another address")
    }

    /// Opens the address that was printed; gives what a browser sends from then on.
    async fn enter(&self) -> Result<String> {
        let reply = self.ask(&format!("GET {}", self.entrance()?), &[], b"").await?;
        ensure!((reply.status, reply.header("location")) == (303, Some("/")), "{reply:?}");
        let cookie = reply.header("set-cookie").context("no cookie")?;
        let flags = ["HttpOnly", "SameSite=Strict", "Path=/"];
        ensure!(flags.iter().all(|flag| cookie.split("; ").any(|part| part == *flag)), "{cookie}");
        Ok(cookie.split(';').next().unwrap_or_default().to_owned())
    }

    /// Everything that a run's stream sends.
    async fn follow(&self, id: &str, cookie: Option<&str>) -> Result<Vec<u8>, tungstenite::Error> {
        let mut request = format!("ws://{}/api/runs/{id}/stream", self.address).into_client_request()?;
        if let Some(cookie) = cookie {
            request.headers_mut().insert("cookie", cookie.parse()?);
        }
        let mut socket = tokio_tungstenite::connect_async(request).await?.0;
        let mut bytes = Vec::new();
        while let Some(message) = socket.next().await {
            if let Message::Binary(frames) = message? {
                bytes.extend_from_slice(&frames);
            }
        }
        Ok(bytes)
    }
}

fn code(reply: &Reply) -> Result<String> {
    let body: Value = serde_json::from_slice(&reply.body)?;
    ensure!(["path", "message", "remedy"].iter().all(|field| body[field].is_string()), "{body}");
    Ok(format!("{} {}", reply.status, body["code"].as_str().context("no code")?))
}

#[tokio::test]
async fn a_token_lets_one_in_once_and_a_session_does_all_that_loopback_may() -> Result<()> {
    let there = Elsewhere::start(&[], None).await?;
    ensure!(there.entrance()?.starts_with("/?token="), "{}", there.server.url());
    for line in ["GET /api/runs", "POST /api/runs", "GET /", "GET /api/runs/20010101-000000-0000/export?format=json"] {
        assert_eq!(code(&there.ask(line, &[], b"").await?)?, "401 no-session", "{line}");
    }
    let shown = there.ask("GET /", &[("accept", "text/html")], b"").await?;
    ensure!(shown.status == 401 && shown.body.starts_with(b"<!doctype html>"), "{shown:?}");
    ensure!(shown.header("content-security-policy").is_some_and(|policy| policy.contains("default-src 'none'")));

    let cookie = there.enter().await?;
    ensure!(!there.entrance()?.contains(cookie.split_once('=').context("no value")?.1), "the cookie is the token");
    let again = there.ask(&format!("GET {}", there.entrance()?), &[], b"").await?;
    assert_eq!(code(&again)?, "401 token-used");

    let scenario: Value = serde_json::from_str(HELLO)?;
    let request = json!({"scenario": scenario, "duration": "300 ms"}).to_string();
    let origin = format!("http://{}", there.address);
    let ours = [("cookie", cookie.as_str()), ("content-type", "application/json"), ("origin", &origin)];
    let started = there.ask("POST /api/runs", &ours, request.as_bytes()).await?;
    ensure!(started.status == 201, "{started:?}");
    let run: Value = serde_json::from_slice(&started.body)?;
    let id = run["id"].as_str().context("no id")?;
    for endpoint in run["endpoints"].as_array().context("no endpoints")? {
        let address: SocketAddr = endpoint["address"].as_str().context("no address")?.parse()?;
        ensure!(address.ip().is_loopback(), "a run's own part listens on {address}");
    }

    let Err(tungstenite::Error::Http(refused)) = there.follow(id, None).await else {
        anyhow::bail!("a stream was had without a session")
    };
    assert_eq!(refused.status(), 401);
    let frames = there.follow(id, Some(&cookie)).await?;
    ensure!(!frames.is_empty());
    for path in ["recording", "export?format=json", "export?format=perfetto"] {
        let line = format!("GET /api/runs/{id}/{path}");
        assert_eq!(code(&there.ask(&line, &[], b"").await?)?, "401 no-session", "{path}");
        let had = there.ask(&line, &[("cookie", &cookie)], b"").await?;
        ensure!(had.status == 200 && !had.body.is_empty(), "{path}: {}", had.status);
    }
    Ok(())
}

#[tokio::test]
async fn a_session_does_not_open_another_name_or_origin() -> Result<()> {
    let there = Elsewhere::start(&["--host", "play.lab"], None).await?;
    let named = format!("play.lab:{}", there.address.port());
    ensure!(there.server.url().starts_with(&format!("http://{named}/?token=")), "{}", there.server.url());
    // It is printed by the name that it was given, which no test can resolve: the token is the same.
    let token = there.server.url().split_once('?').context("no token")?.1;
    let entered = there.ask(&format!("GET /?{token}"), &[("host", &named)], b"").await?;
    ensure!(entered.status == 303, "{entered:?}");
    let cookie = entered.header("set-cookie").and_then(|cookie| cookie.split(';').next()).context("no cookie")?;
    let status = async |headers: &[(&str, &str)]| anyhow::Ok(there.ask("POST /api/token", headers, b"").await?.status);
    let origin = format!("http://{named}");
    assert_eq!(status(&[("cookie", cookie), ("host", &named), ("origin", &origin)]).await?, 201);
    assert_eq!(status(&[("cookie", cookie)]).await?, 201);
    assert_eq!(status(&[("cookie", cookie), ("host", "evil.example")]).await?, 421);
    assert_eq!(status(&[("cookie", cookie), ("origin", "http://evil.example")]).await?, 403);
    Ok(())
}

#[tokio::test]
async fn the_operator_may_choose_the_token_out_of_sight_of_other_users() -> Result<()> {
    let token = "chosen-by-the-operator-0123456789";
    let there = Elsewhere::start(&[], Some(token)).await?;
    assert_eq!(there.entrance()?, format!("/?token={token}"));
    there.enter().await?;

    let mut command = Command::new(hopscope_tests::variable("HOPSCOPE_BIN")?);
    let short = command.args(["serve", "--listen", "0.0.0.0:0"]).env("HOPSCOPE_TOKEN", "letmein").output().await?;
    let told = String::from_utf8(short.stderr)?;
    ensure!(short.status.code() == Some(5) && told.contains("HOPSCOPE_TOKEN") && !told.contains("letmein"), "{told}");
    Ok(())
}

#[tokio::test]
async fn loopback_asks_for_no_token() -> Result<()> {
    let server = Server::start().await?;
    ensure!(!server.url().contains("token"), "{}", server.url());
    assert_eq!(fetch("GET /api/runs", server.address()?, &[], b"").await?.status, 200);
    // The command line of a server that has begun names no secret, so there is nothing that a list of processes could tell.
    let help = hopscope(["serve", "--help"]).await?.stdout;
    ensure!(help.contains("--host") && !help.contains("--token"), "{help}");
    Ok(())
}
