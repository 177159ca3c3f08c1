//! `cargo xtask`: everything that a person types to build, serve and test Hopscope.
//!
//! Each command says what it does while it does it, how long a step took and what it installs. What cannot be had is
//! named together with the remedy. Nothing here knows the project's inside: it only calls cargo, trunk and the binary.
#![allow(clippy::print_stdout, reason = "printing is what a command line does")]

mod bench;
mod browser;
mod bundle;
mod ci;
mod count;
mod dev;
mod dist;
mod fuzz;
mod kafka;
mod linting;
mod load;
mod outside;
mod page;
mod record;
mod serve;
mod shots;
mod soak;
mod split;
mod step;
mod test;
mod thrift;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tools::{Options, Purpose, Tools};

/// Builds, serves and tests Hopscope.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build page and server, then serve the playground at http://127.0.0.1:7878
    Serve {
        /// Arguments for `hopscope serve`, such as `--listen 127.0.0.1:0`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Serve the page with live reload at http://127.0.0.1:8080, and the server behind it
    Dev {
        /// Arguments for `hopscope serve`, such as `--data DIR`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run every test: native, Wasm in headless Chromium, conformance, browser, programs in other languages
    Test,
    /// Run what the continuous integration runs: format, lint, licence and document gates, then `serve` and `test`
    Ci,
    /// Make the binary to give away, with the page inside, its checksum and a Dockerfile, in target/dist
    Dist,
    /// Run every template and keep the recordings that the page plays where nothing runs, in scenarios/recorded
    Record,
    /// Walk the four uses of docs/walks.md in a browser and keep the pictures in docs/shots
    Shots,
    /// Measure, print, and never fail on a time; a name that is none lists all, of which codec, recorder, timing, peers, player and size
    Bench {
        /// Which
        name: String,
        /// What of it, where a bench has parts: of `timing` the protocols, of `peers` calls, messaging or pacer
        parts: Vec<String>,
    },
    /// Try for long what a test tries once, and print what came of it: kills, protocols, readers or ten-million
    Soak {
        /// Which
        name: String,
        /// How, where it can be told: of `protocols` for how many minutes
        parts: Vec<String>,
    },
    /// Throw made up bytes at what reads bytes from elsewhere (docs/fuzzing.md), and tell what they found
    Fuzz {
        /// Which target; all of them, one after the other, if left out
        target: Option<String>,
        /// How long, all targets together
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=10_000))]
        minutes: u64,
    },
    /// Write anew what Thrift's compiler writes, after a change of backend/server/thrift
    Generate,
    /// List what is missing on this machine (name, size, reason) and install it
    Setup,
}

fn main() -> ExitCode {
    if let Some(code) = linting::as_compiler() {
        return code;
    }
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, whatever RUST_BACKTRACE says: the step's own output above has the details.
            eprintln!("cargo xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    step::enter_repository()?;
    let tools = Tools::new(cli.options)?;
    match cli.command {
        Command::Serve { arguments } => serve::run(&tools, &arguments),
        Command::Dev { arguments } => dev::run(&tools, &arguments),
        Command::Test => {
            let mut count = count::Count::default();
            tools.ensure(&[Purpose::Page, Purpose::Browser, Purpose::Outside, Purpose::Brokers])?;
            test::run(&tools, &mut count)?;
            count.finish()
        }
        Command::Ci => ci::run(&tools),
        Command::Dist => dist::run(&tools, serve::Build::Optimized),
        Command::Record => record::run(),
        Command::Shots => shots::run(&tools),
        Command::Bench { name, parts } => bench::run_bench(&tools, &name, &parts),
        Command::Soak { name, parts } => soak::run(&name, &parts),
        Command::Fuzz { target, minutes } => fuzz::run(&tools, target.as_deref(), minutes),
        Command::Generate => {
            tools.ensure(&[Purpose::Gates])?;
            thrift::generate()
        }
        Command::Setup => {
            tools.ensure(&[Purpose::Page, Purpose::Browser, Purpose::Outside, Purpose::Brokers, Purpose::Gates])
        }
    }
}
