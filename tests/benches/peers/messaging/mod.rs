//! What a message costs who publishes it and who takes it, all at one broker.

pub(crate) mod bare;
mod ours;
mod peer;

use std::time::Duration;

use anyhow::{Context as _, Result};
use hopscope_scenario::protocol::Protocol;
use hopscope_server::broker::Brokers;
use hopscope_server::record::clock::monotonic_ns;
use hopscope_tests::process::Process;
use hopscope_tests::runs::{has_kafka, has_rabbitmq};

use self::peer::Peer;

/// Bytes of a message.
const BODY: usize = 200;
/// The rate of the second load, per second.
const RATE: u64 = 2_000;
/// Turns of each.
const TURNS: usize = 3;
/// Until programs are looked at for the first time: Java has compiled by then what it does often.
const BEFORE: Duration = Duration::from_secs(6);
/// From the first look to the second.
const LOOKED_AT: Duration = Duration::from_secs(6);
/// How long a load goes on: until after the second look.
const SECONDS: u64 = 14;

/// How a load is offered.
#[derive(Clone, Copy)]
enum Load {
    /// So many wait for their confirm at any time.
    Closed,
    /// So many a second.
    Rate,
}

/// What is measured, and where.
#[derive(Clone, Copy)]
struct Setting {
    protocol: Protocol,
    /// As a run's settings name it.
    broker: &'static str,
    load: Load,
}

impl Setting {
    /// Messages that wait for their confirm at once, at most.
    const fn at_once(self) -> usize {
        if matches!(self.protocol, Protocol::Kafka) { 1_000 } else { 128 }
    }

    /// How long a record waits for others to go with, ms: at a rate each goes at once, and what its confirm takes is the way alone.
    const fn linger_ms(self) -> u64 {
        if matches!(self.load, Load::Closed) { 5 } else { 0 }
    }

    /// What it is, in words.
    fn title(self) -> String {
        let at_once = self.at_once();
        let offered = match self.load {
            Load::Closed => format!("{at_once} at once, as they are confirmed"),
            Load::Rate => format!("{RATE}/s"),
        };
        let linger = match self.protocol {
            Protocol::Kafka => format!(", linger {} ms", self.linger_ms()),
            _ => String::new(),
        };
        format!("{}, {offered}{linger}", self.protocol.descriptor().id)
    }
}

/// Who publishes and takes.
#[derive(Clone, Copy, PartialEq)]
enum Client {
    Ours,
    Beside(Peer),
}

impl Client {
    const fn name(self) -> &'static str {
        match self {
            Self::Ours => "a run, every hop recorded",
            Self::Beside(peer) => peer.name(),
        }
    }
}

/// Two looks at who publishes and who takes.
struct Looked {
    /// In raw ns.
    began: i64,
    ended: i64,
    /// The time of processors that each has used between them.
    used: [Duration; 2],
}

impl Looked {
    /// Looks twice.
    async fn at(processes: [Process; 2]) -> Result<Self> {
        let used = || Ok::<_, anyhow::Error>([processes[0].cpu()?, processes[1].cpu()?]);
        let (began, before) = (monotonic_ns(), used()?);
        tokio::time::sleep(LOOKED_AT).await;
        let (ended, after) = (monotonic_ns(), used()?);
        Ok(Self { began, ended, used: [after[0] - before[0], after[1] - before[1]] })
    }

    /// Whether it was between them, in raw ns.
    fn has(&self, time: i64) -> bool {
        (self.began..self.ended).contains(&time)
    }

    /// What one of the two did, who came through with so many meanwhile.
    fn end(&self, which: usize, messages: f64) -> End {
        End {
            per_second: messages / ((self.ended - self.began) as f64 / 1e9),
            cpu_us: self.used[which].as_secs_f64() * 1e6 / messages,
        }
    }
}

/// What one end did between two looks.
#[derive(Clone, Copy)]
struct End {
    per_second: f64,
    cpu_us: f64,
}

/// What a turn gave.
struct Turn {
    publisher: End,
    consumer: End,
    /// From a publish to its confirm, us: p50 and p99.
    confirm: [f64; 2],
}

