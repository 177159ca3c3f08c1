//! What lies between the two ends of a link that crosses a socket: nothing more than this machine, or a network that a
//! person describes.

use crate::catalogue::Key;
use crate::fields::{Field, Literal, Presence, ValueType, VariantOption};
use crate::kinds::work::{ERLANG_CV, HEAVY_CV, UNIFORM_CV, cv};
use crate::quantity::Dimension;
use crate::text;

/// Longest round trip, in the mean: 10 s.
const MAX_ROUND_TRIP_NS: u64 = 10_000_000_000;

/// The option of a link that crosses a socket.
pub(super) const NETWORK: Field = Field {
    name: "network",
    label: text!("field.network"),
    value: ValueType::Variant { tag: "distribution", options: NETWORKS },
    presence: Presence::Optional,
};

const ROUND_TRIP: Field = Field {
    name: "mean",
    label: text!("field.network.round-trip"),
    value: ValueType::Quantity { dimension: Dimension::Time, min: 0, max: MAX_ROUND_TRIP_NS },
    presence: Presence::RequiredWith(Literal::Text("2 ms")),
};

static ALONE: &[Field] = &[ROUND_TRIP];
static UNIFORM: &[Field] = &[ROUND_TRIP, cv(UNIFORM_CV, "20 %")];
static ERLANG: &[Field] = &[ROUND_TRIP, cv(ERLANG_CV, "20 %")];
static HEAVY: &[Field] = &[ROUND_TRIP, cv(HEAVY_CV, "50 %")];

static NETWORKS: &[VariantOption] = &[
    // The first is what a link gets whose network is chosen.
    VariantOption { id: "constant", label: text!("work.constant"), fields: ALONE },
    VariantOption { id: "uniform", label: text!("work.uniform"), fields: UNIFORM },
    VariantOption { id: "lognormal", label: text!("work.lognormal"), fields: HEAVY },
    VariantOption { id: "exponential", label: text!("work.exponential"), fields: ALONE },
    VariantOption { id: "erlang", label: text!("work.erlang"), fields: ERLANG },
    VariantOption { id: "pareto", label: text!("work.pareto"), fields: HEAVY },
];

/// A round trip to begin with, where a person has not measured their own: an assumption, and said to be one.
#[derive(Debug)]
pub struct NetworkPreset {
    /// How far apart the ends are.
    pub label: Key,
    /// The round trip, constant.
    pub round_trip: &'static str,
}

/// The presets, the nearest first. Dean, "Designs, Lessons and Advice from Building Large Distributed Systems" (2009), has
/// 0.5 ms within a datacenter; providers of clouds speak of less than 2 ms between the zones of a region; light in glass
/// needs 60 ms from Frankfurt to New York and back, and routes are longer than that.
pub static NETWORK_PRESETS: &[NetworkPreset] = &[
    NetworkPreset { label: text!("network.same-zone"), round_trip: "0.5 ms" },
    NetworkPreset { label: text!("network.region"), round_trip: "2 ms" },
    NetworkPreset { label: text!("network.continents"), round_trip: "80 ms" },
];
