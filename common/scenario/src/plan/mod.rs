//! The plan of a run: the scenario as numeric tables.
//!
//! Places and links are numbered here once; recordings carry only these numbers. A place's number is its position in
//! [`Plan::places`] (at most 32 bits), a link's its position in [`Plan::links`] (at most 16 bits, the greatest stays
//! free for "none"). The plan holds no address and no secret. Its bytes ([`Plan::to_bytes`]) open every recording, so
//! that a file explains itself: UTF-8 JSON, one small document per run.

mod broker;
mod bytes;
mod compile;
mod described;
mod disturbed;
mod exchange;
mod lookup;
mod placement;
mod ports;
mod read;
mod rows;
mod steps;
mod topic;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::catalogue::Key;
use crate::kinds::Kind;
use crate::model::{AckTime, Apply, Durability, Effort, Load, Overflow, Payload, Retry, Work};
use crate::protocol::{MODE, ONEWAY, Protocol};
use crate::quantity::{Share, Time};
use crate::shape::MAX_DURATION;
use crate::text;

pub use broker::{Bootstrap, Broker, NoBroker, PlanBroker, bootstrap, without_password};
pub use bytes::PlanError;
pub use compile::compile;
pub use described::Described;
pub use disturbed::PlanDisturbance;
pub use exchange::PlanExchange;
pub use placement::Placement;
pub use ports::FixedPorts;
pub(crate) use ports::issues as port_issues;
use read::read;
pub use steps::{Replies, links_of};
pub use topic::{PlanGroup, PlanTopic};

#[cfg(test)]
mod tests;

/// What the plan's `format` says.
pub const FORMAT: &str = "hopscope-plan";

/// The newest version of the plan that this build writes and reads.
pub const VERSION: u32 = 1;

/// How a run of a scenario goes, apart from the scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunSettings {
    /// Where every draw starts from; at most [`crate::shape::MAX_SEED`].
    pub seed: u64,
    /// For how long load is offered before the measured phase: recorded, and left out of the figures. Not written when zero.
    #[serde(skip_serializing_if = "is_zero")]
    pub warm_up: Time,
    /// How long load is offered and measured; `None` (JSON's null, which must be written): until the run is stopped.
    pub duration: Option<Time>,
    /// What keeps its queues. Not written when it is built in.
    #[serde(skip_serializing_if = "Broker::is_built_in")]
    pub broker: Broker,
    /// What keeps its topics. Not written when it is built in.
    #[serde(skip_serializing_if = "Broker::is_built_in")]
    pub kafka: Broker,
    /// Where its nodes live. Not written when they are tasks of the server.
    #[serde(skip_serializing_if = "Placement::is_tasks")]
    pub placement: Placement,
    /// Where nodes listen whose ports are fixed. Not written when none is.
    #[serde(skip_serializing_if = "FixedPorts::is_empty")]
    pub ports: FixedPorts,
}

fn is_zero(time: &Time) -> bool {
    *time == Time(0)
}

impl Default for RunSettings {
    /// What [`SETTINGS_FIELDS`](crate::shape::SETTINGS_FIELDS) say.
    fn default() -> Self {
        Self {
            seed: 42,
            warm_up: Time(0),
            duration: Some(Time(5_000_000_000)),
            broker: Broker::default(),
            kafka: Broker::default(),
            placement: Placement::Tasks,
            ports: FixedPorts::default(),
        }
    }
}

impl RunSettings {
    /// The settings as they are written.
    ///
    /// # Errors
    /// When it is something else.
    pub fn read(written: &Value) -> Result<Self, serde_json::Error> {
        rows::settings(written)
    }

    /// How long load is offered at the longest, from the run's zero on: the warm-up, then the duration.
    #[must_use]
    pub fn offered(&self) -> Time {
        Time(self.warm_up.0.saturating_add(self.duration.unwrap_or(MAX_DURATION).0))
    }
}

