//! Who may talk to this server: requests that name it as their host, and changes only from its own page.
//!
//! A name in `Host` that is not ours means DNS rebinding; an `Origin` that is not ours means another site's page. Programs
//! that are no browser send no `Origin` and are welcome.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::{ApiError, FOREIGN_HOST, FOREIGN_ORIGIN};

/// The names under which this server may be addressed.
pub(crate) struct Guard {
    hosts: Vec<String>,
    origins: Vec<String>,
}

impl Guard {
    /// The loopback names with the port that is listened on.
    pub(crate) fn new(address: SocketAddr) -> Self {
        let port = address.port();
        let mut hosts: Vec<String> =
            ["127.0.0.1", "localhost", "[::1]"].iter().map(|name| format!("{name}:{port}")).collect();
        if !hosts.contains(&address.to_string()) {
            hosts.push(address.to_string());
        }
        let origins = hosts.iter().map(|host| format!("http://{host}")).collect();
        Self { hosts, origins }
    }

    /// Checks the headers of one request.
    ///
    /// # Errors
    /// 421 for a foreign or missing host, 403 for a foreign origin on a change or on a WebSocket.
    fn admit(&self, method: &Method, headers: &HeaderMap) -> Result<(), ApiError> {
        let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !self.hosts.iter().any(|ours| ours.eq_ignore_ascii_case(host)) {
            let error = ApiError::new(&FOREIGN_HOST, "/");
            return Err(error.with("host", host).with("allowed", self.hosts.join(", ")));
        }
        let changes = !matches!(*method, Method::GET | Method::HEAD) || headers.contains_key(header::UPGRADE);
        let Some(origin) = headers.get(header::ORIGIN).filter(|_| changes) else { return Ok(()) };
        let origin = origin.to_str().unwrap_or_default();
        if !self.origins.iter().any(|ours| ours.eq_ignore_ascii_case(origin)) {
            let error = ApiError::new(&FOREIGN_ORIGIN, "/");
            return Err(error.with("origin", origin).with("allowed", self.origins.join(", ")));
        }
        Ok(())
    }
}

/// The guard in front of every route.
pub(crate) async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    match guard.admit(request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}
