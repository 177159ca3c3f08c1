use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Response, StatusCode};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::*;
use crate::access::Token;
use crate::api::runs::Runs;
use crate::store::Store;
use crate::{Asset, Config, Page};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

struct OneFile;

impl Page for OneFile {
    fn asset(&self, path: &str) -> Option<Asset> {
        let plain = (path == "index.html").then_some(b"<p>the page</p>".as_slice().into())?;
        Some(Asset { plain, brotli: None, media_type: "text/html".to_owned() })
    }
}

/// A server as far as its router, gone with its folder.
struct Server {
    app: Router,
    host: String,
    _folder: tempfile::TempDir,
}

impl Server {
    fn at(address: &str, hosts: &[&str], token: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address: SocketAddr = address.parse().unwrap();
        let hosts = hosts.iter().map(|host| host.parse().unwrap()).collect();
        let access = Access { hosts, token: token.map(|token| Token::given(token).unwrap()) };
        let config = Config { access, ..Config::new(Arc::new(OneFile), Store::open(folder.path()).unwrap()) };
        let runs =
            Runs::new(config.store.clone(), config.most_events, config.brokers.clone(), CancellationToken::new());
        let app = crate::api::router(&config, runs, address);
        Self { app, host: format!("127.0.0.1:{}", address.port()), _folder: folder }
    }

