//! The token and what it is exchanged for: a session, which a browser keeps as a cookie that no script and no other site
//! can use.
//!
//! Owns the secrets. They are kept as digests and compared in constant time. A token lets one in and is used up; it is never
//! the cookie, so that who reads an address in a browser's history has nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use utoipa::ToSchema;

use super::error::{
    ApiError, ErrorBody, ErrorKind, NO_SESSION, NO_TOKEN_NEEDED, STORE_FAILED, TOKEN_USED, UNKNOWN_TOKEN,
};
use super::guard::Guard;
use super::page;
use crate::access::{Token, secret};

/// Most sessions, and most used tokens that are known as such; the oldest go first.
const MOST_KEPT: usize = 64;

type Digest = [u8; 32];

/// Who is let in.
pub(super) struct Sessions {
    /// The cookie's name. It tells the port, since browsers give a host's cookies to each of its ports.
    cookie: String,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// What lets the next one in.
    token: Option<Digest>,
    /// What has let someone in.
    used: Vec<Digest>,
    sessions: Vec<Digest>,
}

/// What becomes of a request.
pub(super) enum Entry {
    /// It is served.
    Granted,
    /// It showed the token: the browser gets this cookie, and the page without the token in its address.
    Exchanged(HeaderValue),
    /// It is refused.
    Refused(&'static ErrorKind),
}

impl Sessions {
    /// No one is in yet; `token` lets the first one in.
    pub(super) fn new(token: &Token, port: u16) -> Self {
        let inner = Inner { token: Some(digest(token.secret())), ..Inner::default() };
        Self { cookie: format!("hopscope-{port}"), inner: Mutex::new(inner) }
    }

    /// Looks for a token in the page's address, and for a session in the cookies.
    pub(super) fn enter(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Entry {
        let shown = token_in(uri).filter(|_| *method == Method::GET && uri.path() == "/");
        if let Some(shown) = shown {
            return self.exchange(shown);
        }
        let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let sessions = &self.lock().sessions;
        let known = pairs.any(|(name, value)| name == self.cookie && is_among(&digest(value), sessions));
        if known { Entry::Granted } else { Entry::Refused(&NO_SESSION) }
    }

    /// Another token in place of the last.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    fn renew(&self) -> std::io::Result<Token> {
        let token = Token::random()?;
        self.lock().token = Some(digest(token.secret()));
        Ok(token)
    }

    fn exchange(&self, shown: &str) -> Entry {
        let shown = digest(shown);
        let mut inner = self.lock();
        let current = inner.token.is_some_and(|token| bool::from(token.ct_eq(&shown)));
        if !current {
            return Entry::Refused(if is_among(&shown, &inner.used) { &TOKEN_USED } else { &UNKNOWN_TOKEN });
        }
        let Some((session, cookie)) = self.new_cookie() else { return Entry::Refused(&STORE_FAILED) };
        inner.token = None;
        keep(&mut inner.used, shown);
        keep(&mut inner.sessions, session);
        Entry::Exchanged(cookie)
    }

    /// A session's digest and the header that hands it over. Not `Secure`: the server speaks plain HTTP.
    fn new_cookie(&self) -> Option<(Digest, HeaderValue)> {
        let session = secret().ok()?;
        let cookie = format!("{}={session}; Path=/; HttpOnly; SameSite=Strict", self.cookie);
        Some((digest(&session), HeaderValue::from_str(&cookie).ok()?))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The value of `token` among an address's parameters. A token needs no escaping.
fn token_in(uri: &Uri) -> Option<&str> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix("token="))
}

fn digest(text: &str) -> Digest {
    Sha256::digest(text.as_bytes()).into()
}

/// Whether a digest is one of these; looks at all of them, so that the time tells nothing.
fn is_among(digest: &Digest, known: &[Digest]) -> bool {
    known.iter().fold(false, |found, other| found | bool::from(other.ct_eq(digest)))
}

fn keep(known: &mut Vec<Digest>, digest: Digest) {
    if known.len() >= MOST_KEPT {
        known.remove(0);
    }
    known.push(digest);
}

/// Sends a browser on to the page, with its cookie and without the token.
pub(super) fn let_in(cookie: HeaderValue) -> Response {
    let headers = [
        (header::LOCATION, HeaderValue::from_static("/")),
        (header::SET_COOKIE, cookie),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// Says that nobody is let in: to a browser that wants to show a page as a page, else as every other error.
pub(super) fn refuse(kind: &'static ErrorKind, request: &Request) -> Response {
    let path = request.uri().path();
    let error = ApiError::new(kind, path);
    let accepts = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut response = if accepts.contains("text/html") && !path.starts_with("/api/") {
        (error.status(), page::notice(&error.body())).into_response()
    } else {
        error.into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // RFC 9110, 11.6.1: a 401 names a scheme. None of those that browsers ask a password for is meant.
    headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("HopscopeToken"));
    response
}

/// A token for another browser or program.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewToken {
    /// What to open at this server's address, once.
    #[schema(example = "/?token=…")]
    path: String,
}

/// Let another browser or program in: a new token, in place of one that nobody has used yet.
#[utoipa::path(
    post,
    path = "/token",
    responses(
        (status = 201, body = NewToken),
        (status = 401, description = "Only who is in lets others in", body = ErrorBody),
        (status = 409, description = "This server asks for none", body = ErrorBody),
    )
)]
pub(crate) async fn token(State(guard): State<Arc<Guard>>) -> Result<(StatusCode, Json<NewToken>), ApiError> {
    let sessions = guard.sessions().ok_or_else(|| ApiError::new(&NO_TOKEN_NEEDED, "/api/token"))?;
    let token = sessions.renew().map_err(|error| ApiError::new(&STORE_FAILED, "").with("reason", error.to_string()))?;
    Ok((StatusCode::CREATED, Json(NewToken { path: format!("/?token={}", token.secret()) })))
}
