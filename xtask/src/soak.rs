//! `cargo xtask soak NAME`: tries for long what a test tries once. Fails where something is lost or damaged, never on a time.

use anyhow::{Result, bail};

use crate::bench::bench;
use crate::serve::{Build, build_server};
use crate::step::{run as run_command, step};

/// What there is: the names here and of `tests/benches/soak`.
const SOAKS: [&str; 4] = ["kills", "protocols", "readers", "ten-million"];

/// Runs one, or says which there are.
///
/// # Errors
/// When there is none of that name, it does not compile, or something was lost.
pub(crate) fn run(name: &str, parts: &[String]) -> Result<()> {
    if !SOAKS.contains(&name) {
        bail!("there is no soak {name}; there are: {}", SOAKS.join(", "));
    }
    build_server(Build::Optimized)?;
    let binary = std::env::current_dir()?.join(Build::Optimized.binary());
    step(&format!("soak {name}"), || {
        run_command(bench("soak").args(["--", name]).args(parts).env("HOPSCOPE_BIN", binary))
    })
}
