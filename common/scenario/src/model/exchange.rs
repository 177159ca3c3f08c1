//! The exchange: by what it hands messages on.

use serde::{Deserialize, Serialize};

/// An exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// By what it hands messages on.
    #[serde(rename = "type")]
    pub routing: ExchangeType,
    /// The id of the exchange that gets what it hands on to no queue; without it that comes back to its sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alternate: Option<String>,
}

/// By what an exchange hands messages on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExchangeType {
    /// By a routing key of words that is like the binding's pattern.
    Topic,
    /// By a routing key that is the binding's.
    Direct,
    /// To every queue that is bound.
    Fanout,
    /// By headers that are the binding's.
    Headers,
}

impl ExchangeType {
    /// The one that documents write so.
    #[must_use]
    pub fn find(written: &str) -> Option<Self> {
        [Self::Topic, Self::Direct, Self::Fanout, Self::Headers].into_iter().find(|routing| routing.as_str() == written)
    }

    /// As documents write it, and AMQP.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Direct => "direct",
            Self::Fanout => "fanout",
            Self::Headers => "headers",
        }
    }
}
