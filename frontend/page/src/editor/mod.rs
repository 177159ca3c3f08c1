//! The editor: palette, canvas, inspector, and what keys and files do to the document.
//!
//! Shows what [`crate::state::document`] holds and turns what a person does into changes of it. Gestures are
//! `hopscope_view`'s state machine; here pointers are fed to it and its effects carried out.

mod canvas;
mod commands;
mod empty;
mod link;
mod node;
mod palette;

pub(crate) use canvas::Canvas;
pub(crate) use empty::Empty;
pub(crate) use palette::Palette;

use leptos::prelude::*;

use crate::state::document::Editor;

/// The editor that the page is built around.
pub(crate) fn use_editor() -> Editor {
    expect_context::<Editor>()
}
