//! The binary `hopscope`: the server with the page inside, and the same runs, checks and exports without a browser.
//!
//! Owns what a command line is: arguments, exit codes, what goes to which stream. What a run does, what its recording
//! amounts to and every sentence come from the libraries.

mod broker;
mod brokers;
mod browser;
mod compare;
mod control;
mod data;
mod disturb;
mod exit;
mod export;
mod figures;
mod import;
mod keep;
mod limits;
mod listening;
mod page;
mod report;
mod run;
mod runs;
mod say;
mod scenario;
mod serve;
mod signals;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use hopscope_scenario::text;

use exit::Exit;

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
    /// Run a scenario and tell what came of it
    Run(run::Arguments),
    /// Check a scenario without running it
    Validate(scenario::Arguments),
    /// List the runs
    Runs(runs::Arguments),
    /// Write the recording of a run in another format
    Export(export::Arguments),
    /// Do something to a run while it runs
    Control(control::Arguments),
    /// Compare the figures of two runs
    Compare(compare::Arguments),
    /// Put a recording that was exported as JSON among the runs
    Import(import::Arguments),
    /// Run the built-in broker alone, or install another
    Broker(broker::Arguments),
    /// Be a replica or a client of a run, for the server that starts it
    #[command(hide = true)]
    Node,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors: clap knows which is which. A closed standard output cannot be told of.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { ExitCode::SUCCESS };
        }
    };
    // lapin calls every end of a connection an error; what one means is stamped and told by the run.
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("HOPSCOPE_LOG")
                .unwrap_or_else(|_| "warn,hopscope=info,lapin=off".into()),
        )
        .with_writer(std::io::stderr)
        // Where standard error takes no more, that cannot be told there either.
        .log_internal_errors(false)
        .init();
    let result = match &cli.command {
        Command::Serve(arguments) => serve::run(arguments),
        Command::Run(arguments) => run::run(arguments),
        Command::Validate(arguments) => scenario::run(arguments),
        Command::Runs(arguments) => runs::run(arguments),
        Command::Export(arguments) => export::run(arguments),
        Command::Control(arguments) => control::run(arguments),
        Command::Compare(arguments) => compare::run(arguments),
        Command::Import(arguments) => import::run(arguments),
        Command::Broker(arguments) => broker::run(arguments),
        Command::Node => hopscope_server::run::serve_node().map(|()| exit::Exit::Fine).map_err(Into::into),
    };
    let exit = result.unwrap_or_else(|error| {
        say::note(&say::say(text!("cli.error"), [("reason", say::reason(&error))]));
        Exit::Environment
    });
    exit.into()
}
