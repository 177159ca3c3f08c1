//! System packages by `apt-get`: as root at once and told, else asked once and by sudo.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{Install, Missing};
use crate::browser::on_path;
use crate::step::{command, run, say, succeeds};

/// Says what installing these packages would take; on a system without `apt-get`, that a person has to do it.
pub(super) fn missing(packages: &[&str], reason: &'static str) -> Result<Missing> {
    let names = packages.join(" ");
    if on_path("apt-get").is_none() {
        let remedy = format!("Install {names} with this system's package manager and have them in PATH.");
        return Ok(Missing { name: names, size: String::new(), reason, remedy, install: Install::ByHand });
    }
    let packages: Vec<String> = packages.iter().map(|&p| p.to_owned()).collect();
    let size = size(&packages).unwrap_or_else(|| "size known after apt-get update".to_owned());
    let remedy = format!("{}apt-get install --no-install-recommends {names}", if is_root() { "" } else { "sudo " });
    Ok(Missing { name: names, size, reason, remedy, install: Install::Apt(packages) })
}

/// True when the package is installed whole.
pub(super) fn installed(package: &str) -> bool {
    Command::new("dpkg-query")
        .args(["--show", "--showformat=${Status}", package])
        .output()
        .is_ok_and(|out| String::from_utf8_lossy(&out.stdout).starts_with("install ok installed"))
}

/// Installs packages. None of those named in this program brings a service that would start.
///
/// # Errors
/// When nobody may install, or apt fails.
pub(super) fn install(packages: &[String]) -> Result<()> {
    if !is_root() {
        if !on_path("sudo").is_some_and(|p| p.exists()) {
            bail!(
                "not root and no sudo here; as root, type: apt-get install --no-install-recommends {}",
                packages.join(" ")
            );
        }
        if !agreed(&format!("Install {} with sudo?", packages.join(" ")))? {
            bail!(
                "not installed; to do it yourself: sudo apt-get install --no-install-recommends {}",
                packages.join(" ")
            );
        }
    }
    if !succeeds(apt().arg("update")) {
        say("apt-get update failed; going on with the package lists at hand");
    }
    run(apt().args(["install", "--yes", "--quiet=2", "--no-install-recommends"]).args(packages))
}

/// Downloads packages into a folder and installs none. Nobody has to be root for that.
///
/// # Errors
/// When apt has not all of them.
pub(super) fn download(packages: &[&str], into: &Path) -> Result<()> {
    if is_root() && !succeeds(apt().arg("update")) {
        say("apt-get update failed; going on with the package lists at hand");
    }
    // By root too, not by the user that apt has for it, who need not be let into the folder.
    run(command("apt-get")
        .args(["-o", "APT::Sandbox::User=root", "--quiet=2", "download"])
        .args(packages)
        .current_dir(into))
}

/// `apt-get`, waiting for another one's lock, asking nothing.
fn apt() -> Command {
    let mut apt = if is_root() { command("env") } else { command("sudo") };
    if !is_root() {
        apt.arg("env");
    }
    apt.args(["DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", "apt-get", "-o", "DPkg::Lock::Timeout=900"]);
    apt
}

/// What apt itself would download and unpack, in its words.
fn size(packages: &[String]) -> Option<String> {
    let out = Command::new("apt-get")
        .env("LC_ALL", "C")
        .args(["install", "--assume-no", "--no-install-recommends"])
        .args(packages)
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let line = text.lines().find(|line| line.starts_with("Need to get "))?;
    Some(line.trim_start_matches("Need to get ").trim_end_matches('.').replace(" of archives", " to download"))
}

fn agreed(question: &str) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("{question} There is nobody to ask: standard input is no terminal");
    }
    print!("{question} [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).context("cannot read the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Whether packages are installed without a question.
pub(super) fn is_root() -> bool {
    // The owner of a process's own folder is its effective user; no crate is needed for that.
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::MetadataExt as _;
        Path::new("/proc/self").metadata().is_ok_and(|data| data.uid() == 0)
    }
    #[cfg(not(target_os = "linux"))]
    {
        Path::new("/").metadata().is_err()
    }
}
