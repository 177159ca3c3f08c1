//! What every transport owes a run: each case below is run on each transport of the server's own list.
//!
//! A new protocol joins by standing in that list. A case that cannot be had on a transport says so with its reason, and is
//! printed as not applicable; it is never left out in silence.

mod cases;
mod doubles;
mod laws;
mod messages;
mod oneway;
mod policies;
mod program;
mod records;
mod rig;
mod shaped;
mod table;
mod terms;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use hopscope_scenario::protocol::Protocol;
use hopscope_server::broker::Brokers;
use hopscope_server::transport::messaging::MESSAGING;
use hopscope_server::transport::{BoxFuture, TRANSPORTS, Transport};
use hopscope_tests::runs::{has_kafka, has_rabbitmq};
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

/// The parts of the table.
const CALLS: &str = "Calls";
const ONEWAY: &str = "Messages that nobody answers";
const MESSAGES: &str = "Messages through queues";
const RECORDS: &str = "Records through topics";

/// For the shapes that the programs in between do not speak.
const USUAL_SHAPE: &str = "the programs in between speak the usual shape alone; those of tests/outside speak every one";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut suite = Suite::default();
    for transport in TRANSPORTS {
        let protocol = transport.protocol().descriptor().id;
        for case in cases::CASES {
            let missing = (case.not_applicable)(transport.protocol());
            suite.add(&arguments, (CALLS, protocol), case.name, missing, || (case.run)(*transport));
        }
    }
    for shape in &shaped::SHAPES {
        for case in cases::CASES {
            // What needs a program in between cannot be had in process either.
            let between = (case.not_applicable)(Protocol::InProcess) == needs_headers(Protocol::InProcess);
            let missing = between.then_some(USUAL_SHAPE);
            let missing = (case.not_applicable)(Protocol::Thrift).or(missing);
            suite.add(&arguments, (CALLS, shape.name), case.name, missing, || (case.run)(shape));
        }
    }
    for case in oneway::CASES {
        let usual = || shaped::thrift("header", "binary", "oneway");
        suite.add(&arguments, (ONEWAY, "thrift"), case.name, None, move || (case.run)(usual()));
        for shape in &shaped::SHAPES {
            let options = || shape.options("oneway");
            suite.add(&arguments, (ONEWAY, shape.name), case.name, None, move || (case.run)(options()));
        }
    }
    let brokers = Brokers::default();
    let rabbitmq = has_rabbitmq("the cases of messages on a real RabbitMQ");
    // What replies come back through: a topic has none.
    for transport in MESSAGING.iter().filter(|transport| transport.protocol() == Protocol::Amqp) {
        let protocol = transport.protocol().descriptor().id;
        for case in messages::CASES {
            let venue = messages::Venue { transport: *transport, rabbitmq: None };
            suite.add(&arguments, (MESSAGES, protocol), case.name, None, move || (case.run)(venue));
        }
        for case in messages::CASES.iter().filter(|_| rabbitmq) {
            let venue = messages::Venue { transport: *transport, rabbitmq: Some(brokers.clone()) };
            let column = format!("{protocol}_on_rabbitmq");
            suite.add(&arguments, (MESSAGES, &column), case.name, case.unseen, move || (case.run)(venue));
        }
    }
    let kafka = has_kafka("the cases of records on a real Kafka");
    for transport in MESSAGING.iter().filter(|transport| transport.protocol() == Protocol::Kafka) {
        let protocol = transport.protocol().descriptor().id;
        for case in records::CASES {
            let venue = records::Venue { transport: *transport, kafka: None };
            suite.add(&arguments, (RECORDS, protocol), case.name, case.missing, move || (case.run)(venue));
        }
        for case in records::CASES.iter().filter(|_| kafka) {
            let venue = records::Venue { transport: *transport, kafka: Some(brokers.clone()) };
            let column = format!("{protocol}_on_local");
            suite.add(&arguments, (RECORDS, &column), case.name, None, move || (case.run)(venue));
        }
    }
    let Suite { trials, table } = suite;
    let conclusion = libtest_mimic::run(&arguments, trials);
    stop(&brokers);
    // What was not run as a whole shows nothing of the whole.
    let whole = !arguments.list && conclusion.num_filtered_out == 0 && !conclusion.has_failed() && rabbitmq && kafka;
    match if whole { table.check() } else { Ok(()) } {
        Ok(()) => conclusion.exit_code(),
        Err(error) => {
            let _ = writeln!(std::io::stdout(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What runs, and what the document says of it.
#[derive(Default)]
struct Suite {
    trials: Vec<Trial>,
    table: table::Table,
}

impl Suite {
    /// A case in a column of a part, unless it cannot be had there.
    fn add(
        &mut self,
        arguments: &Arguments,
        (part, column): (&'static str, &str),
        case: &'static str,
        missing: Option<&'static str>,
        begin: impl FnOnce() -> BoxFuture<'static, Result<()>> + Send + 'static,
    ) {
        self.table.add(part, column, case, missing);
        match missing {
            // Straight to the output: a declared gap shows whatever the harness captures.
            Some(reason) if !arguments.list => {
                let _ = writeln!(std::io::stdout(), "not applicable: {case} on {column}: {reason}");
            }
            Some(_) => {}
            None => self.trials.push(trial(column, case, begin)),
        }
    }
}

/// Stops the RabbitMQ and the Kafka that the cases had started.
fn stop(brokers: &Brokers) {
    if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
        runtime.block_on(brokers.stop());
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
