//! Checks.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::quantity::{Rate, Share, Size, Time};

/// A limit that a person set on a figure of a run; the check passes where figure, [`Check::op`] and [`Check::value`], read in
/// this order, are true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Which figure: the id of one of [`crate::checks::METRICS`].
    pub metric: String,
    /// The link (its id, or its ends' names as `from->to`) or the queue (its name) that it is about; none: all of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// How the figure has to be to the limit.
    pub op: Comparison,
    /// The limit.
    pub value: Limit,
}

/// How a figure has to be to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// Below it.
    #[serde(rename = "<")]
    Below,
    /// Not above it.
    #[serde(rename = "<=")]
    AtMost,
    /// Above it.
    #[serde(rename = ">")]
    Above,
    /// Not below it.
    #[serde(rename = ">=")]
    AtLeast,
}

impl Comparison {
    /// Whether a figure is so to a limit.
    #[must_use]
    pub fn holds(self, figure: f64, limit: f64) -> bool {
        match self {
            Self::Below => figure < limit,
            Self::AtMost => figure <= limit,
            Self::Above => figure > limit,
            Self::AtLeast => figure >= limit,
        }
    }

    /// As documents write it.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Above => ">",
            Self::AtLeast => ">=",
        }
    }
}

/// A limit. Its unit tells what it measures, so no text is two of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Limit {
    /// A number of something.
    Count(u64),
    /// A length of time.
    Time(Time),
    /// How often something happens.
    Rate(Rate),
    /// A part of a whole.
    Share(Share),
    /// A number of bytes.
    Size(Size),
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let limit = match &value {
            Value::Number(count) => count.as_u64().map(Self::Count),
            Value::String(text) => {
                let time = || text.parse().ok().map(Self::Time);
                let rate = || text.parse().ok().map(Self::Rate);
                let share = || text.parse().ok().map(Self::Share);
                time().or_else(rate).or_else(share).or_else(|| text.parse().ok().map(Self::Size))
            }
            _ => None,
        };
        limit.ok_or_else(|| D::Error::custom("a limit is a number, a time, a rate, a share or a size"))
    }
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Time(time) => write!(f, "{time}"),
            Self::Rate(rate) => write!(f, "{rate}"),
            Self::Share(share) => write!(f, "{share}"),
            Self::Size(size) => write!(f, "{size}"),
        }
    }
}

impl Limit {
    /// In the unit that figures have: ns, per second, parts of one, bytes, or a number.
    #[must_use]
    pub fn figure(&self) -> f64 {
        match self {
            Self::Count(count) => *count as f64,
            Self::Time(time) => time.0 as f64,
            Self::Rate(rate) => rate.0 as f64 / 1e6,
            Self::Share(share) => share.0 as f64 / 1e6,
            Self::Size(size) => size.0 as f64,
        }
    }
}
