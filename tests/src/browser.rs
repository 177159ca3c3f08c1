//! A real Chromium behind its WebDriver, which also reports what the page did wrong.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::FutureExt as _;
use serde_json::json;
use thirtyfour::extensions::query::ElementPollerWithTimeout;
use thirtyfour::{ChromiumLikeCapabilities as _, DesiredCapabilities, LoggingPrefsLogLevel, WebDriver};
use tokio::process::Command;

use crate::child::Group;

/// Flags for a headless browser that asks nobody on the network for anything.
const FLAGS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// How long what is looked for may take, and how often it is looked for.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(50);

/// Runs before any script of a page: keeps policy reports, errors and rejected promises where the test finds them.
const WATCH: &str = r#"
    window.hopscopeFaults = [];
    const keep = (what, text) => window.hopscopeFaults.push(what + ": " + text);
    document.addEventListener("securitypolicyviolation", (e) =>
        keep("policy", e.violatedDirective + " blocked " + (e.blockedURI || "inline") + " " + (e.sample || "")));
    window.addEventListener("error", (e) =>
        keep("error", e.message || "cannot load " + (e.target.src || e.target.href)), true);
    window.addEventListener("unhandledrejection", (e) => keep("rejection", String(e.reason)));
"#;

/// Opens a browser at 1280x800, hands its driver to `test`, and ends both whatever happened.
///
/// # Panics
/// When `test` does, after the browser is gone.
///
/// # Errors
/// When the browser cannot be started, or those of `test`.
pub async fn with_browser<F>(test: impl FnOnce(WebDriver) -> F) -> Result<()>
where
    F: Future<Output = Result<()>>,
{
    with_browser_flags(&[], test).await
}

/// The same, with flags of its own.
///
/// # Panics
/// As [`with_browser`].
///
/// # Errors
/// As [`with_browser`].
pub async fn with_browser_flags<F>(flags: &[String], test: impl FnOnce(WebDriver) -> F) -> Result<()>
where
    F: Future<Output = Result<()>>,
{
    let profile = tempfile::tempdir()?;
    let (process, port) = start_driver().await?;
    let mut capabilities = DesiredCapabilities::chrome();
    for flag in FLAGS.into_iter().chain(flags.iter().map(String::as_str)) {
        capabilities.add_arg(flag)?;
    }
    capabilities.set_browser_log_level(LoggingPrefsLogLevel::Severe)?;
    capabilities.add_arg(&format!("--user-data-dir={}", profile.path().display()))?;
    capabilities.set_binary(&crate::variable("HOPSCOPE_CHROMIUM")?.to_string_lossy())?;
    let looking = Arc::new(ElementPollerWithTimeout::new(PATIENCE, LOOK));
    let driver = WebDriver::builder(format!("http://127.0.0.1:{port}"), capabilities).poller(looking).await?;
    let window = json!({"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": false});
    driver.cdp().send_raw("Emulation.setDeviceMetricsOverride", window).await?;
    driver.cdp().send_raw("Page.addScriptToEvaluateOnNewDocument", json!({ "source": WATCH })).await?;
    let result = AssertUnwindSafe(test(driver.clone())).catch_unwind().await;
    let quit = driver.quit().await;
    // Dropping the group ends driver and browser even where quitting failed.
    drop(process);
    match result {
        Ok(result) => result.and(quit.context("the browser did not quit")),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// How often a driver is started before a port that is taken is a failure.
const STARTS: usize = 8;

/// Starts a driver on a port of its own.
///
/// It takes a free port of IPv4 and then wants the same one of IPv6; where something else has that, it ends and is started again.
async fn start_driver() -> Result<(Group, u16)> {
    let driver = crate::variable("HOPSCOPE_CHROMEDRIVER")?;
    let mut failed = None;
    for _ in 0..STARTS {
        let mut process = Group::start(Command::new(&driver).arg("--port=0"))?;
        let port = |line: &str| line.strip_suffix('.')?.rsplit_once("successfully on port ")?.1.parse().ok();
        match process.read_until(port).await {
            Ok(port) => return Ok((process, port)),
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.context("no driver was started")?.context("chromedriver did not say its port"))
}

/// What the page did wrong since it was loaded: policy reports, errors, rejected promises.
///
/// # Errors
/// When the page cannot be asked.
pub async fn faults(driver: &WebDriver) -> Result<Vec<String>> {
    Ok(driver.execute("return window.hopscopeFaults", Vec::new()).await?.convert()?)
}

/// The errors in the browser's console since it was last asked: what the page did wrong, and what it asked for in vain.
///
/// # Errors
/// When the browser cannot be asked.
pub async fn console_errors(driver: &WebDriver) -> Result<Vec<String>> {
    Ok(driver.browser_log().await?.into_iter().map(|entry| entry.message).collect())
}

/// Keeps a picture of the page in `target/pictures/NAME.png`, to be looked at.
///
/// # Errors
/// When it cannot be taken or written.
pub async fn picture(driver: &WebDriver, name: &str) -> Result<()> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/pictures");
    std::fs::create_dir_all(&folder)?;
    driver.screenshot(&folder.join(format!("{name}.png"))).await?;
    Ok(())
}
