//! Programs that publish to the queue or the topic of a run, and take from it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail, ensure};
use hopscope_server::broker::Brokers;
use hopscope_server::record::clock::monotonic_ns;
use hopscope_tests::process::Process;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::task::JoinHandle;

use super::ours::{called, start};
use super::{BEFORE, BODY, Load, Looked, RATE, SECONDS, Setting, Turn, spread};

/// Where the program in Python lies that speaks Kafka.
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/outside/records.py");
/// Messages that a consumer may hold that it has not settled.
const HELD: &str = "256";

/// A client beside ours.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Peer {
    Confluent,
    RdKafka,
    PerfTest,
    Lapin,
}

/// What a program does.
#[derive(Clone, Copy)]
enum Does {
    Publish,
    Take,
}

impl Peer {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Confluent => "confluent-kafka in Python",
            Self::RdKafka => "a bare client of the crate rdkafka",
            Self::PerfTest => "RabbitMQ's PerfTest in Java",
            Self::Lapin => "a bare client of the crate lapin",
        }
    }

    fn command(self, does: Does, setting: Setting, at: SocketAddr, name: &str) -> Result<Command> {
        if self == Self::PerfTest {
            return perf_test(does, setting, at, name);
        }
        let mut command = if self == Self::Confluent {
            let mut python = Command::new(hopscope_tests::variable("HOPSCOPE_PYTHON")?);
            python.arg(PYTHON);
            python
        } else {
            let mut own = Command::new(std::env::current_exe()?);
            own.args(["bare", if self == Self::Lapin { "amqp" } else { "kafka" }]);
            own
        };
        let (at, seconds) = (at.to_string(), SECONDS.to_string());
        match does {
            Does::Take => command.args(["read", &at, name, &seconds]),
            Does::Publish => {
                command.args(["publish", &at, name, &setting.at_once().to_string(), &seconds, &BODY.to_string()]);
                command.arg(setting.linger_ms().to_string())
            }
        };
        if matches!((does, setting.load), (Does::Publish, Load::Rate)) {
            command.arg(RATE.to_string());
        }
        Ok(command)
    }
}

/// RabbitMQ's own program: who publishes and who takes are apart, and the queue is there.
fn perf_test(does: Does, setting: Setting, at: SocketAddr, name: &str) -> Result<Command> {
    let jars = hopscope_tests::variable("HOPSCOPE_PERF_TEST")?;
    let mut java = Command::new("java");
    java.arg("-cp").arg(Path::new(&jars).join("*")).arg("com.rabbitmq.perf.PerfTest");
    java.args(["--uri", &format!("amqp://guest:guest@{at}/%2f"), "--time", &SECONDS.to_string()]);
    java.args(["--predeclared", "--exchange", "", "--routing-key", name, "--queue", name]);
    match does {
        Does::Take => java.args(["--producers", "0", "--consumers", "1", "--qos", HELD]),
        Does::Publish => {
            java.args(["--producers", "1", "--consumers", "0", "--size", &BODY.to_string()]);
            java.args(["--confirm", &setting.at_once().to_string(), "--flag", "mandatory"])
        }
    };
    if matches!((does, setting.load), (Does::Publish, Load::Rate)) {
        java.args(["--rate", &RATE.to_string()]);
    }
    Ok(java)
}

/// A program that runs, and what it says.
struct Program {
    process: Process,
    lines: JoinHandle<Result<Vec<(i64, String)>>>,
}

impl Program {
    fn start(mut command: Command) -> Result<Self> {
        let called = format!("{:?}", command.as_std().get_program());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let missing = || format!("cannot start {called}; `cargo xtask bench peers` installs it");
        let mut child = command.spawn().with_context(missing)?;
        let process = Process::new(child.id().context("it has ended")?);
        let mut said = BufReader::new(child.stdout.take().context("no output")?).lines();
        let lines = tokio::spawn(async move {
            let mut lines = Vec::new();
            while let Some(line) = said.next_line().await? {
                lines.push((monotonic_ns(), line));
            }
            let ended = child.wait().await?;
            ensure!(ended.success(), "{called} ended with {ended}");
            Ok(lines)
        });
        Ok(Self { process, lines })
    }

