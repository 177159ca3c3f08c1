//! Copy and paste. What is copied is a scenario, so that it can be pasted here, into a file, or into a mail.

use hopscope_interaction::transfer::{part, pasting};
use hopscope_scenario::edits::Document;
use hopscope_scenario::text;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use crate::state::document::{Editor, Selection};
use crate::ui::on_window;
use crate::ui::text::t;

/// Listens for the browser's own clipboard events, so that menus and keys of every system do the same.
pub(crate) fn listen(editor: Editor) {
    on_window(leptos::ev::copy, move |event| {
        put(editor, &event);
    });
    on_window(leptos::ev::cut, move |event| {
        if put(editor, &event) {
            editor.delete_selected();
        }
    });
    on_window(leptos::ev::paste, move |event| {
        let text = event.clipboard_data().and_then(|data| data.get_data("text/plain").ok());
        if let (false, Some(text)) = (is_text(&event), text) {
            take(editor, &text);
            event.prevent_default();
        }
    });
}

/// Whether the event is about a text of the page: typed in a field, or marked to be copied.
fn is_text(event: &web_sys::ClipboardEvent) -> bool {
    let element = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let typing = element.is_some_and(|element| element.closest("input, textarea").ok().flatten().is_some());
    let marked = window().get_selection().ok().flatten().is_some_and(|selection| !selection.is_collapsed());
    typing || marked
}

fn put(editor: Editor, event: &web_sys::ClipboardEvent) -> bool {
    let selection = editor.selection.get_untracked();
    if selection.nodes.is_empty() || is_text(event) {
        return false;
    }
    let text = editor.now(|document| part(document, &selection.nodes, document.name()));
    let put = event.clipboard_data().is_some_and(|data| data.set_data("text/plain", &text).is_ok());
    if put {
        event.prevent_default();
        editor.said.set(t(text!("said.copied")));
    }
    put
}

/// Adds what another scenario holds, under new ids and names, and selects it.
fn take(editor: Editor, text: &str) {
    let Ok(other) = Document::open(text) else {
        editor.said.set(t(text!("said.nothing-to-paste")));
        return;
    };
    let (ids, change) = editor.now(|document| pasting(document, &other));
    if !ids.is_empty() {
        editor.apply(change, None);
        editor.select(Selection::nodes(ids));
        editor.said.set(t(text!("said.pasted")));
    }
}
