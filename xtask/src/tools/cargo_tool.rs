//! Programs that come as crates: taken from PATH, from `cargo binstall` where there is one, else compiled once.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::{Install, Missing, Purpose, Tools};
use crate::browser::on_path;
use crate::step::{command, run};

/// A program from the crate registry at one version.
pub(crate) struct CargoTool {
    name: &'static str,
    program: &'static str,
    version: &'static str,
    /// Extra arguments of `cargo install`.
    arguments: &'static [&'static str],
    /// Whether any version in PATH will do; Trunk takes wasm-bindgen only at the very version of Cargo.lock.
    any_version: bool,
    /// Whether it is itself measured: then it is compiled as its makers want it.
    measured: bool,
    pub(super) purpose: Purpose,
    reason: &'static str,
}

/// All of them.
pub(super) static ALL: [CargoTool; 5] = [
    CargoTool {
        name: "wasm-bindgen-cli",
        program: "wasm-bindgen",
        // The same version as the crate `wasm-bindgen` in Cargo.lock and in Trunk.toml.
        version: "0.2.130",
        // Its lock file names a version of webpki-roots that does not exist.
        arguments: &["--no-default-features"],
        any_version: false,
        measured: false,
        purpose: Purpose::Page,
        reason: "binds WebAssembly to the browser",
    },
    CargoTool {
        name: "trunk",
        program: "trunk",
        version: "0.21.14",
        arguments: &["--locked", "--no-default-features"],
        any_version: false,
        measured: false,
        purpose: Purpose::Page,
        reason: "bundles the page",
    },
    CargoTool {
        name: "cargo-deny",
        program: "cargo-deny",
        version: "0.20.2",
        arguments: &["--locked", "--no-default-features"],
        any_version: true,
        measured: false,
        purpose: Purpose::Gates,
        reason: "checks licences, bans and sources",
    },
    CargoTool {
        name: "cargo-fuzz",
        program: "cargo-fuzz",
        version: "0.13.2",
        arguments: &["--locked"],
        any_version: true,
        measured: false,
        purpose: Purpose::Fuzzing,
        reason: "compiles and runs fuzzing targets",
    },
    CargoTool {
        name: "oha",
        program: "oha",
        version: "1.16.0",
        arguments: &["--locked"],
        any_version: true,
        measured: true,
        purpose: Purpose::Peers,
        reason: "a peer of benches",
    },
];

impl CargoTool {
    /// The folder of its program in the tools folder.
    pub(super) fn bin(&self, tools: &Tools) -> PathBuf {
        tools.home(self.name, self.version).join("bin")
    }

    pub(super) fn missing(&'static self, tools: &Tools) -> Option<Missing> {
        if self.bin(tools).join(self.program).is_file() || self.in_path() {
            return None;
        }
        Some(Missing {
            name: format!("{} {}", self.name, self.version),
            size: "compiled here, one to three minutes".to_owned(),
            reason: self.reason,
            remedy: format!("cargo install {} --version {} {}", self.name, self.version, self.arguments.join(" ")),
            install: Install::Cargo(self),
        })
    }

    fn in_path(&self) -> bool {
        let version = || Command::new(self.program).arg("--version").output().ok();
        on_path(self.program).is_some()
            && version().is_some_and(|out| {
                self.any_version
                    || String::from_utf8_lossy(&out.stdout).split_whitespace().any(|word| word == self.version)
            })
    }

    pub(super) fn install(&self, tools: &Tools) -> Result<()> {
        let home = tools.home(self.name, self.version);
        let spec = format!("{}@{}", self.name, self.version);
        if on_path("cargo-binstall").is_some() {
            let mut binstall = command("cargo");
            binstall.args(["binstall", "--no-confirm", "--root"]).arg(&home).arg(&spec);
            if run(&mut binstall).is_ok() {
                return Ok(());
            }
        }
        let mut install = command("cargo");
        install.args(["install", "--quiet", "--root"]).arg(&home).arg(&spec).args(self.arguments);
        // The others run for seconds and compile for minutes: compile quickly.
        let quickly =
            [("OPT_LEVEL", "0"), ("LTO", "off"), ("CODEGEN_UNITS", "16"), ("DEBUG", "0"), ("STRIP", "symbols")];
        for (name, value) in quickly.into_iter().filter(|_| !self.measured) {
            install.env(format!("CARGO_PROFILE_RELEASE_{name}"), value);
        }
        install
            .env_remove("RUSTC_WORKSPACE_WRAPPER")
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS");
        run(&mut install)
    }
}
