//! The service: its servers, its work, its steps.

use serde::{Deserialize, Serialize};

use crate::quantity::{Share, Time};

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
    /// Change an account.
    Effect {
        /// Its name.
        account: String,
        /// By how much.
        amount: i64,
        /// How often, where a trace comes here more than once.
        #[serde(default)]
        apply: Apply,
        /// What it is a part of: the amounts of one transfer come to nothing in every trace.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        transfer: Option<String>,
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

/// How often an effect is applied where a trace comes to it more than once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Apply {
    /// Once: the service, all its replicas together, keeps the key (trace and step) of each that it applied, and knows a repeat.
    #[default]
    Once,
    /// Each time.
    EveryTime,
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
