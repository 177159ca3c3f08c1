//! The client: it starts traffic by a schedule.

use super::queue::MAX_PRIORITY;
use super::work::WORKS;
use super::{Kind, KindDescriptor};
use crate::catalogue::Key;
use crate::fields::{ChoiceOption, Field, Literal, Presence, ValueType, VariantOption};
use crate::quantity::Dimension;
use crate::text;

/// Fastest rate of one client, in millionths per second: 100,000/s.
pub(crate) const MAX_RATE: u64 = 100_000 * 1_000_000;
/// Slowest rate: one in 1,000 s.
pub(crate) const MIN_RATE: u64 = 1_000;
/// Most requests in flight of one client, and most users.
const MAX_AT_ONCE: i64 = 100_000;
/// Largest body of a request.
const MAX_PAYLOAD_BYTES: u64 = 1 << 20;
/// Most keys.
const MAX_KEYS: i64 = 1_000_000;
/// How far from 0 a value may be.
const MAX_VALUE: i64 = 1_000_000_000;
/// Longest mean time from an event to its send: one hour.
const MAX_LATENESS_NS: u64 = 3_600_000_000_000;

/// Longest burst, pause and ramp: one hour; the shortest takes a millisecond.
const SPAN_NS: (u64, u64) = (1_000_000, 3_600_000_000_000);

const fn rate(name: &'static str, label: Key, min: u64, usual: &'static str) -> Field {
    Field {
        name,
        label,
        value: ValueType::Quantity { dimension: Dimension::Rate, min, max: MAX_RATE },
        presence: Presence::RequiredWith(Literal::Text(usual)),
    }
}

const fn span(name: &'static str, label: Key, usual: &'static str) -> Field {
    Field {
        name,
        label,
        value: ValueType::Quantity { dimension: Dimension::Time, min: SPAN_NS.0, max: SPAN_NS.1 },
        presence: Presence::RequiredWith(Literal::Text(usual)),
    }
}

const IN_FLIGHT: Field = Field {
    name: "in_flight",
    label: text!("field.load.in-flight"),
    value: ValueType::Integer { min: 1, max: MAX_AT_ONCE },
    presence: Presence::Default(Literal::Integer(1_000)),
};

const COUNT: Field = Field {
    name: "count",
    label: text!("field.load.count"),
    value: ValueType::Integer { min: 1, max: 1_000_000_000 },
    presence: Presence::Optional,
};

const ARRIVALS: Field = Field {
    name: "arrivals",
    label: text!("field.load.arrivals"),
    value: ValueType::Choice {
        options: &[
            ChoiceOption { id: "poisson", label: text!("load.poisson") },
            ChoiceOption { id: "even", label: text!("arrivals.even") },
        ],
    },
    presence: Presence::Default(Literal::Text("poisson")),
};

static OPEN_LOAD: &[Field] = &[rate("rate", text!("field.load.rate"), MIN_RATE, "20/s"), IN_FLIGHT, COUNT];

static BURSTS: &[Field] = &[
    rate("rate", text!("field.load.rate"), MIN_RATE, "20/s"),
    span("on", text!("field.load.on"), "1 s"),
    span("off", text!("field.load.off"), "1 s"),
    ARRIVALS,
    IN_FLIGHT,
    COUNT,
];

static RAMP: &[Field] = &[
    rate("from", text!("field.from"), 0, "0/s"),
    rate("to", text!("field.to"), MIN_RATE, "50/s"),
    span("over", text!("field.load.over"), "5 s"),
    ARRIVALS,
    IN_FLIGHT,
    COUNT,
];

static CLOSED: &[Field] = &[
    Field {
        name: "users",
        label: text!("field.load.users"),
        value: ValueType::Integer { min: 1, max: MAX_AT_ONCE },
        presence: Presence::RequiredWith(Literal::Integer(10)),
    },
    Field {
        name: "think",
        label: text!("field.load.think"),
        value: ValueType::Variant { tag: "distribution", options: WORKS },
        presence: Presence::RequiredWith(Literal::Nested),
    },
    COUNT,
];

const KEYS: Field = Field {
    name: "keys",
    label: text!("field.payload.keys"),
    value: ValueType::Integer { min: 1, max: MAX_KEYS },
    presence: Presence::RequiredWith(Literal::Integer(100)),
};

const fn end(name: &'static str, label: Key, default: i64) -> Field {
    Field {
        name,
        label,
        value: ValueType::Integer { min: -MAX_VALUE, max: MAX_VALUE },
        presence: Presence::RequiredWith(Literal::Integer(default)),
    }
}

