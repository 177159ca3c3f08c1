//! A broker's address that the operator allows: known to runs and shown without its password.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use hopscope_scenario::plan::without_password;
use lapin::uri::{AMQPScheme, AMQPUri};

use crate::transport::messaging::BrokerAddress;

/// An address that runs may use.
#[derive(Clone)]
pub struct Allowed {
    uri: Arc<str>,
    shown: Arc<str>,
    host: Arc<str>,
    port: u16,
}

/// Why a text is no address of a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAddress {
    /// Not of the form.
    #[error("not an address of a broker; write one like amqp://user:password@host:5672/vhost")]
    Malformed,
    /// With TLS.
    #[error("amqps is not supported; write an address that begins with amqp://")]
    Tls,
}

impl Allowed {
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
        let uri: AMQPUri = text.parse().map_err(|_| NotAnAddress::Malformed)?;
        if uri.scheme == AMQPScheme::AMQPS {
            return Err(NotAnAddress::Tls);
        }
        let shown = without_password(text).ok_or(NotAnAddress::Malformed)?;
        Ok(Self { uri: text.into(), shown: shown.into(), host: uri.authority.host.into(), port: uri.authority.port })
    }
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
        assert_eq!("amqps://host".parse::<Allowed>().unwrap_err(), NotAnAddress::Tls);
        assert_eq!("http://host".parse::<Allowed>().unwrap_err(), NotAnAddress::Malformed);
    }
}
