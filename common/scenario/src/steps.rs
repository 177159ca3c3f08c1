//! The steps of a service's own body, as data: what each is called and which fields it has.

use serde_json::Value;

use crate::catalogue::Key;
use crate::fields::{ChoiceOption, Field, Literal, Presence, ValueType, VariantOption, chosen};
use crate::kinds::WORKS;
use crate::model::Apply;
use crate::text;

/// The key whose value says which step it is.
pub const STEP_TAG: &str = "step";
/// Most steps of one body, those of all branches included.
pub const MAX_STEPS: usize = 200;
/// Deepest that steps may stand within steps; 1 is a body without branches.
pub const MAX_DEPTH: usize = 8;
/// Most branches of one step.
const MAX_BRANCHES: usize = 16;

/// Every step, in the order of the editor's menu.
pub static STEPS: &[VariantOption] = &[
    VariantOption {
        id: "work",
        label: text!("step.work"),
        fields: &[Field {
            name: "work",
            label: text!("field.work"),
            value: ValueType::Variant { tag: "distribution", options: WORKS },
            presence: Presence::Optional,
        }],
    },
    VariantOption { id: "call", label: text!("step.call"), fields: &[LINK] },
    VariantOption { id: "publish", label: text!("step.publish"), fields: &[LINK] },
    VariantOption { id: "effect", label: text!("step.effect"), fields: EFFECT },
    VariantOption { id: "parallel", label: text!("step.parallel"), fields: &[branches(&[BRANCH_STEPS])] },
    VariantOption { id: "choose", label: text!("step.choose"), fields: &[branches(&[WEIGHT, BRANCH_STEPS])] },
    VariantOption { id: "reply", label: text!("step.reply"), fields: &[] },
];

const LINK: Field =
    Field { name: "link", label: text!("field.link"), value: ValueType::Id, presence: Presence::Required };

/// Most characters of the name of an account or a transfer.
const MAX_NAME: usize = 40;
/// The most that an effect may change its account by, up or down.
pub const MAX_AMOUNT: i64 = 1_000_000_000;

static EFFECT: &[Field] = &[
    Field {
        name: "account",
        label: text!("field.account"),
        value: ValueType::Text { min_chars: 1, max_chars: MAX_NAME, multiline: false },
        presence: Presence::RequiredWith(Literal::Text("account")),
    },
    Field {
        name: "amount",
        label: text!("field.amount"),
        value: ValueType::Integer { min: -MAX_AMOUNT, max: MAX_AMOUNT },
        presence: Presence::RequiredWith(Literal::Integer(1)),
    },
    Field {
        name: "apply",
        label: text!("field.apply"),
        value: ValueType::Choice {
            options: &[
                ChoiceOption { id: "once", label: text!("apply.once") },
                ChoiceOption { id: "every-time", label: text!("apply.every-time") },
            ],
        },
        presence: Presence::Default(Literal::Text("once")),
    },
    Field {
        name: "transfer",
        label: text!("field.transfer"),
        value: ValueType::Text { min_chars: 1, max_chars: MAX_NAME, multiline: false },
        presence: Presence::Optional,
    },
];

const WEIGHT: Field = Field {
    name: "weight",
    label: text!("field.weight"),
    value: ValueType::Integer { min: 1, max: 1_000_000 },
    presence: Presence::RequiredWith(Literal::Integer(1)),
};

const BRANCH_STEPS: Field =
    Field { name: "steps", label: text!("field.body"), value: ValueType::Steps, presence: Presence::Required };

const fn branches(fields: &'static [Field]) -> Field {
    Field {
        name: "branches",
        label: text!("field.branches"),
        value: ValueType::List { fields, min: 2, max: MAX_BRANCHES },
        presence: Presence::Required,
    }
}

/// What a form calls a way to apply effects.
#[must_use]
pub const fn apply_label(apply: Apply) -> Key {
    match apply {
        Apply::Once => text!("apply.once"),
        Apply::EveryTime => text!("apply.every-time"),
    }
}

/// The descriptor of a step of a document, if it names a known one.
#[must_use]
pub fn step_of(step: &Value) -> Option<&'static VariantOption> {
    chosen(STEP_TAG, STEPS, step.as_object()?)
}

/// The lists of steps that a step has within, with their weights where it has weights.
pub fn branches_of(step: &Value) -> impl Iterator<Item = &Vec<Value>> {
    let branches = step.get("branches").and_then(Value::as_array);
    branches.into_iter().flatten().filter_map(|branch| branch.get("steps")?.as_array())
}
