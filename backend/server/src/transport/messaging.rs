//! The seam to protocols that carry messages through a broker's queues or topics: one folder per protocol, and the one list of them.
//!
//! As with calls, such a transport has no policy and stamps nothing but its connections. What it is told on the way it
//! tells [`Progress`](super::Progress), what arrives goes through an [`Intake`], and what the broker itself does is stamped
//! by the broker, where it is ours.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use hopscope_record::{PlaceIndex, SourceId};
use hopscope_scenario::model::AckTime;
use hopscope_scenario::protocol::Protocol;

use super::account::Account;
use super::amqp::Amqp;
use super::kafka::Kafka;
pub use super::kafka::Transactions;
pub use super::stream::Stream;
use super::{BoxFuture, Caller, Intake, Options, TransportError};
use crate::record::Recorder;

/// Every transport of messages, in the order of the descriptors.
pub static MESSAGING: &[&dyn Messaging] = &[&Amqp, &Kafka];

/// The transport of a protocol of messages.
#[must_use]
pub fn messaging(protocol: Protocol) -> Option<&'static dyn Messaging> {
    MESSAGING.iter().copied().find(|transport| transport.protocol() == protocol)
}

/// One protocol that carries messages through queues or topics.
pub trait Messaging: Send + Sync {
    /// Which one.
    fn protocol(&self) -> Protocol;

    /// Opens the publishing end of a link, its connection ready. An attempt there is over when the broker has confirmed or
    /// refused the message, or, where replies are awaited, when the reply is there. `recorder` stamps at the publisher's
    /// place, on that link.
    ///
    /// # Errors
    /// When the broker cannot be reached or does not let us in.
    fn publisher(
        &self,
        outbound: Outbound,
        recorder: Recorder,
    ) -> BoxFuture<'static, Result<Arc<dyn Caller>, TransportError>>;

    /// Begins to take from a queue; what arrives goes through `intake`.
    ///
    /// # Errors
    /// As [`Messaging::publisher`].
    fn consumer(
        &self,
        inbound: Inbound,
        intake: Intake,
    ) -> BoxFuture<'static, Result<Box<dyn Consumer>, TransportError>>;
}

/// The end of a link that takes from a queue. Dropping it closes it without waiting.
pub trait Consumer: Send + Sync {
    /// Takes nothing more and ends the connection, so that what was not settled goes back to its queue; resolves when
    /// nothing of it is left.
    fn close(&self) -> BoxFuture<'_, ()>;

    /// As if the program had died: its connection is reset. Resolves when nothing of it is left.
    fn reset(&self) -> BoxFuture<'_, ()> {
        self.close()
    }

    /// Resolves when it has lost its connection; not when this end closes it.
    fn lost(&self) -> BoxFuture<'_, ()>;
}

/// Where a broker is reached: a URI, which may hold a password and is shown without it; of a broker of topics its servers and, each on
/// a line of its own, what else its clients have to know.
#[derive(Clone)]
pub struct BrokerAddress {
    uri: Arc<str>,
    shown: Arc<str>,
}

impl BrokerAddress {
    /// The broker at `uri`, which messages call `shown`.
    #[must_use]
    pub fn new(uri: impl Into<Arc<str>>, shown: impl Into<Arc<str>>) -> Self {
        Self { uri: uri.into(), shown: shown.into() }
    }

    /// The same broker, reached by another socket: through what lies between.
    #[must_use]
    pub fn over(&self, socket: SocketAddr) -> Self {
        let Some((scheme, rest)) = self.uri.split_once("://") else { return self.clone() };
        let (authority, path) = rest.split_once('/').map_or((rest, None), |(authority, path)| (authority, Some(path)));
        let user = authority.rsplit_once('@').map_or(String::new(), |(user, _)| format!("{user}@"));
        let path = path.map_or(String::new(), |path| format!("/{path}"));
        Self::new(format!("{scheme}://{user}{socket}{path}"), Arc::clone(&self.shown))
    }

    /// The whole URI, password included; never to be shown.
    #[must_use]
    pub fn with_password(&self) -> &str {
        &self.uri
    }
}

impl fmt::Display for BrokerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for BrokerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BrokerAddress").field(&self.shown).finish()
    }
}

/// The publishing end of a link.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// The broker.
    pub broker: BrokerAddress,
    /// The queue or the topic that messages are for; where they go through an exchange, their routing key.
    pub queue: Arc<str>,
    /// The exchange that they go through, if it is not the one that every queue is bound to by its name.
    pub via: Option<Via>,
    /// What the link says to its protocol alone.
    pub options: Options,
    /// Whether its messages are to outlive the broker.
    pub persistent: bool,
    /// How replies come back; none are awaited without it.
    pub replies: Option<RepliesFrom>,
    /// Where copies are counted that the run takes again, if the broker stamps nothing.
    pub account: Option<Account>,
    /// How many copies of a message these are.
    pub copies: u32,
    /// What it publishes in, where its replica reads in transactions.
    pub transactions: Option<Transactions>,
}

/// An exchange that messages go through.
#[derive(Clone, Debug)]
pub struct Via {
    /// Its name at the broker.
    pub exchange: Arc<str>,
    /// The headers that they have for it.
    pub headers: Arc<[(String, String)]>,
}

/// How replies come back to a publisher.
#[derive(Clone, Debug)]
pub struct RepliesFrom {
    /// The queue that they come through; this publisher alone takes from it.
    pub queue: Arc<str>,
    /// The source of the deliveries from it.
    pub source: SourceId,
    /// Stamps at the publisher's place, on the link that they come back over.
    pub recorder: Recorder,
    /// Where copies are counted, if the broker stamps nothing.
    pub account: Option<Account>,
}

/// The end of a link that takes from a queue.
#[derive(Clone, Debug)]
pub struct Inbound {
    /// The broker.
    pub broker: BrokerAddress,
    /// The queue or the topic.
    pub queue: Arc<str>,
    /// What the link says to its protocol alone.
    pub options: Options,
    /// The group that it reads as a member of, where it reads a topic.
    pub group: Option<Group>,
    /// The source of its deliveries.
    pub source: SourceId,
    /// What the names of the run's queues begin with at this broker.
    pub prefix: Arc<str>,
    /// How many deliveries it may hold unsettled.
    pub prefetch: u16,
    /// When it settles them.
    pub ack: AckTime,
    /// Where copies are counted, if the broker stamps nothing; what is sent to settle them is then stamped here.
    pub account: Option<Account>,
    /// What it takes in, where its link says so.
    pub transactions: Option<Transactions>,
    /// How far it has come, where it reads a stream.
    pub stream: Option<Stream>,
}

/// A group that reads a topic, and a member of it.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name at the broker.
    pub name: Arc<str>,
    /// Its place in partition 0; those in the others follow it.
    pub first_place: PlaceIndex,
    /// How many there are.
    pub partitions: u16,
    /// Which member this is, from 1.
    pub member: u32,
    /// How many members it has.
    pub members: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_socket_leaves_the_rest_of_a_uri() {
        let over = |uri: &str| {
            let address = BrokerAddress::new(uri, "shown").over("127.0.0.1:7".parse().unwrap());
            assert_eq!(address.to_string(), "shown");
            address.with_password().to_owned()
        };
        assert_eq!(over("amqp://guest:guest@127.0.0.1:5672/%2f"), "amqp://guest:guest@127.0.0.1:7/%2f");
        assert_eq!(over("amqp://localhost"), "amqp://127.0.0.1:7");
    }
}
