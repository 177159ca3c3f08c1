//! `GET /api/about`: which server a page talks to.

use axum::Json;
use serde::Serialize;

/// Name and version of the server.
#[derive(Serialize)]
pub(crate) struct About {
    name: &'static str,
    version: &'static str,
}

/// Answers with name and version; a page uses it to tell "no backend" from "another version".
pub(crate) async fn about() -> Json<About> {
    Json(About { name: "hopscope", version: env!("CARGO_PKG_VERSION") })
}
