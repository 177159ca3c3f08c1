//! The scenario as types: what validation hands out and everything after it works on.
//!
//! A value of these types came from [`crate::model`]'s one gate, validation, or from code that upholds the same rules;
//! nothing here checks them again. The editor, which must keep what a person is still typing, edits the JSON document
//! instead. Serialising is canonical: keys in the order of the fields below, defaults written out, quantities in their
//! one spelling; so printing a parsed canonical document gives the same bytes.

use serde::{Deserialize, Serialize};

use crate::kinds::Kind;
use crate::protocol::Protocol;
use crate::quantity::{Number, Rate, Share, Size, Time};

/// What the document's `format` says.
pub const FORMAT: &str = "hopscope-scenario";

/// The newest version of the document that this build writes and reads.
pub const VERSION: u32 = 1;

/// A whole scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Always [`FORMAT`].
    pub format: String,
    /// Always [`VERSION`].
    pub version: u32,
    /// What the person calls it.
    pub name: String,
    /// What the scenario asks, one sentence; may be empty.
    pub question: String,
    /// What to look at while it runs, a paragraph; may be empty.
    pub about: String,
    /// The nodes, in the order of the document; their position is their index in the plan.
    pub nodes: Vec<Node>,
    /// The links, in the order of the document: a service calls its outgoing links in this order.
    pub links: Vec<Link>,
    /// Limits that the person set.
    pub checks: Vec<Check>,
}

/// A limit that a person set on a run's figures. No kind of check exists yet: the list is empty in version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Check {}

/// One node on the canvas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Stable and unique among nodes, like `n1`; the seed key of the node's draws.
    pub id: String,
    /// Unique among nodes; what a person reads.
    pub name: String,
    /// Left edge on the canvas in whole canvas units; without it the page lays the node out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<i32>,
    /// Top edge on the canvas in whole canvas units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<i32>,
    /// What it is (the document's `kind`) with the fields of that kind, written beside the ones above.
    #[serde(flatten)]
    pub kind: NodeKind,
}

/// What a node is, with the fields of its kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum NodeKind {
    /// Sends requests by a schedule.
    Client(Client),
    /// Receives requests, works, calls its outgoing links in order, replies.
    Service(Service),
    /// Keeps messages until a consumer takes them.
    Queue(Queue),
}

impl NodeKind {
    /// The kind without its fields, the key of its descriptor.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Client(_) => Kind::Client,
            Self::Service(_) => Kind::Service,
            Self::Queue(_) => Kind::Queue,
        }
    }
}

/// A client. Its requests take its outgoing links in turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// When it sends.
    pub load: Load,
    /// What it sends.
    pub payload: Payload,
}

/// When a client sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Load {
    /// Open load at even distances: the n-th request (from 0) is wanted n / rate after the start.
    Constant(OpenLoad),
    /// Open load at distances that chance decides, independent of each other and exponentially distributed: a Poisson
    /// process.
    Poisson(OpenLoad),
    /// Open load that is on and off by turns.
    Bursts(Bursts),
    /// Open load whose rate changes evenly from one to another, and then stays.
    Ramp(Ramp),
    /// Closed load: so many users, each of whom waits for the reply to one request before wanting the next.
    Closed(Closed),
}

impl Load {
    /// How many requests may wait for their reply at once.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        match self {
            Self::Constant(open) | Self::Poisson(open) => open.in_flight,
            Self::Bursts(bursts) => bursts.in_flight,
            Self::Ramp(ramp) => ramp.in_flight,
            Self::Closed(closed) => closed.users,
        }
    }

    /// After how many intended requests it ends; `None`: with the run's duration.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        match self {
            Self::Constant(open) | Self::Poisson(open) => open.count,
            Self::Bursts(bursts) => bursts.count,
            Self::Ramp(ramp) => ramp.count,
            Self::Closed(closed) => closed.count,
        }
    }
}

