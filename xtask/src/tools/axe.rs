//! axe-core, which judges whether people who do not see or point can use the page: a script for tests, from npm.

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::{Install, Missing, Tools, apt};
use crate::browser::on_path;
use crate::step::run;

const VERSION: &str = "4.14.1";

fn script_at(tools: &Tools) -> PathBuf {
    tools.home("axe-core", VERSION).join("node_modules/axe-core/axe.min.js")
}

/// Its script.
///
/// # Errors
/// When it is not installed.
pub(super) fn script(tools: &Tools) -> Result<PathBuf> {
    let script = script_at(tools);
    if !script.exists() {
        bail!("no axe-core {VERSION} in {}; run `cargo xtask setup`", script.display());
    }
    Ok(script)
}

/// What is missing for it, if anything.
///
/// # Errors
/// When the system cannot be asked for npm.
pub(super) fn missing(tools: &Tools) -> Result<Option<Missing>> {
    const REASON: &str = "tests of accessibility";
    if script_at(tools).exists() {
        return Ok(None);
    }
    if on_path("npm").is_none() {
        return apt::missing(&["npm"], REASON).map(Some);
    }
    Ok(Some(Missing {
        name: format!("axe-core {VERSION} (npm)"),
        size: "about 3 MB unpacked".to_owned(),
        reason: REASON,
        remedy: format!("npm install --prefix {} axe-core@{VERSION}", tools.home("axe-core", VERSION).display()),
        install: Install::Axe,
    }))
}

/// Fetches it.
///
/// # Errors
/// When npm cannot.
pub(super) fn install(tools: &Tools) -> Result<()> {
    let home = tools.home("axe-core", VERSION);
    std::fs::create_dir_all(&home)?;
    run(tools
        .command("npm")
        .args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"])
        .arg(&home)
        .arg(format!("axe-core@{VERSION}")))
}
