//! Where the nodes of a run live.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where the replicas and clients of a run live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// Tasks of the server.
    #[default]
    Tasks,
    /// A child process each: a crash is then a process that is killed.
    Processes,
}

impl Placement {
    /// How it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tasks => "tasks",
            Self::Processes => "processes",
        }
    }

    /// The one that a text names.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        [Self::Tasks, Self::Processes].into_iter().find(|placement| placement.as_str() == text)
    }

    /// Whether nodes are the server's own tasks.
    #[must_use]
    pub fn is_tasks(&self) -> bool {
        *self == Self::Tasks
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