/// Open load: requests are wanted at a rate, whatever the replies do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenLoad {
    /// Requests per second, in the mean.
    pub rate: Rate,
    /// How many requests may wait for their reply at once; one wanted beyond is not sent, and recorded so.
    pub in_flight: u32,
    /// The load ends after this many intended requests; without it, with the run's duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// Open load in bursts: it begins with one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bursts {
    /// Requests per second within a burst, in the mean.
    pub rate: Rate,
    /// How long a burst lasts.
    pub on: Time,
    /// From the end of a burst to the next one.
    pub off: Time,
    /// How they are spread within the bursts.
    pub arrivals: Arrivals,
    /// As [`OpenLoad::in_flight`].
    pub in_flight: u32,
    /// As [`OpenLoad::count`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// Open load whose rate changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ramp {
    /// Requests per second at the start.
    pub from: Rate,
    /// Requests per second at the ramp's end and from then on.
    pub to: Rate,
    /// How long the rate takes from one to the other.
    pub over: Time,
    /// How they are spread.
    pub arrivals: Arrivals,
    /// As [`OpenLoad::in_flight`].
    pub in_flight: u32,
    /// As [`OpenLoad::count`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// How requests are spread over the time in which they are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arrivals {
    /// As chance decides: a Poisson process of the rate that there is.
    Poisson,
    /// As evenly as the rate allows.
    Even,
}

/// Closed load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// How many users there are; each has at most one request in flight.
    pub users: u32,
    /// How long a user thinks: before the first request, and from the end of one to the next.
    pub think: Work,
    /// The load ends after this many intended requests of all users; without it, with the run's duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// What a client sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// Size of a request's body; one that carries more is longer.
    pub bytes: Size,
    /// How a request's body says what it carries.
    #[serde(default)]
    pub content: Content,
    /// What a request is about; without it, nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Keys>,
    /// A number that a request carries; without it, none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Values>,
    /// When that happened which a request tells of; without it, when its send is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_time: Option<EventTimes>,
}

impl Payload {
    /// Whether a request has a key, a value or an event time of its own.
    #[must_use]
    pub fn tells(&self) -> bool {
        self.key.is_some() || self.value.is_some() || self.event_time.is_some()
    }
}

/// How a body says what it carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// As a JSON object.
    Json,
    /// As words of text.
    Text,
    /// As numbers of fixed length; a body that carries nothing is filler alone.
    #[default]
    Binary,
}

/// Which key a request has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "distribution", rename_all = "kebab-case")]
pub enum Keys {
    /// Each of them as often.
    Uniform {
        /// How many there are.
        keys: u32,
    },
    /// A few of them most of the time: the k-th is 1 / k^exponent times as frequent as the first (Zipf's law).
    Zipf {
        /// How many there are.
        keys: u32,
        /// How uneven: at 0 all would be as frequent.
        exponent: Number,
    },
}

/// Which value a request has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "distribution", rename_all = "kebab-case")]
pub enum Values {
    /// A whole number between two ends, both included, each as often. Either end may be the greater.
    Uniform {
        /// One end.
        from: i64,
        /// The other.
        to: i64,
    },
}

/// How long before its send that happened which a request tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "distribution", rename_all = "kebab-case")]
pub enum EventTimes {
    /// Exponentially distributed: most are fresh, some late, so requests come out of the order of their events.
    Exponential {
        /// How long before, in the mean.
        mean: Time,
    },
}

/// A service: replicas, each a server of its own with workers and a waiting room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// How many servers.
    pub replicas: u32,
    /// How many requests one replica works on at once; the others wait, first come first served.
    pub workers: u32,
    /// How many calls may wait for a worker of one replica; one that finds no room is refused. Without it there is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<u32>,
    /// How long the work of one request takes.
    pub work: Work,
    /// How it passes.
    #[serde(default)]
    pub effort: Effort,
    /// How probable it is that a work fails once it is done; the rest of the body is then left out.
    #[serde(default)]
    pub failure: Share,
    /// What it does for a request, where the person wrote it. Without it the body is derived: the work, then the outgoing
    /// links in the document's order, then the reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Vec<BodyStep>>,
}

