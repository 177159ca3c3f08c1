//! What a link over Thrift says beside what every link does.

use serde::{Deserialize, Serialize};

/// How a calling end speaks Thrift. A receiving end takes every way, and answers as it was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thrift {
    /// How it marks off a message.
    pub framing: Framing,
    /// How it writes one.
    pub encoding: Encoding,
    /// Whether it waits for a reply.
    pub mode: Mode,
}

/// How a message of Thrift is marked off from the next on its connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Framing {
    /// THeader: a frame with headers of its own, which carry the message's identity.
    #[default]
    Header,
    /// A frame: its length, then the message.
    Framed,
    /// Nothing: a message ends where its last field does.
    Buffered,
}

/// How a message of Thrift is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// The binary protocol.
    #[default]
    Binary,
    /// The compact protocol.
    Compact,
}

/// Whether a caller waits for a reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// It does.
    #[default]
    Call,
    /// It does not: the message has gone out when the system has its bytes, and nothing tells what became of it.
    Oneway,
}
