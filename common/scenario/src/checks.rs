//! Checks: limits that a person sets on a run's figures, as data.
//!
//! A metric is what a check is about: a row of [`METRICS`] says how documents write it, what it is of, and what its limit
//! measures. How its figure is computed is the report's.

use serde_json::Value;

use crate::catalogue::Key;
use crate::fields::{ChoiceOption, Field, Literal, Presence, ValueType, VariantOption};
use crate::quantity::Dimension;
use crate::text;

#[cfg(test)]
mod tests;

/// The key whose value says what a check is about.
pub const CHECK_TAG: &str = "metric";
/// Most checks of a scenario.
pub const MAX_CHECKS: usize = 200;
/// Longest time that a limit may be, in ns: a day.
const MAX_TIME: u64 = 86_400_000_000_000;
/// Greatest rate that a limit may be, in millionths of one per second.
const MAX_RATE: u64 = 1_000_000_000_000_000;
/// Greatest number that a limit may be.
const MAX_COUNT: i64 = 1_000_000_000_000;

const OP: Field = Field {
    name: "op",
    label: text!("field.check.op"),
    value: ValueType::Choice {
        options: &[
            ChoiceOption { id: "<", label: text!("check.below") },
            ChoiceOption { id: "<=", label: text!("check.at-most") },
            ChoiceOption { id: ">", label: text!("check.above") },
            ChoiceOption { id: ">=", label: text!("check.at-least") },
        ],
    },
    presence: Presence::RequiredWith(Literal::Text("<")),
};

const fn on(presence: Presence) -> Field {
    let value = ValueType::Text { min_chars: 1, max_chars: 200, multiline: false };
    Field { name: "on", label: text!("field.check.on"), value, presence }
}

const fn limit(value: ValueType, default: Literal) -> Field {
    Field { name: "value", label: text!("field.check.value"), value, presence: Presence::RequiredWith(default) }
}

const TIME: Field =
    limit(ValueType::Quantity { dimension: Dimension::Time, min: 0, max: MAX_TIME }, Literal::Text("50 ms"));
const RATE: Field =
    limit(ValueType::Quantity { dimension: Dimension::Rate, min: 0, max: MAX_RATE }, Literal::Text("20/s"));
const SHARE: Field =
    limit(ValueType::Quantity { dimension: Dimension::Share, min: 0, max: 1_000_000 }, Literal::Text("1 %"));
const COUNT: Field = limit(ValueType::Integer { min: 0, max: MAX_COUNT }, Literal::Integer(0));

static TIMES: &[Field] = &[on(Presence::Optional), OP, TIME];
static TIMES_OF_LINK: &[Field] = &[on(Presence::Required), OP, TIME];
static RATES: &[Field] = &[on(Presence::Required), OP, RATE];
static SHARES: &[Field] = &[on(Presence::Required), OP, SHARE];
static COUNTS: &[Field] = &[on(Presence::Required), OP, COUNT];

/// What a check may be about, in the order of the editor's menu.
pub static METRICS: &[VariantOption] = &[
    metric("answered.p50", text!("metric.answered"), TIMES),
    metric("answered.p90", text!("metric.answered"), TIMES),
    metric("answered.p99", text!("metric.answered"), TIMES),
    metric("answered.max", text!("metric.answered"), TIMES),
    metric("completed.p50", text!("metric.completed"), TIMES_OF_LINK),
    metric("completed.p90", text!("metric.completed"), TIMES_OF_LINK),
    metric("completed.p99", text!("metric.completed"), TIMES_OF_LINK),
    metric("completed.max", text!("metric.completed"), TIMES_OF_LINK),
    metric("confirmed.p50", text!("metric.confirmed"), TIMES_OF_LINK),
    metric("confirmed.p90", text!("metric.confirmed"), TIMES_OF_LINK),
    metric("confirmed.p99", text!("metric.confirmed"), TIMES_OF_LINK),
    metric("confirmed.max", text!("metric.confirmed"), TIMES_OF_LINK),
    metric("throughput", text!("metric.throughput"), RATES),
    metric("errors", text!("metric.errors"), COUNTS),
    metric("error-rate", text!("metric.error-rate"), SHARES),
    metric("retried", text!("metric.retried"), COUNTS),
    metric("late", text!("metric.late"), COUNTS),
    metric(QUEUE_LONGEST, text!("metric.queue.longest"), COUNTS),
    metric(QUEUE_END, text!("metric.queue.end"), COUNTS),
];

/// The greatest length of a queue.
pub const QUEUE_LONGEST: &str = "queue.longest";
/// The length of a queue when the run ended.
pub const QUEUE_END: &str = "queue.end";

const fn metric(id: &'static str, label: Key, fields: &'static [Field]) -> VariantOption {
    VariantOption { id, label, fields }
}

/// What a check's limit measures; `None`: it counts, or there is no such metric.
#[must_use]
pub fn dimension(metric: &str) -> Option<Dimension> {
    let option = METRICS.iter().find(|option| option.id == metric)?;
    option.fields.iter().find_map(|field| match field.value {
        ValueType::Quantity { dimension, .. } => Some(dimension),
        _ => None,
    })
}

/// Whether a metric is of a queue, and not of a link.
#[must_use]
pub fn is_of_queue(metric: &str) -> bool {
    [QUEUE_LONGEST, QUEUE_END].contains(&metric)
}

/// Whether `on` names a link: by its id, or by its two ends' names as `from->to`.
#[must_use]
pub fn names_link(on: &str, id: &str, from: &str, to: &str) -> bool {
    let ends = || on.strip_prefix(from)?.trim_start().strip_prefix("->")?.trim_start().strip_prefix(to);
    on == id || ends() == Some("")
}

/// What a document's check is about, if it says so.
pub(crate) fn metric_of(check: &Value) -> Option<&str> {
    check.get(CHECK_TAG)?.as_str()
}
