//! The one shape of an error answer, `{code, path, message, remedy}`, and the list of all of them.

use axum::Json;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use hopscope_scenario::catalogue::{Arg, Args, Key, Language, plain};
use hopscope_scenario::text;
use serde::Serialize;

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
    FOREIGN_HOST: MISDIRECTED_REQUEST, "foreign-host", "api.foreign-host.message", "api.foreign-host.remedy";
    FOREIGN_ORIGIN: FORBIDDEN, "foreign-origin", "api.foreign-origin.message", "api.foreign-origin.remedy";
    METHOD_NOT_ALLOWED: METHOD_NOT_ALLOWED, "method-not-allowed", "api.method-not-allowed.message", "api.method-not-allowed.remedy";
    PAGE_NOT_BUILT: SERVICE_UNAVAILABLE, "page-not-built", "api.page-not-built.message", "api.page-not-built.remedy";
    UNKNOWN_ROUTE: NOT_FOUND, "unknown-route", "api.unknown-route.message", "api.unknown-route.remedy";
}

/// An answer to a request that cannot be served.
#[derive(Debug)]
pub(crate) struct ApiError {
    kind: &'static ErrorKind,
    path: String,
    args: Args,
}

#[derive(Serialize)]
struct Body {
    code: &'static str,
    path: String,
    message: String,
    remedy: String,
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
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let say = |key| plain(Language::English, key, &self.args);
        let body = Body {
            code: self.kind.code,
            message: say(self.kind.message),
            remedy: say(self.kind.remedy),
            path: self.path.clone(),
        };
        (self.kind.status, Json(body)).into_response()
    }
}

/// Nothing answers at this address.
pub(crate) async fn unknown_route(uri: Uri) -> ApiError {
    ApiError::new(&UNKNOWN_ROUTE, uri.path().to_owned())
}
