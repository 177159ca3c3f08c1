//! Runs, as the server has them.

use std::ops::Range;

use gloo_net::http::{Method, Request, RequestBuilder, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Why the server did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nobody answered.
    NoAnswer,
    /// It said why, in its own words.
    Said {
        /// What is wrong.
        message: String,
        /// What to do.
        remedy: String,
    },
    /// It answered with something else.
    Unreadable {
        /// The answer's status.
        status: u16,
    },
}

/// A run as its list and its starting tell of it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct RunInfo {
    /// Its id.
    pub(crate) id: String,
}

#[derive(Deserialize)]
struct ErrorBody {
    message: String,
    remedy: String,
    #[serde(default)]
    issues: Vec<IssueBody>,
}

#[derive(Deserialize)]
struct IssueBody {
    message: String,
    remedy: String,
}

/// Starts a run; `request` is `{"scenario", "seed", "duration"}`.
pub(crate) async fn start(request: String) -> Result<RunInfo, Refusal> {
    let posted = post("api/runs").header("content-type", "application/json").body(request);
    answer(posted.map_err(|_| Refusal::NoAnswer)?.send().await).await
}

/// Ends a run's load; what is in flight comes home.
pub(crate) async fn stop(id: &str) -> Result<(), Refusal> {
    let sent = post(&format!("api/runs/{id}/stop")).send().await.map_err(|_| Refusal::NoAnswer)?;
    if sent.ok() { Ok(()) } else { Err(refusal(sent).await) }
}

/// Whether the server has a run of that id.
pub(crate) async fn find(id: &str) -> Result<RunInfo, Refusal> {
    answer(Request::get(&format!("api/runs/{id}")).send().await).await
}

/// Fetches frames by their numbers: those of `range` that the server has, as many of them as it sends at once.
pub(crate) async fn frames(id: &str, range: Range<u32>) -> Result<Vec<u8>, Refusal> {
    let address = format!("api/runs/{id}/frames?from={}&to={}", range.start, range.end);
    let response = Request::get(&address).send().await.map_err(|_| Refusal::NoAnswer)?;
    if !response.ok() {
        return Err(refusal(response).await);
    }
    response.binary().await.map_err(|_| Refusal::NoAnswer)
}

/// Where a run's recording is had as JSON.
pub(crate) fn json_address(id: &str) -> String {
    format!("api/runs/{id}/export?format=json")
}

/// Where a run's recording is had as it is.
pub(crate) fn recording_address(id: &str) -> String {
    format!("api/runs/{id}/recording")
}

fn post(address: &str) -> RequestBuilder {
    RequestBuilder::new(address).method(Method::POST)
}

async fn answer<T: DeserializeOwned>(sent: Result<Response, gloo_net::Error>) -> Result<T, Refusal> {
    let response = sent.map_err(|_| Refusal::NoAnswer)?;
    if !response.ok() {
        return Err(refusal(response).await);
    }
    let status = response.status();
    response.json().await.map_err(|_| Refusal::Unreadable { status })
}

async fn refusal(response: Response) -> Refusal {
    let status = response.status();
    match response.json::<ErrorBody>().await {
        Ok(body) => match body.issues.into_iter().next() {
            Some(first) => Refusal::Said { message: first.message, remedy: first.remedy },
            None => Refusal::Said { message: body.message, remedy: body.remedy },
        },
        Err(_) => Refusal::Unreadable { status },
    }
}
