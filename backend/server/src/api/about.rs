//! `GET /api/about`: which server a page talks to.

use axum::Json;
use axum::extract::State;
use hopscope_scenario::plan::Broker;
use serde::Serialize;
use utoipa::ToSchema;

use super::runs::Runs;

/// Name and version of the server.
#[derive(Serialize, ToSchema)]
pub(crate) struct About {
    /// Always `hopscope`.
    name: &'static str,
    /// The build's version.
    version: &'static str,
    /// The brokers that runs may have: `built-in`, `local` where RabbitMQ is installed, and the addresses that the operator
    /// allowed, without their passwords.
    brokers: Vec<String>,
}

/// Which server this is.
///
/// A page uses it to tell "no backend" from "another version".
#[utoipa::path(get, path = "/about", responses((status = 200, body = About)))]
pub(crate) async fn about(State(runs): State<Runs>) -> Json<About> {
    let brokers = runs.brokers();
    let local = brokers.local().is_installed().then_some(Broker::LOCAL);
    let brokers =
        std::iter::once(Broker::BUILT_IN).chain(local).chain(brokers.addresses()).map(str::to_owned).collect();
    Json(About { name: "hopscope", version: env!("CARGO_PKG_VERSION"), brokers })
}
