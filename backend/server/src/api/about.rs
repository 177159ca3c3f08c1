//! `GET /api/about`: which server a page talks to.

use axum::Json;
use axum::extract::State;
use hopscope_scenario::plan::Broker;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{ApiError, ErrorBody};
use super::runs::Runs;
use crate::store::Store;

/// Name and version of the server.
#[derive(Serialize, ToSchema)]
pub(crate) struct About {
    /// Always `hopscope`.
    name: &'static str,
    /// The build's version.
    version: &'static str,
    /// The brokers that runs may have: `built-in`, `local` where RabbitMQ is installed, and the addresses that the operator
    /// allowed, of queues (`amqp://…`) and of topics (`kafka://…`), without their passwords.
    brokers: Vec<String>,
    /// What becomes of the runs in its folder.
    runs: Kept,
}

/// What runs take, may take, and have had to give.
#[derive(Serialize, ToSchema)]
struct Kept {
    /// Bytes on the disk, of all files of all runs; null where that cannot be told.
    bytes: Option<u64>,
    /// Beyond so many bytes the oldest are removed; null: never.
    most_bytes: Option<u64>,
    /// So many seconds after they were made they are removed; null: never.
    most_seconds: Option<u64>,
    /// How many were removed since the server began.
    removed: u64,
    /// Bytes that those took.
    removed_bytes: u64,
    /// What the one was called that was removed last.
    last_removed: Option<String>,
}

impl Kept {
    fn of(store: &Store) -> Self {
        let (limits, kept) = (store.limits(), store.kept());
        Self {
            bytes: store.used().ok(),
            most_bytes: limits.bytes,
            most_seconds: limits.time.map(|time| time.as_secs()),
            removed: kept.removed,
            removed_bytes: kept.removed_bytes,
            last_removed: kept.last.map(|run| run.name),
        }
    }
}

/// Which server this is.
///
/// A page uses it to tell "no backend" from "another version".
#[utoipa::path(get, path = "/about", responses((status = 200, body = About), (status = 500, body = ErrorBody)))]
pub(crate) async fn about(State(runs): State<Runs>) -> Result<Json<About>, ApiError> {
    let kept = runs.blocking(|store| Ok(Kept::of(store))).await?;
    let brokers = runs.brokers();
    let local = brokers.local().is_installed().then_some(Broker::LOCAL);
    let brokers =
        std::iter::once(Broker::BUILT_IN).chain(local).chain(brokers.addresses()).map(str::to_owned).collect();
    Ok(Json(About { name: "hopscope", version: env!("CARGO_PKG_VERSION"), brokers, runs: kept }))
}
