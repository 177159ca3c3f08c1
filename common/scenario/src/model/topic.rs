//! The topic: how its records are spread, and how long they are kept.

use serde::{Deserialize, Serialize};

use crate::quantity::Time;

/// A topic of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    /// How many partitions it has; records of one key are in one of them. 1 to 64.
    pub partitions: u16,
    /// How long a record is kept, whoever has yet to read it; without it, as long as the run lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Time>,
    /// Whether a record gives way to a newer one of its key.
    #[serde(default)]
    pub compaction: Compaction,
}

/// Whether a record gives way to a newer one of its key in its partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compaction {
    /// It stays.
    #[default]
    Off,
    /// It is removed some time after the newer one has come: the newest of each key stays.
    On,
}

impl Compaction {
    /// Whether it is the usual one, which a plan does not write.
    #[must_use]
    pub fn is_off(&self) -> bool {
        *self == Self::Off
    }
}
