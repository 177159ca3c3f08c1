//! A run's frames: followed over a WebSocket, or fetched by their numbers.

use axum::extract::rejection::QueryRejection;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::super::error::{self, ApiError, ErrorBody};
use super::{Runs, run_id};
use crate::store::StoreError;
use crate::stream::{self, Mode};

/// Where a stream starts, and what is sent to a reader that is behind.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct From {
    /// Number of the first frame wanted; 0, which is Hello, if left out.
    #[serde(default)]
    from: u32,
    /// Whether every frame is wanted, which is so if left out, or the head.
    #[serde(default)]
    mode: Mode,
}

/// Follow a run: its frames as recorded, by WebSocket, until its end.
#[utoipa::path(
    get,
    path = "/runs/{id}/stream",
    params(From),
    responses(
        (status = 101, description = "Binary messages of whole frames; closed with 1000 after the last one, and with \
            4001 and the number of frames that there are if the recording ends before the frame wanted"),
        (status = 404, description = "No such run", body = ErrorBody),
        (status = 426, description = "Not a WebSocket", body = ErrorBody),
    )
)]
pub(super) async fn stream(
    State(runs): State<Runs>,
    Path(id): Path<String>,
    query: Result<Query<From>, QueryRejection>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let id = run_id(&id)?;
    let Query(From { from, mode }) = query.map_err(|fault| bad_query("from", &fault))?;
    let upgrade = upgrade.map_err(|_| ApiError::new(&error::NOT_A_WEBSOCKET, format!("/api/runs/{id}/stream")))?;
    let asked = runs.blocking(move |store| match store.tail(&id, from) {
        Ok(tail) => Ok(Ok(tail)),
        // A browser is told nothing of an upgrade that is refused, so this is said over the stream.
        Err(StoreError::NoSuchFrame { frames, .. }) => Ok(Err(frames)),
        Err(error) => Err(error),
    });
    let asked = asked.await?;
    let closing = runs.closing();
    // Readers have nothing to say, so a long message is a mistake.
    let upgrade = upgrade.max_message_size(64 << 10);
    Ok(upgrade.on_upgrade(async move |socket| match asked {
        Ok(tail) => stream::send(socket, tail, mode, closing).await,
        Err(frames) => stream::truncate(socket, frames).await,
    }))
}

/// Which frames.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Range {
    /// Number of the first one.
    from: u32,
    /// Number of the first one after them; all there are, if left out.
    to: Option<u32>,
}

/// Fetch frames by their numbers: as many of them as there are and as fit one answer, at least one.
#[utoipa::path(
    get,
    path = "/runs/{id}/frames",
    params(Range),
    responses(
        (status = 200, description = "Whole frames, one after the other; no more are added beyond 1 MiB, so go on after \
            the last one. None if there are none yet", content_type = "application/octet-stream"),
        (status = 400, description = "No range", body = ErrorBody),
        (status = 404, description = "No such run", body = ErrorBody),
        (status = 416, description = "The recording ends before the first of them", body = ErrorBody),
    )
)]
pub(super) async fn frames(
    State(runs): State<Runs>,
    Path(id): Path<String>,
    query: Result<Query<Range>, QueryRejection>,
) -> Result<Response, ApiError> {
    let id = run_id(&id)?;
    let Query(Range { from, to }) = query.map_err(|fault| bad_query("from", &fault))?;
    let to = to.unwrap_or(u32::MAX);
    if to <= from {
        let reason = format!("to={to} is not after from={from}");
        return Err(ApiError::new(&error::BAD_QUERY, "to").with("reason", reason));
    }
    let frames = runs.blocking(move |store| store.frames(&id, from, to)).await?;
    Ok(binary(frames))
}

/// Which Keyframe.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct At {
    /// Number of the frame that it may come after at the latest; the newest one, if left out.
    at: Option<u32>,
}

/// Fetch the newest Keyframe after a frame or an earlier one: what the run had come to there, and where to read on.
#[utoipa::path(
    get,
    path = "/runs/{id}/keyframe",
    params(At),
    responses(
        (status = 200, description = "One frame of type 8; its number is that of the frame that it comes after",
            content_type = "application/octet-stream"),
        (status = 404, description = "No such run, or no Keyframe there yet", body = ErrorBody),
    )
)]
pub(super) async fn keyframe(
    State(runs): State<Runs>,
    Path(id): Path<String>,
    query: Result<Query<At>, QueryRejection>,
) -> Result<Response, ApiError> {
    let id = run_id(&id)?;
    let Query(At { at }) = query.map_err(|fault| bad_query("at", &fault))?;
    let none = ApiError::new(&error::NO_KEYFRAME, "at").with("id", id.to_string());
    let found = runs.blocking(move |store| store.keyframe(&id, at.unwrap_or(u32::MAX))).await?;
    Ok(binary(found.ok_or(none)?))
}

fn binary(frames: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))], frames).into_response()
}

fn bad_query(parameter: &str, fault: &QueryRejection) -> ApiError {
    ApiError::new(&error::BAD_QUERY, parameter).with("reason", fault.body_text())
}
