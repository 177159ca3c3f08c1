//! `cargo xtask ci`: the gates, the README's `serve`, and the README's `test`, in this order, cheap ones first.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::count::Count;
use crate::step::{self, command, step};
use crate::test::WASM_ONLY;
use crate::tools::{Purpose, Tools};

/// What is checked for wasm32 too. That compiler's version moves with the machine, so it denies the workspace's lints by
/// name and not all warnings.
const WASM_PACKAGES: [&str; 6] = [
    "hopscope-page",
    "hopscope-interaction",
    "hopscope-view",
    "hopscope-report",
    "hopscope-scenario",
    "hopscope-record",
];

fn gates(tools: &Tools) -> Result<()> {
    let excluded: Vec<&str> = WASM_ONLY.iter().flat_map(|name| ["--exclude", *name]).collect();
    step("format", || step::run(command("cargo").args(["fmt", "--all", "--check"])))?;
    step("licences, bans, sources (cargo-deny)", || {
        step::run(tools.command("cargo-deny").args(["--locked", "check", "licenses", "bans", "sources"]))
    })?;
    step("clippy, native", || {
        step::run(
            command("cargo")
                .args(["clippy", "--release", "--locked", "--workspace", "--all-targets"])
                .args(&excluded)
                .args(["--", "--deny", "warnings"]),
        )
    })?;
    step("clippy, wasm32", || {
        step::run(
            tools
                .wasm_command("cargo")?
                .args(["clippy", "--profile", "page", "--locked", "--target", "wasm32-unknown-unknown"])
                .args(WASM_PACKAGES.iter().flat_map(|name| ["--package", name])),
        )
    })?;
    step("documents without warnings", || {
        step::run(
            command("cargo")
                .args(["doc", "--release", "--locked", "--no-deps", "--workspace", "--document-private-items"])
                .args(&excluded)
                .env("RUSTDOCFLAGS", "--deny warnings"),
        )
    })
}

/// The whole of CI.
///
/// # Errors
/// At the first gate that fails, or at the end when a test failed or was skipped.
pub(crate) fn run(tools: &Tools) -> Result<()> {
    let mut count = Count::default();
    tools.ensure(&[Purpose::Page, Purpose::Browser, Purpose::Outside, Purpose::Brokers, Purpose::Gates])?;
    gates(tools)?;
    let mut serve = command("cargo");
    serve.args(["xtask", "serve", "--listen", "127.0.0.1:0"]);
    step("the README's serve, on a free port, in a browser", || served_page(tools, &mut serve))?;
    count.pass();
    crate::dist::run(tools)?;
    step("what is given away, alone in an empty folder", || alone(tools))?;
    count.pass();
    crate::test::run(tools, &mut count)?;
    count.finish()
}

/// Ends the server when the check is over, however it ends.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing left to do.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the packed binary where there is nothing else, no variable either, and loads its page.
fn alone(tools: &Tools) -> Result<()> {
    let binary = crate::dist::binary()?;
    let folder = std::env::temp_dir().join(format!("hopscope-alone-{}", std::process::id()));
    std::fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut serve = command(binary);
    serve.args(["serve", "--listen", "127.0.0.1:0", "--data", "runs"]).current_dir(&folder).env_clear();
    let result = served_page(tools, &mut serve);
    // It is ours and temporary; a leftover does no harm.
    let _ = std::fs::remove_dir_all(&folder);
    result
}

/// Starts a server that tells its address, and loads its page in a browser.
fn served_page(tools: &Tools, serve: &mut Command) -> Result<()> {
    let started = serve.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut server = Server(started.context("cannot start the server")?);
    let stdout = server.0.stdout.take().context("the server has no standard output")?;
    let mut address = None;
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        println!("    | {line}");
        if let Some(at) = line.find("http://127.0.0.1:") {
            address = line[at..].split_whitespace().next().map(str::to_owned);
            break;
        }
    }
    let address = address.context("the server ended without an address to open")?;
    let document = tools.browser()?.document(&address)?;
    if !document.contains("data-ready=\"true\"") {
        bail!("the page at {address} did not start; the browser's document was:\n{document}");
    }
    Ok(())
}
