//! Pages of other sites, names that point here (DNS rebinding), and WebSockets that a foreign page opens: against the server, a
//! node of a run and a broker's administration.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use hopscope_tests::command::Running;
use hopscope_tests::http::fetch;
use hopscope_tests::server::Server;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::support::{HELLO, exchange, get, live, read_to_close, refusal};

/// Origins of pages that are not this server's, whatever they look like.
const FOREIGN: [&str; 8] = [
    "http://evil.example",
    "https://evil.example",
    "null",
    "http://localhost",
    "http://127.0.0.1",
    "http://127.0.0.1.evil.example",
    "chrome-extension://abcdefghijklmnop",
    "file://",
];

/// What a page can send to another site without asking it first (a "simple" request), and what it would have to ask for.
const KINDS: [&str; 4] = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json"];

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() -> Result<()> {
    let server = Server::start().await?;
    let (address, (id, _)) = (server.address()?, live(&server).await?);
    let body = serde_json::json!({"scenario": serde_json::from_str::<serde_json::Value>(HELLO)?}).to_string();
    let lines = [
        "POST /api/runs".to_owned(),
        "POST /api/runs/import".to_owned(),
        "POST /api/token".to_owned(),
        format!("POST /api/runs/{id}/stop"),
        format!("POST /api/runs/{id}/control"),
        format!("PATCH /api/runs/{id}"),
        format!("DELETE /api/runs/{id}"),
        "OPTIONS /api/runs".to_owned(),
        "PUT /".to_owned(),
    ];
    for (at, origin) in FOREIGN.iter().enumerate() {
        for line in &lines {
            let headers = [("origin", *origin), ("content-type", KINDS[at % KINDS.len()])];
            let reply = fetch(line, address, &headers, body.as_bytes()).await?;
            assert_eq!(refusal(&reply)?, (403, "foreign-origin".to_owned()), "{line} from {origin}");
        }
        // What it may ask for it cannot read: no answer says that another site may.
        let reply = fetch("GET /api/runs", address, &[("origin", origin)], b"").await?;
        let told = reply.headers.iter().find(|(name, _)| name.starts_with("access-control-"));
        ensure!(told.is_none(), "{told:?}");
    }
    // An own origin beside a foreign one does not count for it.
    let own = format!("http://{address}");
    for pair in [[own.as_str(), "http://evil.example"], ["http://evil.example", &own]] {
        let head = format!("POST /api/token HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: 0\r\n");
        let bytes = format!("{head}Origin: {}\r\nOrigin: {}\r\n\r\n", pair[0], pair[1]);
        assert_eq!(exchange(address, bytes.as_bytes()).await?[0].0, 403, "{pair:?}");
    }
    let view: serde_json::Value = serde_json::from_slice(&get(&server, &format!("/api/runs/{id}")).await?)?;
    ensure!(["setup", "running"].iter().any(|state| view["state"] == *state), "the run was stopped: {view}");
    ensure!(view["name"] == "Hello, sync", "{view}");
    Ok(())
}

#[tokio::test]
async fn a_name_that_points_here_reaches_nothing() -> Result<()> {
    let server = Server::start().await?;
    let (address, (id, _)) = (server.address()?, live(&server).await?);
    let port = address.port();
    let hosts = [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        format!("127.0.0.1.evil.example:{port}"),
        format!("localhost.evil.example:{port}"),
        format!("evil.example@127.0.0.1:{port}"),
        format!("127.1:{port}"),
        format!("2130706433:{port}"),
        format!("0.0.0.0:{port}"),
        "127.0.0.1".to_owned(),
        format!("127.0.0.1:{}", port ^ 1),
        String::new(),
    ];
    let paths = ["/", "/api/runs", "/api/openapi.json", "/scenarios/hello-sync.json"].map(str::to_owned);
    let paths: Vec<_> = paths.into_iter().chain([format!("/api/runs/{id}/recording")]).collect();
    for host in &hosts {
        // The rebound page's own origin is the name that points here.
        let headers = [("host", host.as_str()), ("origin", &format!("http://{host}"))];
        for path in &paths {
            let reply = fetch(&format!("GET {path}"), address, &headers, b"").await?;
            assert_eq!(refusal(&reply)?, (421, "foreign-host".to_owned()), "{path} of {host:?}");
        }
        let reply = fetch(&format!("DELETE /api/runs/{id}"), address, &headers, b"").await?;
        assert_eq!(reply.status, 421, "{host:?}");
    }
    let status = async |head: String| anyhow::Ok(exchange(address, head.as_bytes()).await?[0].0);
    let end = "Connection: close\r\n\r\n";
    // Two hosts, and a host in the request's target: none of them may be another.
    for (target, hosts) in [
        ("/api/runs".to_owned(), format!("Host: {address}\r\nHost: evil.example\r\n")),
        ("/api/runs".to_owned(), format!("Host: evil.example\r\nHost: {address}\r\n")),
        (format!("http://evil.example:{port}/api/runs"), format!("Host: {address}\r\n")),
        ("/api/runs".to_owned(), format!("Host: {address}\r\nX-Forwarded-Host: evil.example\r\n")),
        ("/api/runs".to_owned(), String::new()),
    ] {
        assert_eq!(status(format!("GET {target} HTTP/1.1\r\n{hosts}{end}")).await?, 421, "{target} {hosts}");
    }
    let own = format!("GET http://{address}/api/runs HTTP/1.1\r\nHost: {address}\r\n{end}");
    assert_eq!(status(own).await?, 200);
    Ok(())
}

