//! Which broker keeps a run's queues: the one that is asked for, and what it turned out to be.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::catalogue::{Arg, Args, Key};
use crate::text;

/// A broker as a run's settings name it: a text, in documents as on the command line. A text only, so that a page brings no
/// code to take it apart: what it says was looked at by [`Broker::parse`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Broker(String);

/// What a text is that names no broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a broker is built-in, local, or an address like amqp://host:5672")]
pub struct NoBroker;

/// How addresses of brokers begin: of those of queues, and of topics.
const SCHEME: &str = "amqp://";
const OF_TOPICS: &str = "kafka://";

impl Broker {
    /// Hopscope's own, in its process.
    pub const BUILT_IN: &str = "built-in";
    /// A RabbitMQ that Hopscope starts and stops.
    pub const LOCAL: &str = "local";

    /// The broker that a text names; else it is one at an address that the operator allowed: an AMQP URI, of which a
    /// password is dropped here.
    ///
    /// # Errors
    /// When it names none.
    pub fn parse(text: &str) -> Result<Self, NoBroker> {
        match text {
            Self::BUILT_IN | Self::LOCAL => Ok(Self(text.to_owned())),
            _ => without_password(text).map(Self).ok_or(NoBroker),
        }
    }

    /// The broker of topics that a text names: librdkafka's own cluster in this process, a Kafka that Hopscope starts and stops, or
    /// one at an address that the operator allowed, of which a password is dropped here.
    #[must_use]
    pub fn of_topics(text: &str) -> Option<Self> {
        match text {
            Self::BUILT_IN | Self::LOCAL => Some(Self(text.to_owned())),
            _ => bootstrap(text).map(|bootstrap| Self(bootstrap.shown())),
        }
    }

    /// How it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is Hopscope's own.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        self.0 == Self::BUILT_IN
    }

    /// The same without a password, should someone have written one into a document.
    #[must_use]
    pub fn shown(self) -> Self {
        Self::parse(&self.0).ok().or_else(|| Self::of_topics(&self.0)).unwrap_or_default()
    }
}

impl Default for Broker {
    fn default() -> Self {
        Self(Self::BUILT_IN.to_owned())
    }
}

impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An address of a broker of topics, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bootstrap<'a> {
    /// Who we are there.
    pub user: Option<&'a str>,
    /// And what only we know: as it is, whatever it holds.
    pub password: Option<&'a str>,
    /// The hosts that are asked first, with their ports, by commas.
    pub servers: &'a str,
}

impl Bootstrap<'_> {
    /// Without its password.
    #[must_use]
    pub fn shown(&self) -> String {
        let user = self.user.map(|user| format!("{user}@")).unwrap_or_default();
        format!("{OF_TOPICS}{user}{}", self.servers)
    }
}

/// Takes an address like `kafka://me:secret@one:9092,other:9092` apart; `None` for what is none.
#[must_use]
pub fn bootstrap(address: &str) -> Option<Bootstrap<'_>> {
    let rest = address.strip_prefix(OF_TOPICS)?;
    // The last @ ends a password.
    let (who, servers) = rest.rsplit_once('@').map_or((None, rest), |(who, servers)| (Some(who), servers));
    let servers = servers.trim_end_matches('/');
    let is_host = |host: &str| !host.is_empty() && !host.starts_with(':') && !host.contains(['/', '?', '=']);
    if !rest.chars().all(|c| c.is_ascii_graphic()) || !servers.split(',').all(is_host) {
        return None;
    }
    let (user, password) =
        match who.map(|who| who.split_once(':').map_or((who, None), |(user, rest)| (user, Some(rest)))) {
            Some((user, password)) if !user.is_empty() => (Some(user), password),
            _ => (None, None),
        };
    Some(Bootstrap { user, password, servers })
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

/// The broker that a run had, where it was not Hopscope's own: `product`, `version`, and `prefix`, which the names of the run's
/// objects at it begin with. Kept as JSON, as scenarios are in plans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlanBroker(Value);

impl PlanBroker {
    /// A broker that calls itself so.
    #[must_use]
    pub fn new(product: &str, version: &str, prefix: &str) -> Self {
        Self(json!({ "product": product, "version": version, "prefix": prefix }))
    }

    /// What it calls itself, like `RabbitMQ`.
    #[must_use]
    pub fn product(&self) -> &str {
        self.said("product")
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> &str {
        self.said("version")
    }

    /// What the names of the run's objects at it begin with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.said("prefix")
    }

    fn said(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// What it is and who started it, as a text with its arguments; `asked` is what the run's settings name.
    #[must_use]
    pub fn label(&self, asked: &Broker) -> (Key, Args) {
        let local = asked.as_str() == Broker::LOCAL;
        let said = [("product", self.product()), ("version", self.version()), ("address", asked.as_str())];
        let mut args = Args::new();
        args.extend(said.into_iter().map(|(name, said)| (name.to_owned(), Arg::from(said))));
        (if local { text!("broker.local") } else { text!("broker.at") }, args)
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
            assert_eq!(Broker::parse(given).unwrap().as_str(), shown);
        }
        for none in ["", "rabbitmq", "amqps://host", "amqp://", "amqp://me@/v", "amqp://a b"] {
            assert_eq!(Broker::parse(none), Err(NoBroker), "{none}");
        }
    }

    #[test]
    fn an_address_of_topics_has_its_servers_and_no_password() {
        for (given, shown) in [
            ("kafka://host", "kafka://host"),
            ("kafka://host:9092,[::1]:9093/", "kafka://host:9092,[::1]:9093"),
            ("kafka://me:se@cr:et@host:9092", "kafka://me@host:9092"),
            ("kafka://:secret@host", "kafka://host"),
        ] {
            assert_eq!(Broker::of_topics(given).unwrap().as_str(), shown);
        }
        let whole = bootstrap("kafka://me:se@cr:et@host:9092").unwrap();
        assert_eq!((whole.user, whole.password, whole.servers), (Some("me"), Some("se@cr:et"), "host:9092"));
        for none in ["", "kafka", "kafka://", "kafka://a,,b", "kafka://a/b", "kafka://me@", "kafka://a b", "amqp://a"] {
            assert_eq!(Broker::of_topics(none), None, "{none}");
        }
        let careless: Broker = serde_json::from_str("\"kafka://me:secret@host\"").unwrap();
        assert_eq!(careless.shown().as_str(), "kafka://me@host");
    }

    #[test]
    fn a_broker_is_a_text() {
        assert!(Broker::default().is_built_in());
        for name in ["built-in", "local", "amqp://host"] {
            let broker = Broker::parse(name).unwrap();
            let text = serde_json::to_string(&broker).unwrap();
            assert_eq!(text, format!("\"{name}\""));
            assert_eq!(serde_json::from_str::<Broker>(&text).unwrap(), broker);
        }
        let careless: Broker = serde_json::from_str("\"amqp://me:secret@host\"").unwrap();
        assert_eq!(careless.shown().as_str(), "amqp://me@host");
    }
}