    /// One beyond loopback, with its token.
    fn open() -> Self {
        Self::at("0.0.0.0:7878", &[], Some(TOKEN))
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
        let mut request = Request::builder().method(method).uri(path);
        if headers.iter().all(|(name, _)| *name != "host") {
            request = request.header("host", &self.host);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
        self.ask(Method::GET, path, headers).await
    }

    /// Shows a token; gives what a browser sends from then on.
    async fn enter(&self, token: &str) -> String {
        let response = self.get(&format!("/?token={token}"), &[]).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }
}

async fn code(response: Response<Body>) -> (u16, String) {
    let status = response.status().as_u16();
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let body: Value = serde_json::from_slice(&bytes).unwrap();
    for field in ["path", "message", "remedy"] {
        assert!(body[field].as_str().is_some_and(|text| !text.is_empty() && !text.contains('{')), "{body}");
    }
    (status, body["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn without_a_session_nothing_is_served() {
    let server = Server::open();
    for path in ["/", "/index.html", "/api/about", "/api/runs", "/api/openapi.json", "/api/nothing"] {
        let response = server.get(path, &[]).await;
        assert!(response.headers().contains_key(header::WWW_AUTHENTICATE));
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert_eq!(code(response).await, (401, "no-session".to_owned()), "{path}");
    }
    for (name, value) in [
        ("cookie", format!("hopscope-7878={TOKEN}")),
        ("cookie", "hopscope-7878=".to_owned()),
        ("authorization", format!("Bearer {TOKEN}")),
        ("cookie", format!("token={TOKEN}")),
    ] {
        let response = server.get("/api/runs", &[(name, &value)]).await;
        assert_eq!(code(response).await.0, 401, "{name}: {value}");
    }
    for method in [Method::POST, Method::DELETE, Method::PATCH] {
        assert_eq!(code(server.ask(method, "/api/runs", &[]).await).await.0, 401);
    }
    let socket = [("upgrade", "websocket"), ("connection", "upgrade")];
    assert_eq!(code(server.get("/api/runs/20010101-000000-0000/stream", &socket).await).await.0, 401);
}

#[tokio::test]
async fn a_browser_that_is_not_let_in_gets_a_page_under_the_policy() {
    let server = Server::open();
    let response = server.get("/", &[("accept", "text/html,*/*;q=0.8")]).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'self' 'wasm-unsafe-eval';"), "{policy}");
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
    let html = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let html = String::from_utf8(html.to_vec()).unwrap();
    assert!(html.contains("<a href=\"/\">") && !html.contains("<script") && !html.contains("style"), "{html}");
    // What a script fetches is told as every other error.
    assert_eq!(code(server.get("/api/runs", &[("accept", "text/html")]).await).await.1, "no-session");
}

#[tokio::test]
async fn a_token_is_exchanged_once_for_a_cookie_that_is_not_it() {
    let server = Server::open();
    // What looks ahead at an address, as programs do that show a preview, uses nothing up.
    assert_eq!(server.ask(Method::HEAD, &format!("/?token={TOKEN}"), &[]).await.status(), StatusCode::UNAUTHORIZED);
    let wrong = server.get(&format!("/?token={}", TOKEN.replace('0', "1")), &[]).await;
    assert_eq!(code(wrong).await, (401, "unknown-token".to_owned()));

    let response = server.get(&format!("/?token={TOKEN}"), &[("accept", "text/html")]).await;
    assert_eq!(
        (response.status(), &response.headers()[header::LOCATION]),
        (StatusCode::SEE_OTHER, &"/".parse().unwrap())
    );
    assert_eq!(response.headers()[header::REFERRER_POLICY], "no-referrer");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    let mut parts = cookie.split("; ");
    let (name, value) = parts.next().unwrap().split_once('=').unwrap();
    assert_eq!((name, value.len()), ("hopscope-7878", 43));
    assert!(value != TOKEN && parts.collect::<Vec<_>>() == ["Path=/", "HttpOnly", "SameSite=Strict"], "{cookie}");

    let ours = format!("other=1; {name}={value}");
    assert_eq!(server.get("/", &[("cookie", &ours)]).await.status(), StatusCode::OK);
    assert_eq!(server.get("/api/runs", &[("cookie", &ours)]).await.status(), StatusCode::OK);
    let again = server.get(&format!("/?token={TOKEN}"), &[]).await;
    assert_eq!(code(again).await, (401, "token-used".to_owned()));
    let other = Server::open();
    assert_eq!(code(other.get("/api/runs", &[("cookie", &ours)]).await).await.1, "no-session");
}

#[tokio::test]
async fn who_is_in_lets_another_in() {
    let server = Server::open();
    assert_eq!(code(server.ask(Method::POST, "/api/token", &[]).await).await.0, 401);
    let first = server.enter(TOKEN).await;
    let mut paths = Vec::new();
    for _ in 0..2 {
        let made = server.ask(Method::POST, "/api/token", &[("cookie", &first)]).await;
        assert_eq!(made.status(), StatusCode::CREATED);
        let body: Value = serde_json::from_slice(&to_bytes(made.into_body(), 1 << 20).await.unwrap()).unwrap();
        paths.push(body["path"].as_str().unwrap().strip_prefix("/?token=").unwrap().to_owned());
    }
    // The last one stands for those before it.
    assert_eq!(code(server.get(&format!("/?token={}", paths[0]), &[]).await).await.1, "unknown-token");
    let second = server.enter(&paths[1]).await;
    for cookie in [&first, &second] {
        assert_eq!(server.get("/api/runs", &[("cookie", cookie)]).await.status(), StatusCode::OK);
    }
    let loopback = Server::at("127.0.0.1:7878", &[], None);
    let answer = code(loopback.ask(Method::POST, "/api/token", &[]).await).await;
    assert_eq!(answer, (409, "no-token-needed".to_owned()));
}

#[tokio::test]
async fn a_cookie_does_not_stand_for_host_and_origin() {
    let server = Server::open();
    let cookie = server.enter(TOKEN).await;
    for host in ["evil.example:7878", "evil.example", "127.0.0.1:80", "0.0.0.0", "localhost", ""] {
        let response = server.get("/api/runs", &[("cookie", &cookie), ("host", host)]).await;
        assert_eq!(code(response).await, (421, "foreign-host".to_owned()), "{host}");
    }
    // A proxy that says so itself.
    let forwarded = [("cookie", cookie.as_str()), ("x-forwarded-host", "evil.example:7878")];
    assert_eq!(code(server.get("/api/runs", &forwarded).await).await.0, 421);
    for origin in ["http://evil.example:7878", "http://10.1.2.3:7878", "https://127.0.0.1:7878", "null"] {
        let headers = [("cookie", cookie.as_str()), ("origin", origin)];
        assert_eq!(code(server.ask(Method::POST, "/api/token", &headers).await).await.0, 403, "{origin}");
    }
}

#[tokio::test]
async fn a_server_answers_to_its_address_and_to_the_names_it_was_given() {
    async fn answers(server: &Server, host: &str, origin: &str) -> u16 {
        let headers = [("host", host), ("origin", origin)];
        server.ask(Method::POST, "/api/token", &headers).await.status().as_u16()
    }
    // 409: past the guard, where no token is asked for.
    let server = Server::at("127.0.0.1:7878", &["play.lab", "Proxy.lab:443", "127.0.0.1:8080"], None);
    for (host, origin, status) in [
        ("127.0.0.1:7878", "http://127.0.0.1:7878", 409),
        ("[::1]:7878", "http://localhost:7878", 409),
        ("PLAY.lab:7878", "http://play.lab:7878", 409),
        ("proxy.lab", "https://proxy.lab", 409),
        ("127.0.0.1:7878", "http://127.0.0.1:8080", 409),
        ("127.0.0.1:7878", "http://127.0.0.1:8081", 403),
        ("play.lab", "http://play.lab", 421),
        ("10.1.2.3:7878", "http://10.1.2.3:7878", 421),
        ("play.lab.evil.example:7878", "http://play.lab:7878", 421),
    ] {
        assert_eq!(answers(&server, host, origin).await, status, "{host} {origin}");
    }
    // On every address: by any of numbers, which no name server decides about. 401: past host and origin.
    let server = Server::open();
    for (host, origin, status) in [
        ("192.168.1.7:7878", "http://192.168.1.7:7878", 401),
        ("[2001:db8::7]:7878", "http://[2001:db8::7]:7878", 401),
        ("192.168.1.7:7878", "http://192.168.1.8:7878", 403),
        ("192.168.1.7:7879", "http://192.168.1.7:7879", 421),
        ("play.lab:7878", "http://play.lab:7878", 421),
    ] {
        assert_eq!(answers(&server, host, origin).await, status, "{host} {origin}");
    }
    // On one address: by that one.
    let server = Server::at("192.168.1.7:80", &[], Some(TOKEN));
    assert_eq!(answers(&server, "192.168.1.7", "http://192.168.1.7").await, 401);
    assert_eq!(answers(&server, "localhost", "http://localhost").await, 421);
}

#[tokio::test]
async fn a_server_that_others_can_reach_does_not_start_without_a_token() {
    let folder = tempfile::tempdir().unwrap();
    for (address, host, starts) in [
        ("0.0.0.0:0", None, false),
        ("127.0.0.1:0", Some("play.lab"), false),
        ("127.0.0.1:0", Some("localhost:1"), true),
    ] {
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let hosts = host.iter().map(|host| host.parse().unwrap()).collect();
        let access = Access { hosts, token: None };
        let config = Config { access, ..Config::new(Arc::new(OneFile), Store::open(folder.path()).unwrap()) };
        let served = crate::serve(config, listener, async {}).await;
        assert_eq!(served.is_ok(), starts, "{address} {host:?}: {served:?}");
    }
}
