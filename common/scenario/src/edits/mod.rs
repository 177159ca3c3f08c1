//! Edits: the document as the editor holds it, changes as values with inverses, and undo.
//!
//! The document is JSON and not the model, because a person who types `-1.2` must not lose it: the document keeps what
//! was typed and validation marks it. What an edit must not break is only what the editor itself stands on: two lists of
//! objects with ids of their own.

mod build;
mod change;
mod convert;
mod document;
mod event;
mod follow;
mod history;
mod steps;
mod trial;

pub use change::{Change, EditError, List, Target};
pub use convert::Conversion;
pub use document::{Document, LinkRef, NodeRef};
pub use event::{EventEnd, EventType, Join};
pub use history::History;
pub use steps::{add_step, renamed as rename_links, step_over};
pub use trial::Added;

#[cfg(test)]
mod tests;
