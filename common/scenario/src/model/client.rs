//! The client: when it sends, and what.

use serde::{Deserialize, Serialize};

use super::Work;
use crate::quantity::{Number, Rate, Size, Time};

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
    /// Which priority a message has in queues that heed it; without it, 0, the lowest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priorities>,
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

/// Which priority a message has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "distribution", rename_all = "kebab-case")]
pub enum Priorities {
    /// Always the same.
    Constant {
        /// 0 to 9; 9 is the most urgent.
        priority: u8,
    },
    /// A whole number between two ends, both included, each as often. Either end may be the greater.
    Uniform {
        /// One end.
        from: u8,
        /// The other.
        to: u8,
    },
}

impl Priorities {
    /// The highest that a message may have.
    #[must_use]
    pub fn highest(self) -> u8 {
        match self {
            Self::Constant { priority } => priority,
            Self::Uniform { from, to } => from.max(to),
        }
    }
}
