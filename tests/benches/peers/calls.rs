//! What a call costs its client.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use hopscope_record::Kind;
use hopscope_scenario::plan::Placement;
use hopscope_server::record::clock::monotonic_ns;
use hopscope_tests::process::Process;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::run::{BODY, Run, times};

/// The protocol whose other clients come with their own libraries, and with nothing that has to be compiled here.
pub(crate) const THRIFT: &str = "thrift";

/// Calls under way at once.
const AT_ONCE: usize = 64;
/// The rate of the second load, per second.
const RATE: u64 = 2_000;
/// Turns of each client.
const TURNS: usize = 3;
/// Until a client is looked at for the first time.
const BEFORE: Duration = Duration::from_secs(2);
/// From the first look to the second.
const LOOKED_AT: Duration = Duration::from_secs(6);
/// How long a load goes on: until after the second look.
const SECONDS: u64 = 9;

/// Where the definition of the nodes' gRPC lies.
const PROTO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../backend/server/proto/hopscope/v1/node.proto");

/// Where the program in Python lies that speaks Thrift.
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/outside/thrift/python/peer.py");

/// How a load is offered.
#[derive(Clone, Copy)]
enum Load {
    /// So many under way at any time.
    Closed,
    /// So many a second.
    Rate,
}

/// Who calls.
#[derive(Clone, Copy, PartialEq)]
enum Caller {
    Ours,
    Oha,
    Ghz,
    H2,
    Go,
    Python,
}

impl Caller {
    const fn name(self) -> &'static str {
        match self {
            Self::Ours => "a run's client, every hop recorded",
            Self::Oha => "oha",
            Self::Ghz => "ghz",
            Self::H2 => "a bare client of the crate h2",
            Self::Go => "Apache's Thrift in Go",
            Self::Python => "Apache's Thrift in Python",
        }
    }

    /// The program that calls a service; `None` of our own.
    fn command(self, load: Load, service: &str) -> Result<Option<Command>> {
        let (at_once, lasts, body) = (AT_ONCE.to_string(), format!("{SECONDS}s"), "x".repeat(BODY));
        let mut command = match self {
            Self::Ours => return Ok(None),
            Self::Oha => {
                let mut oha = Command::new("oha");
                oha.args(["--no-tui", "-m", "POST", "-c", &at_once, "-z", &lasts, "-d", &body]);
                if matches!(load, Load::Rate) {
                    oha.args(["-q", &RATE.to_string()]);
                }
                oha.arg(format!("http://{service}/"));
                oha
            }
            Self::Ghz => {
                let mut ghz = Command::new("ghz");
                ghz.args(["--insecure", "--proto", PROTO, "--call", "hopscope.v1.Node/Call", "--connections", "1"]);
                // The bytes of a message are in Base64: three of them in four.
                let message = json!({ "body": "eHh4".repeat(BODY / 3) + "eA==" });
                ghz.args(["-c", &at_once, "-z", &lasts, "-d", &message.to_string()]);
                if matches!(load, Load::Rate) {
                    ghz.args(["--rps", &RATE.to_string()]);
                }
                ghz.arg(service);
                ghz
            }
            Self::Go | Self::Python => {
                let mut peer = if self == Self::Go {
                    Command::new(hopscope_tests::variable("HOPSCOPE_GO_PEER")?)
                } else {
                    let mut python = Command::new(hopscope_tests::variable("HOPSCOPE_PYTHON")?);
                    python.arg(PYTHON);
                    python
                };
                peer.args(["load", service, &at_once, &SECONDS.to_string(), &BODY.to_string()]);
                if matches!(load, Load::Rate) {
                    peer.arg(RATE.to_string());
                }
                peer
            }
            Self::H2 => {
                let mut own = Command::new(std::env::current_exe()?);
                own.args(["bare", service, &at_once, &SECONDS.to_string()]);
                if matches!(load, Load::Rate) {
                    own.arg(RATE.to_string());
                }
                own
            }
        };
        command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
        Ok(Some(command))
    }
}

/// What a turn gave.
struct Turn {
    per_second: f64,
    cpu_us: f64,
}

/// Measures calls over those protocols that are wanted, and prints.
pub(crate) async fn measure(wanted: impl Fn(&str) -> bool) -> Result<()> {
    println!("{AT_ONCE} calls at once of {BODY} bytes and an empty reply, looked at for {} s", LOOKED_AT.as_secs());
    for (protocol, callers) in [
        ("http1", &[Caller::Ours, Caller::Oha][..]),
        ("grpc", &[Caller::Ours, Caller::H2, Caller::Ghz][..]),
        (THRIFT, &[Caller::Ours, Caller::Go, Caller::Python][..]),
    ]
    .into_iter()
    .filter(|(protocol, _)| wanted(protocol))
    {
        for (load, offered) in [(Load::Closed, "as they come back".to_owned()), (Load::Rate, format!("{RATE}/s"))] {
            println!("{protocol}, {offered}");
            let mut costs = vec![Vec::new(); callers.len()];
            for _ in 0..TURNS {
                for (caller, costs) in callers.iter().zip(&mut costs) {
                    let turn = turn(protocol, *caller, load).await.with_context(|| caller.name())?;
                    costs.push((turn.cpu_us, turn.per_second));
                }
            }
            let means: Vec<f64> = costs.iter().map(|turns| mean(turns.iter().map(|turn| turn.0))).collect();
            for ((caller, turns), whole) in callers.iter().zip(&costs).zip(&means) {
                let each: Vec<_> =
                    turns.iter().map(|(cpu, per_second)| format!("{cpu:.1} ({per_second:.0}/s)")).collect();
                let ours =
                    if *caller == Caller::Ours { String::new() } else { format!(", ours is {:.2}", means[0] / whole) };
                println!("  {:<36}{whole:>7.1} us CPU a call: {}{ours}", caller.name(), each.join(", "));
            }
        }
    }
    Ok(())
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

/// One load by one client.
async fn turn(protocol: &str, caller: Caller, load: Load) -> Result<Turn> {
    let own: Value = match load {
        Load::Closed => {
            json!({"kind": "closed", "users": AT_ONCE, "think": {"distribution": "constant", "mean": "0 s"}})
        }
        Load::Rate => json!({"kind": "constant", "rate": format!("{RATE}/s"), "in_flight": AT_ONCE}),
    };
    let own = (caller == Caller::Ours).then_some(own);
    let run = Run::start(protocol, own, Placement::Processes, SECONDS + 3).await?;
    let mut other = None;
    if let Some(mut command) = caller.command(load, &run.service()?.to_string())? {
        let name = caller.name();
        other = Some(
            command.spawn().with_context(|| format!("cannot start {name}; `cargo xtask bench peers` installs it"))?,
        );
    }
    let process = match &other {
        Some(child) => Process::new(child.id().context("it has ended")?),
        None => run.client.context("the client is no process")?,
    };
    tokio::time::sleep(BEFORE).await;
    let (began, before) = (monotonic_ns(), process.cpu()?);
    tokio::time::sleep(LOOKED_AT).await;
    let (ended, after) = (monotonic_ns(), process.cpu()?);
    if let Some(mut child) = other {
        child.kill().await?;
    }
    let (events, zero) = run.end().await?;
    let within = |time: &&i64| (began..ended).contains(&(**time + zero));
    let calls = times(&events, Kind::REPLIED).iter().filter(within).count() as f64;
    Ok(Turn {
        per_second: calls / ((ended - began) as f64 / 1e9),
        cpu_us: (after - before).as_secs_f64() * 1e6 / calls,
    })
}
