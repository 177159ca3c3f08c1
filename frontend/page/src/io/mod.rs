//! The only place that fetches.

pub(crate) mod runs;
pub(crate) mod stream;

use serde::Deserialize;

/// What the server says of itself.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct About {
    /// Its version.
    pub(crate) version: String,
}

/// Asks the page's own server who it is; `None` when nobody answers as Hopscope does.
pub(crate) async fn about() -> Option<About> {
    let response = gloo_net::http::Request::get("api/about").send().await.ok()?;
    if response.ok() { response.json().await.ok() } else { None }
}
