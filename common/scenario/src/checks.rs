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
/// Greatest size that a limit may be, in bytes.
const MAX_SIZE: u64 = 1_000_000_000_000;
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
const SIZE: Field =
    limit(ValueType::Quantity { dimension: Dimension::Size, min: 0, max: MAX_SIZE }, Literal::Text("1 kB"));
const COUNT: Field = limit(ValueType::Integer { min: 0, max: MAX_COUNT }, Literal::Integer(0));

static TIMES: &[Field] = &[on(Presence::Optional), OP, TIME];
static TIMES_OF_RUN: &[Field] = &[OP, TIME];
static TIMES_OF_LINK: &[Field] = &[on(Presence::Required), OP, TIME];
static RATES: &[Field] = &[on(Presence::Required), OP, RATE];
static SHARES: &[Field] = &[on(Presence::Required), OP, SHARE];
static SIZES_OF_RUN: &[Field] = &[OP, SIZE];
static COUNTS: &[Field] = &[on(Presence::Required), OP, COUNT];
static COUNTS_OF_ANY: &[Field] = &[on(Presence::Optional), OP, COUNT];
static COUNTS_OF_RUN: &[Field] = &[OP, COUNT];

/// Which of some lengths of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The median.
    P50,
    /// What nine of ten do not exceed.
    P90,
    /// What 99 of 100 do not exceed.
    P99,
    /// The longest.
    Max,
}

/// What a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// From the intended send to the end of the last attempt.
    Answered(Part),
    /// T2 - T1 of attempts with a good reply.
    Completed(Part),
    /// From T1 to the broker's confirm.
    Confirmed(Part),
    /// Good replies per second of the measured phase.
    Throughput,
    /// Attempts that failed, were refused or timed out.
    Errors,
    /// These, of all that were sent.
    ErrorRate,
    /// Attempts that were tried again.
    Retried,
    /// Replies that came after their attempt was given up.
    Late,
    /// The greatest length of a queue.
    QueueLongest,
    /// The length of a queue when the run ended.
    QueueEnd,
    /// Traces that were answered well and never applied an effect of a service.
    EffectsNever,
    /// Traces that applied an effect of a service more than once.
    EffectsRepeated,
    /// Traces in which a transfer does not come to nothing.
    EffectsUnbalanced,
    /// From the answer of a trace to its end.
    Stale(Part),
    /// From the intended send of a trace to its end.
    Finished(Part),
    /// Traces that were not answered well, or were and never came to their end.
    Lost,
    /// Traces of which a message was worked on more than once.
    Repeated,
    /// From the end of the load until nothing was in flight.
    Drain,
    /// Time of processors for each trace that was sent.
    Cpu,
    /// Bytes of bodies for each trace that was sent.
    Bytes,
    /// The share of the time that a service's workers had something to do.
    Utilisation,
}

/// What a check of a metric may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Nothing: it is of all of the run.
    Run,
    /// A link.
    Link,
    /// A queue.
    Queue,
    /// A service.
    Service,
}

impl Metric {
    /// Every one, in the order of [`METRICS`].
    pub const ALL: [Self; 36] = [
        Self::Answered(Part::P50),
        Self::Answered(Part::P90),
        Self::Answered(Part::P99),
        Self::Answered(Part::Max),
        Self::Completed(Part::P50),
        Self::Completed(Part::P90),
        Self::Completed(Part::P99),
        Self::Completed(Part::Max),
        Self::Confirmed(Part::P50),
        Self::Confirmed(Part::P90),
        Self::Confirmed(Part::P99),
        Self::Confirmed(Part::Max),
        Self::Throughput,
        Self::Errors,
        Self::ErrorRate,
        Self::Retried,
        Self::Late,
        Self::QueueLongest,
        Self::QueueEnd,
        Self::EffectsNever,
        Self::EffectsRepeated,
        Self::EffectsUnbalanced,
        Self::Stale(Part::P50),
        Self::Stale(Part::P90),
        Self::Stale(Part::P99),
        Self::Stale(Part::Max),
        Self::Finished(Part::P50),
        Self::Finished(Part::P90),
        Self::Finished(Part::P99),
        Self::Finished(Part::Max),
        Self::Lost,
        Self::Repeated,
        Self::Drain,
        Self::Cpu,
        Self::Bytes,
        Self::Utilisation,
    ];

