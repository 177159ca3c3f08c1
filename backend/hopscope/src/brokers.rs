//! The brokers that runs may have, as arguments and environment name them.

use anyhow::{Result, anyhow};
use hopscope_scenario::text;
use hopscope_server::broker::{Allowed, Brokers};
use hopscope_server::targets::Target;

use crate::say::say;

/// Addresses in the environment, since everyone may read a command line and the password in it.
const ALLOWED: &str = "HOPSCOPE_ALLOW_BROKER";

/// Which brokers are allowed.
#[derive(Clone, clap::Args)]
pub(crate) struct Allow {
    /// Address of a broker that runs may use, like amqp://user:password@host:5672/vhost; may be given several times. With a
    /// password better in HOPSCOPE_ALLOW_BROKER, several separated by spaces
    #[arg(long = "allow-broker", value_name = "URL")]
    urls: Vec<Allowed>,

    /// Address of a program that runs may call, by the name of the external service that stands for it, like
    /// payments=127.0.0.1:50051; may be given several times
    #[arg(long = "allow-target", value_name = "NAME=HOST:PORT")]
    targets: Vec<Target>,
}

impl Allow {
    /// The brokers.
    ///
    /// # Errors
    /// When the environment names what is no address.
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
        Ok(Brokers::new(allowed).calling(self.targets.iter().cloned().collect()))
    }
}
