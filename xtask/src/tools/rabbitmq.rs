//! RabbitMQ for tests: the installed package where it is there, else Debian's packages, unpacked and never installed, so
//! that no service starts and no user is made.
//!
//! What it needs beside libraries that every Debian has is Erlang, whose starting script names the folder that it expects
//! to be in; that one line is changed after unpacking, and all the rest goes by where it lies.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::{Install, Missing, Tools, apt};
use crate::browser::on_path;
use crate::step::{command, run};

/// Raised when what is unpacked, or how, changes.
const VERSION: &str = "1";

/// RabbitMQ and the parts of Erlang that it uses.
const PACKAGES: [&str; 16] = [
    "rabbitmq-server",
    "erlang-base",
    "erlang-asn1",
    "erlang-crypto",
    "erlang-eldap",
    "erlang-inets",
    "erlang-mnesia",
    "erlang-os-mon",
    "erlang-parsetools",
    "erlang-public-key",
    "erlang-runtime-tools",
    "erlang-snmp",
    "erlang-ssl",
    "erlang-syntax-tools",
    "erlang-tools",
    "erlang-xmerl",
];

/// Where a package lies that is installed.
const INSTALLED: &str = "/usr";

/// The folder that stands for `/usr`; `None` where there is no RabbitMQ.
pub(super) fn found(tools: &Tools) -> Option<PathBuf> {
    let unpacked = home(tools);
    let stands = |root: &PathBuf| server(root).exists() && erl(root).exists();
    // What was being unpacked when the machine went down has no stamp.
    let whole = |root: &PathBuf| root == Path::new(INSTALLED) || unpacked.join("stamp").exists();
    [PathBuf::from(INSTALLED), unpacked.join("usr")].into_iter().find(|root| stands(root) && whole(root))
}

/// What is missing for it, if anything. Nothing is where the packages cannot be had: the tests then tell that they did not
/// run.
pub(super) fn missing(tools: &Tools) -> Option<Missing> {
    if found(tools).is_some() || on_path("apt-get").is_none() || on_path("dpkg").is_none() {
        return None;
    }
    Some(Missing {
        name: "rabbitmq-server".to_owned(),
        size: "34 MB to download, 60 MB unpacked".to_owned(),
        reason: "tests with a real RabbitMQ; only unpacked",
        remedy: "apt-get install --no-install-recommends rabbitmq-server".to_owned(),
        install: Install::RabbitMq,
    })
}

/// Fetches the packages and unpacks them.
///
/// # Errors
/// When apt has no such packages, or they are not what is expected.
pub(super) fn install(tools: &Tools) -> Result<()> {
    let home = home(tools);
    // Leftovers of an interrupted attempt are of no use.
    let _ = std::fs::remove_dir_all(&home);
    let packages = home.join("packages");
    std::fs::create_dir_all(&packages).with_context(|| format!("cannot make {}", packages.display()))?;
    apt::download(&PACKAGES, &packages)?;
    for entry in std::fs::read_dir(&packages)? {
        run(command("dpkg").arg("-x").arg(entry?.path()).arg(&home))?;
    }
    let _ = std::fs::remove_dir_all(&packages);
    relocate(&erl(&home.join("usr")))?;
    std::fs::write(home.join("stamp"), VERSION)?;
    Ok(())
}

/// Has Erlang's starting script look for the rest beside itself.
fn relocate(script: &Path) -> Result<()> {
    let text = std::fs::read_to_string(script).with_context(|| format!("cannot read {}", script.display()))?;
    let moved = text.replace("ROOTDIR=/usr/lib/erlang", "ROOTDIR=\"$(cd \"$progdir/..\" && pwd)\"");
    if moved == text {
        bail!("{} does not name its folder as expected; install rabbitmq-server instead", script.display());
    }
    Ok(std::fs::write(script, moved)?)
}

fn server(root: &Path) -> PathBuf {
    root.join("lib/rabbitmq/bin/rabbitmq-server")
}

fn erl(root: &Path) -> PathBuf {
    root.join("lib/erlang/bin/erl")
}

fn home(tools: &Tools) -> PathBuf {
    tools.home("rabbitmq", VERSION)
}
