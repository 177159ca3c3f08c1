//! The one shape of an error answer, `{code, path, message, remedy}`, and the list of all of them.

use axum::Json;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use hopscope_scenario::catalogue::{Arg, Args, Key, Language, plain};
use hopscope_scenario::text;
use serde::Serialize;
use utoipa::ToSchema;

/// A way in which a request can fail: its status, its stable code, its texts.
#[derive(Debug)]
pub(crate) struct ErrorKind {
    status: StatusCode,
    code: &'static str,
    message: Key,
    remedy: Key,
}

macro_rules! error_kinds {
    ($($name:ident: $status:ident, $code:literal, $message:literal, $remedy:literal;)*) => {
        $(pub(crate) static $name: ErrorKind = ErrorKind {
            status: StatusCode::$status,
            code: $code,
            message: text!($message),
            remedy: text!($remedy),
        };)*
    };
}

error_kinds! {
    BAD_BODY: BAD_REQUEST, "bad-body", "api.bad-body.message", "api.bad-body.remedy";
    BAD_QUERY: BAD_REQUEST, "bad-query", "api.bad-query.message", "api.bad-query.remedy";
    BAD_RUN_NAME: UNPROCESSABLE_ENTITY, "bad-run-name", "api.bad-run-name.message", "api.bad-run-name.remedy";
    BODY_TOO_LARGE: PAYLOAD_TOO_LARGE, "body-too-large", "api.body-too-large.message", "api.body-too-large.remedy";
    BROKER_IN_USE: CONFLICT, "broker-in-use", "api.broker-in-use.message", "api.broker-in-use.remedy";
    BROKER_NOT_INSTALLED_HERE: NOT_FOUND, "broker-not-installed-here", "api.broker-not-installed-here.message", "api.broker-not-installed-here.remedy";
    BROKER_NOT_LOCAL: CONFLICT, "broker-not-local", "api.broker-not-local.message", "api.broker-not-local.remedy";
    BROKER_NOT_STARTED: SERVICE_UNAVAILABLE, "broker-not-started", "api.broker-not-started.message", "api.broker-not-started.remedy";
    COMPARE_FAILED: CONFLICT, "compare-failed", "api.compare-failed.message", "api.compare-failed.remedy";
    CONTROL_FAILED: CONFLICT, "control-failed", "api.control-failed.message", "api.control-failed.remedy";
    EXPORT_FAILED: CONFLICT, "export-failed", "api.export-failed.message", "api.export-failed.remedy";
    FOREIGN_HOST: MISDIRECTED_REQUEST, "foreign-host", "api.foreign-host.message", "api.foreign-host.remedy";
    FOREIGN_ORIGIN: FORBIDDEN, "foreign-origin", "api.foreign-origin.message", "api.foreign-origin.remedy";
    METHOD_NOT_ALLOWED: METHOD_NOT_ALLOWED, "method-not-allowed", "api.method-not-allowed.message", "api.method-not-allowed.remedy";
    NODE_DOWN: CONFLICT, "node-down", "api.node-down.message", "api.node-down.remedy";
    NODE_UP: CONFLICT, "node-up", "api.node-up.message", "api.node-up.remedy";
    NOT_A_WEBSOCKET: UPGRADE_REQUIRED, "not-a-websocket", "api.not-a-websocket.message", "api.not-a-websocket.remedy";
    NO_KEYFRAME: NOT_FOUND, "no-keyframe", "api.no-keyframe.message", "api.no-keyframe.remedy";
    NO_RELAY: CONFLICT, "no-relay", "api.no-relay.message", "api.no-relay.remedy";
    NO_SESSION: UNAUTHORIZED, "no-session", "api.no-session.message", "api.no-session.remedy";
    NO_SUCH_FRAME: RANGE_NOT_SATISFIABLE, "no-such-frame", "api.no-such-frame.message", "api.no-such-frame.remedy";
    NO_TOKEN_NEEDED: CONFLICT, "no-token-needed", "api.no-token-needed.message", "api.no-token-needed.remedy";
    PAGE_NOT_BUILT: SERVICE_UNAVAILABLE, "page-not-built", "api.page-not-built.message", "api.page-not-built.remedy";
    RUN_ELSEWHERE: CONFLICT, "run-elsewhere", "api.run-elsewhere.message", "api.run-elsewhere.remedy";
    RUN_NOT_STARTED: SERVICE_UNAVAILABLE, "run-not-started", "api.run-not-started.message", "api.run-not-started.remedy";
    RUN_OVER: CONFLICT, "run-over", "api.run-over.message", "api.run-over.remedy";
    RUN_RECORDING: CONFLICT, "run-recording", "api.run-recording.message", "api.run-recording.remedy";
    STORE_FAILED: INTERNAL_SERVER_ERROR, "store-failed", "api.store-failed.message", "api.store-failed.remedy";
    TOKEN_USED: UNAUTHORIZED, "token-used", "api.token-used.message", "api.token-used.remedy";
    TOO_MANY_RUNS: TOO_MANY_REQUESTS, "too-many-runs", "api.too-many-runs.message", "api.too-many-runs.remedy";
    UNKNOWN_BROKER: NOT_FOUND, "unknown-broker", "api.unknown-broker.message", "api.unknown-broker.remedy";
    UNKNOWN_LIST: NOT_FOUND, "unknown-list", "api.unknown-list.message", "api.unknown-list.remedy";
    UNKNOWN_ROUTE: NOT_FOUND, "unknown-route", "api.unknown-route.message", "api.unknown-route.remedy";
    UNKNOWN_RUN: NOT_FOUND, "unknown-run", "api.unknown-run.message", "api.unknown-run.remedy";
    UNKNOWN_TOKEN: UNAUTHORIZED, "unknown-token", "api.unknown-token.message", "api.unknown-token.remedy";
    VERDICT_FAILED: CONFLICT, "verdict-failed", "api.verdict-failed.message", "api.verdict-failed.remedy";
}

