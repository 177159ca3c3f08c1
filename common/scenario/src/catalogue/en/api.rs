//! What the server answers to a request that it cannot serve: what is wrong (`.message`) and what to do (`.remedy`).

use super::Table;

/// The rows.
#[rustfmt::skip] // one line each, however long the text
pub(super) const TEXTS: Table = &[
    ("api.bad-body.message", "The body of the request cannot be read: {reason}"),
    ("api.bad-body.remedy", "Send JSON as /api/openapi.json describes it."),
    ("api.bad-query.message", "The address's parameters cannot be read: {reason}"),
    ("api.bad-query.remedy", "See /api/openapi.json for the parameters of this address."),
    ("api.bad-run-name.message", "A run's name has 1 to 200 characters, without line breaks."),
    ("api.bad-run-name.remedy", "Write a shorter name, on one line."),
    ("api.body-too-large.message", "The body of the request is too large."),
    ("api.body-too-large.remedy", "Send {max} MiB at most."),
    ("api.export-failed.message", "The recording cannot be exported: {reason}"),
    ("api.export-failed.remedy", "Wait until the run has started, or download /recording as it is."),
    ("api.foreign-host.message", "This server does not answer for the host **{host}**."),
    ("api.foreign-host.remedy", "Address it as one of: {allowed}."),
    ("api.foreign-origin.message", "A page from **{origin}** may not change anything here."),
    ("api.foreign-origin.remedy", "Use the page that this server itself serves, at one of: {allowed}."),
    ("api.method-not-allowed.message", "{method} is not possible at **{path}**."),
    ("api.method-not-allowed.remedy", "Use GET, or see /api/openapi.json for what each address takes."),
    ("api.no-such-frame.message", "The recording has {frames} frames so far, and none with number **{from}**."),
    ("api.no-such-frame.remedy", "Ask for a frame from 0 to {frames}."),
    ("api.not-a-websocket.message", "A stream is read over a WebSocket."),
    ("api.not-a-websocket.remedy", "Connect to **{path}** by WebSocket, or download /recording."),
    ("api.page-not-built.message", "This server was built without its page."),
    ("api.page-not-built.remedy", "Build and serve both by: cargo xtask serve"),
    ("api.run-elsewhere.message", "Another process records the run **{id}**."),
    ("api.run-elsewhere.remedy", "Wait until it has ended, or turn to that process."),
    ("api.run-not-started.message", "The run could not be started: {reason}"),
    ("api.run-not-started.remedy", "Remove the cause, then start it again."),
    ("api.run-recording.message", "The run **{id}** is still being recorded."),
    ("api.run-recording.remedy", "Stop it first, and wait until it has ended."),
    ("api.store-failed.message", "The folder of runs cannot be used: {reason}"),
    ("api.store-failed.remedy", "Make sure that the folder can be written and its disk is not full."),
    ("api.too-many-runs.message", "As many runs are live as may be: {max}."),
    ("api.too-many-runs.remedy", "Wait until one has ended, or stop one: they share this machine."),
    ("api.unknown-route.message", "There is nothing at **{path}**."),
    ("api.unknown-route.remedy", "The page is at /, the interface is described at /api/openapi.json."),
    ("api.unknown-run.message", "There is no run **{id}**."),
    ("api.unknown-run.remedy", "See /api/runs for those that there are."),
];
