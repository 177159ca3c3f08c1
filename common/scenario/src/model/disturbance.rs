//! Disturbances.

use serde::{Deserialize, Serialize};

use crate::disturb::Action;
use crate::quantity::{Rate, Throughput, Time};

/// Something that is done to a run while it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disturbance {
    /// What.
    #[serde(rename = "do")]
    pub action: Action,
    /// When, from the beginning of the measured load on.
    pub at: Time,
    /// To what: a node by its name, a link by its id or its ends' names as `from->to`.
    pub on: String,
    /// The rate that a load is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// What a round trip takes longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Time>,
    /// What a link lets through, each way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Throughput>,
    /// After how long it is undone; none: it is not.
    #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Time>,
}

impl Disturbance {
    /// What it is told beside what it is done to, as recordings carry it: thousandths of a message in a second, ns, bytes in a
    /// second; 0 where there is nothing to tell.
    #[must_use]
    pub fn argument(&self) -> u64 {
        match self.action {
            Action::Rate => self.rate.map_or(0, |rate| rate.0 / 1_000),
            Action::Delay => self.by.map_or(0, |by| by.0),
            Action::Throttle => self.to.map_or(0, |to| to.0),
            _ => 0,
        }
    }
}