    async fn told(self, peer: Peer) -> Result<Told> {
        let lines = self.lines.await??;
        if peer == Peer::PerfTest {
            return Ok(Told::of_lines(&lines));
        }
        let (_, document) = lines.first().context("it says nothing")?;
        Ok(serde_json::from_str(document)?)
    }
}

/// What a program tells of itself.
#[derive(Default, Deserialize)]
struct Told {
    /// How many were confirmed or taken by when, in raw ns.
    counts: Vec<(i64, f64)>,
    /// When some were confirmed, and how long that took, ns.
    #[serde(default)]
    took: Vec<(i64, i64)>,
    /// When it told p50 and p99 of the last second, and these, us.
    #[serde(default)]
    spreads: Vec<(i64, [f64; 2])>,
}

impl Told {
    /// What PerfTest says each second, like
    /// `id: x, time 2.010 s, sent: 3341 msg/s, confirmed: 3340 msg/s, nacked: 0 msg/s, min/median/75th/95th/99th confirm latency: 185/9146/21856/50331/51016 µs`.
    fn of_lines(lines: &[(i64, String)]) -> Self {
        let (mut told, mut before, mut count) = (Self::default(), 0.0, 0.0);
        for (at, line) in lines {
            let field = |name: &str| line.split(", ").find_map(|field| field.strip_prefix(name));
            let number = |name: &str| field(name)?.split_whitespace().next()?.parse::<f64>().ok();
            let Some(time) = number("time ") else { continue };
            let per_second = number("confirmed: ").or_else(|| number("received: ")).unwrap_or(0.0);
            count += per_second * (time - before);
            before = time;
            told.counts.push((*at, count));
            let latency = line.rsplit_once("latency: ").map_or("", |(_, rest)| rest.trim_end_matches(" µs"));
            let latency: Vec<f64> = latency.split('/').filter_map(|us| us.parse().ok()).collect();
            if let [_, p50, .., p99] = latency[..] {
                told.spreads.push((*at, [p50, p99]));
            }
        }
        told
    }

    /// How many there were by then; between two counts they came evenly.
    fn by(&self, time: i64) -> Result<f64> {
        let after = self.counts.partition_point(|(at, _)| *at <= time);
        let (Some(before), Some(after)) = (after.checked_sub(1).map(|at| self.counts[at]), self.counts.get(after))
        else {
            bail!("it does not tell what was at that time: {} counts", self.counts.len());
        };
        Ok(before.1 + (after.1 - before.1) * (time - before.0) as f64 / (after.0 - before.0) as f64)
    }

    fn between(&self, looked: &Looked) -> Result<f64> {
        Ok(self.by(looked.ended)? - self.by(looked.began)?)
    }

    /// From a publish to its confirm, us: p50 and p99. Of what was told by the second, the median of the seconds.
    fn confirm(&self, looked: &Looked) -> [f64; 2] {
        if self.spreads.is_empty() {
            return spread(self.took.iter().filter(|(at, _)| looked.has(*at)).map(|(_, took)| *took).collect());
        }
        let mut seconds: Vec<_> = self.spreads.iter().filter(|(at, _)| looked.has(*at)).collect();
        [0, 1].map(|which| {
            seconds.sort_unstable_by(|(_, one), (_, other)| one[which].total_cmp(&other[which]));
            seconds.get(seconds.len() / 2).map_or(f64::NAN, |(_, spread)| spread[which])
        })
    }
}

/// One load by a peer, at the queue or topic of a run that does nothing else; and at which broker.
pub(super) async fn turn(peer: Peer, setting: Setting, brokers: &Brokers) -> Result<(Turn, String)> {
    let run = start(setting, brokers, None).await?;
    let (name, broker) = called(setting, &run);
    let at = run.at(setting.protocol)?;
    let [taking, publishing] =
        [Does::Take, Does::Publish].map(|does| peer.command(does, setting, at, &name).and_then(Program::start));
    let (publishing, taking) = (publishing?, taking?);
    tokio::time::sleep(BEFORE).await;
    let looked = Looked::at([publishing.process, taking.process]).await?;
    let (published, taken) = tokio::try_join!(publishing.told(peer), taking.told(peer))?;
    run.end().await?;
    let publisher = looked.end(0, published.between(&looked)?);
    let consumer = looked.end(1, taken.between(&looked)?);
    Ok((Turn { publisher, consumer, confirm: published.confirm(&looked) }, broker))
}
