//! Nodes as processes: a replica or a client that lives in a child of the server (`hopscope node`), and the channel between
//! the two.
//!
//! The child cuts its slice out of the plan, as the server does, and runs the same code. What it stamps goes to the memory
//! that it shares with the collector ([`crate::record::Seat`]), so that nothing of it is lost with the process; over the
//! channel goes only what is ordered and asked, a line of JSON each. The channel's end is the child's.

mod child;
mod clocks;
mod line;
mod serve;

use std::net::SocketAddr;

use hopscope_scenario::protocol::Protocol;
use serde::{Deserialize, Serialize};

use super::unit::Step;

pub(super) use child::{Child, Nursery};
pub(super) use clocks::{Clocks, ask};
pub(super) use serve::Asker;
pub use serve::{NodeError, serve};

/// What a child is told first.
#[derive(Debug, Serialize, Deserialize)]
struct Birth {
    /// The run's key.
    key: u64,
    /// The first of its sources.
    first: u16,
    /// Its place.
    place: u32,
    /// The plan, as recordings have it.
    plan: String,
}

/// What goes to a child.
#[derive(Debug, Serialize, Deserialize)]
enum Down {
    /// To be answered under its number.
    Order(u64, Order),
    /// The answer to what the child asked under this number.
    Told(u64, Result<Option<u16>, String>),
    /// To be answered at once.
    Probe(u64),
}

/// What a child is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// Bind on every protocol that it is called by: anew, or there again.
    Bind(Vec<(Protocol, SocketAddr)>),
    /// Connect what it calls and takes from.
    Connect(Reached),
    /// The run's zero is here, in raw ns.
    Zero(i64),
    /// Offer load.
    Offer(i64),
    /// Offer none any more.
    Halt,
    /// Do something to its load.
    Change(LoadChange),
    /// Take up no work.
    Pause,
    /// Take up work again.
    Resume,
    /// Say when nothing of it is in flight.
    Idle,
    /// One step of its end.
    Step(Step),
    /// Count what is open; its load was offered for so many ns.
    Count(u64),
}

/// What is done to a client's load, on the wire.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum LoadChange {
    /// It stands.
    Pause,
    /// It goes on.
    Resume,
    /// It has this rate in millionths per second; none: its own.
    Rate(Option<u64>),
}

/// Where the parts of a run are reached.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Reached {
    /// Replicas, by place.
    pub(super) replicas: Vec<(u32, Protocol, SocketAddr)>,
    /// Where the networks of links begin, by link and place.
    pub(super) laid: Vec<(u16, u32, SocketAddr)>,
    /// The brokers, where there are some.
    pub(super) brokers: Vec<BrokerSite>,
    /// Whether what does not answer yet is connected when it does.
    pub(super) later: bool,
}

/// Where the broker is reached.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct BrokerSite {
    /// By which protocol.
    pub(super) protocol: Protocol,
    /// With its password.
    pub(super) uri: String,
    /// Without.
    pub(super) shown: String,
    /// Whether the ends of links count copies.
    pub(super) counts: bool,
}

/// What comes from a child.
#[derive(Debug, Serialize, Deserialize)]
enum Up {
    /// The answer to an order.
    Answer(u64, Result<Answer, String>),
    /// To be told under its number.
    Ask(u64, Ask),
    /// Its load has been offered.
    LoadOver,
    /// Copies under way at the broker of a protocol as far as it knows, and deliveries that it holds.
    Counted(Protocol, i64, i64),
    /// The answer to a probe: when it came, in the child's raw ns, and the time of processors that the child has used, in ns.
    Probed(u64, i64, u64),
}

/// How an order went.
#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    /// Well.
    Done,
    /// Where it is bound.
    Bound(Vec<(Protocol, SocketAddr)>),
    /// It was idle when it had begun so many tasks.
    Idle(u64),
    /// Open attempts by link, and what its schedule wanted.
    Counted(Vec<(u16, u64)>, Option<u64>),
}

/// What a child asks.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Ask {
    /// Whether the broker of a protocol is there, and a source for what it delivers over a link.
    Enter(Protocol, Option<u16>),
    /// To have an effect stamped that a body has come to.
    Effect {
        /// Its number.
        effect: u32,
        /// The link that the request came over.
        link: u16,
        /// The request's trace.
        trace: u64,
        /// The request.
        message: u64,
    },
}
