//! A broker's address that the operator allows: known to runs and shown without its password.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use hopscope_scenario::plan::{bootstrap, without_password};
use hopscope_scenario::protocol::Protocol;
use lapin::uri::{AMQPScheme, AMQPUri};

use crate::transport::messaging::BrokerAddress;

/// Where a Kafka listens that nobody told otherwise.
const KAFKA_PORT: u16 = 9_092;

/// An address that runs may use.
#[derive(Clone)]
pub struct Allowed {
    protocol: Protocol,
    uri: Arc<str>,
    shown: Arc<str>,
    host: Arc<str>,
    port: u16,
}

/// Why a text is no address of a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAddress {
    /// Not of the form.
    #[error(
        "not an address of a broker; write one like amqp://user:password@host:5672/vhost, or of topics like \
         kafka://host:9092,other:9092"
    )]
    Malformed,
    /// With TLS.
    #[error("amqps is not supported; write an address that begins with amqp://")]
    Tls,
}

impl Allowed {
    /// What is spoken there.
    pub(super) fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// As it may be shown, and as runs name it.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    pub(super) fn address(&self) -> BrokerAddress {
        BrokerAddress::new(Arc::clone(&self.uri), Arc::clone(&self.shown))
    }

    pub(super) fn host(&self) -> (&str, u16) {
        (&self.host, self.port)
    }
}

impl FromStr for Allowed {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        if text.starts_with("kafka:") {
            return of_topics(text).ok_or(NotAnAddress::Malformed);
        }
        let uri: AMQPUri = text.parse().map_err(|_| NotAnAddress::Malformed)?;
        if uri.scheme == AMQPScheme::AMQPS {
            return Err(NotAnAddress::Tls);
        }
        let shown = without_password(text).ok_or(NotAnAddress::Malformed)?;
        let (host, port) = (uri.authority.host.into(), uri.authority.port);
        Ok(Self { protocol: Protocol::Amqp, uri: text.into(), shown: shown.into(), host, port })
    }
}

/// An address of topics: its servers, and a line for each thing that its clients have to know ([`BrokerAddress`]).
fn of_topics(text: &str) -> Option<Allowed> {
    let address = bootstrap(text)?;
    let first = address.servers.split(',').next()?;
    let (host, port) = match first.rsplit_once(':').filter(|(host, _)| !host.ends_with(':')) {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (first, KAFKA_PORT),
    };
    let who = address.user.map(|user| {
        let password = address.password.unwrap_or_default();
        format!(
            "\nsecurity.protocol=sasl_plaintext\nsasl.mechanisms=PLAIN\nsasl.username={user}\nsasl.password={password}"
        )
    });
    let uri = format!("{}{}", address.servers, who.unwrap_or_default());
    let host = host.trim_matches(['[', ']']).into();
    Some(Allowed { protocol: Protocol::Kafka, uri: uri.into(), shown: address.shown().into(), host, port })
}

impl fmt::Debug for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Allowed").field(&self.shown).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_in_no_debug_text() {
        let allowed: Allowed = "amqp://me:secret@broker.lab:5673/orders".parse().unwrap();
        assert_eq!(allowed.shown(), "amqp://me@broker.lab:5673/orders");
        assert_eq!(allowed.host(), ("broker.lab", 5673));
        assert!(!format!("{allowed:?} {:?}", allowed.address()).contains("secret"));
        assert!(allowed.address().with_password().contains("secret"));
        let topics: Allowed = "kafka://me:secret@broker.lab:9093,other.lab".parse().unwrap();
        assert_eq!((topics.shown(), topics.host()), ("kafka://me@broker.lab:9093,other.lab", ("broker.lab", 9093)));
        assert!(!format!("{topics:?} {:?}", topics.address()).contains("secret"));
        assert!(topics.address().with_password().starts_with("broker.lab:9093,other.lab\nsecurity.protocol="));
        let other: Allowed = "kafka://[::1]".parse().unwrap();
        assert_eq!((other.host(), other.address().with_password()), (("::1", 9092), "[::1]"));
        assert_eq!("kafka://host:none".parse::<Allowed>().unwrap_err(), NotAnAddress::Malformed);
        assert_eq!("amqps://host".parse::<Allowed>().unwrap_err(), NotAnAddress::Tls);
        assert_eq!("http://host".parse::<Allowed>().unwrap_err(), NotAnAddress::Malformed);
    }
}
