//! What the server answers to a request that it cannot serve: what is wrong (`.message`) and what to do (`.remedy`).

use super::Table;

/// The rows.
#[rustfmt::skip] // one line each, however long the text
pub(super) const TEXTS: Table = &[
    ("api.foreign-host.message", "This server does not answer for the host **{host}**."),
    ("api.foreign-host.remedy", "Address it as one of: {allowed}."),
    ("api.foreign-origin.message", "A page from **{origin}** may not change anything here."),
    ("api.foreign-origin.remedy", "Use the page that this server itself serves, at one of: {allowed}."),
    ("api.method-not-allowed.message", "{method} is not possible at **{path}**."),
    ("api.method-not-allowed.remedy", "Use GET, or see /api/openapi.json for what each address takes."),
    ("api.page-not-built.message", "This server was built without its page."),
    ("api.page-not-built.remedy", "Build and serve both by: cargo xtask serve"),
    ("api.unknown-route.message", "There is nothing at **{path}**."),
    ("api.unknown-route.remedy", "The page is at /, the interface is described at /api/openapi.json."),
];