/// A scenario compiled for a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Always [`FORMAT`].
    pub format: String,
    /// Always [`VERSION`].
    pub version: u32,
    /// The scenario, whole, in its canonical form. As JSON: whoever reads a plan for its tables needs no model of it.
    pub scenario: Value,
    /// The run's settings.
    pub settings: RunSettings,
    /// What the broker of its queues turned out to be; none where it is built in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broker: Option<PlanBroker>,
    /// What the broker of its topics is; none where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kafka: Option<PlanBroker>,
    /// The scenario's nodes in its order.
    pub nodes: Vec<PlanNode>,
    /// Where things happen: first by node, then by ordinal.
    pub places: Vec<Place>,
    /// The scenario's links in its order, then those that replies come back over.
    pub links: Vec<PlanLink>,
    /// What starts traffic, by node.
    pub loads: Vec<PlanLoad>,
    /// What answers calls, by node.
    pub services: Vec<PlanService>,
    /// What keeps messages, by node.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub queues: Vec<PlanQueue>,
    /// What keeps records, by node.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<PlanTopic>,
    /// What hands messages on to queues, by node.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<PlanExchange>,
    /// What is called and no part of the run, by node.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub externals: Vec<PlanExternal>,
    /// What is done to the run, in the order of time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disturbances: Vec<PlanDisturbance>,
    /// What bodies change, by node and then in the order of their steps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<PlanEffect>,
}

/// A node in the plan; its number is its position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanNode {
    /// The scenario's id of it: the key of its draws.
    pub id: String,
    /// The scenario's name of it.
    pub name: String,
    /// What it is.
    pub kind: Kind,
}

/// What a place is to its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The one place of a client.
    Client,
    /// One server of a service.
    Replica,
    /// The one place of a queue.
    Queue,
    /// The one place of a topic.
    Topic,
    /// A group of those that read a topic, in one of its partitions.
    Group,
    /// The one place of an exchange.
    Exchange,
    /// The one place of a program that is no part of the run.
    External,
}

impl Role {
    /// What a person calls a place of this role; the text's argument is `ordinal`.
    #[must_use]
    pub fn label(self) -> Key {
        match self {
            Self::Client => text!("role.client"),
            Self::Replica => text!("role.replica"),
            Self::Queue => text!("role.queue"),
            Self::Topic => text!("role.topic"),
            Self::Group => text!("role.group"),
            Self::Exchange => text!("role.exchange"),
            Self::External => text!("role.external"),
        }
    }
}

/// A place; its number is its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The node's number.
    pub node: u32,
    /// What it is to its node.
    pub role: Role,
    /// Which one of that role, from 1.
    pub ordinal: u32,
    /// In which partition, from 0; none where the role has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition: Option<u16>,
}

impl Place {
    /// The place within its node as exports write it, in every language: "client", "replica 2", "group 1 partition 0".
    #[must_use]
    pub fn instance(&self) -> String {
        match self.role {
            Role::Client => "client".to_owned(),
            Role::Replica => format!("replica {}", self.ordinal),
            Role::Queue => "queue".to_owned(),
            Role::Topic => "topic".to_owned(),
            Role::Exchange => "exchange".to_owned(),
            Role::External => "external".to_owned(),
            Role::Group => format!("group {} partition {}", self.ordinal, self.partition.unwrap_or(0)),
        }
    }
}

/// A link in the plan; its number is its position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanLink {
    /// The scenario's id of it.
    pub id: String,
    /// The calling node's number.
    pub from: u32,
    /// The called node's number.
    pub to: u32,
    /// How.
    pub protocol: Protocol,
    /// How long the caller waits for the reply to one attempt; none: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Time>,
    /// When the caller tries again; none: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<Described<Retry>>,
    /// The node of the queue that replies to this link's messages come back through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replies: Option<u32>,
    /// What a round trip over it takes longer than on this machine; none: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Described<Work>>,
    /// What only its protocol has, as the scenario writes it.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub options: Map<String, Value>,
    /// The link that this one carries the replies of, its number; none on the scenario's own links.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replies_of: Option<u16>,
}

impl PlanLink {
    /// Whether its protocol has messages that nobody answers, and it is for them.
    fn is_oneway(&self) -> bool {
        self.options.get(MODE).and_then(Value::as_str) == Some(ONEWAY)
    }
}

/// What a link does at its two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Passage {
    /// The sender calls the receiver and has its reply: T1 and T2.
    Call,
    /// The sender hands the receiver a message that nobody answers.
    Send,
    /// The sender puts a message into a queue or a topic, or hands it to an exchange that does.
    Publish,
    /// A queue or a topic delivers to a consumer.
    Deliver,
    /// An exchange puts copies of what it is handed into a queue: nothing is sent over the link.
    Bind,
}

