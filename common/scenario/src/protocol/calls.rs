//! What every link has whose sender waits for a reply: how long it waits, and whether it tries again.

use super::network::NETWORK;
use crate::fields::Literal::{Integer, Text};
use crate::fields::{Field, Presence, ValueType, VariantOption};
use crate::kinds::Kind;
use crate::quantity::Dimension;
use crate::text;

/// Shortest time limit: 1 µs.
const MIN_TIMEOUT_NS: u64 = 1_000;
/// Longest time limit and longest delay: one hour.
const HOUR_NS: u64 = 3_600_000_000_000;

/// The options of a link that carries calls in one program.
pub(super) static CALL_OPTIONS: &[Field] = &[TIMEOUT, RETRY];

/// The options of a link that carries calls over sockets.
pub(super) static SOCKET_CALL_OPTIONS: &[Field] = &[TIMEOUT, RETRY, NETWORK];

/// What links over sockets may join: services, and programs that are none of Hopscope's.
pub(super) static TO_SERVICES: &[(Kind, Kind)] = &[
    (Kind::Client, Kind::Service),
    (Kind::Service, Kind::Service),
    (Kind::Client, Kind::External),
    (Kind::Service, Kind::External),
];

/// What of a program is called: its path over HTTP, its method over gRPC.
pub(crate) const PATH: &str = "path";
pub(crate) const METHOD: &str = "method";

/// A path or a method.
pub(super) const ADDRESS: ValueType = ValueType::Text { min_chars: 1, max_chars: 200, multiline: false };

/// How long a sender waits.
pub(super) const TIMEOUT: Field = Field {
    name: "timeout",
    label: text!("field.timeout"),
    value: ValueType::Quantity { dimension: Dimension::Time, min: MIN_TIMEOUT_NS, max: HOUR_NS },
    presence: Presence::Optional,
};

/// Whether it tries again.
pub(super) const RETRY: Field = Field {
    name: "retry",
    label: text!("field.retry"),
    value: ValueType::Variant {
        tag: "policy",
        options: &[VariantOption { id: "fixed-delay", label: text!("retry.fixed-delay"), fields: FIXED_DELAY }],
    },
    presence: Presence::Optional,
};

static FIXED_DELAY: &[Field] = &[
    Field {
        name: "attempts",
        label: text!("field.retry.attempts"),
        // A message's id has 8 bits for the attempt.
        value: ValueType::Integer { min: 2, max: 255 },
        presence: Presence::RequiredWith(Integer(3)),
    },
    Field {
        name: "delay",
        label: text!("field.retry.delay"),
        value: ValueType::Quantity { dimension: Dimension::Time, min: 0, max: HOUR_NS },
        presence: Presence::RequiredWith(Text("100 ms")),
    },
];
