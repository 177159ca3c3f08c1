//! `cargo xtask ci`: the gates, the README's `serve`, and the README's `test`, in this order, cheap ones first. All that it compiles is
//! linted by clippy and documented on the way ([`crate::linting`]).

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::count::Count;
use crate::step::{self, command, step};
use crate::test::WASM_ONLY;
use crate::tools::{Purpose, Tools};

/// What needs nothing compiled.
fn gates(tools: &Tools) -> Result<()> {
    step("format", || step::run(command("cargo").args(["fmt", "--all", "--check"])))?;
    step("licences, bans, sources (cargo-deny)", || {
        step::run(tools.command("cargo-deny").args(["--locked", "check", "licenses", "bans", "sources"]))
    })?;
    step("what Thrift's compiler wrote", crate::thrift::check)
}

/// What is only linted here.
fn benches() -> Result<()> {
    step::run(
        command("cargo")
            .args(["build", "--release", "--locked", "--benches", "--workspace"])
            .args(WASM_ONLY.iter().flat_map(|name| ["--exclude", *name])),
    )
}

/// The whole of CI.
///
/// # Errors
/// At the first gate that fails, or at the end when a test failed or was skipped.
pub(crate) fn run(tools: &Tools) -> Result<()> {
    let mut count = Count::default();
    tools.ensure(&[Purpose::Page, Purpose::Browser, Purpose::Outside, Purpose::Brokers, Purpose::Gates])?;
    gates(tools)?;
    step::compile_by(crate::linting::install()?);
    crate::test::compile(tools)?;
    let mut serve = step::xtask(&["serve", "--listen", "127.0.0.1:0"]);
    step("the README's serve, on a free port, in a browser", || served_page(tools, &mut serve))?;
    count.pass();
    crate::dist::run(tools, crate::serve::Build::Release)?;
    step("what is given away, alone in an empty folder", || alone(tools))?;
    count.pass();
    crate::test::run(tools, &mut count)?;
    step("benches, linted", benches)?;
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
