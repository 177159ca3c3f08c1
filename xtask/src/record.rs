//! `cargo xtask record`: runs every template and keeps the recordings beside them, for the page to play where nothing runs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use crate::serve::{BINARY, Build, build_server};
use crate::step::{command, output, say, step};

/// The templates.
const TEMPLATES: &str = "scenarios";
/// Their recordings, and the index that says when and on what each was made.
const RECORDED: &str = "scenarios/recorded";
/// How long load is offered: enough to see the laws at work, small enough to fetch.
const DURATION: &str = "5 s";

/// Runs each template by `hopscope run` and puts its recording in place.
///
/// # Errors
/// When the binary cannot be built, a run is not what it should be, or a file cannot be written.
pub(crate) fn run() -> Result<()> {
    let binary = match std::env::var_os("HOPSCOPE_BIN") {
        Some(binary) => PathBuf::from(binary),
        None => {
            build_server(Build::Release)?;
            PathBuf::from(BINARY)
        }
    };
    fs::create_dir_all(RECORDED).with_context(|| format!("cannot make {RECORDED}"))?;
    let (version, machine) = (version(&binary)?, machine()?);
    let mut index = Map::new();
    for file in crate::page::files(Path::new(TEMPLATES))? {
        let is_template = file.parent() == Some(Path::new(TEMPLATES)) && file.extension().is_some_and(|e| e == "json");
        let Some(name) = file.file_stem().filter(|_| is_template).map(|name| name.to_string_lossy().into_owned())
        else {
            continue;
        };
        let made_at = step(&format!("record {name}"), || record(&binary, &file, &name))?;
        let mut entry = json!({ "made_at": made_at, "version": version });
        if let (Value::Object(entry), Value::Object(machine)) = (&mut entry, machine.clone()) {
            entry.extend(machine);
        }
        index.insert(name, entry);
    }
    let text = format!("{}\n", serde_json::to_string_pretty(&index)?);
    fs::write(Path::new(RECORDED).join("index.json"), text).context("cannot write the index of recordings")
}

/// One run, and its recording to its place; when it was made, as RFC 3339 in UTC.
fn record(binary: &Path, template: &Path, name: &str) -> Result<Value> {
    let data = std::env::temp_dir().join(format!("hopscope-record-{}-{name}", std::process::id()));
    let ran = (|| {
        output(command(binary).arg("run").arg(template).args(["--json", "--duration", DURATION, "--data"]).arg(&data))?;
        let recording = of_kind(&data, "hop")?;
        let told: Value = serde_json::from_slice(&fs::read(of_kind(&data, "json")?)?)?;
        let to = Path::new(RECORDED).join(format!("{name}.hop"));
        let bytes = fs::copy(&recording, &to).with_context(|| format!("cannot write {}", to.display()))?;
        say(format!("{}: {bytes} bytes", to.display()));
        told.get("made_at").cloned().context("the run does not say when it was made")
    })();
    // The folder is ours and temporary; a leftover does no harm.
    let _ = fs::remove_dir_all(&data);
    ran
}

/// The one file of a kind in the folder of one run.
fn of_kind(folder: &Path, ending: &str) -> Result<PathBuf> {
    let found = crate::page::files(folder)?.into_iter().find(|file| file.extension().is_some_and(|e| e == ending));
    found.with_context(|| format!("{} has no .{ending} file", folder.display()))
}

/// The binary's version, like `0.1.0`.
fn version(binary: &Path) -> Result<String> {
    let told = output(command(binary).arg("--version"))?;
    Ok(told.rsplit(' ').next().unwrap_or_default().to_owned())
}

/// What the runs run on: processor, how many of its cores are ours, system.
fn machine() -> Result<Value> {
    let cores = std::thread::available_parallelism().context("the number of cores is not known")?;
    Ok(json!({ "cpu": cpu()?, "cores": cores.get(), "system": output(command("uname").arg("-sr"))? }))
}

/// The processor by its maker's name.
fn cpu() -> Result<String> {
    if let Ok(told) = fs::read_to_string("/proc/cpuinfo") {
        let line = told.lines().find(|line| line.starts_with("model name"));
        return Ok(line
            .and_then(|line| line.split_once(": "))
            .map_or_else(|| std::env::consts::ARCH, |(_, name)| name.trim())
            .to_owned());
    }
    output(command("sysctl").args(["-n", "machdep.cpu.brand_string"]))
}
