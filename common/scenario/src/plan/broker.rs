//! Which broker keeps a run's queues: the one that is asked for, and what it turned out to be.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::catalogue::{Arg, Args, Key};
use crate::text;

/// A broker as a run's settings name it: a text, in documents as on the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Broker {
    /// Hopscope's own, in its process.
    #[default]
    BuiltIn,
    /// A RabbitMQ that Hopscope starts and stops.
    Local,
    /// One at an address that the operator allowed: an AMQP URI without its password.
    At(String),
}

/// What a text is that names no broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a broker is built-in, local, or an address like amqp://host:5672")]
pub struct NoBroker;

/// How addresses of brokers begin.
const SCHEME: &str = "amqp://";

impl Broker {
    /// How [`Broker::BuiltIn`] is written.
    pub const BUILT_IN: &str = "built-in";
    /// How [`Broker::Local`] is written.
    pub const LOCAL: &str = "local";

    /// The broker that a text names; a password in it is dropped.
    ///
    /// # Errors
    /// When it names none.
    pub fn parse(text: &str) -> Result<Self, NoBroker> {
        match text {
            Self::BUILT_IN => Ok(Self::BuiltIn),
            Self::LOCAL => Ok(Self::Local),
            _ => without_password(text).map(Self::At).ok_or(NoBroker),
        }
    }

    /// Whether it is Hopscope's own.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        *self == Self::BuiltIn
    }
}

impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BuiltIn => Self::BUILT_IN,
            Self::Local => Self::LOCAL,
            Self::At(address) => address,
        })
    }
}

impl TryFrom<String> for Broker {
    type Error = NoBroker;

    fn try_from(text: String) -> Result<Self, NoBroker> {
        Self::parse(&text)
    }
}

impl From<Broker> for String {
    fn from(broker: Broker) -> Self {
        broker.to_string()
    }
}

/// An AMQP URI as it may be shown: its user stays, its password does not. `None` for what is no such URI.
#[must_use]
pub fn without_password(uri: &str) -> Option<String> {
    let rest = uri.strip_prefix(SCHEME)?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    // A password may hold anything but these; the last @ ends it.
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    let plain = |c: char| c.is_ascii_graphic();
    if host.is_empty() || !rest.chars().all(plain) {
        return None;
    }
    let path = path.split_once('?').map_or(path, |(path, _)| path).trim_end_matches('/');
    let user = user.map(|user| user.split_once(':').map_or(user, |(name, _)| name)).filter(|user| !user.is_empty());
    Some(format!("{SCHEME}{}{host}{path}", user.map(|user| format!("{user}@")).unwrap_or_default()))
}

/// The broker that a run had, where it was not Hopscope's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanBroker {
    /// What it calls itself, like `RabbitMQ`.
    pub product: String,
    /// Its version.
    pub version: String,
    /// What the names of the run's objects at it begin with.
    pub prefix: String,
}

impl PlanBroker {
    /// What it is and who started it, as a text with its arguments; `asked` is what the run's settings name.
    #[must_use]
    pub fn label(&self, asked: &Broker) -> (Key, Args) {
        let mut args = Args::new();
        args.insert("product".to_owned(), Arg::from(self.product.clone()));
        args.insert("version".to_owned(), Arg::from(self.version.clone()));
        let key = match asked {
            Broker::At(address) => {
                args.insert("address".to_owned(), Arg::from(address.clone()));
                text!("broker.at")
            }
            Broker::Local | Broker::BuiltIn => text!("broker.local"),
        };
        (key, args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_dropped_wherever_it_stands() {
        for (given, shown) in [
            ("amqp://host", "amqp://host"),
            ("amqp://host/", "amqp://host"),
            ("amqp://me:secret@host:5672/%2f", "amqp://me@host:5672/%2f"),
            ("amqp://me:se@cr:et@host/v?heartbeat=1", "amqp://me@host/v"),
            ("amqp://:secret@host", "amqp://host"),
        ] {
            assert_eq!(without_password(given).as_deref(), Some(shown));
            assert_eq!(Broker::parse(given), Ok(Broker::At(shown.to_owned())));
        }
        for none in ["", "rabbitmq", "amqps://host", "amqp://", "amqp://me@/v", "amqp://a b"] {
            assert_eq!(Broker::parse(none), Err(NoBroker), "{none}");
        }
    }

    #[test]
    fn a_broker_is_a_text() {
        for broker in [Broker::BuiltIn, Broker::Local, Broker::At("amqp://host".to_owned())] {
            let text = serde_json::to_string(&broker).unwrap();
            assert_eq!(serde_json::from_str::<Broker>(&text).unwrap(), broker);
        }
        assert!(serde_json::from_str::<Broker>("\"kafka\"").is_err());
    }
}
