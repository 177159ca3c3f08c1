//! `cargo xtask shots`: walks the four uses of docs/walks.md in a browser and keeps the pictures taken on the way.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::serve::{Build, build_server};
use crate::step::{command, run as run_step, say, step};
use crate::test::{WASM_ONLY, with_browser};
use crate::tools::{Purpose, Tools};

/// Where tests leave their pictures.
const TAKEN: &str = "target/pictures";
/// Where those of the walks are kept.
const KEPT: &str = "docs/shots";

/// Builds what is out of date, walks, and keeps the pictures.
///
/// # Errors
/// When something cannot be built, a walk fails, or a picture cannot be kept.
pub(crate) fn run(tools: &Tools) -> Result<()> {
    tools.ensure(&[Purpose::Page, Purpose::Browser])?;
    crate::page::build(tools)?;
    build_server(Build::Release)?;
    let mut walks = command("cargo");
    walks
        .args(["test", "--release", "--locked", "--workspace"])
        .args(WASM_ONLY.iter().flat_map(|name| ["--exclude", name]))
        .args(["--test", "browser", "walks::"]);
    with_browser(&mut walks, &tools.browser()?)?;
    step("walk", || run_step(&mut walks))?;
    keep()
}

/// Copies the walks' pictures to where the documents show them.
fn keep() -> Result<()> {
    fs::create_dir_all(KEPT).with_context(|| format!("cannot make {KEPT}"))?;
    let mut kept = 0;
    for picture in crate::page::files(Path::new(TAKEN))? {
        let name = picture.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if let Some(name) = name.strip_prefix("walk-") {
            let to = Path::new(KEPT).join(name);
            let bytes = fs::copy(&picture, &to).with_context(|| format!("cannot write {}", to.display()))?;
            say(format!("{}: {bytes} bytes", to.display()));
            kept += 1;
        }
    }
    if kept == 0 {
        bail!("the walks left no picture in {TAKEN}");
    }
    Ok(())
}
