//! The brokers that runs may have, as arguments and environment name them.

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use hopscope_scenario::text;
use hopscope_server::broker::{Allowed, Brokers, KafkaClient, NotASetting};
use hopscope_server::targets::Target;

use crate::say::say;

/// Addresses in the environment, since everyone may read a command line and the password in it.
const ALLOWED: &str = "HOPSCOPE_ALLOW_BROKER";

/// The file that says how those of topics are spoken to.
const CLIENT: &str = "HOPSCOPE_KAFKA_CLIENT";

/// Which brokers are allowed.
#[derive(Clone, clap::Args)]
pub(crate) struct Allow {
    /// Address of a broker that runs may use, like amqp://user:password@host:5672/vhost, or of topics like
    /// kafka://host:9092,other:9092; may be given several times. With a password better in HOPSCOPE_ALLOW_BROKER, several separated
    /// by spaces
    #[arg(long = "allow-broker", value_name = "URL")]
    urls: Vec<Allowed>,

    /// Address of a program that runs may call, by the name of the external service that stands for it, like
    /// payments=127.0.0.1:50051; may be given several times
    #[arg(long = "allow-target", value_name = "NAME=HOST:PORT")]
    targets: Vec<Target>,

    /// File that says how allowed brokers of topics are spoken to: librdkafka's properties security.protocol, sasl.*, ssl.* and
    /// group.protocol, a line each, like sasl.username=me [default: the file that HOPSCOPE_KAFKA_CLIENT names, if it is set]
    #[arg(long, value_name = "FILE")]
    kafka_client: Option<PathBuf>,
}

impl Allow {
    /// The brokers.
    ///
    /// # Errors
    /// When the environment names what is no address, or the file of clients says what it cannot.
    pub(crate) fn brokers(&self) -> Result<Brokers> {
        let mut allowed = self.urls.clone();
        for text in std::env::var(ALLOWED).unwrap_or_default().split_whitespace() {
            // What is wrong with it is told without it: it may hold a password.
            let address = text.parse::<Allowed>();
            allowed.push(address.map_err(|fault| {
                anyhow!(say(
                    text!("cli.error.bad-broker"),
                    [("name", ALLOWED.to_owned()), ("reason", fault.to_string())]
                ))
            })?);
        }
        let targets = self.targets.iter().cloned().collect();
        Ok(Brokers::new(allowed).with_client(self.client()?).calling(targets))
    }

    fn client(&self) -> Result<KafkaClient> {
        let named = std::env::var_os(CLIENT).map(PathBuf::from);
        let Some(file) = self.kafka_client.clone().or(named) else { return Ok(KafkaClient::default()) };
        let told = |reason: String| {
            anyhow!(say(text!("cli.error.bad-broker"), [("name", file.display().to_string()), ("reason", reason)]))
        };
        let text = std::fs::read_to_string(&file).map_err(|error| told(error.to_string()))?;
        text.parse().map_err(|fault: NotASetting| told(fault.to_string()))
    }
}
