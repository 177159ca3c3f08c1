//! `cargo xtask dist`: the binary to give away, with the page and the templates inside, its checksum, and a Dockerfile.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest as _, Sha256};

use crate::serve::{Build, build_server};
use crate::step::{command, output, run as run_step, say, step};
use crate::tools::{Purpose, Tools};

/// Where it all goes; emptied first.
const FOLDER: &str = "target/dist";
/// What goes there as it is.
const BESIDE: [&str; 3] = ["Dockerfile", "LICENSE-APACHE", "LICENSE-MIT"];
/// The name that the Dockerfile copies.
const PLAIN_NAME: &str = "hopscope";

/// Builds page and binary and puts what is given away into `target/dist`; the continuous integration, which only looks whether that
/// works alone, takes the binary that it has.
///
/// # Errors
/// When something cannot be installed, built or written.
pub(crate) fn run(tools: &Tools, build: Build) -> Result<()> {
    tools.ensure(&[Purpose::Page])?;
    crate::page::build(tools)?;
    build_server(build)?;
    let binary = step("pack", || pack(&build.binary()))?;
    say(format!("{} ({} bytes), SHA256SUMS, {}", binary.display(), fs::metadata(&binary)?.len(), BESIDE.join(", ")));
    say(format!("to try it: {} serve", binary.display()));
    Ok(())
}

/// Copies the binary without what only a debugger reads, and writes the checksums; gives the binary.
fn pack(built: &Path) -> Result<PathBuf> {
    let folder = Path::new(FOLDER);
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {FOLDER}"))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {FOLDER}"))?;
    let binary = folder.join(PLAIN_NAME);
    fs::copy(built, &binary).with_context(|| format!("cannot copy {}", built.display()))?;
    run_step(command("strip").arg(&binary)).context("strip comes with the C linker (Debian: binutils)")?;
    for name in BESIDE {
        fs::copy(name, folder.join(name)).with_context(|| format!("cannot copy {name}"))?;
    }
    // The name of a release's file; the plain one is what the Dockerfile copies.
    let release = folder.join(format!("{PLAIN_NAME}-{}-{}", env!("CARGO_PKG_VERSION"), host()?));
    fs::copy(&binary, &release).with_context(|| format!("cannot write {}", release.display()))?;
    let names =
        [release.file_name(), binary.file_name()].into_iter().flatten().map(|name| name.to_string_lossy().into_owned());
    let sums = names.map(|name| Ok(format!("{}  {name}\n", sum(&folder.join(&name))?))).collect::<Result<String>>()?;
    fs::write(folder.join("SHA256SUMS"), sums).context("cannot write the checksums")?;
    Ok(release)
}

/// The target that this machine builds for, like `x86_64-unknown-linux-gnu`.
fn host() -> Result<String> {
    let version = output(command("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc -vV names no host")?.to_owned())
}

/// The SHA-256 of a file, in hexadecimal as `sha256sum` writes it.
fn sum(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The packed binary's path, whole: for who starts it elsewhere.
///
/// # Errors
/// When it is not there.
pub(crate) fn binary() -> Result<PathBuf> {
    let path = Path::new(FOLDER).join(PLAIN_NAME);
    path.canonicalize().with_context(|| format!("{} is not there: cargo xtask dist", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_what_sha256sum_writes() {
        let file = std::env::temp_dir().join(format!("hopscope-sum-{}", std::process::id()));
        fs::write(&file, "abc").unwrap();
        // FIPS 180-4's example.
        assert_eq!(sum(&file).unwrap(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        fs::remove_file(file).unwrap();
    }
}
