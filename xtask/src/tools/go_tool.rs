//! Programs that come as Go modules: taken from PATH, else compiled once by `go install`.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::{Install, Missing, Tools, apt};
use crate::browser::on_path;
use crate::step::{command, run};

/// The peer of gRPC's benches.
const NAME: &str = "ghz";
const MODULE: &str = "github.com/bojand/ghz/cmd/ghz";
const VERSION: &str = "0.120.0";

/// The folder of its program in the tools folder.
pub(super) fn bin(tools: &Tools) -> PathBuf {
    tools.home(NAME, VERSION).join("bin")
}

/// What is missing for it, if anything.
///
/// # Errors
/// When the packages of the system cannot be told.
pub(super) fn missing(tools: &Tools) -> Result<Option<Missing>> {
    if bin(tools).join(NAME).is_file() || on_path(NAME).is_some() {
        return Ok(None);
    }
    if on_path("go").is_none() {
        return apt::missing(&["golang-go"], "compiles ghz, a peer of benches").map(Some);
    }
    let remedy = format!("go install {MODULE}@v{VERSION}");
    Ok(Some(Missing {
        name: format!("{NAME} {VERSION} (Go)"),
        size: "compiled here, about a minute".to_owned(),
        reason: "a peer of benches",
        remedy,
        install: Install::Go,
    }))
}

/// Compiles it.
///
/// # Errors
/// When it cannot be had or does not compile.
pub(super) fn install(tools: &Tools) -> Result<()> {
    let bin = bin(tools);
    std::fs::create_dir_all(&bin).with_context(|| format!("cannot make {}", bin.display()))?;
    run(command("go").args(["install", &format!("{MODULE}@v{VERSION}")]).env("GOBIN", &bin).current_dir(&bin))
}
