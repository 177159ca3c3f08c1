//! What the page works out when a person acts.
//!
//! Forms, gestures, copied parts, the outline of a body and the sequence of one trace as plain values and state machines: no
//! framework, no browser, no clock. None of it runs per frame or per event of a recording (that is `hopscope_view`), so in
//! the page it is compiled for size.

pub mod form;
pub mod gestures;
pub mod sequence;
pub mod steps;
pub mod transfer;
