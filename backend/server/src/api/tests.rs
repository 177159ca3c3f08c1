use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode, header};
use tower::ServiceExt as _;

use tokio_util::sync::CancellationToken;

use super::runs::Runs;
use crate::store::Store;
use crate::{Asset, Config, Page};

/// A page of one index with an inline script, and one compressed file.
struct SmallPage;

impl Page for SmallPage {
    fn asset(&self, path: &str) -> Option<Asset> {
        let (text, media_type) = match path {
            "index.html" => {
                ("<head><script type=\"module\">boot()</script><script src=\"a.js\"></script></head>", "text/html")
            }
            "a.js" => ("let a = 1;", "text/javascript"),
            _ => return None,
        };
        let brotli = (path == "a.js").then_some(Cow::Borrowed(b"compressed".as_slice()));
        Some(Asset { plain: Cow::Borrowed(text.as_bytes()), brotli, media_type: media_type.to_owned() })
    }
}

struct NoPage;

impl Page for NoPage {
    fn asset(&self, _: &str) -> Option<Asset> {
        None
    }
}

async fn ask(page: impl Page + 'static, request: axum::http::request::Builder) -> Response<Body> {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::new(Arc::new(page), Store::open(folder.path()).unwrap());
    let runs = Runs::new(config.store.clone(), config.most_events, config.brokers.clone(), CancellationToken::new());
    let app = super::router(&config, runs, SocketAddr::from(([127, 0, 0, 1], 7878)));
    app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn error_code(response: Response<Body>) -> (StatusCode, String) {
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let body: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    for field in ["path", "message", "remedy"] {
        let text = body[field].as_str().unwrap();
        assert!(!text.is_empty() && !text.contains('{'), "{field}: {text}");
    }
    (status, body["code"].as_str().unwrap().to_owned())
}

fn get(path: &str) -> axum::http::request::Builder {
    Request::get(path).header(header::HOST, "127.0.0.1:7878")
}

#[tokio::test]
async fn the_index_comes_with_the_policy_and_the_hash_of_its_inline_script() {
    let response = ask(SmallPage, get("/")).await;
    assert_eq!(response.status(), StatusCode::OK);
    let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    // printf 'boot()' | openssl dgst -sha256 -binary | base64
    let expected = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval' \
                    'sha256-MeZS89WlF0u+o0hCvHTBt4q1WHU+U+sJKgbdRUc36mY='; style-src 'self'; connect-src 'self'; worker-src 'self'; font-src 'self'; \
                    img-src 'self' blob: data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
    assert_eq!(policy, expected);
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-cache");
    assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
}

#[tokio::test]
async fn a_file_is_sent_compressed_to_those_who_take_it() {
    let plain = ask(SmallPage, get("/a.js")).await;
    assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
    let brotli = ask(SmallPage, get("/a.js").header(header::ACCEPT_ENCODING, "gzip, br")).await;
    assert_eq!(brotli.headers()[header::CONTENT_ENCODING], "br");
    assert_eq!(to_bytes(brotli.into_body(), 1 << 20).await.unwrap(), "compressed");
}

#[tokio::test]
async fn a_foreign_or_missing_host_is_refused_everywhere() {
    for path in ["/", "/api/about", "/api/nothing"] {
        for host in ["evil.example", "127.0.0.1:80", "127.0.0.1", ""] {
            let response = ask(SmallPage, Request::get(path).header(header::HOST, host)).await;
            let expected = (StatusCode::MISDIRECTED_REQUEST, "foreign-host".to_owned());
            assert_eq!(error_code(response).await, expected, "{path} {host}");
        }
    }
    let response = ask(SmallPage, Request::get("/")).await;
    assert_eq!(response.status(), StatusCode::MISDIRECTED_REQUEST);
}

#[tokio::test]
async fn a_foreign_origin_may_read_what_anyone_may_but_change_nothing() {
    let change = |origin: &'static str| {
        Request::post("/api/about").header(header::HOST, "localhost:7878").header(header::ORIGIN, origin)
    };
    for origin in ["http://evil.example", "http://localhost:9999", "https://localhost:7878", "null"] {
        let refused = error_code(ask(SmallPage, change(origin)).await).await;
        assert_eq!(refused, (StatusCode::FORBIDDEN, "foreign-origin".to_owned()), "{origin}");
    }
    // Past the guard: the route exists but takes no POST.
    assert_eq!(ask(SmallPage, change("http://localhost:7878")).await.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(
        ask(SmallPage, get("/api/about").header(header::ORIGIN, "http://evil.example")).await.status(),
        StatusCode::OK
    );
    let socket = get("/api/about").header(header::ORIGIN, "http://evil.example").header(header::UPGRADE, "websocket");
    assert_eq!(ask(SmallPage, socket).await.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    assert_eq!(error_code(ask(SmallPage, get("/nothing")).await).await.1, "unknown-route");
    assert_eq!(error_code(ask(SmallPage, get("/api/nothing")).await).await.1, "unknown-route");
    assert_eq!(error_code(ask(SmallPage, get("/../Cargo.toml")).await).await.1, "unknown-route");
    assert_eq!(error_code(ask(NoPage, get("/")).await).await.1, "page-not-built");
    let post = Request::post("/").header(header::HOST, "127.0.0.1:7878");
    assert_eq!(error_code(ask(SmallPage, post).await).await.1, "method-not-allowed");
}
