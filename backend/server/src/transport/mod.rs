//! The seam between a run and the protocols: one folder per protocol, each of which carries one attempt, and the one list
//! of them.
//!
//! A transport binds and connects, carries a body with its identity there and a reply back, and says what became of it.
//! It has no policy (no time limit, no retry, no choice of replica), never sees the scenario, and stamps nothing but its
//! connections: attempts are stamped by [`crate::link`], what arrives by [`Door`], in the same way for every protocol.

mod account;
mod amqp;
mod body;
mod carriage;
mod carried;
mod door;
mod grpc;
mod http1;
mod in_process;
mod intake;
mod kafka;
pub mod messaging;
mod options;
mod over_socket;
mod pool;
mod progress;
mod socket;
mod stream;
mod thrift;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use hopscope_record::kind::Position;
use hopscope_scenario::protocol::Protocol;

use crate::record::Recorder;
use messaging::BrokerAddress;

pub use hopscope_record::trace_context::Identity;

pub use account::Account;
pub use body::Body;
pub use carried::Carried;
pub use door::{Admitted, Begin, Door, Handler, Request};
pub use grpc::Grpc;
pub use http1::Http1;
pub use in_process::{InProcess, InProcessAddress};
pub use intake::{Intake, ReplyTo};
pub use kafka::Kafka;
pub(crate) use kafka::{LARGEST as LARGEST_RECORD, config as kafka_config};
pub use options::Options;
pub use progress::Progress;
pub use thrift::Thrift;

pub use amqp::Amqp;
pub(crate) use amqp::{claimed, served_by, source_of};
pub(crate) use socket::{Socket, accept, bind};

/// A future behind the seam.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Every transport of calls, in the order of the descriptors.
pub static TRANSPORTS: &[&dyn Transport] = &[&Http1, &Grpc, &Thrift, &InProcess];

/// The transport of a protocol of calls.
#[must_use]
pub fn of(protocol: Protocol) -> Option<&'static dyn Transport> {
    TRANSPORTS.iter().copied().find(|transport| transport.protocol() == protocol)
}

/// One protocol.
pub trait Transport: Send + Sync {
    /// Which one.
    fn protocol(&self) -> Protocol;

    /// Opens the receiving end: what arrives there goes through `door`.
    ///
    /// # Errors
    /// When no address can be had.
    fn bind(&self, door: Door) -> BoxFuture<'static, Result<Box<dyn Endpoint>, TransportError>>;

    /// Opens the receiving end once more, where one was that is reset.
    ///
    /// # Errors
    /// When that address cannot be had.
    fn bind_again(&self, door: Door, address: Address)
    -> BoxFuture<'static, Result<Box<dyn Endpoint>, TransportError>>;

    /// The calling end of a link without any connection: the first call opens one.
    ///
    /// # Errors
    /// When `address` is another protocol's, or `options` are.
    fn caller(
        &self,
        address: &Address,
        options: &Options,
        recorder: Recorder,
    ) -> Result<Arc<dyn Caller>, TransportError>;

    /// Opens the calling end of a link, with one connection ready where the protocol has connections. `recorder` stamps
    /// at the caller's place, on that link.
    ///
    /// # Errors
    /// When nothing answers at `address`, or it or `options` are another protocol's.
    fn connect(
        &self,
        address: Address,
        options: &Options,
        recorder: Recorder,
    ) -> BoxFuture<'static, Result<Arc<dyn Caller>, TransportError>>;
}

/// The receiving end of a protocol at one replica. Dropping it closes it without waiting.
pub trait Endpoint: Send + Sync {
    /// Where it is reached.
    fn address(&self) -> Address;

    /// Gives the address back and ends every connection; resolves when nothing of it is left. A body that was being
    /// worked on goes on: it is its node's.
    fn close(&self) -> BoxFuture<'_, ()>;

    /// As if the program had died: every connection is reset, and who connects is refused until the address is bound again.
    /// It is kept for that while this lives. Resolves when nothing else of it is left.
    fn reset(&self) -> BoxFuture<'_, ()> {
        self.close()
    }
}

/// The calling end of a link at one replica of the node called. Dropping it closes it without waiting.
pub trait Caller: Send + Sync {
    /// Makes one attempt. Dropping the future gives it up, and with it what carried it: the connection, or its share of one.
    /// While it lives, no other call is held up by it, so that it may be kept for a reply that comes after its time limit.
    /// One that waits for something to carry it says so by [`Outgoing::carried`].
    ///
    /// # Errors
    /// When no reply came. An error reply is a reply.
    fn call(self: Arc<Self>, outgoing: Outgoing) -> BoxFuture<'static, Result<Reply, CallError>>;

