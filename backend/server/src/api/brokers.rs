//! The brokers over HTTP: what there is; installing, starting and stopping those that Hopscope starts.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use hopscope_scenario::plan::Broker;
use hopscope_scenario::protocol::Protocol;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{self, ApiError, ErrorBody};
use super::runs::Runs;
use crate::broker::BrokerStatus;

/// The routes below `/api`.
pub(crate) fn router(runs: Runs) -> OpenApiRouter {
    let router = OpenApiRouter::new().routes(routes!(list)).routes(routes!(install));
    router.routes(routes!(start)).routes(routes!(stop)).with_state(runs)
}

/// The brokers that runs may have, those of queues first: where each is and how it is.
#[utoipa::path(get, path = "/brokers", responses((status = 200, body = [BrokerStatus]), (status = 500, body = ErrorBody)))]
async fn list(State(runs): State<Runs>) -> Result<Json<Vec<BrokerStatus>>, ApiError> {
    statuses(&runs).await.map(Json)
}

/// Begin to install the local broker of a protocol, which is `kafka`; answers at once, and the list tells how far it has come.
#[utoipa::path(
    post,
    path = "/brokers/{protocol}/install",
    responses(
        (status = 202, description = "It is being installed, or made sure of", body = BrokerStatus),
        (status = 404, description = "There is none of that protocol that Hopscope installs", body = ErrorBody),
    )
)]
async fn install(
    State(runs): State<Runs>,
    Path(named): Path<String>,
) -> Result<(StatusCode, Json<BrokerStatus>), ApiError> {
    let protocol = local(&named)?;
    if !runs.brokers().install_local(protocol) {
        return Err(ApiError::new(&error::BROKER_NOT_INSTALLED_HERE, "protocol").with("value", named));
    }
    Ok((StatusCode::ACCEPTED, status(&runs, protocol).await?))
}

/// Start the local broker of a protocol, `amqp` or `kafka`; answers when it is ready.
#[utoipa::path(
    post,
    path = "/brokers/{protocol}/start",
    responses(
        (status = 200, description = "It is ready, or was", body = BrokerStatus),
        (status = 404, description = "There is no local broker of that protocol", body = ErrorBody),
        (status = 503, description = "It is not installed, or does not start; why, and what to do", body = ErrorBody),
    )
)]
async fn start(State(runs): State<Runs>, Path(protocol): Path<String>) -> Result<Json<BrokerStatus>, ApiError> {
    let protocol = local(&protocol)?;
    let started = runs.brokers().start_local(protocol).await;
    started.map_err(|error| ApiError::new(&error::BROKER_NOT_STARTED, "protocol").with("reason", error.to_string()))?;
    status(&runs, protocol).await
}

/// Stop the local broker of a protocol, if no run has it; the next run that wants it starts a new one.
#[utoipa::path(
    post,
    path = "/brokers/{protocol}/stop",
    responses(
        (status = 200, description = "It is stopped, or was", body = BrokerStatus),
        (status = 404, description = "There is no local broker of that protocol", body = ErrorBody),
        (status = 409, description = "A run has it", body = ErrorBody),
    )
)]
async fn stop(State(runs): State<Runs>, Path(protocol): Path<String>) -> Result<Json<BrokerStatus>, ApiError> {
    let protocol = local(&protocol)?;
    runs.stop_broker(protocol).await?;
    status(&runs, protocol).await
}

/// The protocol whose local broker is meant.
fn local(named: &str) -> Result<Protocol, ApiError> {
    let of_brokers = |protocol: &Protocol| matches!(protocol, Protocol::Amqp | Protocol::Kafka);
    Protocol::find(named)
        .filter(of_brokers)
        .ok_or_else(|| ApiError::new(&error::UNKNOWN_BROKER, "protocol").with("value", named))
}

async fn status(runs: &Runs, protocol: Protocol) -> Result<Json<BrokerStatus>, ApiError> {
    let is_it = |status: &BrokerStatus| status.protocol == protocol.descriptor().id && status.broker == Broker::LOCAL;
    let found = statuses(runs).await?.into_iter().find(is_it);
    found
        .map(Json)
        .ok_or_else(|| ApiError::new(&error::UNKNOWN_BROKER, "protocol").with("value", protocol.descriptor().id))
}

/// Asked where waiting for a program holds up nobody.
async fn statuses(runs: &Runs) -> Result<Vec<BrokerStatus>, ApiError> {
    let brokers = runs.brokers().clone();
    let asked = tokio::task::spawn_blocking(move || brokers.statuses()).await;
    asked.map_err(|error| ApiError::new(&error::STORE_FAILED, "").with("reason", error.to_string()))
}
