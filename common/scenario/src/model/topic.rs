//! The topic: how its records are spread.

use serde::{Deserialize, Serialize};

/// A topic of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    /// How many partitions it has; records of one key are in one of them. 1 to 64.
    pub partitions: u16,
}
