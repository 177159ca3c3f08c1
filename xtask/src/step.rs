//! Steps: a child process with a title, its time, and an error that names the step.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// Makes the repository's top the working directory, wherever the person stands.
pub(crate) fn enter_repository() -> Result<()> {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").context("run this through `cargo xtask`")?;
    let top = std::path::Path::new(&here).parent().context("xtask has no parent folder")?;
    std::env::set_current_dir(top).with_context(|| format!("cannot enter {}", top.display()))
}

/// Tells an xtask that another started by which program cargo compiles.
const COMPILER: &str = "HOPSCOPE_COMPILER";
/// The variable by which cargo knows it.
const WRAPPER: &str = "RUSTC_WORKSPACE_WRAPPER";

/// What cargo calls to compile the workspace's own packages, where it is not the plain compiler.
fn compiler() -> &'static OnceLock<PathBuf> {
    static CHOSEN: OnceLock<PathBuf> = OnceLock::new();
    if let Some(path) = std::env::var_os(COMPILER) {
        CHOSEN.get_or_init(|| path.into());
    }
    &CHOSEN
}

/// Lets every cargo from here on compile the workspace's own packages by `program`.
pub(crate) fn compile_by(program: PathBuf) {
    compiler().get_or_init(|| program);
}

/// `cargo xtask`, itself compiled as ever.
pub(crate) fn xtask(arguments: &[&str]) -> Command {
    let mut xtask = command("cargo");
    xtask.arg("xtask").args(arguments).env_remove(WRAPPER);
    if let Some(program) = compiler().get() {
        xtask.env(COMPILER, program);
    }
    xtask
}

/// A command without the variables that `cargo run` leaves behind, which would otherwise reach compilers and tests; a cargo is told what
/// it links.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") || text == "CARGO" {
            command.env_remove(&name);
        }
    }
    if let Some(program) = compiler().get() {
        command.env(WRAPPER, program);
    }
    if command.get_program() == "cargo" {
        crate::tools::tell_of_openssl(&mut command);
    }
    command
}

/// Says a fact under the current step.
pub(crate) fn say(text: impl AsRef<str>) {
    println!("    {}", text.as_ref());
}

/// Runs `work` as a titled step and prints how long it took.
///
/// # Errors
/// Those of `work`, with the title in front.
pub(crate) fn step<T>(title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("==> {title}");
    let start = Instant::now();
    let result = work();
    let seconds = start.elapsed().as_secs_f64();
    match &result {
        Ok(_) => println!("    {title}: {seconds:.1} s"),
        Err(_) => println!("    {title}: FAILED after {seconds:.1} s"),
    }
    result.with_context(|| format!("step failed: {title}"))
}

/// Runs a command to its end with its output shown.
///
/// # Errors
/// When it cannot start or ends with another code than 0.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", line(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", line(command));
    }
    Ok(())
}

/// Runs a command and returns what it wrote to standard output, trimmed; its errors stay visible.
///
/// # Errors
/// When it cannot start or ends with another code than 0.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let out = command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start {}", line(command)))?;
    if !out.status.success() {
        bail!("{} ended with {}", line(command), out.status);
    }
    Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

/// True when the command starts and ends with code 0; its output is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}

/// Runs a command, shows its standard output and hands each line to `each`; returns whether it ended with code 0.
///
/// # Errors
/// When it cannot start or its output cannot be read.
pub(crate) fn run_lines(command: &mut Command, mut each: impl FnMut(&str)) -> Result<bool> {
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {}", line(command)))?;
    let stdout = child.stdout.take().context("the child has no standard output")?;
    for text in BufReader::new(stdout).split(b'\n') {
        let text = text.context("cannot read the child's output")?;
        let text = String::from_utf8_lossy(&text);
        println!("{text}");
        each(&text);
    }
    Ok(child.wait().context("cannot wait for the child")?.success())
}

fn line(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|a| a.to_string_lossy().into_owned()));
    let text = words.join(" ");
    match text.char_indices().nth(200) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text,
    }
}
