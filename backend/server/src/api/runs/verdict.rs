//! The verdict on a run that was disturbed, read from its recording.

use axum::Json;
use axum::extract::{Path, State};
use hopscope_report::verdict::{document, verdict};
use serde_json::Value;

use super::super::error::{self, ApiError, ErrorBody};
use super::compare::read;
use super::{Runs, run_id};

/// What disturbing a run cost: what was lost, repeated and late after each thing that was done to it, and when all was normal
/// again. Null for a run that nothing was done to. Of a run that is live, what is in its file by now.
#[utoipa::path(
    get,
    path = "/runs/{id}/verdict",
    responses(
        (status = 200, description = "{\"normal\", \"before\", \"disturbances\"}, or null; see docs/disturbing.md", body = Object),
        (status = 404, description = "No such run", body = ErrorBody),
        (status = 409, description = "The recording has not begun, or is damaged", body = ErrorBody),
    )
)]
pub(super) async fn judge_run(State(runs): State<Runs>, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    let id = run_id(&id)?;
    let failed = |reason: String| ApiError::new(&error::VERDICT_FAILED, "").with("reason", reason);
    let reading = runs.blocking(move |store| read(store, &id)).await?.map_err(|fault| failed(fault.to_string()))?;
    let figures = reading.figures().ok_or_else(|| failed("it has recorded nothing yet".to_owned()))?;
    let judged = verdict(figures.1.controls(), figures.1.traces());
    Ok(Json(judged.map_or(Value::Null, |judged| document(figures.0, &judged))))
}
