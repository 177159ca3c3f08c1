//! Copy and paste. What is copied is a scenario, so that it can be pasted here, into a file, or into a mail.

use std::collections::BTreeMap;

use hopscope_scenario::edits::{Change, Document, List};
use hopscope_scenario::text;
use leptos::prelude::*;
use serde_json::{Value, json};
use wasm_bindgen::JsCast;

use crate::state::document::{Editor, Selection, empty};
use crate::ui::text::t;

/// How far a copy stands from its original.
const ASIDE: i64 = 40;

/// Listens for the browser's own clipboard events, so that menus and keys of every system do the same.
pub(crate) fn listen(editor: Editor) {
    let copy = window_event_listener(leptos::ev::copy, move |event| {
        put(editor, &event);
    });
    let cut = window_event_listener(leptos::ev::cut, move |event| {
        if put(editor, &event) {
            editor.delete_selected();
        }
    });
    let paste = window_event_listener(leptos::ev::paste, move |event| {
        let text = event.clipboard_data().and_then(|data| data.get_data("text/plain").ok());
        if let (false, Some(text)) = (is_text(&event), text) {
            take(editor, &text);
            event.prevent_default();
        }
    });
    on_cleanup(move || {
        copy.remove();
        cut.remove();
        paste.remove();
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
    let text = editor.now(|document| part(document, &selection));
    let put = event.clipboard_data().is_some_and(|data| data.set_data("text/plain", &text).is_ok());
    if put {
        event.prevent_default();
        editor.said.set(t(text!("said.copied")));
    }
    put
}

/// The selected nodes and the links among them, as a scenario.
fn part(document: &Document, selection: &Selection) -> String {
    let chosen = |id: &str| selection.nodes.contains(id);
    let nodes: Vec<_> = document.nodes().filter(|node| chosen(node.id())).map(|node| node.value().clone()).collect();
    let links = document.links().filter(|link| chosen(link.from()) && chosen(link.to()));
    let links: Vec<_> = links.map(|link| link.value().clone()).collect();
    let mut part = empty().value().clone();
    part["nodes"] = json!(nodes);
    part["links"] = json!(links);
    part.to_string()
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

/// The ids of the new nodes, and the change that adds them with their links.
fn pasting(document: &Document, other: &Document) -> (Vec<String>, Change) {
    let mut grown = document.clone();
    let mut new_ids = BTreeMap::new();
    let mut changes = Vec::new();
    // Each is added to a copy first, so that ids and names are new among the pasted ones too.
    let mut add = |grown: &mut Document, change: Change| {
        if grown.apply(&change).is_ok() {
            changes.push(change);
        }
    };
    for node in other.nodes() {
        let Some(kind) = node.kind() else {
            continue;
        };
        let (id, change) = grown.add_node(kind.descriptor(), node.name(), 0, 0);
        let Change::Insert { list: List::Nodes, index, element } = change else {
            continue;
        };
        let element = copied(node.value(), &[("id", json!(id)), ("name", element["name"].clone())]);
        add(&mut grown, Change::Insert { list: List::Nodes, index, element: aside(element) });
        new_ids.insert(node.id().to_owned(), id);
    }
    for link in other.links() {
        let ends = (new_ids.get(link.from()), new_ids.get(link.to()), link.protocol());
        let (Some(from), Some(to), Some(protocol)) = ends else {
            continue;
        };
        let (id, change) = grown.add_link(from, to, protocol);
        let Change::Insert { list: List::Links, index, .. } = change else {
            continue;
        };
        let element = copied(link.value(), &[("id", json!(id)), ("from", json!(from)), ("to", json!(to))]);
        add(&mut grown, Change::Insert { list: List::Links, index, element });
    }
    (new_ids.into_values().collect(), Change::Group(changes))
}

/// The element with these fields in place of its own.
fn copied(element: &Value, fields: &[(&str, Value)]) -> Value {
    let mut element = element.clone();
    for (name, value) in fields {
        element[*name] = value.clone();
    }
    element
}

fn aside(mut node: Value) -> Value {
    for axis in ["x", "y"] {
        if let Some(at) = node.get(axis).and_then(Value::as_i64) {
            node[axis] = json!(at.saturating_add(ASIDE));
        }
    }
    node
}
