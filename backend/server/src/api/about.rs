//! `GET /api/about`: which server a page talks to.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

/// Name and version of the server.
#[derive(Serialize, ToSchema)]
pub(crate) struct About {
    /// Always `hopscope`.
    name: &'static str,
    /// The build's version.
    version: &'static str,
}

/// Which server this is.
///
/// A page uses it to tell "no backend" from "another version".
#[utoipa::path(get, path = "/about", responses((status = 200, body = About)))]
pub(crate) async fn about() -> Json<About> {
    Json(About { name: "hopscope", version: env!("CARGO_PKG_VERSION") })
}
