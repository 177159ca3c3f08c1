//! The programs in other languages that have to be compiled before tests run them.

use std::path::PathBuf;

use anyhow::Result;

use crate::browser::on_path;
use crate::step::{command, run, step};

/// The program in Go that speaks Thrift.
const PEER: &str = "tests/outside/thrift/go";
/// Where it lies, compiled.
const BINARY: &str = "target/outside/thrift-peer";

/// Compiles it; `None` where there is no Go: each test that needs it tells that it did not run.
///
/// # Errors
/// When it does not compile.
pub(crate) fn go_peer() -> Result<Option<PathBuf>> {
    if on_path("go").is_none() {
        return Ok(None);
    }
    let binary = std::env::current_dir()?.join(BINARY);
    step("build the program in Go", || {
        run(command("go").args(["build", "-o"]).arg(&binary).arg(".").current_dir(PEER))
    })?;
    Ok(Some(binary))
}
