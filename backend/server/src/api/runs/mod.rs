//! Runs over HTTP: start, import, list, look, stop, disturb, rename, delete, follow, fetch, download.

mod body;
mod compare;
mod control;
mod export;
mod frames;
mod import;
mod live;
mod verdict;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hopscope_scenario::validate::validate_request;
use serde::Deserialize;
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{self, ApiError, ErrorBody};
use crate::broker::not_allowed;
use crate::store::{RunId, StoreError};
use body::{Invalid, Started};
pub(crate) use body::{RunState, RunView};
pub(crate) use live::Runs;

#[cfg(test)]
mod tests;

/// Where recordings are taken in, whose bodies may be longer than others.
pub(super) const IMPORT: &str = "/api/runs/import";

/// A body has more bytes than a request may have.
pub(super) fn too_long() -> ApiError {
    unreadable(StatusCode::PAYLOAD_TOO_LARGE, "")
}

/// The routes below `/api`.
pub(crate) fn router(runs: Runs) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(import::import_run))
        .routes(routes!(get, rename, delete))
        .routes(routes!(stop))
        .routes(routes!(control::control))
        .routes(routes!(frames::stream))
        // The same below a path that has nothing but WebSockets, for proxies that tell them by that, as Trunk's does.
        .route("/streams/{id}", axum::routing::get(frames::stream))
        .routes(routes!(frames::frames))
        .routes(routes!(frames::keyframe))
        .routes(routes!(recording))
        .routes(routes!(export::export_run))
        .routes(routes!(compare::compare_runs))
        .routes(routes!(verdict::judge_run))
        .with_state(runs)
}

/// Start a run.
#[utoipa::path(
    post,
    path = "/runs",
    request_body(
        content = Object,
        description = "{\"scenario\": {…}, \"seed\": 42, \"duration\": \"5 s\", \"broker\": \"built-in\"}; all but the scenario may be left out; a broker is built-in, local, or an address that /api/about lists; a duration of null runs until it is stopped."
    ),
    responses(
        (status = 201, description = "The run has been set up and starts", body = Started),
        (status = 413, description = "The body is too large", body = ErrorBody),
        (status = 422, description = "The request has faults, all of which are listed", body = Invalid),
        (status = 429, description = "As many runs are live as may be", body = ErrorBody),
        (status = 503, description = "The run could not be started", body = ErrorBody),
    )
)]
async fn create(State(runs): State<Runs>, body: Result<Bytes, BytesRejection>) -> Result<Response, Response> {
    let body = body.map_err(|rejection| unreadable(rejection.status(), &rejection.body_text()).into_response())?;
    let text = str::from_utf8(&body)
        .map_err(|fault| unreadable(StatusCode::BAD_REQUEST, &fault.to_string()).into_response())?;
    let request = validate_request(text).map_err(|issues| Invalid::new(&issues).into_response())?;
    if let Some(issue) = not_allowed(&request.settings, runs.brokers()) {
        return Err(Invalid::new(&[issue]).into_response());
    }
    let missing = runs.brokers().targets().missing(&request.scenario);
    if !missing.is_empty() {
        return Err(Invalid::new(&missing).into_response());
    }
    let warnings = Invalid::rows(&request.warnings);
    let run = Box::pin(runs.start(request)).await.map_err(IntoResponse::into_response)?;
    let location = [(header::LOCATION, format!("/api/runs/{}", run.id))];
    Ok((StatusCode::CREATED, location, Json(Started { run, warnings })).into_response())
}

/// List the runs, the newest first.
#[utoipa::path(get, path = "/runs", responses((status = 200, body = Vec<RunView>)))]
async fn list(State(runs): State<Runs>) -> Result<Json<Vec<RunView>>, ApiError> {
    let live = runs.snapshot();
    let listed = runs.blocking(|store| store.list()).await?;
    Ok(Json(listed.into_iter().map(|summary| runs.view(summary, &live)).collect()))
}

/// Look at one run.
#[utoipa::path(
    get,
    path = "/runs/{id}",
    responses((status = 200, body = RunView), (status = 404, description = "No such run", body = ErrorBody))
)]
async fn get(State(runs): State<Runs>, Path(id): Path<String>) -> Result<Json<RunView>, ApiError> {
    let (id, live) = (run_id(&id)?, runs.snapshot());
    let summary = runs.blocking(move |store| store.get(&id)).await?;
    Ok(Json(runs.view(summary, &live)))
}

/// What of a run can be changed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Rename {
    /// Its name: 1 to 200 characters, without line breaks.
    name: String,
}

