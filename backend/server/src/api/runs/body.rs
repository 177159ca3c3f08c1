//! What the run endpoints answer with.

use std::net::SocketAddr;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hopscope_record::PlaceIndex;
use hopscope_record::kind::Phase;
use hopscope_scenario::catalogue::Language;
use hopscope_scenario::issue::Issue;
use hopscope_scenario::plan::PlanLink;
use hopscope_scenario::protocol::Protocol;
use serde::Serialize;
use utoipa::ToSchema;

use crate::run::LiveRun;
use crate::store::{RecordingState, RunId, RunSummary};
use crate::transport::Address;

/// A run: what it is and how far it has come.
#[derive(Serialize, ToSchema)]
pub(crate) struct RunView {
    /// Its id.
    #[schema(value_type = String, example = "20261123-141530-7f3a")]
    pub(crate) id: RunId,
    /// The name that a person gave it; the scenario's until then.
    name: String,
    /// The scenario's name.
    scenario: String,
    /// When it was made, as RFC 3339 in UTC.
    made_at: String,
    /// Where its draws start from.
    seed: u64,
    /// How long load is offered, like `5 s`; null: until the run is stopped.
    duration: Option<String>,
    /// How far it has come.
    pub(crate) state: RunState,
    /// The run's time in ns while it is live; negative during setup.
    time_ns: Option<i64>,
    /// Of a recording that was imported, the id that the run had where it was made.
    imported_from: Option<String>,
    /// Why it ended: `load-done`, `stopped`, `failed`, `event-limit`.
    reason: Option<String>,
    /// More about it, in words: why it ended before its time, or its recording before it. Of a live run: why nothing more of it
    /// is kept.
    detail: Option<String>,
    /// Events in the recording, once it has ended; of one that another process makes, as far as it was read here.
    events: u64,
    /// Events that were stamped and are not in it, once it has ended.
    lost: u64,
    /// Frames in the file.
    frames: u32,
    /// Bytes of the file.
    bytes: u64,
    /// Where its replicas are reached while it is live, also by programs that are no part of it.
    endpoints: Vec<Endpoint>,
}

/// One replica on one protocol that has an address, or where the network of a link to it begins.
#[derive(Serialize, ToSchema)]
struct Endpoint {
    /// The id of its node in the scenario.
    node: String,
    /// Which of its node's places it is.
    #[schema(example = "replica 1")]
    instance: String,
    /// The protocol, as links name it.
    #[schema(example = "grpc")]
    protocol: &'static str,
    /// What the broker there calls the queue, exchange or topic; null: the node is none of these.
    #[schema(example = "orders")]
    name: Option<String>,
    /// The id of the link whose network lies between this address and the place; null: none does.
    link: Option<String>,
    /// Host and port.
    #[schema(example = "127.0.0.1:41953")]
    address: String,
}

impl Endpoint {
    /// The endpoints of a live run, in the order of its places.
    fn all(run: &LiveRun) -> Vec<Self> {
        let plan = run.plan();
        let of = |place: PlaceIndex, protocol: Protocol, link: Option<&PlanLink>, address: SocketAddr| {
            Some(Self {
                node: plan.node_of(place.0)?.id.clone(),
                instance: plan.places.get(place.0 as usize)?.instance(),
                protocol: protocol.descriptor().id,
                name: run.name_at_broker(place).map(|name| name.as_ref().to_owned()),
                link: link.map(|link| link.id.clone()),
                address: address.to_string(),
            })
        };
        let direct = run.addresses().iter().filter_map(|(place, protocol, address)| match address {
            Address::Socket(address) => of(*place, *protocol, None, *address),
            Address::InProcess(_) => None,
        });
        let networks = run.networks().iter().filter_map(|(link, place, address)| {
            let link = plan.link(link.0)?;
            of(*place, link.protocol, Some(link), *address)
        });
        direct.chain(networks).collect()
    }
}

