//! `cargo xtask test`: every test, counted.

use anyhow::{Context, Result, ensure};

use crate::count::Count;
use crate::serve::{BINARY, Build, build_server};
use crate::step::{command, run_lines, step};
use crate::tools::Tools;

/// Packages that only compile for the browser.
pub(crate) const WASM_ONLY: [&str; 1] = ["hopscope-page"];
/// Packages whose tests run in the browser.
const WASM_TESTED: [&str; 1] = ["hopscope-page"];

/// Builds page and server, then runs the native tests, the Wasm tests in headless Chromium and the outside tests.
///
/// # Errors
/// When something cannot be built or started; failed tests are counted instead.
pub(crate) fn run(tools: &Tools, count: &mut Count) -> Result<()> {
    compile(tools)?;
    step("the page's first load", crate::load::check)?;
    count.pass();
    build_server(Build::Release)?;
    crate::kafka::ensure(tools, Build::Release)?;
    let browser = tools.browser()?;
    program(count, "native tests", &mut native(tools, &browser)?)?;
    let mut wasm = wasm(tools)?;
    wasm.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", "wasm-bindgen-test-runner")
        .env("CHROMEDRIVER", &browser.driver)
        .env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "60")
        .env("WASM_BINDGEN_TEST_TIMEOUT", "120");
    program(count, "Wasm tests in headless Chromium", &mut wasm)
}

/// Builds the page and its tests and, beside them, all native tests that do not hold the page: neither keeps two processors
/// busy alone.
///
/// # Errors
/// When either does not compile.
pub(crate) fn compile(tools: &Tools) -> Result<()> {
    let mut beside = command("cargo");
    beside.args(["test", "--no-run", "--quiet", "--release", "--locked", "--workspace", "--lib", "--test", "*"]);
    beside.args(WASM_ONLY.iter().flat_map(|name| ["--exclude", *name]));
    step("build the page and, beside it, the tests", || {
        let mut compiling = beside.spawn().context("cannot start cargo")?;
        let page =
            crate::page::build(tools).and_then(|()| crate::step::run(wasm(tools)?.args(["--no-run", "--quiet"])));
        // Both to their end, so that neither is left behind by the other's error.
        let tests = compiling.wait().context("cannot wait for cargo")?;
        page?;
        ensure!(tests.success(), "the native tests do not compile: cargo ended with {tests}");
        Ok(())
    })
}

/// The tests that run in the browser.
fn wasm(tools: &Tools) -> Result<std::process::Command> {
    let mut wasm = tools.wasm_command("cargo")?;
    // The page's own profile: what the page was built from is then compiled already.
    wasm.args(["test", "--profile", "page", "--lib", "--locked", "--no-fail-fast"])
        .args(["--target", "wasm32-unknown-unknown"])
        .args(WASM_TESTED.iter().flat_map(|name| ["--package", name]));
    Ok(wasm)
}

fn native(tools: &Tools, browser: &crate::browser::Browser) -> Result<std::process::Command> {
    let mut native = command("cargo");
    native
        .args(["test", "--release", "--locked", "--no-fail-fast", "--workspace"])
        .args(WASM_ONLY.iter().flat_map(|name| ["--exclude", name]))
        .env("HOPSCOPE_TOOLS", tools.folder())
        .env("HOPSCOPE_PYTHON", tools.python()?)
        .env("HOPSCOPE_AXE", tools.axe()?);
    // Where there is none, each test that needs one tells that it did not run.
    if let Some(rabbitmq) = tools.rabbitmq() {
        native.env("HOPSCOPE_RABBITMQ", rabbitmq);
    }
    if let Some(peer) = crate::outside::go_peer()? {
        native.env("HOPSCOPE_GO_PEER", peer);
    }
    native.env("HOPSCOPE_EXAMPLES", crate::outside::examples()?);
    native.env("HOPSCOPE_SNIPPETS", crate::outside::snippets()?);
    if let Some(node) = crate::outside::node() {
        native.env("HOPSCOPE_NODE", node);
    }
    with_browser(&mut native, browser)?;
    Ok(native)
}

/// Tells a program that drives the page where binary and browser are.
///
/// # Errors
/// When the current folder cannot be told.
pub(crate) fn with_browser(command: &mut std::process::Command, browser: &crate::browser::Browser) -> Result<()> {
    command
        .env("HOPSCOPE_BIN", std::env::current_dir()?.join(BINARY))
        .env("HOPSCOPE_CHROMIUM", &browser.program)
        .env("HOPSCOPE_CHROMEDRIVER", &browser.driver);
    Ok(())
}

fn program(count: &mut Count, title: &str, command: &mut std::process::Command) -> Result<()> {
    let before = count.failed();
    let fine = step(title, || run_lines(command, |line| count.line(line)))?;
    if !fine {
        count.program_failed(title, before);
    }
    Ok(())
}