/// Rename a run.
#[utoipa::path(
    patch,
    path = "/runs/{id}",
    request_body = Rename,
    responses(
        (status = 200, body = RunView),
        (status = 404, description = "No such run", body = ErrorBody),
        (status = 409, description = "Another process records it", body = ErrorBody),
        (status = 422, description = "Not a name", body = ErrorBody),
    )
)]
async fn rename(
    State(runs): State<Runs>,
    Path(id): Path<String>,
    body: Result<Json<Rename>, JsonRejection>,
) -> Result<Json<RunView>, ApiError> {
    let id = run_id(&id)?;
    let Json(Rename { name }) = body.map_err(|fault| unreadable(fault.status(), &fault.body_text()))?;
    let live = runs.snapshot();
    let summary = runs.blocking(move |store| store.rename(&id, &name).and_then(|_| store.get(&id))).await?;
    Ok(Json(runs.view(summary, &live)))
}

/// Delete a run that has ended.
#[utoipa::path(
    delete,
    path = "/runs/{id}",
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "No such run", body = ErrorBody),
        (status = 409, description = "It is still being recorded", body = ErrorBody),
    )
)]
async fn delete(State(runs): State<Runs>, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    let id = run_id(&id)?;
    runs.blocking(move |store| store.delete(&id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stop a run's load; what is in flight comes home. Does nothing to a run that has ended.
#[utoipa::path(
    post,
    path = "/runs/{id}/stop",
    responses(
        (status = 202, description = "It stops, or has ended", body = RunView),
        (status = 404, description = "No such run", body = ErrorBody),
        (status = 409, description = "Another process records it", body = ErrorBody),
    )
)]
async fn stop(State(runs): State<Runs>, Path(id): Path<String>) -> Result<(StatusCode, Json<RunView>), ApiError> {
    let (id, live) = (run_id(&id)?, runs.snapshot());
    let stopped = runs.stop(&id);
    let summary = runs.blocking(move |store| store.get(&id)).await?;
    let view = runs.view(summary, &live);
    if !stopped && view.state == RunState::Elsewhere {
        return Err(store_error(StoreError::Elsewhere(view.id)));
    }
    Ok((StatusCode::ACCEPTED, Json(view)))
}

/// Download a run's recording: the file as it is, up to its last whole frame.
#[utoipa::path(
    get,
    path = "/runs/{id}/recording",
    responses(
        (status = 200, description = "The recording", content_type = "application/octet-stream"),
        (status = 404, description = "No such run", body = ErrorBody),
    )
)]
async fn recording(State(runs): State<Runs>, Path(id): Path<String>) -> Result<Response, ApiError> {
    let id = run_id(&id)?;
    let disposition = attachment(&id, "hop");
    let (file, bytes) = runs.blocking(move |store| store.file(&id)).await?;
    let body = Body::from_stream(ReaderStream::with_capacity(tokio::fs::File::from_std(file).take(bytes), 64 << 10));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (header::CONTENT_LENGTH, HeaderValue::from(bytes)),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, body).into_response())
}

/// Says that the answer is a file to keep, named by its run.
fn attachment(id: &RunId, ending: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("attachment; filename=\"{id}.{ending}\""))
        .unwrap_or(HeaderValue::from_static("attachment"))
}

/// The id in an address. What is no id names no run.
fn run_id(text: &str) -> Result<RunId, ApiError> {
    text.parse().map_err(|_| ApiError::new(&error::UNKNOWN_RUN, format!("/api/runs/{text}")).with("id", text))
}

fn unreadable(status: StatusCode, reason: &str) -> ApiError {
    let kind = if status == StatusCode::PAYLOAD_TOO_LARGE { &error::BODY_TOO_LARGE } else { &error::BAD_BODY };
    ApiError::new(kind, "").with("reason", reason).with("max", (super::BODY_LIMIT >> 20).to_string())
}

fn store_error(error: StoreError) -> ApiError {
    let about = |kind, id: RunId| ApiError::new(kind, format!("/api/runs/{id}")).with("id", id.to_string());
    match error {
        StoreError::Unknown(id) => about(&error::UNKNOWN_RUN, id),
        StoreError::Recording(id) => about(&error::RUN_RECORDING, id),
        StoreError::Elsewhere(id) => about(&error::RUN_ELSEWHERE, id),
        StoreError::NoSuchFrame { from, frames } => ApiError::new(&error::NO_SUCH_FRAME, "from")
            .with("from", from.to_string())
            .with("frames", frames.to_string()),
        StoreError::BadName => ApiError::new(&error::BAD_RUN_NAME, "/name"),
        StoreError::Files { .. } | StoreError::Served { .. } => {
            ApiError::new(&error::STORE_FAILED, "").with("reason", error.to_string())
        }
    }
}
