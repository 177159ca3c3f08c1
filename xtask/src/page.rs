//! Builds the page with Trunk into `frontend/page/dist` and compresses it, but only when something it is made of changed.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::step::{run, step};
use crate::tools::Tools;

/// Where the built page lies.
pub(crate) const DIST: &str = "frontend/page/dist";
/// Beside dist, not in it: what lies in dist is served.
const STAMP: &str = "target/page.stamp";
const SOURCES: [&str; 9] = [
    "common",
    "frontend",
    "scenarios",
    "Cargo.toml",
    "Cargo.lock",
    "Trunk.toml",
    ".cargo",
    "xtask/src/bundle.rs",
    "xtask/src/split",
];

/// Brings the built page up to date.
///
/// # Errors
/// When Trunk fails or files cannot be read or written.
pub(crate) fn build(tools: &Tools) -> Result<()> {
    let wanted = fingerprint(tools)?;
    if Path::new(DIST).join("index.html").exists() && std::fs::read_to_string(STAMP).is_ok_and(|s| s == wanted) {
        return Ok(());
    }
    step("build the page (Trunk, WebAssembly)", || {
        // Trunk reports a missing lock file late; `--locked` keeps it from changing ours.
        run(tools.wasm_command("trunk")?.args(["build", "--release", "--locked"]).args(tools.trunk_offline()))?;
        crate::split::split(Path::new(DIST))?;
        crate::bundle::bundle(Path::new(DIST))?;
        compress()?;
        std::fs::create_dir_all("target")?;
        std::fs::write(STAMP, &wanted).context("cannot write target/page.stamp")
    })
}

/// Writes a Brotli twin beside each file that gains by it; browsers take it on loopback too.
fn compress() -> Result<()> {
    for path in files(Path::new(DIST))? {
        if path.extension().is_some_and(|e| e == "br") {
            continue;
        }
        let bytes = std::fs::read(&path)?;
        let mut twin = Vec::new();
        let mut writer = brotli::CompressorWriter::new(&mut twin, 1 << 16, 11, 22);
        writer.write_all(&bytes)?;
        drop(writer);
        let mut name = path.into_os_string();
        name.push(".br");
        std::fs::write(name, twin)?;
    }
    Ok(())
}

/// A hash over the contents of all that the page is made of, and over the toolchain.
fn fingerprint(tools: &Tools) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    tools.wasm_identity()?.hash(&mut hasher);
    for source in SOURCES {
        for path in files(Path::new(source))? {
            if path.starts_with(DIST) {
                continue;
            }
            path.hash(&mut hasher);
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?.hash(&mut hasher);
        }
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// All files below `path` (or `path` itself), sorted, so that the order never depends on the file system.
pub(crate) fn files(path: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![path.to_owned()];
    while let Some(next) = open.pop() {
        if next.is_dir() {
            for entry in std::fs::read_dir(&next).with_context(|| format!("cannot read {}", next.display()))? {
                open.push(entry?.path());
            }
        } else if next.exists() {
            found.push(next);
        }
    }
    found.sort();
    Ok(found)
}
