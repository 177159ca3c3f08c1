//! Doing something to a run while it runs.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hopscope_scenario::validate::validate_control;

use super::body::{Invalid, RunState};
use super::{ApiError, ErrorBody, Runs, error, run_id, store_error, unreadable};
use crate::run::ControlError;
use crate::store::{RunId, StoreError};

/// Do something to a run while its load is offered: pause, resume, crash or start a node, change a client's rate, cut, mend,
/// delay or throttle a link, kill or start the local broker. The recording tells of it.
#[utoipa::path(
    post,
    path = "/runs/{id}/control",
    request_body(
        content = Object,
        description = "{\"do\": \"crash\", \"on\": \"orders\", \"for\": \"2 s\"}: a disturbance as scenarios have it, without its at; it is done now."
    ),
    responses(
        (status = 204, description = "It is done"),
        (status = 400, description = "The body is no text", body = ErrorBody),
        (status = 404, description = "No such run", body = ErrorBody),
        (status = 409, description = "The run, its node or its link cannot have that now", body = ErrorBody),
        (status = 422, description = "What is asked for has faults, all of which are listed", body = Invalid),
    )
)]
pub(super) async fn control(
    State(runs): State<Runs>,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Response> {
    let id = run_id(&id).map_err(IntoResponse::into_response)?;
    let body = body.map_err(|rejection| unreadable(rejection.status(), &rejection.body_text()).into_response())?;
    let text = str::from_utf8(&body)
        .map_err(|fault| unreadable(StatusCode::BAD_REQUEST, &fault.to_string()).into_response())?;
    let Some(run) = runs.find(&id) else { return Err(gone(&runs, id).await.into_response()) };
    let asked = validate_control(text, &run.plan().scenario).map_err(|issues| Invalid::new(&issues).into_response())?;
    let done = run.control(&asked).await;
    done.map_err(|error| refused(&id, &error).into_response())?;
    Ok(StatusCode::NO_CONTENT)
}

/// Why a run that is not live here cannot be disturbed.
async fn gone(runs: &Runs, id: RunId) -> ApiError {
    let (live, asked) = (runs.snapshot(), id.clone());
    match runs.blocking(move |store| store.get(&asked)).await {
        Err(error) => error,
        Ok(summary) => match runs.view(summary, &live).state {
            RunState::Elsewhere => store_error(StoreError::Elsewhere(id)),
            _ => refused(&id, &ControlError::Over),
        },
    }
}

fn refused(id: &RunId, refusal: &ControlError) -> ApiError {
    let on = |kind| ApiError::new(kind, "/on");
    match refusal {
        ControlError::Over => ApiError::new(&error::RUN_OVER, format!("/api/runs/{id}")).with("id", id.to_string()),
        ControlError::Down(node) => on(&error::NODE_DOWN).with("node", node),
        ControlError::Up(node) => on(&error::NODE_UP).with("node", node),
        ControlError::NotLocal => on(&error::BROKER_NOT_LOCAL),
        ControlError::NoRelay(link) => on(&error::NO_RELAY).with("link", link),
        ControlError::Unknown(_) | ControlError::Start { .. } => {
            on(&error::CONTROL_FAILED).with("reason", refusal.to_string())
        }
    }
}