/// An answer to a request that cannot be served.
#[derive(Debug)]
pub(crate) struct ApiError {
    kind: &'static ErrorKind,
    path: String,
    args: Args,
}

/// The body of such an answer.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// What kind of failure; part of the API, never changes its meaning.
    pub(crate) code: &'static str,
    /// Where: a JSON pointer into the request's body, the name of a parameter, or the request's address.
    pub(crate) path: String,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) remedy: String,
}

impl ApiError {
    /// An error at `path`: a JSON pointer into the request's body, or the request's address.
    pub(crate) fn new(kind: &'static ErrorKind, path: impl Into<String>) -> Self {
        let path = path.into();
        let args = Args::from([("path".to_owned(), Arg::Text(path.clone()))]);
        Self { kind, path, args }
    }

    /// Adds a value that the texts name in braces.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.args.insert(name.to_owned(), Arg::Text(value.into()));
        self
    }

    /// The answer's status.
    pub(crate) fn status(&self) -> StatusCode {
        self.kind.status
    }

    /// The answer's body.
    pub(crate) fn body(&self) -> ErrorBody {
        let say = |key| plain(Language::English, key, &self.args);
        ErrorBody {
            code: self.kind.code,
            message: say(self.kind.message),
            remedy: say(self.kind.remedy),
            path: self.path.clone(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status(), Json(self.body())).into_response()
    }
}

/// Nothing answers at this address.
pub(crate) async fn unknown_route(uri: Uri) -> ApiError {
    ApiError::new(&UNKNOWN_ROUTE, uri.path().to_owned())
}

/// Something answers at this address, but not to this method.
pub(crate) async fn method_not_allowed(method: Method, uri: Uri) -> ApiError {
    ApiError::new(&METHOD_NOT_ALLOWED, uri.path().to_owned()).with("method", method.as_str())
}
