//! Disturbances: what is done to a run while it runs, as data.
//!
//! A row of [`DISTURBANCES`] says how documents write an action and what it is told; what it can be done to is
//! [`Action::of_node`] and validation's. The same words are a scenario's list, the server's control and the command line's.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::catalogue::Key;
use crate::fields::{Field, Literal, Presence, ValueType, VariantOption};
use crate::kinds::client::{MAX_RATE, MIN_RATE};
use crate::quantity::Dimension;
use crate::shape::MAX_DURATION;
use crate::text;

/// The key whose value says what is done.
pub const DISTURBANCE_TAG: &str = "do";
/// What a disturbance calls the broker of the run's queues. A node of that name comes first where it can have the same.
pub const BROKER: &str = "broker";
/// What it calls that of its topics; likewise.
pub const KAFKA: &str = "kafka";
/// Most disturbances of a scenario.
pub const MAX_DISTURBANCES: usize = 200;
/// Longest that a link may be delayed by: 10 s.
const MAX_DELAY_NS: u64 = 10_000_000_000;
/// What a link may be throttled to, in bytes per second: 1 B/s to 1 GB/s.
const THROTTLE: (u64, u64) = (1, 1_000_000_000);

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// A node takes up no new work.
    Pause,
    /// A paused node goes on.
    Resume,
    /// A service's tasks are aborted and its sockets reset.
    Crash,
    /// A crashed service is started again.
    Start,
    /// A client's load gets another rate.
    Rate,
    /// A link's connections are reset, and new ones too.
    Cut,
    /// A link is again as the scenario has it.
    Mend,
    /// A link's round trip takes longer.
    Delay,
    /// A link lets through so many bytes in a second, each way.
    Throttle,
    /// The broker that Hopscope started is killed.
    Kill,
}

impl Action {
    /// Every one, in the order of [`DISTURBANCES`].
    pub const ALL: [Self; 10] = [
        Self::Pause,
        Self::Resume,
        Self::Crash,
        Self::Start,
        Self::Rate,
        Self::Cut,
        Self::Mend,
        Self::Delay,
        Self::Throttle,
        Self::Kill,
    ];

    /// The action that documents write so.
    #[must_use]
    pub fn find(id: &str) -> Option<Self> {
        let row = DISTURBANCES.iter().position(|option| option.id == id)?;
        Self::ALL.get(row).copied()
    }

    fn row(self) -> Option<&'static VariantOption> {
        let row = Self::ALL.iter().position(|other| *other == self)?;
        DISTURBANCES.get(row)
    }

    /// As documents write it.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.row().map_or("", |option| option.id)
    }

    /// What a menu calls it.
    #[must_use]
    pub fn label(self) -> Key {
        self.row().map_or(text!("disturb.pause"), |option| option.label)
    }

    /// Whether it is done to a node, and not to a link.
    #[must_use]
    pub const fn of_node(self) -> bool {
        matches!(self, Self::Pause | Self::Resume | Self::Crash | Self::Start | Self::Rate)
    }

    /// Whether it can be done to a broker of the run.
    #[must_use]
    pub const fn of_broker(self) -> bool {
        matches!(self, Self::Kill | Self::Start)
    }

    /// What undoes it; none where there is nothing to undo.
    #[must_use]
    pub const fn undone_by(self) -> Option<Self> {
        match self {
            Self::Pause => Some(Self::Resume),
            Self::Crash | Self::Kill => Some(Self::Start),
            Self::Rate => Some(Self::Rate),
            Self::Cut | Self::Delay | Self::Throttle => Some(Self::Mend),
            Self::Resume | Self::Start | Self::Mend => None,
        }
    }

    /// The field of what it is told beside what it is done to: `rate`, `by` or `to`.
    #[must_use]
    pub fn argument(self) -> Option<&'static Field> {
        self.row()?.fields.iter().find(|field| ["rate", "by", "to"].contains(&field.name))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

const fn quantity(
    name: &'static str,
    label: Key,
    dimension: Dimension,
    (min, max): (u64, u64),
    presence: Presence,
) -> Field {
    Field { name, label, value: ValueType::Quantity { dimension, min, max }, presence }
}

const AT: Field = quantity(
    "at",
    text!("field.disturbance.at"),
    Dimension::Time,
    (0, MAX_DURATION.0),
    Presence::RequiredWith(Literal::Text("2 s")),
);
const FOR: Field =
    quantity("for", text!("field.disturbance.for"), Dimension::Time, (1_000_000, MAX_DURATION.0), Presence::Optional);
const ON: Field = Field {
    name: "on",
    label: text!("field.disturbance.on"),
    value: ValueType::Text { min_chars: 1, max_chars: 200, multiline: false },
    presence: Presence::Required,
};
const RATE: Field = quantity(
    "rate",
    text!("field.disturbance.rate"),
    Dimension::Rate,
    (MIN_RATE, MAX_RATE),
    Presence::RequiredWith(Literal::Text("50/s")),
);
const BY: Field = quantity(
    "by",
    text!("field.disturbance.by"),
    Dimension::Time,
    (1, MAX_DELAY_NS),
    Presence::RequiredWith(Literal::Text("50 ms")),
);
const TO: Field = quantity(
    "to",
    text!("field.disturbance.to"),
    Dimension::Throughput,
    THROTTLE,
    Presence::RequiredWith(Literal::Text("100 kB/s")),
);

static ONCE: &[Field] = &[AT, ON];
static LASTS: &[Field] = &[AT, ON, FOR];
static RATES: &[Field] = &[AT, ON, RATE, FOR];
static DELAYS: &[Field] = &[AT, ON, BY, FOR];
static THROTTLES: &[Field] = &[AT, ON, TO, FOR];

/// What can be done, in the order of the editor's menu; [`Action::ALL`] goes beside it.
pub static DISTURBANCES: &[VariantOption] = &[
    VariantOption { id: "pause", label: text!("disturb.pause"), fields: LASTS },
    VariantOption { id: "resume", label: text!("disturb.resume"), fields: ONCE },
    VariantOption { id: "crash", label: text!("disturb.crash"), fields: LASTS },
    VariantOption { id: "start", label: text!("disturb.start"), fields: ONCE },
    VariantOption { id: "rate", label: text!("disturb.rate"), fields: RATES },
    VariantOption { id: "cut", label: text!("disturb.cut"), fields: LASTS },
    VariantOption { id: "mend", label: text!("disturb.mend"), fields: ONCE },
    VariantOption { id: "delay", label: text!("disturb.delay"), fields: DELAYS },
    VariantOption { id: "throttle", label: text!("disturb.throttle"), fields: THROTTLES },
    VariantOption { id: "kill", label: text!("disturb.kill"), fields: LASTS },
];

/// What a document's disturbance does, if it says so.
#[must_use]
pub fn action_of(disturbance: &Value) -> Option<Action> {
    Action::find(disturbance.get(DISTURBANCE_TAG)?.as_str()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_found_by_what_documents_write() {
        for action in Action::ALL {
            assert_eq!(Action::find(action.id()), Some(action));
            assert_eq!(serde_json::to_value(action).unwrap(), action.id());
            let told = action.argument().is_some();
            assert_eq!(told, matches!(action, Action::Rate | Action::Delay | Action::Throttle));
            assert_eq!(action.undone_by().is_none(), !action.row().unwrap().fields.iter().any(|it| it.name == "for"));
        }
        assert_eq!(Action::find("explode"), None);
    }
}