#[tokio::test]
async fn a_foreign_page_opens_no_stream() -> Result<()> {
    let server = Server::start().await?;
    let (address, (id, _)) = (server.address()?, live(&server).await?);
    let open = async |headers: &[(&'static str, &str)]| {
        let mut request = format!("ws://{address}/api/runs/{id}/stream").into_client_request()?;
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse()?);
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((_, response)) => anyhow::Ok(response.status().as_u16()),
            Err(tungstenite::Error::Http(response)) => Ok(response.status().as_u16()),
            Err(error) => Err(error.into()),
        }
    };
    for origin in FOREIGN {
        assert_eq!(open(&[("origin", origin)]).await?, 403, "{origin}");
    }
    let rebound = format!("evil.example:{}", address.port());
    assert_eq!(open(&[("host", &rebound), ("origin", &format!("http://{rebound}"))]).await?, 421);
    assert_eq!(open(&[("origin", &format!("http://{address}"))]).await?, 101);
    assert_eq!(open(&[]).await?, 101);
    Ok(())
}

#[tokio::test]
async fn a_page_puts_no_message_into_a_run() -> Result<()> {
    let server = Server::start().await?;
    let (_, node) = live(&server).await?;
    for origin in FOREIGN {
        let reply = fetch("POST /", node, &[("origin", origin), ("content-type", "text/plain")], b"x").await?;
        assert_eq!(reply.status, 403, "{origin}");
    }
    // The server's own page has nothing to say there either, and nothing can be had without a body.
    let own = server.url().to_owned();
    assert_eq!(fetch("POST /", node, &[("origin", &own)], b"x").await?.status, 403);
    assert_eq!(fetch("GET /", node, &[("host", "evil.example")], b"").await?.status, 405);
    // A program that is no browser may: that is what the address is for.
    assert_eq!(fetch("POST /", node, &[], b"x").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_broker_alone_is_reached_by_its_own_name_and_takes_no_web_page_for_a_client() -> Result<()> {
    let mut command = Command::new(hopscope_tests::variable("HOPSCOPE_BIN")?);
    command.args(["broker", "amqp", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    let mut broker = Running::start_by(command)?;
    let ready = broker.answers().await?;
    let at = |scheme: &str| -> Result<SocketAddr> {
        let (_, rest) = ready.split_once(scheme).with_context(|| ready.clone())?;
        Ok(rest.split([',', ' ']).next().unwrap_or_default().trim().parse()?)
    };
    let (amqp, admin) = (at("amqp://")?, at("http://")?);
    for path in ["/", "/api/queues", "/api/connections"] {
        let line = format!("GET {path}");
        let refused = fetch(&line, admin, &[("host", "evil.example")], b"").await?;
        assert_eq!(refusal(&refused)?, (421, "foreign-host".to_owned()), "{path}");
        assert_eq!(fetch(&line, admin, &[], b"").await?.status, 200, "{path}");
    }
    let posted = fetch("POST /api/queues", admin, &[("origin", "http://evil.example")], b"").await?;
    assert_eq!(refusal(&posted)?, (403, "foreign-origin".to_owned()));
    // A form that a page posts to the broker's port: told which protocol is spoken here, and let go.
    let mut stream = TcpStream::connect(amqp).await?;
    let form = format!("POST / HTTP/1.1\r\nHost: {amqp}\r\nContent-Type: text/plain\r\n\r\nAMQP\0\0\x09\x01");
    tokio::io::AsyncWriteExt::write_all(&mut stream, form.as_bytes()).await?;
    assert_eq!(read_to_close(&mut stream).await?, b"AMQP\0\0\x09\x01");
    Ok(())
}