/// The load of one client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanLoad {
    /// The node's number.
    pub node: u32,
    /// The place that sends.
    pub place: u32,
    /// When it sends.
    pub load: Described<Load>,
    /// What it sends.
    pub payload: Described<Payload>,
    /// The links that requests take in turn, the first request the first; at least one.
    pub links: Vec<u16>,
}

/// A service's servers and what each does for a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanService {
    /// The node's number.
    pub node: u32,
    /// The place of replica 1; the others follow it.
    pub first_place: u32,
    /// How many replicas; at least one.
    pub replicas: u32,
    /// How many requests one replica works on at once; at least one.
    pub workers: u32,
    /// How many calls may wait for a worker of one replica; none: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<u32>,
    /// How its work passes.
    pub effort: Effort,
    /// How probable it is that a work of it fails.
    pub failure: Share,
    /// What it does for a request, in order. Every way through it replies once at most; one that does not is answered at its
    /// end.
    pub body: Vec<Step>,
}

impl PlanService {
    /// The places of its replicas.
    #[must_use]
    pub fn places(&self) -> std::ops::Range<u32> {
        self.first_place..self.first_place.saturating_add(self.replicas)
    }

    /// What it does for a request, to be gone through.
    ///
    /// # Errors
    /// When a work is not described as one.
    pub fn steps(&self) -> Result<Vec<Step<Work>>, serde_json::Error> {
        read(&self.body)
    }

    /// Whether nothing follows its reply, whichever way a request takes: then its worker is free before the reply goes out.
    #[must_use]
    pub fn replies_last(&self) -> bool {
        Replies::of(&self.body).last
    }
}

/// A queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PlanQueue {
    /// The node's number.
    pub node: u32,
    /// Its place.
    pub place: u32,
    /// Most messages that may be ready at once; none: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// What happens beyond. Not written where it is refused.
    #[serde(skip_serializing_if = "Overflow::is_usual")]
    pub overflow: Overflow,
    /// How long a message may be ready; none: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Time>,
    /// The node of the queue that dead letters go on to; none: they are gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letters: Option<u32>,
    /// The highest priority that a message may have; none: all are alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priorities: Option<u8>,
    /// Whether it outlives its broker. Not written where it does not.
    #[serde(skip_serializing_if = "Durability::is_usual")]
    pub durability: Durability,
    /// How many messages one consumer may hold that it has not settled.
    pub prefetch: u16,
    /// When a consumer settles a message.
    pub ack: AckTime,
}

/// A program that is called and no part of the run. Where it is, who starts the run knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PlanExternal {
    /// The node's number.
    pub node: u32,
    /// Its place.
    pub place: u32,
}

/// An effect of a service's body; its number is its position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanEffect {
    /// The service's node's number.
    pub node: u32,
    /// What is changed.
    pub account: String,
    /// By how much.
    pub amount: i64,
    /// How often, where a trace comes to it more than once.
    pub apply: Apply,
    /// What it is a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer: Option<String>,
}

/// One step of a service's body. How long work takes is described in a plan; who goes through the steps has read that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step<W = Described<Work>> {
    /// Work, for as long as the distribution draws.
    Work {
        /// How long.
        work: W,
    },
    /// Call over a link and wait for the reply.
    Call {
        /// The link's number.
        link: u16,
    },
    /// Publish over a link and wait for the broker's confirm.
    Publish {
        /// The link's number.
        link: u16,
    },
    /// Change an account, as the plan's effect of this number says.
    Effect {
        /// The effect's number.
        effect: u32,
    },
    /// Go through all branches at once; the step ends with the last of them.
    Parallel {
        /// What each does.
        branches: Vec<Vec<Step<W>>>,
    },
    /// Go through one branch, as chance decides.
    Choose {
        /// Those to choose from.
        branches: Vec<Choice<W>>,
    },
    /// Reply to the caller, or to who waits for a reply through a queue.
    Reply,
}

/// A branch that may be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice<W = Described<Work>> {
    /// How often it is chosen, beside the weights of the others; at least 1.
    pub weight: u32,
    /// What is done in it.
    pub steps: Vec<Step<W>>,
}
