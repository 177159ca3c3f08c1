//! Python with the packages that the programs in `tests/outside` use: a virtual environment, made once per list of packages.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::{Install, Missing, Tools, apt};
use crate::step::{command, run, succeeds};

/// The packages, each at one version, with all that they bring.
const LIST: &str = "tests/outside/requirements.txt";

/// Our interpreter.
///
/// # Errors
/// When it is not installed.
pub(super) fn interpreter(tools: &Tools) -> Result<PathBuf> {
    let interpreter = home(tools)?.join("bin/python");
    if !ready(tools)? {
        bail!("no Python with the packages of {LIST}; run `cargo xtask setup`");
    }
    Ok(interpreter)
}

/// What is missing for it, if anything.
pub(super) fn missing(tools: &Tools) -> Result<Option<Missing>> {
    const REASON: &str = "tests with programs in another language";
    if ready(tools)? {
        return Ok(None);
    }
    if !succeeds(command("python3").args(["-c", "import ensurepip, venv"])) {
        return apt::missing(&["python3", "python3-venv"], REASON).map(Some);
    }
    let home = home(tools)?.display().to_string();
    Ok(Some(Missing {
        name: "Python packages".to_owned(),
        size: "13 MB to download, 75 MB unpacked".to_owned(),
        reason: REASON,
        remedy: format!(
            "python3 -m venv {home} && {home}/bin/python -m pip install -r {LIST} && cp {LIST} {home}/stamp"
        ),
        install: Install::Python,
    }))
}

/// Makes the environment and fills it.
///
/// # Errors
/// When Python cannot make one, or a package cannot be had.
pub(super) fn install(tools: &Tools) -> Result<()> {
    let home = home(tools)?;
    // Leftovers of an interrupted attempt are of no use.
    let _ = std::fs::remove_dir_all(&home);
    run(command("python3").args(["-m", "venv"]).arg(&home))?;
    run(command(home.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"])
        // The list is whole, and nothing is compiled here.
        .args(["--no-deps", "--only-binary", ":all:", "--requirement", LIST]))?;
    std::fs::write(home.join("stamp"), list()?)?;
    Ok(())
}

/// Whether it stands, with the packages of the list as it is now.
fn ready(tools: &Tools) -> Result<bool> {
    let home = home(tools)?;
    let list = list()?;
    // The interpreter links to the system's, which may have gone since.
    Ok(home.join("bin/python").exists() && std::fs::read_to_string(home.join("stamp")).is_ok_and(|stamp| stamp == list))
}

fn list() -> Result<String> {
    std::fs::read_to_string(LIST).with_context(|| format!("cannot read {LIST}"))
}

fn home(tools: &Tools) -> Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    list()?.hash(&mut hasher);
    Ok(tools.home("python", &format!("{:08x}", hasher.finish() & 0xffff_ffff)))
}
