//! A run beside another: their recordings are read for their figures, each from its file.

use std::io::{self, Read as _};

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use hopscope_record::decoder::Framing;
use hopscope_report::compare::{Reading, ReadingError, document};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use super::super::error::{self, ApiError, ErrorBody};
use super::{Runs, run_id};
use crate::store::{RunId, Store, StoreError};

/// Bytes read at a time.
const CHUNK: usize = 256 << 10;

/// What to compare with.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct With {
    /// The id of the run that changes are counted from.
    #[param(example = "20261123-141530-7f3a")]
    with: String,
}

/// Compare a run with another: what ran differently, each figure of both with its change and 95 % interval, and how the
/// answers spread. Of a run that is live, what is in its file by now.
#[utoipa::path(
    get,
    path = "/runs/{id}/compare",
    params(With),
    responses(
        (status = 200, description = "{\"differences\", \"figures\", \"spreads\"}; see docs/command-line.md", body = Object),
        (status = 400, description = "No run is named to compare with", body = ErrorBody),
        (status = 404, description = "No such run", body = ErrorBody),
        (status = 409, description = "A recording has not begun, or is damaged", body = ErrorBody),
    )
)]
pub(super) async fn compare_runs(
    State(runs): State<Runs>,
    Path(id): Path<String>,
    query: Result<Query<With>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    let bad = |fault: QueryRejection| ApiError::new(&error::BAD_QUERY, "with").with("reason", fault.body_text());
    let Query(With { with }) = query.map_err(bad)?;
    let (after, before) = (run_id(&id)?, run_id(&with)?);
    let compared = runs.blocking(move |store| {
        let (before, after) = (read(store, &before)?, read(store, &after)?);
        Ok(before.and_then(|before| Ok((before, after?))))
    });
    let failed = |reason: String| ApiError::new(&error::COMPARE_FAILED, "").with("reason", reason);
    let (before, after) = compared.await?.map_err(|fault| failed(fault.to_string()))?;
    let none = || failed("one of them has recorded nothing yet".to_owned());
    Ok(Json(document(before.figures().ok_or_else(none)?, after.figures().ok_or_else(none)?)))
}

/// Why a recording has no figures.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    #[error(transparent)]
    File(#[from] io::Error),
    #[error(transparent)]
    Recording(#[from] ReadingError),
}

/// A run's recording, as far as it is stored.
pub(super) fn read(store: &Store, id: &RunId) -> Result<Result<Reading, Unread>, StoreError> {
    let (file, bytes) = store.file(id)?;
    let (mut file, mut chunk, mut reading) = (file.take(bytes), vec![0; CHUNK], Reading::new(Framing::File));
    let mut reads = || loop {
        let count = file.read(&mut chunk)?;
        if count == 0 {
            return Ok(());
        }
        reading.push(chunk.get(..count).unwrap_or_default())?;
    };
    let done: Result<(), Unread> = reads();
    Ok(done.map(|()| reading))
}
