//! The page's first load: what index.html loads before a person sees anything, in bytes as they are served.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::page::{DIST, files};
use crate::step::say;

/// Most bytes that the first load may have.
const LIMIT: u64 = 450_000;

/// A file of the first load.
struct Loaded {
    name: String,
    whole: u64,
    /// As Brotli, which every browser takes on loopback.
    served: u64,
}

/// Prints the first load file by file.
///
/// # Errors
/// When the page is not built, or is over the limit.
pub(crate) fn check() -> Result<()> {
    let files = first_load(Path::new(DIST))?;
    for file in &files {
        say(format!("{:>9} bytes, {:>7} as Brotli  {}", file.whole, file.served, file.name));
    }
    let whole: u64 = files.iter().map(|file| file.whole).sum();
    let served: u64 = files.iter().map(|file| file.served).sum();
    say(format!("first load: {whole} bytes, {served} as Brotli, limit {LIMIT}"));
    if served > LIMIT {
        bail!("the page's first load is {served} bytes, {} over its limit; see CONTRIBUTING.md, Views", served - LIMIT);
    }
    Ok(())
}

/// index.html and every file beside it that it names; a file that is loaded later is named elsewhere.
fn first_load(dist: &Path) -> Result<Vec<Loaded>> {
    let index = std::fs::read_to_string(dist.join("index.html")).context("the page is not built: cargo xtask serve")?;
    let mut loaded = Vec::new();
    for path in files(dist)? {
        let name = path.strip_prefix(dist).unwrap_or(&path).to_string_lossy().into_owned();
        if name.ends_with(".br") || (name != "index.html" && !index.contains(&format!("/{name}"))) {
            continue;
        }
        let size = |path: &Path| Ok::<_, anyhow::Error>(std::fs::metadata(path)?.len());
        let whole = size(&path)?;
        let twin = dist.join(format!("{name}.br"));
        let served = size(&twin).with_context(|| format!("{} has no Brotli twin", path.display()))?.min(whole);
        loaded.push(Loaded { name, whole, served });
    }
    Ok(loaded)
}
