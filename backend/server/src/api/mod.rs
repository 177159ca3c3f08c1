//! The HTTP surface: one router, guarded as a whole.

mod about;
mod brokers;
pub(crate) mod error;
pub(crate) mod guard;
pub(crate) mod page;
pub(crate) mod runs;
mod session;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Config;
use guard::Guard;
use runs::Runs;

/// Largest request body in bytes; a scenario with every limit used up is well below it.
const BODY_LIMIT: usize = 4 << 20;

/// What the description of the interface says of itself.
#[derive(OpenApi)]
#[openapi(info(title = "Hopscope", description = "Start runs of scenarios, follow and fetch their recordings."))]
struct Description;

/// The whole application for a server that listens on `address`.
pub(crate) fn router(config: &Config, runs: Runs, address: SocketAddr) -> Router {
    let guard = Arc::new(Guard::new(address, &config.access));
    let tokens = OpenApiRouter::new().routes(routes!(session::token)).with_state(Arc::clone(&guard));
    let about = OpenApiRouter::new().routes(routes!(about::about)).with_state(runs.clone());
    let api = about.merge(tokens).merge(brokers::router(runs.clone())).merge(runs::router(runs));
    let (api, description) = OpenApiRouter::with_openapi(Description::openapi()).nest("/api", api).split_for_parts();
    let described = Json(description);
    let api = api
        .route("/api/openapi.json", get(async move || described.clone()))
        .route("/api/{*unknown}", any(error::unknown_route))
        .method_not_allowed_fallback(error::method_not_allowed);
    api.merge(page::router(Arc::clone(&config.page)))
        .layer(axum::extract::DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn(check_length))
        .layer(middleware::from_fn_with_state(guard, guard::check))
}

/// Of a body that says itself that it is too long nothing need be waited for. A recording has a limit of its own.
async fn check_length(request: Request, next: Next) -> Response {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let long = length.is_some_and(|length| length > BODY_LIMIT as u64) && request.uri().path() != runs::IMPORT;
    if long { runs::too_long().into_response() } else { next.run(request).await }
}
