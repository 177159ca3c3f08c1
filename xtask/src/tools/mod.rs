//! What a machine must have: found where it is, else installed once per machine and told.
//!
//! Everything but system packages lives in one folder (`HOPSCOPE_TOOLS`, default the user's cache), one sub-folder per tool
//! and version, so that an empty folder imitates a new machine and an old version never mixes with a new one.

mod apt;
mod axe;
mod cargo_tool;
mod go_tool;
mod maven_tool;
mod openssl;
mod python;
mod rabbitmq;
mod wasm;
mod wasm_opt;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::browser::{Browser, on_path};
use crate::step::{command, say, step};

pub(crate) use openssl::tell as tell_of_openssl;
pub(crate) use wasm::WasmToolchain;

/// Choices about installing, common to all commands.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Install nothing: name what is missing and the command to type
    #[arg(long, global = true)]
    no_install: bool,
    /// Where the compiler for WebAssembly comes from
    #[arg(long, global = true, value_enum, env = "HOPSCOPE_WASM_TOOLCHAIN", default_value = "auto")]
    wasm_toolchain: WasmToolchain,
}

/// What a command needs tools for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Building the page.
    Page,
    /// Tests in a browser.
    Browser,
    /// Tests with programs in other languages.
    Outside,
    /// Tests with brokers that are not ours.
    Brokers,
    /// Benches that look at what passes over loopback.
    Capture,
    /// Benches that measure beside other programs: those that call.
    Peers,
    /// And those that publish and take.
    BrokersPeers,
    /// The gates of the continuous integration.
    Gates,
    /// Fuzzing.
    Fuzzing,
}

/// Programs that librdkafka, and OpenSSL where the system has none, are compiled with, of which a machine may lack some that has a linker,
/// and the packages that they are in.
const COMPILED_WITH: [(&str, &str); 4] = [("cc", "gcc"), ("c++", "g++"), ("make", "make"), ("perl", "perl")];

/// Programs of the system that the gates ask for, the packages that they are in, and what for.
const GATES: [(&str, &str, &str); 8] = [
    ("thrift", "thrift-compiler", "compares what it writes with what is committed"),
    ("go", "golang-go", "tests with programs in Go"),
    ("node", "nodejs", "tests with programs in Node"),
    ("npm", "npm", "fetches what those use"),
    ("curl", "curl", "is one of the programs that the page offers"),
    ("kcat", "kcat", "is one of the programs that the page offers"),
    ("java", "default-jre-headless", "tests with a real Kafka"),
    ("mvn", "maven", "fetches Kafka for them"),
];

/// One thing that is missing.
struct Missing {
    name: String,
    size: String,
    reason: &'static str,
    /// What a person would type to get it by hand.
    remedy: String,
    install: Install,
}

enum Install {
    Apt(Vec<String>),
    Cargo(&'static cargo_tool::CargoTool),
    Go,
    Maven,
    Wasm,
    WasmOpt,
    Python,
    Axe,
    RabbitMq,
    /// Nothing here can install it.
    ByHand,
}

/// The tools folder and how to call what is in it.
pub(crate) struct Tools {
    options: Options,
    folder: PathBuf,
}

impl Tools {
    /// Finds the tools folder; creates nothing yet.
    ///
    /// # Errors
    /// When neither `HOPSCOPE_TOOLS` nor a home folder is set.
    pub(crate) fn new(options: Options) -> Result<Self> {
        let folder = match std::env::var_os("HOPSCOPE_TOOLS") {
            Some(folder) => PathBuf::from(folder),
            None => match std::env::var_os("XDG_CACHE_HOME") {
                Some(cache) => PathBuf::from(cache),
                None => Path::new(&std::env::var_os("HOME").context("set HOME or HOPSCOPE_TOOLS")?).join(".cache"),
            }
            .join("hopscope/tools"),
        };
        Ok(Self { options, folder })
    }

    /// Lists what is missing for these purposes and installs it.
    ///
    /// # Errors
    /// When something cannot be had; the error names it and the remedy.
    pub(crate) fn ensure(&self, purposes: &[Purpose]) -> Result<()> {
        // One thing can need another (the compiler for WebAssembly needs packages), hence the second look.
        for _ in 0..3 {
            let missing = self.missing(purposes)?;
            if missing.is_empty() {
                return Ok(());
            }
            println!("==> missing on this machine:");
            for item in &missing {
                say(format!("{:<28} {:<34} {}", item.name, item.size, item.reason));
            }
            if self.options.no_install {
                bail!("--no-install was given; to install these yourself, type:\n{}", remedies(&missing));
            }
            self.install(&missing)?;
        }
        let left = self.missing(purposes)?;
        if left.is_empty() {
            return Ok(());
        }
        bail!("still missing after installing; try by hand:\n{}", remedies(&left))
    }

