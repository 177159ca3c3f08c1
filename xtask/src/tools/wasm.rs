//! A compiler for wasm32-unknown-unknown: rustup's target where rustup can add it, else Debian's packaged compiler with
//! a standard library built once from its own sources and linked to rustup under a name.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{Install, Missing, Tools, apt};
use crate::browser::on_path;
use crate::step::{command, output, run, say, succeeds};

const TARGET: &str = "wasm32-unknown-unknown";
const PACKAGES: [&str; 5] = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-clippy", "rustfmt-web"];
const RUSTC: &str = "/usr/bin/rustc";
/// Bump when the layout of the folder changes.
const LAYOUT: u32 = 1;

/// Where the compiler for WebAssembly comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum WasmToolchain {
    /// The active toolchain if it has the target, else rustup, else Debian.
    Auto,
    /// rustup's target for the active toolchain.
    Rustup,
    /// Debian's rustc-web, for machines that cannot reach rustup's servers.
    Debian,
}

/// The value of `RUSTUP_TOOLCHAIN` for children that compile for wasm32; none means the active one.
///
/// # Errors
/// When no compiler is ready.
pub(super) fn toolchain(tools: &Tools) -> Result<Option<String>> {
    if tools.options.wasm_toolchain != WasmToolchain::Debian && active_has_target() {
        return Ok(None);
    }
    if tools.options.wasm_toolchain != WasmToolchain::Rustup && debian_ready(tools) {
        return Ok(Some(linked_name(tools)));
    }
    bail!("no compiler for {TARGET}; run `cargo xtask setup`")
}

/// What is missing for it, if anything.
pub(super) fn missing(tools: &Tools) -> Result<Option<Missing>> {
    if toolchain(tools).is_ok() {
        return Ok(None);
    }
    if tools.options.wasm_toolchain != WasmToolchain::Debian && add_by_rustup() {
        return Ok(None);
    }
    let remedy = format!("rustup target add {TARGET}");
    if tools.options.wasm_toolchain == WasmToolchain::Rustup || on_path("apt-get").is_none() {
        let (name, size) = (format!("target {TARGET}"), String::new());
        return Ok(Some(Missing { name, size, reason: "compiles the page", remedy, install: Install::ByHand }));
    }
    let wanted: Vec<&str> = PACKAGES.into_iter().filter(|package| !apt::installed(package)).collect();
    if !wanted.is_empty() {
        return apt::missing(&wanted, "compiles the page").map(Some);
    }
    let lld = linker_package()?;
    if !apt::installed(&lld) {
        return apt::missing(&[&lld], "links the page").map(Some);
    }
    Ok(Some(Missing {
        name: "standard library for wasm32".to_owned(),
        size: "built here from rust-web-src, 80 MB".to_owned(),
        reason: "compiles the page",
        remedy,
        install: Install::Wasm,
    }))
}

/// Builds the standard library and puts a toolchain together, then links it to rustup.
///
/// # Errors
/// When a file cannot be written, the library does not build, or the result cannot compile.
pub(super) fn install(tools: &Tools) -> Result<()> {
    let home = home(tools);
    let build = home.with_extension("build");
    // Leftovers of an interrupted attempt are of no use.
    let _ = std::fs::remove_dir_all(&home);
    let _ = std::fs::remove_dir_all(&build);
    std::fs::create_dir_all(build.join("src"))?;
    std::fs::write(build.join("src/lib.rs"), "#![no_std]\n")?;
    std::fs::write(build.join("Cargo.toml"), STD_MANIFEST)?;
    let mut std_build = Command::new("/usr/bin/cargo");
    for name in ["RUSTUP_TOOLCHAIN", "CARGO_BUILD_TARGET", "RUSTC_WRAPPER", "CARGO_ENCODED_RUSTFLAGS", "CARGO"] {
        std_build.env_remove(name);
    }
    // The packaged compiler has no released standard library for the target; its own sources need its own unstable
    // features. With embedded bitcode the page can be optimised across crates.
    std_build
        .current_dir(&build)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTC", RUSTC)
        .env("RUSTFLAGS", "-Cembed-bitcode=yes")
        .env("CARGO_TARGET_DIR", build.join("target"))
        .args(["build", "--quiet", "--release", "--target", TARGET, "-Zbuild-std=std,panic_abort,test,proc_macro"]);
    run(&mut std_build)?;
    assemble(&home, &build)?;
    let _ = std::fs::remove_dir_all(&build);
    std::fs::write(home.join("stamp"), stamp()?)?;
    if !debian_ready(tools) {
        bail!("the compiler put together in {} does not work; remove that folder and try again", home.display());
    }
    Ok(())
}