/// One step of a body that a person wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case", deny_unknown_fields)]
pub enum BodyStep {
    /// Work.
    Work {
        /// How long; without it, as long as the service's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        work: Option<Work>,
    },
    /// Call over a link and wait for the reply.
    Call {
        /// The link's id.
        link: String,
    },
    /// Publish over a link and wait for the broker's confirm.
    Publish {
        /// The link's id.
        link: String,
    },
    /// Go through several branches at once and wait for all of them.
    Parallel {
        /// Two or more.
        branches: Vec<Branch>,
    },
    /// Go through one of several branches, as chance decides.
    Choose {
        /// Two or more.
        branches: Vec<Choice>,
    },
    /// Reply; what follows is done after the caller has its reply.
    Reply,
}

/// A branch of a parallel step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// What is done in it; may be nothing.
    pub steps: Vec<BodyStep>,
}

/// A branch that may be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// How often it is chosen, beside the weights of the others.
    pub weight: u32,
    /// What is done in it; may be nothing.
    pub steps: Vec<BodyStep>,
}

/// How work passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effort {
    /// By waiting exactly as long, as for a disk or another machine: it takes nothing from anybody.
    #[default]
    Waiting,
    /// By computing for so much CPU time, on threads of the replica's own.
    Burning,
}

/// How long work takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "distribution", rename_all = "kebab-case")]
pub enum Work {
    /// Always the same.
    Constant {
        /// How long.
        mean: Time,
    },
    /// Exponentially distributed: short works are the most frequent, and how long one takes says nothing of how long it
    /// still will.
    Exponential {
        /// How long, in the mean.
        mean: Time,
    },
    /// Every length between two ends alike, the mean midway.
    Uniform(Spread),
    /// Its logarithm is normally distributed: most works are somewhat shorter than the mean, a few far longer.
    Lognormal(Spread),
    /// The sum of k exponential phases, k the nearest integer to 1 / cv²: between constant and exponential.
    Erlang(Spread),
    /// Pareto's of the first kind: none shorter than a least one, and a heavy tail of very long ones.
    Pareto(Spread),
}

/// The mean of a distribution and how far it scatters around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// How long, in the mean.
    pub mean: Time,
    /// The coefficient of variation: the standard deviation over the mean.
    pub cv: Share,
}

impl Work {
    /// How long, in the mean.
    #[must_use]
    pub fn mean(&self) -> Time {
        match self {
            Self::Constant { mean } | Self::Exponential { mean } => *mean,
            Self::Uniform(spread) | Self::Lognormal(spread) | Self::Erlang(spread) | Self::Pareto(spread) => {
                spread.mean
            }
        }
    }
}

/// A queue: first in, first out; its consumers take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// Most messages that may be ready at once; a publish beyond is refused. Without it there is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// How many messages one consumer may hold that it has not settled yet.
    pub prefetch: u16,
    /// When a consumer settles a message.
    pub ack: AckTime,
}

/// When a consumer acknowledges a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AckTime {
    /// When its work is done and its reply, if one is awaited, is confirmed: nothing is lost when a consumer dies.
    AfterWork,
    /// When it has arrived: what a consumer that dies had not done is lost.
    BeforeWork,
}

/// A directed connection between two nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Stable and unique among links, like `l1`.
    pub id: String,
    /// The id of the node that calls.
    pub from: String,
    /// The id of the node that is called.
    pub to: String,
    /// How.
    pub protocol: Protocol,
    /// How long the caller waits for the reply to one attempt; without it, for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Time>,
    /// What the caller does about an attempt that did not go well; without it, nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// The id of the queue that replies to this link's messages come back through; without it nobody replies to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replies: Option<String>,
}

/// When a caller tries again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "policy", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Retry {
    /// After always the same delay.
    FixedDelay {
        /// Tries in all, the first included; 2 to 255.
        attempts: u8,
        /// From the end of an attempt to the next.
        delay: Time,
    },
}
