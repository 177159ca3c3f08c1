//! What a link over Kafka says beside what every link does.

use serde::{Deserialize, Serialize};

use crate::quantity::Time;

/// How a link puts records into a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Producing {
    /// When the broker confirms a record.
    pub acks: Acks,
    /// Whether a record that is sent again by the client itself is known to be the same; needs that all replicas confirm.
    pub idempotence: Idempotence,
    /// Which partition it goes to.
    pub partitioner: Partitioner,
    /// How long a record may wait for others to go with.
    pub linger: Time,
    /// How those that go together are packed.
    pub compression: Compression,
}

impl Default for Producing {
    fn default() -> Self {
        Self {
            acks: Acks::default(),
            idempotence: Idempotence::default(),
            partitioner: Partitioner::default(),
            linger: Time(0),
            compression: Compression::default(),
        }
    }
}

/// How a link reads a topic: all that read over one are a consumer group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reading {
    /// When a member commits how far it has come.
    pub commit: Commit,
    /// How many records a member works on, or has in line for that, at once.
    pub in_flight: u32,
}

impl Default for Reading {
    fn default() -> Self {
        Self { commit: Commit::default(), in_flight: 1 }
    }
}

/// When a record is confirmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Acks {
    /// When every replica that is in step has it.
    #[default]
    All,
    /// When the partition's leader has it.
    Leader,
}

/// Whether a broker knows records again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Idempotence {
    /// It does not: a record whose confirm was lost may be there twice, and behind a later one.
    #[default]
    Off,
    /// It does: none is there twice, and their order is kept.
    On,
}

/// Which partition a record goes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Partitioner {
    /// Its key decides: by murmur2, as Kafka's own clients do; one without a key goes to any.
    #[default]
    Key,
    /// Each in turn, whatever the key.
    RoundRobin,
}

/// How records that go together are packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    /// As they are.
    #[default]
    None,
    /// By LZ4.
    Lz4,
    /// By Snappy.
    Snappy,
}

/// When a member commits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Commit {
    /// When the work on a record and on all before it is done: what a member that dies had not done is read again.
    #[default]
    AfterWork,
    /// By the clock of its client, whatever became of the work: what a member that dies had not done may be lost.
    Automatic,
    /// Together with what was published for it, when all that a member took at once is done: of a member that dies neither is
    /// there, and what it took is read again.
    Transaction,
}
