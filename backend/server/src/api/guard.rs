//! Who may talk to this server: requests that name it as their host, changes only from its own page, and beyond loopback
//! only who has shown the token.
//!
//! A name in `Host` that is not ours means DNS rebinding; an `Origin` that is not ours means another site's page. Programs
//! that are no browser send no `Origin` and are welcome.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::{ApiError, FOREIGN_HOST, FOREIGN_ORIGIN};
use super::session::{Entry, Sessions, let_in, refuse};
use crate::access::Access;

/// What a proxy was addressed by, where one stands in front.
static FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Which sites' pages may have an answer without asking for it, as an image or a script.
static RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The names under which this server may be addressed, and who has been let in.
pub(crate) struct Guard {
    /// Names with ports, in lower case.
    hosts: Vec<String>,
    /// Where the page of such a name comes from. TLS, if any, ends in front of a name that the operator gave.
    origins: Vec<String>,
    /// The port under which every address of this machine may name it; for a server that listens on all of them.
    any_address: Option<u16>,
    sessions: Option<Sessions>,
}

impl Guard {
    /// The names of the address that is listened on, those that the operator gave, and the token if there is one.
    pub(crate) fn new(address: SocketAddr, access: &Access) -> Self {
        let port = address.port();
        let mut hosts = own_names(address);
        let mut origins: Vec<_> = hosts.iter().map(|host| format!("http://{host}")).collect();
        for name in &access.hosts {
            for host in std::iter::once(name.authority(port)).chain(name.bare(port).map(str::to_owned)) {
                origins.extend(["http", "https"].map(|scheme| format!("{scheme}://{host}")));
                hosts.push(host);
            }
        }
        let any_address = address.ip().is_unspecified().then_some(port);
        let sessions = access.token.as_ref().map(|token| Sessions::new(token, port));
        Self { hosts, origins, any_address, sessions }
    }

    /// Who has been let in; `None` where everyone is.
    pub(super) fn sessions(&self) -> Option<&Sessions> {
        self.sessions.as_ref()
    }

    /// Checks the target and the headers of one request.
    ///
    /// # Errors
    /// 421 for a foreign or missing host, 403 for a foreign origin on a change or on a WebSocket.
    fn admit(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
        let host = headers.get(header::HOST).map(text).unwrap_or_default();
        // A second `Host`, a host in the request's target and a proxy's word count against a request, never for it.
        let others = [&header::HOST, &FORWARDED_HOST].into_iter().flat_map(|name| headers.get_all(name)).map(text);
        let target = uri.authority().map(Authority::as_str);
        let mut told = std::iter::once(host).chain(others).chain(target);
        if let Some(foreign) = told.find(|host| !self.is_ours(host)) {
            let error = ApiError::new(&FOREIGN_HOST, "/");
            return Err(error.with("host", foreign).with("allowed", self.hosts.join(", ")));
        }
        let changes = !matches!(*method, Method::GET | Method::HEAD) || headers.contains_key(header::UPGRADE);
        if !changes {
            return Ok(());
        }
        let mut origins = headers.get_all(header::ORIGIN).iter().map(text);
        if let Some(foreign) = origins.find(|origin| !self.is_own_page(origin, host)) {
            let error = ApiError::new(&FOREIGN_ORIGIN, "/");
            return Err(error.with("origin", foreign).with("allowed", self.origins.join(", ")));
        }
        Ok(())
    }

    /// Whether an origin is that of this server's page, of a request that names it as `host`.
    fn is_own_page(&self, origin: &str, host: &str) -> bool {
        // By an address that was not known before, the page is where the request goes to.
        let same = origin.strip_prefix("http://").is_some_and(|page| page.eq_ignore_ascii_case(host));
        same || self.origins.iter().any(|ours| ours.eq_ignore_ascii_case(origin))
    }

    /// Whether a host is this server. An address of numbers cannot be rebound: no name server is asked about it.
    fn is_ours(&self, host: &str) -> bool {
        let named = self.hosts.iter().any(|ours| ours.eq_ignore_ascii_case(host));
        let any = self.any_address.is_some_and(|port| {
            host.parse().is_ok_and(|address: SocketAddr| address.port() == port)
                || (port == 80 && host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok())
        });
        named || any
    }
}

/// What a server is called by the address that it listens on: a loopback by each of its names.
fn own_names(address: SocketAddr) -> Vec<String> {
    let port = address.port();
    let mut names = vec![address.to_string()];
    if address.ip().is_loopback() || address.ip().is_unspecified() {
        names.extend(["127.0.0.1", "localhost", "[::1]"].map(|name| format!("{name}:{port}")));
    }
    if port == 80 {
        let bare: Vec<_> = names.iter().filter_map(|name| Some(name.strip_suffix(":80")?.to_owned())).collect();
        names.extend(bare);
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// A header's text; one that is none is no host and no origin of ours.
fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or_default()
}

/// The guard in front of every route. Whatever is answered, a browser takes it for nothing but what it is told to be, and hands
/// it to no other site's page.
pub(crate) async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let mut response = answer(&guard, request, next).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(RESOURCE_POLICY.clone(), HeaderValue::from_static("same-origin"));
    response
}

async fn answer(guard: &Guard, request: Request, next: Next) -> Response {
    if let Err(error) = guard.admit(request.method(), request.uri(), request.headers()) {
        return error.into_response();
    }
    let enter = |sessions: &Sessions| sessions.enter(request.method(), request.uri(), request.headers());
    match guard.sessions().map(enter) {
        None | Some(Entry::Granted) => next.run(request).await,
        Some(Entry::Exchanged(cookie)) => let_in(cookie),
        Some(Entry::Refused(kind)) => refuse(kind, &request),
    }
}

#[cfg(test)]
mod tests;
