//! The built-in broker beside a RabbitMQ, each a process of its own, with the same client (lapin) and by turns: how many messages a
//! second with confirms and acknowledgements, what processor time a message costs the broker, and how long a request takes to be
//! replied to. Messages have 256 bytes, queues are transient.

#![allow(clippy::print_stdout, reason = "what a bench has to say")]

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use futures_util::StreamExt as _;
use hopscope_server::broker::Local;
use hopscope_tests::process::Process;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// Turns of each broker.
const TURNS: usize = 3;
/// Starts of the built-in broker.
const STARTS: usize = 21;
/// Messages of a turn.
const MESSAGES: usize = 60_000;
/// Publishes that wait for their confirm at a time.
const WINDOW: usize = 128;
/// Requests of a turn, one after the other.
const REQUESTS: usize = 5_000;
/// Bytes of a body.
const BODY: usize = 256;

/// A broker that is ready.
struct Broker {
    name: String,
    at: SocketAddr,
    /// Its process.
    pid: u32,
}

/// What a turn gave.
struct Turn {
    /// Messages published, confirmed, delivered and acknowledged per second.
    per_second: f64,
    /// The broker's processor time for each, us.
    cpu_us: f64,
    /// From a request's publish to its reply's delivery, us: p50 and p99.
    round: [f64; 2],
}

fn main() -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(run())
}

async fn run() -> Result<()> {
    let mut ready = Vec::new();
    for _ in 1..STARTS {
        let began = Instant::now();
        let (mut child, _) = built_in().await?;
        ready.push(ms(began.elapsed()));
        child.kill().await?;
    }
    let began = Instant::now();
    let (mut child, at) = built_in().await?;
    ready.push(ms(began.elapsed()));
    let first = ready[0];
    ready.sort_unstable_by(f64::total_cmp);
    let own = Broker { name: "built-in".into(), at, pid: child.id().context("it has ended")? };
    println!(
        "built-in: ready {:.1} ms after its start (median of {STARTS}, least {:.1}, most {:.1}, the first {first:.1}; wanted: below 5), {:.1} MB idle",
        ready[STARTS / 2],
        ready[0],
        ready[STARTS - 1],
        resident(own.pid)?
    );
    let local = Local::default();
    let began = Instant::now();
    let reached = local.reach().await?;
    let name = format!("{} {}", reached.product.name, reached.product.version);
    let other = Broker { name, at: reached.socket, pid: beam()? };
    println!(
        "{}: ready {:.0} ms after its start, {:.1} MB idle",
        other.name,
        ms(began.elapsed()),
        resident(other.pid)?
    );
    println!("{:>16}  {:>10}  {:>14}  {:>12}  {:>12}", "", "messages/s", "CPU us/message", "reply p50 us", "p99 us");
    let mut costs = [Vec::new(), Vec::new()];
    for _ in 0..TURNS {
        for (broker, costs) in [&own, &other].into_iter().zip(&mut costs) {
            let turn = turn(broker).await?;
            let [p50, p99] = turn.round;
            let Turn { per_second, cpu_us, .. } = turn;
            println!("{:>16}  {per_second:>10.0}  {cpu_us:>14.1}  {p50:>12.0}  {p99:>12.0}", broker.name);
            costs.push(cpu_us);
        }
    }
    let [own_cost, other_cost] = costs.map(|costs| costs.iter().sum::<f64>() / costs.len() as f64);
    println!("CPU of a message: {:.2} of {}'s; wanted: at most 0.5", own_cost / other_cost, other.name);
    println!("built-in: {:.1} MB after all", resident(own.pid)?);
    local.stop().await;
    child.kill().await?;
    Ok(())
}

