//! The programs in other languages that have to be made ready before tests run them: compiled, or given their packages.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::browser::on_path;
use crate::step::{command, run, step};

/// The program in Go that speaks Thrift.
const PEER: &str = "tests/outside/thrift/go";
/// Where it lies, compiled.
const BINARY: &str = "target/outside/thrift-peer";

/// The programs that people may copy, each in a folder of its own.
const EXAMPLES: &str = "examples";
/// Where they lie, ready: those in Go compiled, those in Node copied beside their packages.
const READY: &str = "target/outside/examples";

/// What the programs that the page offers need, with lock files.
const NEEDED: &str = "tests/outside/snippets";
/// Where that lies, ready: tests put the programs beside it.
const SNIPPETS: &str = "target/outside/snippets";

/// Compiles it; `None` where there is no Go: each test that needs it tells that it did not run.
///
/// # Errors
/// When it does not compile.
pub(crate) fn go_peer() -> Result<Option<PathBuf>> {
    if on_path("go").is_none() {
        return Ok(None);
    }
    let binary = std::env::current_dir()?.join(BINARY);
    step("build the program in Go", || {
        run(command("go").args(["build", "-o"]).arg(&binary).arg(".").current_dir(PEER))
    })?;
    Ok(Some(binary))
}

/// Makes the examples ready, as far as their languages are here; gives the folder that they lie in. Each test of one whose language is
/// not tells that it did not run. Those in Python need nothing here: their packages are those of the programs in `tests/outside`.
///
/// # Errors
/// When one does not compile, or its packages cannot be had.
pub(crate) fn examples() -> Result<PathBuf> {
    let ready = std::env::current_dir()?.join(READY);
    let (go, node) = (on_path("go").is_some(), node().is_some());
    step("make the examples ready", || {
        let folders = fs::read_dir(EXAMPLES).with_context(|| format!("cannot read {EXAMPLES}"))?;
        for folder in folders {
            let folder = folder?;
            let (example, ready) = (folder.path(), ready.join(folder.file_name()));
            if go && example.join("go.mod").exists() {
                fs::create_dir_all(&ready)?;
                // By the name of its module.
                run(command("go").args(["build", "-o"]).arg(&ready).arg(".").current_dir(&example))?;
            } else if node && example.join("package.json").exists() {
                with_packages(&example, &ready, true)?;
            }
        }
        Ok(())
    })?;
    Ok(ready)
}

/// Makes ready what the page's programs in Go and Node need, as far as those languages are here; gives the folder where a program finds it.
///
/// # Errors
/// When something does not compile, or cannot be had.
pub(crate) fn snippets() -> Result<PathBuf> {
    let (needed, ready) = (Path::new(NEEDED), std::env::current_dir()?.join(SNIPPETS));
    step("make ready what the page's programs need", || {
        with_packages(needed, &ready, node().is_some())?;
        match on_path("go") {
            Some(_) => run(command("go").args(["build", "./..."]).current_dir(needed)),
            None => Ok(()),
        }
    })?;
    Ok(ready)
}

/// Node, where its packages can be had too.
pub(crate) fn node() -> Option<PathBuf> {
    on_path("npm").and_then(|_| on_path("node"))
}

/// Copies an example in Node, and installs what its lock file lists beside the copy where there is `npm`: nothing of that is to lie among
/// our own files.
fn with_packages(example: &Path, ready: &Path, npm: bool) -> Result<()> {
    fs::create_dir_all(ready)?;
    for file in fs::read_dir(example)? {
        let file = file?;
        if file.file_type()?.is_file() {
            fs::copy(file.path(), ready.join(file.file_name()))?;
        }
    }
    if !npm {
        return Ok(());
    }
    let lock = fs::read_to_string(example.join("package-lock.json"))
        .with_context(|| format!("{} has no package-lock.json", example.display()))?;
    // npm removes the folder first, so that what was being installed when it was interrupted has no stamp.
    let stamp = ready.join("node_modules/stamp");
    if fs::read_to_string(&stamp).is_ok_and(|stamp| stamp == lock) {
        return Ok(());
    }
    run(command("npm").args(["ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(ready))?;
    Ok(fs::write(stamp, lock)?)
}