    fn missing(&self, purposes: &[Purpose]) -> Result<Vec<Missing>> {
        let mut missing = Vec::new();
        for (program, package) in COMPILED_WITH {
            if on_path(program).is_none() {
                missing.push(apt::missing(&[package], "compiles librdkafka, the client of Kafka")?);
            }
        }
        if purposes.contains(&Purpose::Browser) && Browser::find().is_none() {
            missing.push(apt::missing(&["chromium", "chromium-driver"], "tests in a real browser")?);
        }
        if purposes.contains(&Purpose::Capture) && on_path("tcpdump").is_none() {
            missing.push(apt::missing(&["tcpdump"], "captures what passes over loopback")?);
        }
        if purposes.contains(&Purpose::Browser) {
            missing.extend(axe::missing(self)?);
        }
        if purposes.contains(&Purpose::Page) {
            missing.extend(wasm::missing(self)?);
            missing.extend(wasm_opt::missing(self));
        }
        if purposes.contains(&Purpose::Outside) {
            missing.extend(python::missing(self)?);
        }
        if purposes.contains(&Purpose::Brokers) {
            missing.extend(rabbitmq::missing(self));
        }
        if purposes.contains(&Purpose::Gates) {
            for (program, package, reason) in GATES {
                if on_path(program).is_none() {
                    missing.push(apt::missing(&[package], reason)?);
                }
            }
        }
        if purposes.contains(&Purpose::Peers) {
            missing.extend(go_tool::missing(self)?);
        }
        if purposes.contains(&Purpose::BrokersPeers) {
            missing.extend(maven_tool::missing(self)?);
        }
        for tool in cargo_tool::ALL.iter().filter(|tool| purposes.contains(&tool.purpose)) {
            missing.extend(tool.missing(self));
        }
        // It works without, later: nobody is asked for that alone, nor stopped.
        let is_asked = missing.iter().any(|item| matches!(item.install, Install::Apt(_)));
        if self.may_install() && (is_asked || apt::is_root()) {
            missing.extend(openssl::missing()?);
        }
        Ok(missing)
    }

    fn install(&self, missing: &[Missing]) -> Result<()> {
        let packages: Vec<String> = missing
            .iter()
            .filter_map(|item| if let Install::Apt(packages) = &item.install { Some(packages.clone()) } else { None })
            .flatten()
            .collect();
        if !packages.is_empty() {
            step(&format!("install system packages: {}", packages.join(" ")), || apt::install(&packages))?;
        }
        for item in missing {
            let title = format!("install {}", item.name);
            match &item.install {
                Install::Apt(_) => {}
                Install::Cargo(tool) => step(&title, || tool.install(self))?,
                Install::Go => step(&title, || go_tool::install(self))?,
                Install::Maven => step(&title, || maven_tool::install(self))?,
                Install::Wasm => step(&title, || wasm::install(self))?,
                Install::WasmOpt => step(&title, || wasm_opt::install(self))?,
                Install::Python => step(&title, || python::install(self))?,
                Install::Axe => step(&title, || axe::install(self))?,
                Install::RabbitMq => step(&title, || rabbitmq::install(self))?,
                Install::ByHand => bail!("{} is missing and cannot be installed from here. {}", item.name, item.remedy),
            }
        }
        Ok(())
    }

    /// Whether anything may be installed.
    pub(crate) fn may_install(&self) -> bool {
        !self.options.no_install
    }

    /// The folder of tools, where Hopscope looks for what it starts, too.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the tool of this name and version lives.
    fn home(&self, name: &str, version: &str) -> PathBuf {
        self.folder.join(format!("{name}-{version}"))
    }

    /// A command that sees the tools folder's programs first.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = command(program);
        command.env("PATH", self.path());
        command
    }

    /// A command whose compiler can build for wasm32.
    ///
    /// # Errors
    /// When there is no such compiler.
    pub(crate) fn wasm_command(&self, program: &str) -> Result<Command> {
        let mut command = self.command(program);
        if let Some(name) = wasm::toolchain(self)? {
            // That compiler's version moves with the machine, and its warnings with it.
            command.env("RUSTUP_TOOLCHAIN", name).env(crate::linting::OTHER_COMPILER, "1");
        }
        Ok(command)
    }

    /// Text that changes when the compiler of the page does.
    ///
    /// # Errors
    /// When there is no such compiler.
    pub(crate) fn wasm_identity(&self) -> Result<String> {
        crate::step::output(self.wasm_command("rustc")?.arg("-vV"))
    }

    /// `--offline` keeps Trunk from looking for tools elsewhere, where all of them are here.
    pub(crate) fn trunk_offline(&self) -> Vec<&'static str> {
        if wasm_opt::found(self).is_some() { vec!["--offline"] } else { Vec::new() }
    }

    /// The browser that tests drive.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn browser(&self) -> Result<Browser> {
        Browser::find().context("no browser found: install chromium and chromium-driver, or set HOPSCOPE_CHROMIUM and HOPSCOPE_CHROMEDRIVER")
    }

    /// The Python interpreter that has what the programs in `tests/outside` use.
    ///
    /// # Errors
    /// When it is not installed.
    pub(crate) fn python(&self) -> Result<PathBuf> {
        python::interpreter(self)
    }

    /// The script of axe-core, which tests put into the page.
    ///
    /// # Errors
    /// When it is not installed.
    pub(crate) fn axe(&self) -> Result<PathBuf> {
        axe::script(self)
    }

    /// The folder that RabbitMQ lies in as a package lies in `/usr`; `None` where it cannot be had.
    pub(crate) fn rabbitmq(&self) -> Option<PathBuf> {
        rabbitmq::found(self)
    }

    /// The folder of the jars of RabbitMQ's PerfTest.
    pub(crate) fn perf_test(&self) -> PathBuf {
        maven_tool::jars(self)
    }

    /// What PATH is with the tools folder first.
    pub(crate) fn path(&self) -> OsString {
        let mut folders: Vec<PathBuf> = cargo_tool::ALL.iter().map(|tool| tool.bin(self)).collect();
        folders.push(go_tool::bin(self));
        folders.extend(wasm_opt::found(self).and_then(|program| program.parent().map(Path::to_owned)));
        folders.retain(|folder| folder.is_dir());
        if let Some(path) = std::env::var_os("PATH") {
            folders.extend(std::env::split_paths(&path));
        }
        // A folder with the separator in its name cannot be in PATH; then the plain PATH has to do.
        std::env::join_paths(folders).unwrap_or_else(|_| std::env::var_os("PATH").unwrap_or_default())
    }
}

fn remedies(missing: &[Missing]) -> String {
    missing.iter().map(|item| format!("    {}", item.remedy)).collect::<Vec<_>>().join("\n")
}
