//! A run's recording in other formats, written while it is read: memory does not grow with its length.

use std::fs::File;
use std::io;

use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use hopscope_report::export::{Document, DocumentError, EXPORTS, Format};
use serde::Deserialize;
use tokio::sync::mpsc;
use utoipa::IntoParams;

use super::super::error::{self, ApiError, ErrorBody};
use super::{Runs, attachment, run_id};

/// Chunks that wait for the reader.
const AHEAD: usize = 4;

/// What to export as.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct As {
    /// The format: `json`, `csv` (a row per event), `csv-messages` (a row per message and attempt) or `perfetto`.
    #[param(example = "json")]
    format: String,
}

/// Export a run's recording in another format. Of a run that is live, what is in its file by now.
#[utoipa::path(
    get,
    path = "/runs/{id}/export",
    params(As),
    responses(
        (status = 200, description = "The document, of the format's media type", content_type = "application/json"),
        (status = 404, description = "No such run", body = ErrorBody),
        (status = 409, description = "The recording has nothing to export, or is damaged", body = ErrorBody),
    )
)]
pub(super) async fn export_run(
    State(runs): State<Runs>,
    Path(id): Path<String>,
    query: Result<Query<As>, QueryRejection>,
) -> Result<Response, ApiError> {
    let id = run_id(&id)?;
    let bad = |reason: String| ApiError::new(&error::BAD_QUERY, "format").with("reason", reason);
    let Query(As { format }) = query.map_err(|fault| bad(fault.body_text()))?;
    let known = || EXPORTS.map(|format| format.id).join(", ");
    let format = Format::find(&format).ok_or_else(|| bad(format!("{format} is none of {}", known())))?;
    let disposition = attachment(&id, format.extension);
    let surveyed = runs.blocking(move |store| {
        let (file, bytes) = store.file(&id)?;
        Ok(Document::survey(format, file, bytes))
    });
    let document =
        surveyed.await?.map_err(|fault| ApiError::new(&error::EXPORT_FAILED, "").with("reason", fault.to_string()))?;
    let media_type = HeaderValue::from_static(format.media_type);
    let headers = [(header::CONTENT_TYPE, media_type), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, body(document)).into_response())
}

/// The document as a body. It is written on a thread that may wait for the disk and for the reader; when the reader goes,
/// the writing stops.
fn body(document: Document<File>) -> Body {
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(AHEAD);
    tokio::task::spawn_blocking(move || match document.write(|chunk| sender.blocking_send(Ok(chunk.into()))) {
        // Nobody reads it any more.
        Ok(()) | Err(DocumentError::Put(_)) => {}
        Err(DocumentError::Source(fault)) => {
            tracing::warn!("an export ends early: {fault}");
            // The reader sees a broken document and not a shorter one.
            let _ = sender.blocking_send(Err(io::Error::other(fault)));
        }
    });
    let chunks = stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
    Body::from_stream(chunks)
}