/// Starts the built-in broker; gives where it listens.
async fn built_in() -> Result<(Child, SocketAddr)> {
    let program = std::env::var_os("HOPSCOPE_BIN").context("set HOPSCOPE_BIN, or type: cargo xtask bench broker")?;
    let mut command = Command::new(program);
    command.args(["broker", "amqp", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn()?;
    let mut lines = BufReader::new(child.stdout.take().context("no output")?).lines();
    let line = lines.next_line().await?.context("it ended at once")?;
    let address = line.rsplit_once("amqp://").context("no address")?.1.trim();
    Ok((child, address.parse().with_context(|| line.clone())?))
}

async fn turn(broker: &Broker) -> Result<Turn> {
    let (publisher, consumer) = (channel(broker).await?, channel(broker).await?);
    let transient = QueueDeclareOptions::default();
    for queue in ["bench", "bench.replies"] {
        publisher.queue_declare(queue.into(), transient, FieldTable::default()).await?;
    }
    consumer.basic_qos(256, BasicQosOptions::default()).await?;
    let mut deliveries = consume(&consumer, "bench").await?;
    publisher.confirm_select(ConfirmSelectOptions::default()).await?;
    let (began, before) = (Instant::now(), Process::new(broker.pid).cpu()?);
    let publishing = async {
        let publishes = futures_util::stream::iter(0..MESSAGES).map(|_| async {
            let confirm = publish(&publisher, "bench").await?;
            Ok::<_, anyhow::Error>(confirm.await?)
        });
        let mut confirmed = publishes.buffer_unordered(WINDOW);
        while let Some(confirm) = confirmed.next().await {
            confirm?;
        }
        Ok::<_, anyhow::Error>(())
    };
    let consuming = async {
        for _ in 0..MESSAGES {
            let delivery = deliveries.next().await.context("the consumer has ended")??;
            delivery.ack(BasicAckOptions::default()).await?;
        }
        Ok::<_, anyhow::Error>(())
    };
    tokio::try_join!(publishing, consuming)?;
    let (took, used) = (began.elapsed(), Process::new(broker.pid).cpu()? - before);
    let round = rounds(&publisher, &consumer, deliveries).await?;
    for queue in ["bench", "bench.replies"] {
        publisher.queue_delete(queue.into(), QueueDeleteOptions::default()).await?;
    }
    Ok(Turn {
        per_second: MESSAGES as f64 / took.as_secs_f64(),
        cpu_us: used.as_secs_f64() * 1e6 / MESSAGES as f64,
        round,
    })
}

/// Requests through one queue, replies through another, one after the other.
async fn rounds(client: &Channel, worker: &Channel, mut requests: Consumer) -> Result<[f64; 2]> {
    let mut replies = consume(client, "bench.replies").await?;
    let mut took = Vec::with_capacity(REQUESTS);
    for _ in 0..REQUESTS {
        let began = Instant::now();
        drop(publish(client, "bench").await?);
        let request = requests.next().await.context("the worker has ended")??;
        drop(publish(worker, "bench.replies").await?);
        request.ack(BasicAckOptions::default()).await?;
        let reply = replies.next().await.context("the client has ended")??;
        took.push(began.elapsed());
        reply.ack(BasicAckOptions::default()).await?;
    }
    took.sort_unstable();
    let at =
        |share: f64| took.get((took.len() as f64 * share) as usize).map_or(f64::NAN, |took| took.as_secs_f64() * 1e6);
    Ok([at(0.5), at(0.99)])
}

async fn channel(broker: &Broker) -> Result<Channel> {
    let url = format!("amqp://guest:guest@{}/%2f", broker.at);
    let connection = Connection::connect(&url, ConnectionProperties::default()).await?;
    Ok(connection.create_channel().await?)
}

async fn consume(channel: &Channel, queue: &str) -> Result<Consumer> {
    let options = BasicConsumeOptions::default();
    Ok(channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await?)
}

async fn publish(channel: &Channel, queue: &str) -> Result<lapin::PublisherConfirm> {
    let options = BasicPublishOptions::default();
    Ok(channel.basic_publish("".into(), queue.into(), options, &[b'x'; BODY], BasicProperties::default()).await?)
}

/// The process of the RabbitMQ that this one has started.
fn beam() -> Result<u32> {
    for entry in std::fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // It may have ended since.
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        let fields: Vec<_> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        if stat.contains("(beam.smp)") && fields.get(1) == Some(&std::process::id().to_string().as_str()) {
            return Ok(pid);
        }
    }
    bail!("no process of RabbitMQ's is found; it is looked for in /proc")
}

/// Memory of a process, MB.
fn resident(pid: u32) -> Result<f64> {
    Ok(Process::new(pid).memory()? as f64 / 1e6)
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
