//! The page's files under the content security policy.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use hopscope_scenario::catalogue::{Args, Language, plain};
use hopscope_scenario::text;
use sha2::{Digest, Sha256};

use super::error::{ApiError, ErrorBody, METHOD_NOT_ALLOWED, PAGE_NOT_BUILT, UNKNOWN_ROUTE};

/// One file of the page.
pub struct Asset {
    /// Its bytes.
    pub plain: Cow<'static, [u8]>,
    /// The same, compressed with Brotli, if that was prepared.
    pub brotli: Option<Cow<'static, [u8]>>,
    /// Its media type, such as `text/html`.
    pub media_type: String,
}

/// Where the page's files come from.
pub trait Page: Send + Sync {
    /// The file at `path` (no leading slash), if there is one.
    fn asset(&self, path: &str) -> Option<Asset>;
}

const INDEX: &str = "index.html";

struct Served {
    page: Arc<dyn Page>,
    policy: HeaderValue,
}

/// Routes everything that is not the API to the page.
pub(crate) fn router(page: Arc<dyn Page>) -> Router {
    let index = page.asset(INDEX).map(|asset| String::from_utf8_lossy(&asset.plain).into_owned()).unwrap_or_default();
    let policy = HeaderValue::from_str(&policy(&index)).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    Router::new().fallback(serve).with_state(Arc::new(Served { page, policy }))
}

/// The content security policy for this index: nothing but our own files, and the one inline script that boots the page.
fn policy(index: &str) -> String {
    let hashes: String = inline_scripts(index)
        .map(|script| base64::engine::general_purpose::STANDARD.encode(Sha256::digest(script.as_bytes())))
        .map(|hash| format!(" 'sha256-{hash}'"))
        .collect();
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{hashes}; style-src 'self'; connect-src 'self'; \
         worker-src 'self'; font-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'; base-uri 'none'; \
         form-action 'none'"
    )
}

/// The texts of the scripts that stand in the document itself. The document is Trunk's output of our own template, so
/// looking for the two tags is enough.
fn inline_scripts(index: &str) -> impl Iterator<Item = &str> {
    index.split("<script").skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (text, _) = rest.split_once("</script>")?;
        (!attributes.contains("src=") && !text.is_empty()).then_some(text)
    })
}

async fn serve(State(served): State<Arc<Served>>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return ApiError::new(&METHOD_NOT_ALLOWED, uri.path()).with("method", method.as_str()).into_response();
    }
    let path = uri.path().trim_start_matches('/');
    let path = if path.is_empty() { INDEX } else { path };
    let Some(asset) = served.page.asset(path) else {
        if path == INDEX {
            return ApiError::new(&PAGE_NOT_BUILT, "/").into_response();
        }
        return ApiError::new(&UNKNOWN_ROUTE, uri.path()).into_response();
    };
    respond(asset, &headers, path, &served.policy)
}

/// What every page comes with, whatever it shows.
fn sealed(policy: &HeaderValue) -> [(HeaderName, HeaderValue); 4] {
    [
        (header::CONTENT_SECURITY_POLICY, policy.clone()),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    ]
}

/// An error as a page, under the same policy: for who opens an address and is not let in.
pub(super) fn notice(error: &ErrorBody) -> impl IntoResponse + use<> {
    let say = |key| plain(Language::English, key, &Args::new());
    let (title, again) = (say(text!("app.name")), say(text!("api.notice.again")));
    let [message, remedy] = [&error.message, &error.remedy].map(|text| escaped(text));
    // The link leads from this page and not from another site's, so that a browser sends its cookie along.
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\"><link rel=\"icon\" \
         href=\"data:,\"><title>{title}</title><main><h1>{title}</h1><p><b>{message}</b></p><p>{remedy}</p><p><a \
         href=\"/\">{again}</a></p></main></html>"
    );
    let policy = HeaderValue::from_str(&policy("")).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    (sealed(&policy), axum::response::Html(html))
}

/// A text as HTML has it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn respond(asset: Asset, request: &HeaderMap, path: &str, policy: &HeaderValue) -> Response {
    let accepts_brotli = request
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|text| text.split(',').any(|coding| coding.trim() == "br"));
    // Trunk puts a hash of the contents into every name but the index's.
    let cache = if path == INDEX { "no-cache" } else { "public, max-age=31536000, immutable" };
    let media_type =
        HeaderValue::from_str(&asset.media_type).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
    ];
    let sealed = sealed(policy);
    match asset.brotli.filter(|_| accepts_brotli) {
        Some(bytes) => (sealed, headers, [(header::CONTENT_ENCODING, "br")], bytes).into_response(),
        None => (sealed, headers, asset.plain).into_response(),
    }
}
