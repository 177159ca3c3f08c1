//! A recording that was exported as JSON, taken in as a run.

use std::error::Error;
use std::io;

use axum::Json;
use axum::body::{Body, HttpBody as _};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt as _;
use hopscope_report::import::{Fault, ImportError};
use hopscope_scenario::catalogue::Language;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::Deserialize;
use tokio_util::io::{StreamReader, SyncIoBridge};
use utoipa::IntoParams;

use super::super::error::{self, ApiError, ErrorBody};
use super::body::{Invalid, RunView};
use super::{Runs, store_error};
use crate::store::StoreImportError;

/// Largest document in bytes. It is read as it comes, so this bounds the disk and not the memory.
const LIMIT: usize = 1 << 30;

/// What an imported run is called.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct As {
    /// Its name: 1 to 200 characters, without line breaks; the scenario's, if left out.
    name: Option<String>,
}

/// Import a recording that was exported as JSON. It becomes a run that can be replayed like any other.
#[utoipa::path(
    post,
    path = "/runs/import",
    params(As),
    request_body(content = Object, description = "A recording, as docs/recording.schema.json has it."),
    responses(
        (status = 201, description = "It is in the list of runs", body = RunView),
        (status = 413, description = "The document is too large", body = ErrorBody),
        (status = 422, description = "It is no recording: where, why, and what to do", body = ErrorBody),
    )
)]
pub(super) async fn import_run(
    State(runs): State<Runs>,
    query: Result<Query<As>, QueryRejection>,
    body: Body,
) -> Result<Response, Response> {
    let bad = |fault: QueryRejection| ApiError::new(&error::BAD_QUERY, "name").with("reason", fault.body_text());
    let Query(As { name }) = query.map_err(|fault| bad(fault).into_response())?;
    take_in(&runs, name, body, LIMIT).await
}

/// Reads the document where waiting for it and for the disk holds up nobody.
pub(super) async fn take_in(runs: &Runs, name: Option<String>, body: Body, limit: usize) -> Result<Response, Response> {
    // Of one that tells its length, nothing need be read.
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large(limit).into_response());
    }
    let chunks = Limited::new(body, limit).into_data_stream().map_err(io::Error::other);
    let document = SyncIoBridge::new(StreamReader::new(Box::pin(chunks)));
    let imported = runs.blocking(move |store| Ok(store.import(document, name.as_deref())));
    let summary = imported.await.map_err(IntoResponse::into_response)?.map_err(|error| refused(error, limit))?;
    let run = runs.view(summary, &runs.snapshot());
    let location = [(header::LOCATION, format!("/api/runs/{}", run.id))];
    Ok((StatusCode::CREATED, location, Json(run)).into_response())
}

fn refused(error: StoreImportError, limit: usize) -> Response {
    match error {
        StoreImportError::Store(error) => store_error(error).into_response(),
        StoreImportError::Import(ImportError::Refused(fault)) => no_recording(&fault),
        StoreImportError::Import(ImportError::Scenario(issues)) => Invalid::new(&issues).into_response(),
        StoreImportError::Import(ImportError::Read(error)) if is_over(&error) => too_large(limit).into_response(),
        StoreImportError::Import(ImportError::Read(error)) => {
            ApiError::new(&error::BAD_BODY, "").with("reason", error.to_string()).into_response()
        }
        StoreImportError::Import(error @ (ImportError::Put(_) | ImportError::Plan(_))) => {
            ApiError::new(&error::STORE_FAILED, "").with("reason", error.to_string()).into_response()
        }
    }
}

fn no_recording(fault: &Fault) -> Response {
    let language = Language::English;
    let (message, remedy) = (fault.message(language), fault.remedy(language));
    let body = ErrorBody { code: fault.code.name(), path: fault.path.clone(), message, remedy };
    (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response()
}

fn too_large(limit: usize) -> ApiError {
    ApiError::new(&error::BODY_TOO_LARGE, "").with("max", (limit >> 20).to_string())
}

/// Whether the document is longer than it may be.
fn is_over(error: &io::Error) -> bool {
    let mut cause = error.get_ref().map(|inner| inner as &(dyn Error + 'static));
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}