/// `lib` from Debian and ours, `bin` as small scripts that name the sysroot.
fn assemble(home: &std::path::Path, build: &std::path::Path) -> Result<()> {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let host = rustc_field("host: ")?;
    let target_lib = home.join("lib/rustlib").join(TARGET).join("lib");
    let host_lib = home.join("lib/rustlib").join(&host);
    let bin = home.join("bin");
    for folder in [&target_lib, &host_lib.join("bin"), &bin] {
        std::fs::create_dir_all(folder)?;
    }
    for entry in std::fs::read_dir(build.join("target").join(TARGET).join("release/deps"))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".rlib") && !name.starts_with("libstdbuild-") {
            std::fs::copy(&path, target_lib.join(&name))?;
        }
    }
    symlink(format!("/usr/lib/rustlib/{host}/lib"), host_lib.join("lib"))?;
    for shared in ["src", "etc"] {
        symlink(format!("/usr/lib/rustlib/{shared}"), home.join("lib/rustlib").join(shared))?;
    }
    symlink(format!("/usr/bin/lld-{}", llvm()?), host_lib.join("bin/rust-lld"))?;
    for program in ["cargo", "rustfmt", "cargo-fmt"] {
        symlink(format!("/usr/bin/{program}"), bin.join(program))?;
    }
    let sysroot = home.display();
    for program in ["rustc", "rustdoc"] {
        let script = format!(
            "#!/bin/sh\ncase \" $* \" in *' --sysroot'*) exec /usr/bin/{program} \"$@\";; esac\nexec /usr/bin/{program} --sysroot '{sysroot}' \"$@\"\n"
        );
        std::fs::write(bin.join(program), script)?;
    }
    for program in ["cargo-clippy", "clippy-driver"] {
        std::fs::write(bin.join(program), format!("#!/bin/sh\nSYSROOT='{sysroot}' exec /usr/bin/{program} \"$@\"\n"))?;
    }
    for program in ["rustc", "rustdoc", "cargo-clippy", "clippy-driver"] {
        std::fs::set_permissions(bin.join(program), std::fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

const STD_MANIFEST: &str = r#"[package]
name = "stdbuild"
version = "0.0.0"
edition = "2021"
[workspace]
[profile.release]
opt-level = 3
codegen-units = 1
debug = 0
panic = "abort"
"#;

fn home(tools: &Tools) -> PathBuf {
    tools.home("wasm-toolchain", &LAYOUT.to_string())
}

fn active_has_target() -> bool {
    let folder = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output();
    folder.is_ok_and(|out| {
        let path = PathBuf::from(String::from_utf8_lossy(&out.stdout).trim());
        std::fs::read_dir(path).is_ok_and(|entries| {
            entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
        })
    })
}

fn add_by_rustup() -> bool {
    if on_path("rustup").is_none() {
        return false;
    }
    say(format!("adding {TARGET} by rustup"));
    if succeeds(command("rustup").args(["target", "add", TARGET])) && active_has_target() {
        return true;
    }
    say("rustup could not add it");
    false
}

/// Whether the toolchain stands and is of the compiler that is installed; rustup forgets links, so one is made again.
fn debian_ready(tools: &Tools) -> bool {
    let home = home(tools);
    let name = linked_name(tools);
    let written = std::fs::read_to_string(home.join("stamp"));
    if !written.is_ok_and(|written| stamp().is_ok_and(|wanted| wanted == written)) {
        return false;
    }
    let linked = || {
        let sysroot = command("rustc").env("RUSTUP_TOOLCHAIN", &name).args(["--print", "sysroot"]).output();
        sysroot.is_ok_and(|out| String::from_utf8_lossy(&out.stdout).trim() == home.to_string_lossy())
    };
    linked() || (succeeds(command("rustup").args(["toolchain", "link", &name]).arg(&home)) && linked())
}

/// The name under which rustup knows Debian's compiler, one for each folder of tools.
fn linked_name(tools: &Tools) -> String {
    let mut hasher = DefaultHasher::new();
    home(tools).hash(&mut hasher);
    format!("hopscope-wasm-{:08x}", hasher.finish() & 0xffff_ffff)
}

/// Compiler, packages and layout: when one of them moves, the standard library is built again.
fn stamp() -> Result<String> {
    let compiler = output(Command::new(RUSTC).arg("-vV"))?;
    let packages = output(Command::new("dpkg-query").args(["--show", "rustc-web", "cargo-web", "rust-web-src"]))?;
    Ok(format!("layout {LAYOUT}\n{compiler}\n{packages}\n"))
}

fn linker_package() -> Result<String> {
    Ok(format!("lld-{}", llvm()?))
}

fn llvm() -> Result<String> {
    let version = rustc_field("LLVM version: ")?;
    Ok(version.split('.').next().unwrap_or_default().to_owned())
}

fn rustc_field(name: &str) -> Result<String> {
    let text = output(Command::new(RUSTC).arg("-vV"))?;
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    value.map(str::to_owned).with_context(|| format!("{RUSTC} -vV has no line {name}"))
}
