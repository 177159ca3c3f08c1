//! What every transport owes a run: each case below is run on each transport of the server's own list.
//!
//! A new protocol joins by standing in that list. A case that cannot be had on a transport says so with its reason, and is
//! printed as not applicable; it is never left out in silence.

mod cases;
mod doubles;
mod laws;
mod messages;
mod policies;
mod program;
mod rig;
mod terms;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use hopscope_scenario::protocol::Protocol;
use hopscope_server::broker::Brokers;
use hopscope_server::transport::messaging::MESSAGING;
use hopscope_server::transport::{BoxFuture, TRANSPORTS, Transport};
use hopscope_tests::runs::has_rabbitmq;
use libtest_mimic::{Arguments, Failed, Trial};

/// A case that has not ended by then hangs.
const HANGS: Duration = Duration::from_secs(120);

/// One thing that a transport owes.
pub(crate) struct Case {
    /// What, in words.
    name: &'static str,
    /// Why it cannot be had on a protocol, if so.
    not_applicable: fn(Protocol) -> Option<&'static str>,
    /// Shows it.
    run: fn(&'static dyn Transport) -> BoxFuture<'static, Result<()>>,
}

/// For cases that need a program between the two ends, or one that is no part of the run.
fn needs_headers(protocol: Protocol) -> Option<&'static str> {
    (protocol == Protocol::InProcess)
        .then_some("a direct call has no headers, and no other program can stand in it or make it")
}

/// For replies that are larger than a protocol's reader takes.
fn has_no_limit(protocol: Protocol) -> Option<&'static str> {
    (protocol == Protocol::InProcess).then_some("a direct call hands its bytes over and reads none")
}

/// For what a call of gRPC's introductions owes.
fn needs_greeter(protocol: Protocol) -> Option<&'static str> {
    (protocol != Protocol::Grpc).then_some("the greeter is a service of gRPC's")
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for transport in TRANSPORTS {
        let protocol = transport.protocol().descriptor().id;
        for case in cases::CASES {
            match (case.not_applicable)(transport.protocol()) {
                // Straight to the output: a declared gap shows whatever the harness captures.
                Some(reason) if !arguments.list => {
                    let line = format!("not applicable: {} on {protocol}: {reason}\n", case.name);
                    let _ = std::io::stdout().write_all(line.as_bytes());
                }
                Some(_) => {}
                None => trials.push(trial(protocol, case.name, || (case.run)(*transport))),
            }
        }
    }
    for transport in MESSAGING {
        let protocol = transport.protocol().descriptor().id;
        for case in messages::CASES {
            let venue = messages::Venue { transport: *transport, rabbitmq: None };
            trials.push(trial(protocol, case.name, move || (case.run)(venue)));
        }
    }
    let brokers = Brokers::default();
    on_rabbitmq(&arguments, &brokers, &mut trials);
    let conclusion = libtest_mimic::run(&arguments, trials);
    stop(&brokers);
    conclusion.exit_code()
}

/// The cases of messages once more, through a RabbitMQ, where there is one.
fn on_rabbitmq(arguments: &Arguments, brokers: &Brokers, trials: &mut Vec<Trial>) {
    if !has_rabbitmq("the cases of messages on a real RabbitMQ") {
        return;
    }
    for transport in MESSAGING {
        let protocol = format!("{}_on_rabbitmq", transport.protocol().descriptor().id);
        for case in messages::CASES {
            match case.unseen {
                Some(reason) if !arguments.list => {
                    let line = format!("not applicable: {} on {protocol}: {reason}\n", case.name);
                    let _ = std::io::stdout().write_all(line.as_bytes());
                }
                Some(_) => {}
                None => {
                    let venue = messages::Venue { transport: *transport, rabbitmq: Some(brokers.clone()) };
                    trials.push(trial(&protocol, case.name, move || (case.run)(venue)));
                }
            }
        }
    }
}

/// Stops the RabbitMQ that the cases had started.
fn stop(brokers: &Brokers) {
    if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
        runtime.block_on(brokers.local().stop());
    }
}

fn trial(
    protocol: &str,
    case: &'static str,
    begin: impl FnOnce() -> BoxFuture<'static, Result<()>> + Send + 'static,
) -> Trial {
    let name = format!("{protocol}::{}", case.replace(' ', "_"));
    Trial::test(name, || run(begin).map_err(|error| Failed::from(format!("{error:?}"))))
}

/// Runs a case on a runtime of its own, which shows that nothing of it is left.
fn run(begin: impl FnOnce() -> BoxFuture<'static, Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(async {
        match tokio::time::timeout(HANGS, begin()).await {
            Ok(result) => result,
            Err(_) => bail!("it hangs"),
        }
    });
    runtime.shutdown_background();
    result
}
