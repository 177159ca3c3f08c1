//! `hopscope broker install kafka`: what it needs is named, and what comes to nothing leaves nothing.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Result, ensure};
use hopscope_tests::command::{Ended, Running};
use tokio::process::Command;

use crate::desk::ensure_code;

/// A program that says this and ends with that code.
fn program(folder: &Path, name: &str, says: &str, code: u8) -> Result<()> {
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\necho '{says}' >&2\nexit {code}\n"))?;
    Ok(std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?)
}

/// Installs into `kafka` there, where only the programs in `bin` are found.
async fn install(folder: &Path) -> Result<Ended> {
    let mut command = Command::new(hopscope_tests::variable("HOPSCOPE_BIN")?);
    command.args(["broker", "install", "kafka"]);
    command.env("PATH", folder.join("bin")).env("HOPSCOPE_KAFKA", folder.join("kafka"));
    let ended = Running::start_by(command)?.end().await?;
    ensure_code(&ended, 5)?;
    ensure!(ended.stdout.is_empty(), "{ended:?}");
    Ok(ended)
}

#[tokio::test]
async fn what_kafka_needs_is_named_with_the_remedy() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let bin = folder.path().join("bin");
    std::fs::create_dir(&bin)?;
    let told = install(folder.path()).await?.stderr;
    ensure!(told.contains("no program java") && told.contains("apt install default-jre-headless"), "{told}");
    program(&bin, "java", "java version \"1.8.0_392\"", 0)?;
    let told = install(folder.path()).await?.stderr;
    ensure!(told.contains("1.8.0_392") && told.contains("Java 17"), "{told}");
    program(&bin, "java", "openjdk version \"17.0.15\" 2025-04-15", 0)?;
    let told = install(folder.path()).await?.stderr;
    ensure!(told.contains("no program mvn") && told.contains("apt install maven"), "{told}");
    program(&bin, "mvn", "[ERROR] Unknown host", 1)?;
    let told = install(folder.path()).await?.stderr;
    ensure!(told.contains("43 MB") && told.contains("[ERROR] Unknown host"), "{told}");
    let left: Vec<_> = std::fs::read_dir(&folder)?.flatten().map(|entry| entry.file_name()).collect();
    ensure!(left.iter().all(|name| name == "bin" || name == "kafka.lock"), "{left:?}");
    Ok(())
}
