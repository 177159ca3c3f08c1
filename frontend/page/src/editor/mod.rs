//! The editor: palette, canvas, inspector, and what keys and files do to the document.
//!
//! Shows what [`crate::state::document`] holds and turns what a person does into changes of it. Gestures are
//! `hopscope_interaction`'s state machine; here pointers are fed to it and its effects carried out.

mod bar;
mod canvas;
mod chooser;
mod clipboard;
mod commands;
mod conversions;
mod empty;
mod files;
mod inspector;
mod keys;
mod link;
mod node;
mod overlays;
mod palette;
mod problems;

pub(crate) use bar::EditorBar;
pub(crate) use canvas::Canvas;
pub(crate) use chooser::Chooser;
pub(crate) use empty::Empty;
pub(crate) use inspector::Inspector;
pub(crate) use overlays::{LinkTip, NoticeCard, Zoom};
pub(crate) use palette::Palette;
pub(crate) use problems::ProblemCount;

use leptos::prelude::*;

use crate::state::autosave;
use crate::state::document::Editor;
use crate::state::run::Run;

/// The editor that the page is built around.
pub(crate) fn use_editor() -> Editor {
    expect_context::<Editor>()
}

/// Makes the page's editor, with the document that the browser kept, and lets keys and clipboard reach it.
pub(crate) fn provide_editor(run: Run) -> Editor {
    let editor = Editor::new(autosave::load());
    provide_context(editor);
    autosave::keep(editor);
    keys::listen(editor, run);
    clipboard::listen(editor);
    editor
}