const fn priority(name: &'static str, label: Key, default: i64) -> Field {
    Field {
        name,
        label,
        value: ValueType::Integer { min: 0, max: MAX_PRIORITY },
        presence: Presence::RequiredWith(Literal::Integer(default)),
    }
}

static PAYLOAD: &[Field] = &[
    Field {
        name: "bytes",
        label: text!("field.payload.bytes"),
        value: ValueType::Quantity { dimension: Dimension::Size, min: 0, max: MAX_PAYLOAD_BYTES },
        presence: Presence::Default(Literal::Text("256 B")),
    },
    Field {
        name: "content",
        label: text!("field.payload.content"),
        value: ValueType::Choice {
            options: &[
                ChoiceOption { id: "json", label: text!("content.json") },
                ChoiceOption { id: "text", label: text!("content.text") },
                ChoiceOption { id: "binary", label: text!("content.binary") },
            ],
        },
        presence: Presence::Default(Literal::Text("binary")),
    },
    Field {
        name: "key",
        label: text!("field.payload.key"),
        value: ValueType::Variant {
            tag: "distribution",
            options: &[
                VariantOption { id: "uniform", label: text!("payload.uniform"), fields: &[KEYS] },
                VariantOption {
                    id: "zipf",
                    label: text!("payload.zipf"),
                    fields: &[
                        KEYS,
                        Field {
                            name: "exponent",
                            label: text!("field.payload.exponent"),
                            value: ValueType::Quantity { dimension: Dimension::Number, min: 10, max: 10_000 },
                            presence: Presence::RequiredWith(Literal::Text("1.1")),
                        },
                    ],
                },
            ],
        },
        presence: Presence::Optional,
    },
    Field {
        name: "value",
        label: text!("field.payload.value"),
        value: ValueType::Variant {
            tag: "distribution",
            options: &[VariantOption {
                id: "uniform",
                label: text!("payload.uniform"),
                fields: &[end("from", text!("field.from"), 0), end("to", text!("field.to"), 100)],
            }],
        },
        presence: Presence::Optional,
    },
    Field {
        name: "event_time",
        label: text!("field.payload.event-time"),
        value: ValueType::Variant {
            tag: "distribution",
            options: &[VariantOption {
                id: "exponential",
                label: text!("work.exponential"),
                fields: &[Field {
                    name: "mean",
                    label: text!("field.payload.lateness"),
                    value: ValueType::Quantity { dimension: Dimension::Time, min: 0, max: MAX_LATENESS_NS },
                    presence: Presence::RequiredWith(Literal::Text("200 ms")),
                }],
            }],
        },
        presence: Presence::Optional,
    },
    Field {
        name: "priority",
        label: text!("field.payload.priority"),
        value: ValueType::Variant {
            tag: "distribution",
            options: &[
                VariantOption {
                    id: "constant",
                    label: text!("payload.constant"),
                    fields: &[priority("priority", text!("field.payload.priority.value"), 1)],
                },
                VariantOption {
                    id: "uniform",
                    label: text!("payload.uniform"),
                    fields: &[priority("from", text!("field.from"), 0), priority("to", text!("field.to"), 1)],
                },
            ],
        },
        presence: Presence::Optional,
    },
];

/// The client's descriptor.
pub(super) static DESCRIPTOR: KindDescriptor = KindDescriptor {
    kind: Kind::Client,
    id: "client",
    label: text!("kind.client"),
    inline: text!("kind.client.inline"),
    palette: text!("palette.traffic"),
    note: text!("kind.client.note"),
    starts_traffic: true,
    fields: &[
        Field {
            name: "load",
            label: text!("field.load"),
            value: ValueType::Variant {
                tag: "kind",
                options: &[
                    // The first is what a new client gets: with work as scattered, waiting shows at once.
                    VariantOption { id: "poisson", label: text!("load.poisson"), fields: OPEN_LOAD },
                    VariantOption { id: "constant", label: text!("load.constant"), fields: OPEN_LOAD },
                    VariantOption { id: "bursts", label: text!("load.bursts"), fields: BURSTS },
                    VariantOption { id: "ramp", label: text!("load.ramp"), fields: RAMP },
                    VariantOption { id: "closed", label: text!("load.closed"), fields: CLOSED },
                ],
            },
            presence: Presence::RequiredWith(Literal::Nested),
        },
        Field {
            name: "payload",
            label: text!("field.payload"),
            value: ValueType::Group { fields: PAYLOAD },
            presence: Presence::Default(Literal::Nested),
        },
    ],
};
