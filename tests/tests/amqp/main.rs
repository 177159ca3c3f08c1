//! The built-in AMQP broker beside a real RabbitMQ: each case is one conversation by hand over bare sockets, held with both, and
//! what they say has to be the same, frame by frame, reply codes and texts included.
//!
//! A case joins by standing in the list of its file. Where the two differ on purpose, the case says so in
//! [`Case::differs`], docs/amqp.md says why, and the case fails once they no longer do.

mod cases;
mod notes;
mod peer;
mod verbs;

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use hopscope_amqp::Config;
use hopscope_server::broker::Local;
use hopscope_server::transport::BoxFuture;
use hopscope_tests::runs::has_rabbitmq;
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::notes::Notes;
use crate::peer::It;

/// How many cases are held at a time: most of them wait.
const AT_A_TIME: usize = 8;

/// A case that has not ended by then hangs.
const HANGS: Duration = Duration::from_secs(60);

/// One conversation.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// What it shows.
    pub(crate) name: &'static str,
    /// Why the two do not say the same, if so.
    pub(crate) differs: Option<&'static str>,
    /// Holds it.
    pub(crate) hold: fn(It) -> BoxFuture<'static, Result<()>>,
}

/// The RabbitMQ of all cases: one after the other where they declare something, as they use the same names.
#[derive(Clone)]
struct Oracle {
    local: Local,
    turn: Arc<Mutex<()>>,
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_A_TIME);
    let oracle = has_rabbitmq("the built-in AMQP broker beside a real RabbitMQ")
        .then(|| Oracle { local: Local::default(), turn: Arc::default() });
    let cases = cases::GROUPS.iter().flat_map(|group| group.cases.iter().map(move |case| (group, *case)));
    let trials = cases.map(|(group, case)| {
        let oracle = oracle.clone();
        Trial::test(format!("{}::{}", group.name, case.name), move || {
            judge(case, group.declares, oracle.as_ref()).map_err(|error| Failed::from(format!("{error:#}")))
        })
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    if let (Some(oracle), Ok(runtime)) = (oracle, runtime()) {
        runtime.block_on(oracle.local.stop());
    }
    conclusion.exit_code()
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

/// Holds a case with both brokers and compares what they said. Without the oracle, it has to come to its end.
fn judge(case: Case, declares: bool, oracle: Option<&Oracle>) -> Result<()> {
    let runtime = runtime()?;
    let own = runtime.block_on(with_built_in(case)).context("with the built-in broker")?;
    let Some(oracle) = oracle else { return Ok(()) };
    // A case that failed has let go of everything all the same.
    let turn = declares.then(|| oracle.turn.lock().unwrap_or_else(PoisonError::into_inner));
    let theirs = runtime.block_on(with_rabbitmq(case, &oracle.local)).context("with RabbitMQ")?;
    drop(turn);
    let told = || format!("the built-in broker:\n{}\nRabbitMQ:\n{}", own.join("\n"), theirs.join("\n"));
    match case.differs {
        None => ensure!(own == theirs, "they do not say the same; {}", told()),
        Some(why) => ensure!(own != theirs, "they say the same, though: {why}; {}", told()),
    }
    Ok(())
}

async fn with_built_in(case: Case) -> Result<Vec<String>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let stop = CancellationToken::new();
    let (broker, serving) = hopscope_amqp::serve(listener, Config::default(), (), stop.clone().cancelled_owned())?;
    let notes = hold(case, It::new(broker.address(), Notes::default())).await?;
    stop.cancel();
    serving.await;
    Ok(notes)
}

async fn with_rabbitmq(case: Case, local: &Local) -> Result<Vec<String>> {
    let it = It::new(local.reach().await?.socket, Notes::default());
    let held = hold(case, it.clone()).await;
    it.clear_away().await.context("what was declared cannot be deleted")?;
    held
}

async fn hold(case: Case, it: It) -> Result<Vec<String>> {
    let notes = it.notes.clone();
    match tokio::time::timeout(HANGS, (case.hold)(it)).await {
        Ok(held) => held.with_context(|| format!("after:\n{}", notes.lines().join("\n")))?,
        Err(_) => bail!("it hangs after:\n{}", notes.lines().join("\n")),
    }
    Ok(notes.lines())
}