/// How far a run has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RunState {
    /// Binding and connecting.
    Setup,
    /// Load is offered.
    Running,
    /// The load has stopped; what is in flight comes home.
    Draining,
    /// Over, and its recording is whole.
    Ended,
    /// Over, and its recording is not whole: whoever recorded it died or could not store the rest.
    Cut,
    /// Another process records it.
    Elsewhere,
}

/// Who knows how far a run is whose recording has not ended.
pub(super) enum Stage<'a> {
    /// Its parts.
    Live(&'a LiveRun),
    /// Nobody yet: its parts are being made here.
    Beginning,
    /// Another process.
    Elsewhere,
}

impl RunView {
    /// The run as its files and, while it is live here, its parts tell of it.
    pub(super) fn new(summary: RunSummary, stage: &Stage<'_>) -> Self {
        let state = match (summary.state, stage) {
            (RecordingState::Ended, _) => RunState::Ended,
            (RecordingState::Cut, _) => RunState::Cut,
            (RecordingState::Recording, Stage::Elsewhere) => RunState::Elsewhere,
            (RecordingState::Recording, Stage::Beginning) => RunState::Setup,
            (RecordingState::Recording, Stage::Live(live)) => match live.state().borrow().phase {
                Phase::Setup => RunState::Setup,
                Phase::WarmUp | Phase::Measured => RunState::Running,
                // Stamped as ended, and not stored yet.
                Phase::Drain | Phase::End => RunState::Draining,
            },
        };
        let live = match (summary.state, stage) {
            (RecordingState::Recording, Stage::Live(live)) => Some(live),
            _ => None,
        };
        let time_ns = live.and_then(|live| live.clock().now());
        let endpoints = live.map(|live| Endpoint::all(live)).unwrap_or_default();
        Self {
            id: summary.id,
            name: summary.name,
            scenario: summary.scenario,
            made_at: summary.made_at,
            seed: summary.seed,
            duration: summary.duration,
            state,
            time_ns,
            imported_from: summary.imported_from,
            reason: summary.reason,
            detail: summary.detail,
            events: summary.events,
            lost: summary.lost,
            frames: summary.frames,
            bytes: summary.bytes,
            endpoints,
        }
    }
}

/// The answer to a run that was started.
#[derive(Serialize, ToSchema)]
pub(super) struct Started {
    /// The run.
    #[serde(flatten)]
    pub(super) run: RunView,
    /// What the scenario perhaps does not mean.
    pub(super) warnings: Vec<IssueRow>,
}

/// The answer to a request with faults: the first error, and all of them.
#[derive(Serialize, ToSchema)]
pub(super) struct Invalid {
    code: &'static str,
    /// A JSON pointer into the request.
    path: String,
    message: String,
    remedy: String,
    /// Every fault, warnings included.
    issues: Vec<IssueRow>,
}

/// One fault of a request, with its texts.
#[derive(Serialize, ToSchema)]
pub(super) struct IssueRow {
    #[serde(flatten)]
    #[schema(value_type = Object)]
    issue: Issue,
    message: String,
    remedy: String,
}

impl Invalid {
    pub(super) fn new(issues: &[Issue]) -> Self {
        let first = issues.iter().find(|issue| issue.is_error()).or(issues.first());
        let say = |text: fn(&Issue, Language) -> String| first.map(|issue| text(issue, Language::English));
        Self {
            code: first.map_or("invalid", |issue| issue.code.name()),
            path: first.map(|issue| issue.path.clone()).unwrap_or_default(),
            message: say(Issue::message).unwrap_or_default(),
            remedy: say(Issue::remedy).unwrap_or_default(),
            issues: Self::rows(issues),
        }
    }

    pub(super) fn rows(issues: &[Issue]) -> Vec<IssueRow> {
        let row = |issue: &Issue| IssueRow {
            issue: issue.clone(),
            message: issue.message(Language::English),
            remedy: issue.remedy(Language::English),
        };
        issues.iter().map(row).collect()
    }
}

impl IntoResponse for Invalid {
    fn into_response(self) -> Response {
        (StatusCode::UNPROCESSABLE_ENTITY, Json(self)).into_response()
    }
}
