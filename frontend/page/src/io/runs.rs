//! Runs, as the server has them.

use std::ops::Range;

use gloo_net::http::{Method, RequestBuilder, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Made;

/// Why the server did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nobody answered.
    NoAnswer,
    /// The page lies on a host of plain files.
    NoServer,
    /// It said why, in its own words.
    Said {
        /// Where: a JSON pointer into what was sent, the name of a parameter, or the request's address; may be empty.
        path: String,
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
    /// The name that a person gave it; the scenario's until then.
    pub(crate) name: String,
    /// The scenario's name.
    pub(crate) scenario: String,
    /// When it was made, as RFC 3339 in UTC.
    pub(crate) made_at: String,
    /// How long load is offered, like `5 s`; none: until the run is stopped.
    pub(crate) duration: Option<String>,
    /// How far it has come.
    pub(crate) state: RunState,
    /// Of a recording that was imported, the id that the run had where it was made.
    pub(crate) imported_from: Option<String>,
    /// Why it ended.
    pub(crate) reason: Option<String>,
    /// More about it in words, where it ended otherwise than asked for.
    pub(crate) detail: Option<String>,
    /// Events in the recording, once it has ended; of one that another process makes, as far as it was read.
    pub(crate) events: u64,
    /// Events that were stamped and are not in it, once it has ended.
    pub(crate) lost: u64,
}

/// A broker that runs may have.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct BrokerInfo {
    /// What it speaks.
    pub(crate) protocol: String,
    /// How a run asks for it.
    pub(crate) broker: String,
    /// What it is.
    pub(crate) product: Option<String>,
    /// Its version.
    pub(crate) version: Option<String>,
    /// How it is.
    pub(crate) state: String,
    /// Where it is reached now.
    pub(crate) address: Option<String>,
    /// How long its last start took, ms.
    pub(crate) started_ms: Option<u64>,
    /// The memory that it has now.
    pub(crate) memory_bytes: Option<u64>,
    /// What installing it fetches.
    pub(crate) download_bytes: Option<u64>,
    /// How much of that has been fetched.
    pub(crate) fetched_bytes: Option<u64>,
    /// What is wrong with it, and what to do.
    pub(crate) problem: Option<String>,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RunState {
    /// Binding and connecting.
    Setup,
    /// Load is offered.
    Running,
    /// What is in flight comes home.
    Draining,
    /// Over, and its recording has its end.
    Ended,
    /// Over, and its recording ends before its end.
    Cut,
    /// Another process records it.
    Elsewhere,
}

#[derive(Deserialize)]
struct ErrorBody {
    #[serde(default)]
    path: String,
    message: String,
    remedy: String,
    #[serde(default)]
    issues: Vec<IssueBody>,
}

#[derive(Deserialize)]
struct IssueBody {
    #[serde(default)]
    path: String,
    message: String,
    remedy: String,
}

/// Starts a run; `request` is `{"scenario", "seed", "duration"}`.
pub(crate) async fn start(request: String) -> Result<RunInfo, Refusal> {
    read(json_of("api/runs", Method::POST).body(request)).await
}

/// Ends a run's load; what is in flight comes home.
pub(crate) async fn stop(id: &str) -> Result<(), Refusal> {
    send(to(&format!("api/runs/{id}/stop"), Method::POST).build()).await.map(drop)
}

/// Does something to a run; `asked` is a disturbance without its time.
pub(crate) async fn control(id: &str, asked: String) -> Result<(), Refusal> {
    send(json_of(&format!("api/runs/{id}/control"), Method::POST).body(asked)).await.map(drop)
}

/// The brokers that runs may have.
pub(crate) async fn brokers() -> Result<Vec<BrokerInfo>, Refusal> {
    read(to("api/brokers", Method::GET).build()).await
}

/// Has the local broker of a protocol installed, started or stopped.
pub(crate) async fn to_broker(protocol: &str, what: &str) -> Result<(), Refusal> {
    send(to(&format!("api/brokers/{protocol}/{what}"), Method::POST).build()).await.map(drop)
}

/// Whether the server has a run of that id.
pub(crate) async fn find(id: &str) -> Result<RunInfo, Refusal> {
    read(to(&address(id), Method::GET).build()).await
}

/// Where the nodes of a live run are reached: a list of `{"node", "protocol", "name", "link", "address"}`.
pub(crate) async fn endpoints(id: &str) -> Result<Value, Refusal> {
    read(to(&address(id), Method::GET).build()).await.map(|mut run: Value| run["endpoints"].take())
}

/// All runs that the server has, the newest first.
pub(crate) async fn list() -> Result<Vec<RunInfo>, Refusal> {
    read(to("api/runs", Method::GET).build()).await
}

/// Gives a run another name.
pub(crate) async fn rename(id: &str, name: &str) -> Result<RunInfo, Refusal> {
    read(json_of(&address(id), Method::PATCH).body(json!({ "name": name }).to_string())).await
}

/// Deletes a run with its recording.
pub(crate) async fn delete(id: &str) -> Result<(), Refusal> {
    send(to(&address(id), Method::DELETE).build()).await.map(drop)
}

/// Takes in a recording that was exported as JSON; the browser reads the file while it sends it.
pub(crate) async fn import(file: web_sys::File) -> Result<RunInfo, Refusal> {
    read(to("api/runs/import", Method::POST).body(file)).await
}

/// Fetches frames by their numbers: those of `range` that the server has, as many of them as it sends at once.
pub(crate) async fn frames(id: &str, range: Range<u32>) -> Result<Vec<u8>, Refusal> {
    let address = format!("api/runs/{id}/frames?from={}&to={}", range.start, range.end);
    let response = send(to(&address, Method::GET).build()).await?;
    response.binary().await.map_err(|_| Refusal::NoAnswer)
}

/// A run beside another, as the server compares them: `{"differences", "figures", "spreads"}`.
pub(crate) async fn compare(before: &str, after: &str) -> Result<Value, Refusal> {
    read(to(&format!("api/runs/{after}/compare?with={before}"), Method::GET).build()).await
}

/// The verdict on a run, as the server judges it; null where nothing was done to the run.
pub(crate) async fn verdict(id: &str) -> Result<Value, Refusal> {
    read(to(&format!("api/runs/{id}/verdict"), Method::GET).build()).await
}

/// Where a run's recording is had in another format, by the format's id.
pub(crate) fn export_address(id: &str, format: &str) -> String {
    format!("api/runs/{id}/export?format={format}")
}

/// Where a run's recording is had as it is.
pub(crate) fn recording_address(id: &str) -> String {
    format!("api/runs/{id}/recording")
}

fn address(id: &str) -> String {
    format!("api/runs/{id}")
}

fn to(address: &str, method: Method) -> RequestBuilder {
    RequestBuilder::new(address).method(method)
}

fn json_of(address: &str, method: Method) -> RequestBuilder {
    to(address, method).header("content-type", "application/json")
}

/// Asks the server, if there is one; an answer that is no success is a refusal.
async fn send(request: Made) -> Result<Response, Refusal> {
    super::served().await?;
    let response = super::send(request).await?;
    if response.ok() {
        return Ok(response);
    }
    let body = response.text().await.unwrap_or_default();
    Err(refusal(response.status(), &body))
}

async fn read<T: DeserializeOwned>(request: Made) -> Result<T, Refusal> {
    let response = send(request).await?;
    let body = response.text().await.map_err(|_| Refusal::NoAnswer)?;
    serde_json::from_str(&body).map_err(|_| Refusal::Unreadable { status: response.status() })
}

fn refusal(status: u16, body: &str) -> Refusal {
    let Ok(body) = serde_json::from_str::<ErrorBody>(body) else { return Refusal::Unreadable { status } };
    match body.issues.into_iter().next() {
        Some(IssueBody { path, message, remedy }) => Refusal::Said { path, message, remedy },
        None => Refusal::Said { path: body.path, message: body.message, remedy: body.remedy },
    }
}