impl Turn {
    /// In the order of the columns.
    const fn row(&self) -> [f64; 6] {
        let Self { publisher, consumer, confirm: [p50, p99] } = self;
        [publisher.per_second, publisher.cpu_us, *p50, *p99, consumer.per_second, consumer.cpu_us]
    }
}

/// Measures all, and prints.
pub(crate) async fn measure() -> Result<()> {
    println!("Messages of {BODY} bytes, each confirmed; looked at for {} s", LOOKED_AT.as_secs());
    let brokers = Brokers::default();
    let measured = all(&brokers).await;
    brokers.stop().await;
    measured
}

async fn all(brokers: &Brokers) -> Result<()> {
    let kafka = [Client::Ours, Client::Beside(Peer::RdKafka), Client::Beside(Peer::Confluent)];
    let amqp = [Client::Ours, Client::Beside(Peer::Lapin), Client::Beside(Peer::PerfTest)];
    for (protocol, broker, clients) in [
        (Protocol::Kafka, "local", &kafka),
        (Protocol::Kafka, "built-in", &kafka),
        (Protocol::Amqp, "local", &amqp),
        (Protocol::Amqp, "built-in", &amqp),
    ] {
        let there = match (broker, protocol) {
            ("local", Protocol::Kafka) => has_kafka("messages at a real Kafka"),
            ("local", _) => has_rabbitmq("messages at a real RabbitMQ"),
            _ => true,
        };
        for load in [Load::Closed, Load::Rate].into_iter().filter(|_| there) {
            compare(Setting { protocol, broker, load }, clients, brokers).await?;
        }
    }
    Ok(())
}

/// Has each of them take its turns, and prints what each turn gave, their medians, and what ours is of the others'.
async fn compare(setting: Setting, clients: &[Client], brokers: &Brokers) -> Result<()> {
    let mut rows = vec![Vec::new(); clients.len()];
    for turn in 0..TURNS {
        for (client, rows) in clients.iter().zip(&mut rows) {
            let (taken, at) = match client {
                Client::Ours => ours::turn(setting, brokers).await,
                Client::Beside(peer) => peer::turn(*peer, setting, brokers).await,
            }
            .with_context(|| client.name())?;
            if turn == 0 && *client == Client::Ours {
                heading(&format!("{} at {at}", setting.title()));
            }
            print(client.name(), &taken.row(), "");
            rows.push(taken.row());
        }
    }
    let medians: Vec<_> = rows.iter().map(|rows| [0, 1, 2, 3, 4, 5].map(|column| median(rows, column))).collect();
    println!("  median of {TURNS}");
    for (client, own) in clients.iter().zip(&medians) {
        let share = |column: usize| medians[0][column] / own[column];
        let ours = match client {
            Client::Ours => String::new(),
            Client::Beside(_) => format!("  CPU of ours: {:.2} and {:.2} of it", share(1), share(5)),
        };
        print(client.name(), own, &ours);
    }
    Ok(())
}

fn heading(title: &str) {
    println!("{title}");
    let columns = ["confirmed/s", "CPU us", "p50 us", "p99 us", "taken/s", "CPU us"];
    println!("  {:<36}{}", "", columns.map(|column| format!("{column:>12}")).concat());
}

fn print(what: &str, row: &[f64; 6], more: &str) {
    let digits = [0, 1, 0, 0, 0, 1];
    let columns: String = row.iter().zip(digits).map(|(value, digits)| format!("{value:>12.digits$}")).collect();
    println!("  {what:<36}{columns}{more}");
}

fn median(rows: &[[f64; 6]], column: usize) -> f64 {
    let mut values: Vec<_> = rows.iter().map(|row| row[column]).collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The p50 and the p99 of times in ns, in us.
fn spread(mut times: Vec<i64>) -> [f64; 2] {
    times.sort_unstable();
    [50, 99].map(|share| times.get(times.len() * share / 100).map_or(f64::NAN, |ns| *ns as f64 / 1e3))
}
