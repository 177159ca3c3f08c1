//! Small pieces that the parts of the page are made of.

pub(crate) mod icon;
pub(crate) mod menu;
pub(crate) mod text;