    /// The metric that documents write so.
    #[must_use]
    pub fn find(id: &str) -> Option<Self> {
        let row = METRICS.iter().position(|option| option.id == id)?;
        Self::ALL.get(row).copied()
    }

    /// As documents write it.
    #[must_use]
    pub fn id(self) -> &'static str {
        let row = Self::ALL.iter().position(|other| *other == self);
        row.and_then(|row| METRICS.get(row)).map_or("", |option| option.id)
    }

    /// What it is of.
    #[must_use]
    pub const fn subject(self) -> Subject {
        match self {
            Self::QueueLongest | Self::QueueEnd => Subject::Queue,
            Self::EffectsNever | Self::EffectsRepeated | Self::Utilisation => Subject::Service,
            Self::EffectsUnbalanced | Self::Stale(_) | Self::Finished(_) => Subject::Run,
            Self::Lost | Self::Repeated | Self::Drain | Self::Cpu | Self::Bytes => Subject::Run,
            _ => Subject::Link,
        }
    }

    /// What its limit measures; `None`: it counts.
    #[must_use]
    pub const fn dimension(self) -> Option<Dimension> {
        match self {
            Self::Answered(_) | Self::Completed(_) | Self::Confirmed(_) | Self::Stale(_) => Some(Dimension::Time),
            Self::Finished(_) | Self::Drain | Self::Cpu => Some(Dimension::Time),
            Self::Throughput => Some(Dimension::Rate),
            Self::ErrorRate | Self::Utilisation => Some(Dimension::Share),
            Self::Bytes => Some(Dimension::Size),
            Self::Errors | Self::Retried | Self::Late | Self::QueueLongest | Self::QueueEnd => None,
            Self::EffectsNever | Self::EffectsRepeated | Self::EffectsUnbalanced | Self::Lost | Self::Repeated => None,
        }
    }
}

/// What a check may be about, in the order of the editor's menu; [`Metric::ALL`] goes beside it.
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
    metric("queue.longest", text!("metric.queue.longest"), COUNTS),
    metric("queue.end", text!("metric.queue.end"), COUNTS),
    metric("effects.never", text!("metric.effects.never"), COUNTS_OF_ANY),
    metric("effects.repeated", text!("metric.effects.repeated"), COUNTS_OF_ANY),
    metric("effects.unbalanced", text!("metric.effects.unbalanced"), COUNTS_OF_RUN),
    metric("stale.p50", text!("metric.stale"), TIMES_OF_RUN),
    metric("stale.p90", text!("metric.stale"), TIMES_OF_RUN),
    metric("stale.p99", text!("metric.stale"), TIMES_OF_RUN),
    metric("stale.max", text!("metric.stale"), TIMES_OF_RUN),
    metric("finished.p50", text!("metric.finished"), TIMES_OF_RUN),
    metric("finished.p90", text!("metric.finished"), TIMES_OF_RUN),
    metric("finished.p99", text!("metric.finished"), TIMES_OF_RUN),
    metric("finished.max", text!("metric.finished"), TIMES_OF_RUN),
    metric("lost", text!("metric.lost"), COUNTS_OF_RUN),
    metric("repeated", text!("metric.repeated"), COUNTS_OF_RUN),
    metric("drain", text!("metric.drain"), TIMES_OF_RUN),
    metric("cpu", text!("metric.cpu"), TIMES_OF_RUN),
    metric("bytes", text!("metric.bytes"), SIZES_OF_RUN),
    metric("utilisation", text!("metric.utilisation"), SHARES),
];

const fn metric(id: &'static str, label: Key, fields: &'static [Field]) -> VariantOption {
    VariantOption { id, label, fields }
}

/// Whether `on` names a link: by its id, or by its two ends' names as `from->to`.
#[must_use]
pub fn names_link(on: &str, id: &str, from: &str, to: &str) -> bool {
    let ends = || on.strip_prefix(from)?.trim_start().strip_prefix("->")?.trim_start().strip_prefix(to);
    on == id || ends() == Some("")
}

/// What a document's check is about, if it says so.
pub(crate) fn metric_of(check: &Value) -> Option<Metric> {
    Metric::find(check.get(CHECK_TAG)?.as_str()?)
}