    /// Resolves when the receiver has taken all that was handed over and that nobody answers; at once where there is no such, or
    /// where it cannot be known any more.
    fn settle(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Ends every connection; resolves when nothing of it is left.
    fn close(&self) -> BoxFuture<'_, ()>;

    /// As if the program had died: every connection is reset. Resolves when nothing of it is left.
    fn reset(&self) -> BoxFuture<'_, ()> {
        self.close()
    }

    /// Whether it has lost its only connection for good, so that no call will succeed.
    fn is_lost(&self) -> bool {
        false
    }
}

/// Where a replica is reached.
#[derive(Clone, Debug)]
pub enum Address {
    /// A socket on loopback.
    Socket(SocketAddr),
    /// A place in this program.
    InProcess(InProcessAddress),
}

/// A message to be sent.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Who it is; travels in the protocol's own headers.
    pub identity: Identity,
    /// What it carries.
    pub body: Body,
    /// What it answers, where it is itself the reply to a message from a queue.
    pub answers: Option<Answers>,
    /// Who is told of what comes before the attempt closes, where something may.
    pub progress: Option<Progress>,
    /// Tells whether it has what carries it.
    pub carried: Carried,
}

/// What a reply through a queue answers, and how that went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    /// What the message asked its reply to name.
    pub correlation: String,
    /// How it went.
    pub verdict: Verdict,
}

/// What a reply says. How a protocol says it is the transport's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Done.
    Good,
    /// Not now: the waiting room was full.
    Refused,
    /// It went wrong.
    Failed,
}

/// What a node answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How it went.
    pub verdict: Verdict,
    /// What it carries back.
    pub body: Bytes,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What it says.
    pub verdict: Verdict,
    /// The protocol's own status.
    pub status: u16,
    /// What it carries.
    pub body: Bytes,
    /// Where the record is that the broker has confirmed, in a topic.
    pub position: Option<Position>,
}

/// Why an attempt has no reply.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// There was no connection to send on and none could be had.
    #[error("no connection: {0}")]
    Connect(#[source] std::io::Error),
    /// The connection ended before the reply was complete.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The reply is larger than a reply may be.
    #[error("the reply is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The broker gave the message back: no queue takes it, so no reply will come.
    #[error("the broker returned the message: {0}")]
    Returned(String),
    /// The receiving end has closed.
    #[error("the receiving end has closed")]
    Closed,
}

/// Why an end of a link could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// No loopback port could be had.
    #[error(
        "cannot listen on a loopback port: {0}. Close what holds too many ports or files open, and start the run again"
    )]
    Bind(#[source] std::io::Error),
    /// A port that was asked for could not be had.
    #[error(
        "cannot listen on {address}: {source}. End the program that listens there, or have the node at another port"
    )]
    Taken {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Nothing answered.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A link needs a broker and the run has none: a fault of the plan.
    #[error("the run has no broker for this link; please report this as a fault of Hopscope")]
    NoBroker,
    /// No number is left for what a link delivers.
    #[error("the run has used up the numbers for its ends of links; run a smaller scenario")]
    Sources,
    /// A broker could not be used.
    #[error("cannot use the broker at {broker}: {reason}")]
    Broker {
        /// Where.
        broker: BrokerAddress,
        /// What it, or the client of its protocol, said.
        reason: String,
    },
    /// The system gives no process for a node.
    #[error("the system has no room for another process: {0}. End other programs, and start the run again")]
    Process(#[source] std::io::Error),
    /// What a node that is a process says.
    #[error("{0}")]
    Apart(String),
    /// What a link says is not what its protocol understands: a fault of the plan.
    #[error("a link's options are not those of its protocol: {0}; please report this as a fault of Hopscope")]
    Options(#[source] serde_json::Error),
    /// The address belongs to another protocol.
    #[error("{protocol:?} cannot reach {address:?}")]
    ForeignAddress {
        /// The protocol that was asked.
        protocol: Protocol,
        /// The address.
        address: Address,
    },
}

/// HTTP's status for a verdict, used by every protocol that has none of its own.
fn http_status(verdict: Verdict) -> u16 {
    match verdict {
        Verdict::Good => 200,
        Verdict::Refused => 503,
        Verdict::Failed => 500,
    }
}

#[cfg(test)]
mod tests {
    use hopscope_scenario::protocol::{PROTOCOLS, Style};

    use super::*;

    #[test]
    fn every_protocol_of_calls_has_its_transport() {
        let listed: Vec<_> = TRANSPORTS.iter().map(|transport| transport.protocol()).collect();
        let calls = PROTOCOLS.iter().filter(|descriptor| descriptor.style == Style::Sync);
        assert_eq!(listed, calls.map(|descriptor| descriptor.protocol).collect::<Vec<_>>());
    }
}
