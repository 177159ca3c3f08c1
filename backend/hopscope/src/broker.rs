//! `hopscope broker`: the built-in broker on its own, and those that are not ours: their installation, what there is, starting and
//! stopping.

mod kept;

use std::net::SocketAddr;

use anyhow::{Context, Result, anyhow, bail};
use hopscope_scenario::text;
use hopscope_server::broker::{KafkaInstalling, install_kafka};
use hopscope_server::standalone::{Settings, User, serve};

use crate::exit::Exit;
use crate::listening::listen;
use crate::say::{answer, note, say, word};
use crate::signals::Interrupts;

/// Passwords in the environment, since everyone may read a command line.
const PASSWORDS: &str = "HOPSCOPE_BROKER_PASSWORDS";

/// Arguments of `hopscope broker`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Run the built-in broker: AMQP 0-9-1, for clients that know RabbitMQ
    ///
    /// Everything is in memory: durable queues and exchanges are accepted, and live as long as this process.
    Amqp(Amqp),
    /// Install a broker that Hopscope can start for itself, or make sure that it is whole
    Install(Install),
    /// List the brokers that runs of a server may have: what each is, where, and how it is
    List(kept::List),
    /// Have a server start a broker, so that the first run need not wait for it
    Start(kept::One),
    /// Have a server stop a broker that it has started
    Stop(kept::One),
    /// Start each broker that Hopscope can start, stop it again, and say what is missing
    Doctor,
}

/// Arguments of `hopscope broker install`.
#[derive(clap::Args)]
struct Install {
    /// Which: Apache Kafka, fetched by Maven into the folder of Hopscope's tools, or into the one that HOPSCOPE_KAFKA names
    #[arg(value_enum)]
    broker: Installable,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Installable {
    Kafka,
}

/// Arguments of `hopscope broker amqp`.
#[derive(clap::Args)]
struct Amqp {
    /// Loopback address and port to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:5672", value_name = "ADDR")]
    listen: SocketAddr,

    /// Loopback address and port that tells over HTTP what the broker has, as JSON: queues, exchanges, bindings, connections
    #[arg(long, value_name = "ADDR")]
    admin: Option<SocketAddr>,

    /// Another virtual host beside /; may be given several times
    #[arg(long = "vhost", value_name = "NAME")]
    virtual_hosts: Vec<String>,

    /// A user who may connect, with a password from HOPSCOPE_BROKER_PASSWORDS, which has NAME:PASSWORD of each, separated by
    /// spaces; may be given several times. Without it, guest with password guest
    #[arg(long = "user", value_name = "NAME")]
    users: Vec<String>,

    /// Most memory that messages may take, MiB; beyond it publishers wait until consumers have made room
    #[arg(long = "memory", value_name = "MIB", default_value_t = 1_024, value_parser = clap::value_parser!(u32).range(1..))]
    memory_mib: u32,
}

/// Does what was asked for.
///
/// # Errors
/// When the broker cannot serve, or cannot be installed.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    match &arguments.what {
        What::Amqp(arguments) => alone(arguments),
        What::Install(Install { broker: Installable::Kafka }) => install(),
        What::List(arguments) => kept::list(arguments),
        What::Start(arguments) => kept::start(arguments),
        What::Stop(arguments) => kept::stop(arguments),
        What::Doctor => kept::doctor(),
    }
}

/// Installs Kafka and tells where it is.
fn install() -> Result<Exit> {
    let runtime = tokio::runtime::Runtime::new().with_context(|| word(text!("cli.error.runtime")))?;
    let installed = runtime.block_on(install_kafka(|step| told(step).iter().for_each(|line| note(line))))?;
    let args = [("version", installed.version), ("folder", installed.folder.display().to_string())];
    answer(&say(text!("cli.install.done"), args))?;
    Ok(Exit::Fine)
}

