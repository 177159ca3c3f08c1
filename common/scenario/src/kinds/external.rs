//! The external service: a program that is no part of Hopscope, at an address that the operator allowed.

use super::{Kind, KindDescriptor};
use crate::text;

/// The external service's descriptor. Where it is, no scenario says.
pub(super) static DESCRIPTOR: KindDescriptor = KindDescriptor {
    kind: Kind::External,
    id: "external",
    label: text!("kind.external"),
    inline: text!("kind.external.inline"),
    palette: text!("palette.services"),
    note: text!("kind.external.note"),
    starts_traffic: false,
    fields: &[],
};
