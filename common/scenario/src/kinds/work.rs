//! How long work takes: the distributions, each with its mean and, where it can be chosen, its coefficient of variation.

use crate::fields::{Field, Literal, Presence, ValueType, VariantOption};
use crate::quantity::Dimension;
use crate::text;

/// Longest work of one request, in the mean: one hour.
const MAX_WORK_NS: u64 = 3_600_000_000_000;

const MEAN: Field = Field {
    name: "mean",
    label: text!("field.work.mean"),
    value: ValueType::Quantity { dimension: Dimension::Time, min: 0, max: MAX_WORK_NS },
    presence: Presence::RequiredWith(Literal::Text("40 ms")),
};

/// The coefficients of variation that a distribution can have, both ends included, in millionths.
#[derive(Clone, Copy)]
pub(crate) struct Variation(u64, u64);

/// Beyond 1 / sqrt(3) the shortest would be below 0.
pub(crate) const UNIFORM_CV: Variation = Variation(10_000, 577_000);
/// 100 phases to one.
pub(crate) const ERLANG_CV: Variation = Variation(100_000, 1_000_000);
/// Of those with a tail.
pub(crate) const HEAVY_CV: Variation = Variation(10_000, 10_000_000);

/// The coefficient of variation.
pub(crate) const fn cv(Variation(min, max): Variation, usual: &'static str) -> Field {
    Field {
        name: "cv",
        label: text!("field.work.cv"),
        value: ValueType::Quantity { dimension: Dimension::Share, min, max },
        presence: Presence::RequiredWith(Literal::Text(usual)),
    }
}

static ALONE: &[Field] = &[MEAN];
static UNIFORM: &[Field] = &[MEAN, cv(UNIFORM_CV, "50 %")];
static ERLANG: &[Field] = &[MEAN, cv(ERLANG_CV, "50 %")];
static HEAVY: &[Field] = &[MEAN, cv(HEAVY_CV, "150 %")];

/// The distributions to choose from.
pub(crate) static WORKS: &[VariantOption] = &[
    // The first is what a new service gets.
    VariantOption { id: "exponential", label: text!("work.exponential"), fields: ALONE },
    VariantOption { id: "constant", label: text!("work.constant"), fields: ALONE },
    VariantOption { id: "uniform", label: text!("work.uniform"), fields: UNIFORM },
    VariantOption { id: "lognormal", label: text!("work.lognormal"), fields: HEAVY },
    VariantOption { id: "erlang", label: text!("work.erlang"), fields: ERLANG },
    VariantOption { id: "pareto", label: text!("work.pareto"), fields: HEAVY },
];
