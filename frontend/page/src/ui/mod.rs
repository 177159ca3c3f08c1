//! Small pieces that the parts of the page are made of.

pub(crate) mod icon;
pub(crate) mod text;
