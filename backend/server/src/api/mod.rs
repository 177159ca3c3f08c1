//! The HTTP surface: one router, guarded as a whole.

mod about;
mod error;
mod guard;
pub(crate) mod page;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::routing::get;

use crate::Config;
use guard::Guard;

/// Largest request body in bytes; a scenario with every limit used up is well below it.
const BODY_LIMIT: usize = 4 << 20;

/// The whole application for a server that listens on `address`.
pub(crate) fn router(config: &Config, address: SocketAddr) -> Router {
    let api = Router::new().route("/about", get(about::about)).fallback(error::unknown_route);
    let guard = Arc::new(Guard::new(address));
    Router::new()
        .nest("/api", api)
        .merge(page::router(Arc::clone(&config.page)))
        .layer(axum::extract::DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(guard, guard::check))
}
