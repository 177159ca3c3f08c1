//! The scenario: the document that a person builds, and all that is said about it before anything runs.
//!
//! Owns the model ([`model`]), the quantities with units ([`quantity`]), the descriptors of node kinds and protocols
//! ([`kinds`], [`protocol`], [`checks`], [`shape`]) that the inspector's forms, validation ([`validate`]), the published schema
//! ([`schema`]) and the editor's changes ([`edits`]) are made from, the plan of a run ([`plan`]), and the catalogue of
//! every text that a person reads ([`catalogue`]).
//!
//! Performs no IO, reads no clock, holds no sentence outside the catalogue, and never panics on a document.

pub mod catalogue;
pub mod checks;
pub mod differences;
pub mod disturb;
pub mod edits;
pub mod fields;
pub mod issue;
pub mod kinds;
pub mod model;
pub mod plan;
pub mod protocol;
pub mod quantity;
pub mod routing;
pub mod schema;
pub mod shape;
pub mod steps;
pub mod validate;
