//! The only place that fetches.

pub(crate) mod runs;
pub(crate) mod stream;

use std::cell::Cell;

use gloo_net::http::{Request, Response};
use js_sys::Promise;
use leptos::prelude::window;
use serde::Deserialize;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

use self::runs::Refusal;

/// What the server says of itself.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct About {
    /// Its version.
    pub(crate) version: String,
    /// The brokers that runs may have.
    #[serde(default)]
    pub(crate) brokers: Vec<String>,
    /// What becomes of its runs.
    #[serde(default)]
    pub(crate) runs: Kept,
}

/// What runs take, may take, and have had to give.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Bytes on the disk.
    pub(crate) bytes: Option<u64>,
    /// Beyond so many the oldest are removed.
    pub(crate) most_bytes: Option<u64>,
    /// So many seconds after they were made they are removed.
    pub(crate) most_seconds: Option<u64>,
    /// How many were removed since the server began.
    pub(crate) removed: u64,
    /// What the one was called that was removed last.
    pub(crate) last_removed: Option<String>,
}

thread_local! {
    /// Whether a server has told who it is.
    static SERVED: Cell<bool> = const { Cell::new(false) };
}

/// A request, if it could be made.
type Made = Result<Request, gloo_net::Error>;

/// Asks the page's own server who it is. Where the page lies on a host of plain files, one of them answers in its place
/// (`static/about`) and says nothing.
pub(crate) async fn about() -> Result<About, Refusal> {
    let body = text("api/about").await?;
    let about = serde_json::from_str(&body.unwrap_or_default()).ok();
    SERVED.set(about.is_some());
    about.ok_or(Refusal::NoServer)
}

/// Makes sure that there is a server, so that nothing is asked of a host of plain files.
async fn served() -> Result<(), Refusal> {
    if SERVED.get() { Ok(()) } else { about().await.map(drop) }
}

/// Waits until the second part of the page is here, if it was built in two (`xtask/src/split`). Where it does not come, whatever
/// needs it asks for it once more and says so.
pub(crate) async fn rest() {
    let promise = js_sys::Reflect::get(&window(), &"hopscopeRest".into()).and_then(JsCast::dyn_into::<Promise>);
    if let Ok(promise) = promise {
        let _ = JsFuture::from(promise).await;
    }
}

/// A file that lies beside the page, by its name and version.
pub(crate) async fn beside(file: &str, version: u32) -> Option<String> {
    text(&versioned(file, version)).await.ok().flatten()
}

/// The same of a file that is no text.
pub(crate) async fn bytes_beside(file: &str, version: u32) -> Option<Vec<u8>> {
    let response = send(Request::get(&versioned(file, version)).build()).await.ok()?;
    if response.ok() { response.binary().await.ok() } else { None }
}

/// What lies beside the page is kept by the browser for good; another version has another address.
fn versioned(file: &str, version: u32) -> String {
    format!("{file}?v={version:08x}")
}

/// What lies there; `None` if nothing does.
async fn text(address: &str) -> Result<Option<String>, Refusal> {
    let response = send(Request::get(address).build()).await?;
    Ok(if response.ok() { response.text().await.ok() } else { None })
}

async fn send(request: Made) -> Result<Response, Refusal> {
    let request = request.map_err(|_| Refusal::NoAnswer)?;
    request.send().await.map_err(|_| Refusal::NoAnswer)
}
