//! `cargo xtask serve`: builds what is out of date and becomes the server.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::step::{command, step};
use crate::test::WASM_ONLY;
use crate::tools::{Purpose, Tools};

/// The one native binary, as it is served and tested.
pub(crate) const BINARY: &str = "target/release/hopscope";

/// How much care is taken to make the binary quick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    /// Soon there: what is served and tested from the sources.
    Release,
    /// As quick as it gets: what is given away and measured.
    Optimized,
}

impl Build {
    /// The profile in Cargo.toml.
    pub(crate) const fn profile(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Optimized => "optimized",
        }
    }

    /// The binary.
    pub(crate) fn binary(self) -> PathBuf {
        Path::new("target").join(self.profile()).join("hopscope")
    }
}

/// Builds page and server and serves the playground; returns only on an error (or, off Unix, when the server ends).
///
/// # Errors
/// When something cannot be installed or built, or the server cannot start.
pub(crate) fn run_server(arguments: &[String]) -> Result<()> {
    let mut server = command(BINARY);
    server.arg("serve").args(arguments);
    become_process(&mut server)
}

/// Makes tools, page and server ready, then serves.
///
/// # Errors
/// As [`run_server`].
pub(crate) fn run(tools: &Tools, arguments: &[String]) -> Result<()> {
    tools.ensure(&[Purpose::Page])?;
    crate::page::build(tools)?;
    build_server(Build::Release)?;
    run_server(arguments)
}

/// Compiles the binary with the page inside.
///
/// # Errors
/// When it does not compile.
pub(crate) fn build_server(build: Build) -> Result<()> {
    step("build the server", || {
        // Of the whole workspace, so that the tests find it compiled with the features that they ask for.
        crate::step::run(
            command("cargo")
                .args(["build", "--profile", build.profile(), "--locked", "--workspace", "--bin", "hopscope"])
                .args(WASM_ONLY.iter().flat_map(|name| ["--exclude", *name])),
        )
    })
}

#[cfg(unix)]
fn become_process(server: &mut std::process::Command) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    // Signals and exit code are then the server's own.
    Err(server.exec()).map_err(|error| anyhow::anyhow!("cannot start {BINARY}: {error}"))
}

#[cfg(not(unix))]
fn become_process(server: &mut std::process::Command) -> Result<()> {
    crate::step::run(server)
}
