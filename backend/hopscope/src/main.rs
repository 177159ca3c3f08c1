//! The binary `hopscope`: the server with the page inside.
#![allow(clippy::print_stdout, reason = "printing is what a command line does")]

mod page;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A browser playground for how services talk to each other, in which the messages are real.
#[derive(Parser)]
#[command(name = "hopscope", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the playground
    Serve(serve::Arguments),
}

/// Exit codes that a script can rely on; docs/command-line.md lists them.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
enum Exit {
    Environment = 5,
    Usage = 64,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors: clap knows which is which. A closed standard output cannot be told of.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(Exit::Usage as u8) } else { ExitCode::SUCCESS };
        }
    };
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("HOPSCOPE_LOG").unwrap_or_else(|_| "warn,hopscope=info".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    let result = match cli.command {
        Command::Serve(arguments) => serve::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hopscope: {error:#}");
            ExitCode::from(Exit::Environment as u8)
        }
    }
}
