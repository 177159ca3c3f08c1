//! wasm-opt: npm's binaryen where there is Node; elsewhere Trunk downloads the release that Trunk.toml names.
//!
//! The version is fixed because an old one (Debian's 108) writes a page that does not start.

use std::path::PathBuf;

use anyhow::Result;

use super::{Install, Missing, Tools};
use crate::browser::on_path;
use crate::step::run;

const VERSION: &str = "132.0.0";

/// Our wasm-opt, if it is installed.
pub(super) fn found(tools: &Tools) -> Option<PathBuf> {
    let program = tools.home("binaryen", VERSION).join("node_modules/.bin/wasm-opt");
    program.exists().then_some(program)
}

pub(super) fn missing(tools: &Tools) -> Option<Missing> {
    if found(tools).is_some() || on_path("npm").is_none() {
        return None;
    }
    Some(Missing {
        name: format!("binaryen {VERSION} (npm)"),
        size: "about 90 MB unpacked".to_owned(),
        reason: "wasm-opt makes the page small",
        remedy: format!("npm install --prefix {} binaryen@{VERSION}", tools.home("binaryen", VERSION).display()),
        install: Install::WasmOpt,
    })
}

pub(super) fn install(tools: &Tools) -> Result<()> {
    let home = tools.home("binaryen", VERSION);
    std::fs::create_dir_all(&home)?;
    run(tools
        .command("npm")
        .args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"])
        .arg(&home)
        .arg(format!("binaryen@{VERSION}")))
}
