//! `hopscope broker list`, `start` and `stop`, which ask a server that runs, and `doctor`, which tries what is on this machine.

use anyhow::{Context, Result, anyhow};
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::plan::Broker;
use hopscope_scenario::protocol::Protocol;
use hopscope_scenario::quantity::Time;
use hopscope_scenario::text;
use hopscope_server::broker::{BrokerStatus, Brokers, verify_kafka};
use hopscope_server::client::{get, post};
use serde_json::Value;

use crate::control::{address, refusals};
use crate::exit::Exit;
use crate::say::{answer, note, say, word};
use crate::serve;

/// The server that is asked.
#[derive(clap::Args)]
pub(super) struct Server {
    /// The server's address
    #[arg(long, value_name = "HOST:PORT", default_value = serve::ADDRESS)]
    server: String,
}

/// Arguments of `hopscope broker list`.
#[derive(clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    server: Server,

    /// Print JSON, as GET /api/brokers answers
    #[arg(long)]
    json: bool,
}

/// Arguments of `hopscope broker start` and `stop`.
#[derive(clap::Args)]
pub(super) struct One {
    /// Which
    #[arg(value_enum)]
    broker: Startable,

    #[command(flatten)]
    server: Server,
}

/// A broker that Hopscope starts.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Startable {
    Rabbitmq,
    Kafka,
}

impl Startable {
    const fn product(self) -> &'static str {
        match self {
            Self::Rabbitmq => "RabbitMQ",
            Self::Kafka => "Kafka",
        }
    }

    const fn protocol(self) -> Protocol {
        match self {
            Self::Rabbitmq => Protocol::Amqp,
            Self::Kafka => Protocol::Kafka,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Rabbitmq => "RabbitMQ",
            Self::Kafka => "Kafka",
        }
    }
}

/// Tells what brokers there are: those of a server, or where none answers, those that runs of the command line may have.
///
/// # Errors
/// When standard output cannot be written.
pub(super) fn list(arguments: &List) -> Result<Exit> {
    let Server { server } = &arguments.server;
    let asked = runtime()?.block_on(async { get(address(server).await?, "/api/brokers").await });
    let found = match asked {
        Ok((status, body)) if status.is_success() => serde_json::from_slice(&body)?,
        Ok((_, body)) => return Ok(refused(&body)),
        Err(_) => {
            note(&say(text!("cli.brokers.no-server"), [("server", server.clone())]));
            serde_json::to_value(Brokers::default().statuses())?
        }
    };
    if arguments.json {
        answer(&serde_json::to_string_pretty(&found)?)?;
        return Ok(Exit::Fine);
    }
    for status in found.as_array().into_iter().flatten() {
        answer(&line(status))?;
    }
    Ok(Exit::Fine)
}

/// Has a server start a broker.
///
/// # Errors
/// When no server answers.
pub(super) fn start(arguments: &One) -> Result<Exit> {
    note(&say(text!("cli.broker.starting"), [("product", arguments.broker.product().to_owned())]));
    told_to(arguments, "start")
}

/// Has a server stop a broker.
///
/// # Errors
/// When no server answers.
pub(super) fn stop(arguments: &One) -> Result<Exit> {
    told_to(arguments, "stop")
}

fn told_to(One { broker, server: Server { server } }: &One, what: &str) -> Result<Exit> {
    let path = format!("/api/brokers/{}/{what}", broker.protocol().descriptor().id);
    let asked = runtime()?.block_on(async { post(address(server).await?, &path, String::new()).await });
    let (status, body) = asked.map_err(|error| {
        anyhow!(error.to_string()).context(say(text!("cli.control.no-server"), [("server", server.clone())]))
    })?;
    if !status.is_success() {
        return Ok(refused(&body));
    }
    answer(&line(&serde_json::from_slice(&body)?))?;
    Ok(Exit::Fine)
}

/// Says why a server did not do it.
fn refused(body: &[u8]) -> Exit {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    refusals(&body).iter().for_each(|line| note(line));
    Exit::Environment
}

/// A broker in a line, and what is wrong with it in another.
fn line(status: &Value) -> String {
    let text = |name: &str| status.get(name).and_then(Value::as_str);
    let number = |name: &str| status.get(name).and_then(Value::as_u64);
    let product = [text("product"), text("version")].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let mut told =
        vec![format!("{:<6} {:<10}", text("protocol").unwrap_or_default(), text("broker").unwrap_or_default())];
    told.push(if product.is_empty() { "–".to_owned() } else { product });
    told.push(text("state").map_or_else(String::new, |state| word(state_named(state))));
    told.extend(text("address").map(str::to_owned));
    told.extend(
        number("started_ms")
            .map(|ms| say(text!("cli.brokers.took"), [("time", Time(ms.saturating_mul(1_000_000)).to_string())])),
    );
    told.extend(number("memory_bytes").map(|bytes| format!("{} MB", bytes / 1_000_000)));
    let told = told.join("  ");
    text("problem").map_or_else(|| told.clone(), |problem| format!("{told}\n       {problem}"))
}

fn state_named(state: &str) -> Key {
    match state {
        "ready" => text!("cli.brokers.ready"),
        "starting" => text!("cli.brokers.starting"),
        "stopped" => text!("cli.brokers.stopped"),
        "failed" => text!("cli.brokers.failed"),
        "not-installed" => text!("cli.brokers.not-installed"),
        "installing" => text!("cli.brokers.installing"),
        _ => text!("cli.brokers.allowed"),
    }
}

/// Starts every broker that Hopscope can start, and stops it again; says of each whether that went well, and what is missing.
///
/// # Errors
/// When standard output cannot be written.
pub(super) fn doctor() -> Result<Exit> {
    let runtime = runtime()?;
    let brokers = Brokers::default();
    let mut ill = false;
    for broker in [Startable::Rabbitmq, Startable::Kafka] {
        let tried = match broker {
            Startable::Kafka => verify_kafka().map_err(|damage| damage.to_string()),
            Startable::Rabbitmq => Ok(()),
        };
        let tried = tried.and_then(|()| {
            let started = runtime.block_on(brokers.start_local(broker.protocol()));
            started.map_err(|error| error.to_string())
        });
        ill |= tried.is_err();
        match tried {
            Ok(()) => {
                let found = brokers.statuses().into_iter().find(|status| is_local(status, broker));
                let found = serde_json::to_value(found.context("it has gone")?)?;
                answer(&say(text!("cli.doctor.well"), [("line", line(&found))]))?;
            }
            Err(problem) => {
                let args = [("name", broker.name().to_owned()), ("problem", problem)];
                answer(&say(text!("cli.doctor.ill"), args))?;
            }
        }
    }
    runtime.block_on(brokers.stop());
    note(&word(if ill { text!("cli.doctor.meanwhile") } else { text!("cli.doctor.done") }));
    Ok(if ill { Exit::Environment } else { Exit::Fine })
}

fn is_local(status: &BrokerStatus, broker: Startable) -> bool {
    status.protocol == broker.protocol().descriptor().id && status.broker == Broker::LOCAL
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Runtime::new().with_context(|| word(text!("cli.error.runtime")))
}