/// How far an installation has come, in words, where that is worth a line.
fn told(step: KafkaInstalling) -> Option<String> {
    Some(match step {
        KafkaInstalling::Replaces(reason) => say(text!("cli.install.replaces"), [("reason", reason)]),
        KafkaInstalling::Begins { version, folder } => {
            let args = [("version", version.to_owned()), ("folder", folder.display().to_string())];
            say(text!("cli.install.begins"), args)
        }
        KafkaInstalling::Fetches { bytes: 0 } => word(text!("cli.install.fetches")),
        KafkaInstalling::Fetches { .. } => return None,
        KafkaInstalling::Archives => word(text!("cli.install.archives")),
        KafkaInstalling::NoArchive => word(text!("cli.install.no-archive")),
    })
}

/// Serves until Ctrl-C or SIGTERM.
fn alone(arguments: &Amqp) -> Result<Exit> {
    let addresses = [("--listen", Some(arguments.listen)), ("--admin", arguments.admin)];
    for (option, address) in addresses {
        if let Some(address) = address.filter(|address| !address.ip().is_loopback()) {
            let args = [("option", option.to_owned()), ("address", address.to_string())];
            note(&say(text!("cli.error.listen.not-loopback"), args));
            return Ok(Exit::Usage);
        }
    }
    let users = users(&arguments.users, &std::env::var(PASSWORDS).unwrap_or_default())?;
    let memory_max = usize::try_from(arguments.memory_mib)?.saturating_mul(1 << 20);
    let settings = Settings { users, virtual_hosts: arguments.virtual_hosts.clone(), memory_max };
    let runtime = tokio::runtime::Runtime::new().with_context(|| word(text!("cli.error.runtime")))?;
    runtime.block_on(run_amqp(arguments, settings))?;
    Ok(Exit::Fine)
}

async fn run_amqp(arguments: &Amqp, settings: Settings) -> Result<()> {
    let mut interrupts = Interrupts::listen()?;
    let (listener, address) = listen("--listen", arguments.listen).await?;
    let administration = match arguments.admin {
        Some(admin) => Some(listen("--admin", admin).await?),
        None => None,
    };
    let amqp = ("address", address.to_string());
    answer(&match &administration {
        Some((_, admin)) => say(text!("cli.broker.alone.admin"), [amqp, ("admin", admin.to_string())]),
        None => say(text!("cli.broker.alone"), [amqp]),
    })?;
    let administration = administration.map(|(listener, _)| listener);
    let shutdown = async move { interrupts.next().await };
    Ok(serve(listener, administration, settings, shutdown).await?)
}

/// The named users with their passwords. What is wrong with the variable is told without what is in it.
fn users(names: &[String], passwords: &str) -> Result<Vec<User>> {
    if names.is_empty() {
        return Ok(vec![User::guest()]);
    }
    let mut known = Vec::new();
    for entry in passwords.split_whitespace() {
        match entry.split_once(':') {
            Some((name, password)) if !name.is_empty() && !password.is_empty() => known.push((name, password)),
            _ => bail!(say(text!("cli.error.bad-passwords"), [("variable", PASSWORDS.to_owned())])),
        }
    }
    let of = |name: &String| {
        let found = known.iter().find(|(other, _)| other == name);
        found.map(|(name, password)| User::new(name, password)).ok_or_else(|| {
            let args = [("name", name.clone()), ("variable", PASSWORDS.to_owned())];
            anyhow!(say(text!("cli.error.no-password"), args))
        })
    };
    names.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_have_their_passwords_from_the_environment() {
        let named = |names: &[&str], passwords: &str| {
            users(&names.iter().map(ToString::to_string).collect::<Vec<_>>(), passwords)
        };
        assert_eq!(named(&[], "ann:one").unwrap(), [User::guest()]);
        let both = named(&["bob", "ann"], " ann:one  bob:t:wo\n").unwrap();
        assert_eq!(both, [User::new("bob", "t:wo"), User::new("ann", "one")]);
        for (name, passwords) in [("ann", ""), ("ann", "bob:two"), ("ann", "ann:"), ("ann", "secret"), ("", ":secret")]
        {
            let told = named(&[name], passwords).unwrap_err().to_string();
            assert!(told.contains(PASSWORDS) && !told.contains("secret"), "{told}");
        }
    }
}
