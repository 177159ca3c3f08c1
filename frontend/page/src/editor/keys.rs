//! The keyboard: everything that a pointer can do.

use hopscope_view::geometry::{GRID, Point};
use hopscope_view::gestures::{Gesture, Input};
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::files;
use crate::state::document::{Editor, Selection};
use crate::ui::on_window;

/// How far an arrow key moves with Shift.
const FINE: f64 = 5.0;
/// One step of zoom.
pub(crate) const ZOOM_STEP: f64 = 1.25;

/// Listens for keys as long as the page is there.
pub(crate) fn listen(editor: Editor) {
    on_window(leptos::ev::keydown, move |event| {
        if !event.default_prevented() && handle(editor, &event) {
            event.prevent_default();
        }
    });
    on_window(leptos::ev::keyup, move |event| {
        if event.code() == "Space" {
            editor.space.set(false);
        }
    });
    // A key that is let go while another window has the focus is never heard of.
    on_window(leptos::ev::blur, move |_| editor.space.set(false));
}

/// Where a key was pressed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In something that takes text.
    Typing,
    /// On a button, which takes Enter and Space itself.
    Button,
    /// On the canvas, or nowhere in particular.
    Canvas,
    /// In a part of the page that has keys of its own.
    Elsewhere,
}

fn place(event: &web_sys::KeyboardEvent) -> Place {
    let Some(element) = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok()) else {
        return Place::Canvas;
    };
    // The selectors are constants that parse.
    let within = |selector: &str| element.closest(selector).ok().flatten().is_some();
    if within("input, textarea, select") {
        Place::Typing
    } else if within(".dock, [role=dialog], [role=menu]") {
        Place::Elsewhere
    } else if within("button") {
        Place::Button
    } else {
        Place::Canvas
    }
}

/// Does what the key asks for; false where it means nothing here.
fn handle(editor: Editor, event: &web_sys::KeyboardEvent) -> bool {
    let key = event.key();
    let place = place(event);
    if key == "Escape" {
        return if place == Place::Typing { leave_field() } else { escape(editor) };
    }
    if event.ctrl_key() || event.meta_key() {
        return place != Place::Typing && command(editor, &key.to_lowercase(), event.shift_key())
            || key.eq_ignore_ascii_case("s") && command(editor, "s", false);
    }
    let taken = place == Place::Button && matches!(key.as_str(), "Enter" | " ");
    matches!(place, Place::Canvas | Place::Button)
        && !taken
        && !event.alt_key()
        && plain(editor, &key, event.shift_key())
}

fn command(editor: Editor, key: &str, shift: bool) -> bool {
    match (key, shift) {
        ("z", false) => editor.undo(),
        ("z", true) | ("y", false) => editor.redo(),
        ("a", false) => editor.select_all(),
        ("s", false) => files::save(editor),
        _ => return false,
    }
    true
}

fn plain(editor: Editor, key: &str, shift: bool) -> bool {
    let step = if shift { FINE } else { GRID };
    match key {
        "Delete" | "Backspace" => editor.delete_selected(),
        "ArrowLeft" => return nudge(editor, -step, 0.0),
        "ArrowRight" => return nudge(editor, step, 0.0),
        "ArrowUp" => return nudge(editor, 0.0, -step),
        "ArrowDown" => return nudge(editor, 0.0, step),
        "l" | "L" => return start_linking(editor),
        "f" | "F" => editor.fit(),
        "+" | "=" => editor.view.zoom_by(ZOOM_STEP),
        "-" => editor.view.zoom_by(1.0 / ZOOM_STEP),
        " " => editor.space.set(true),
        "Enter" => return select_focused(editor),
        _ => return false,
    }
    true
}

fn nudge(editor: Editor, x: f64, y: f64) -> bool {
    let moves = editor.selection.with_untracked(|selection| !selection.nodes.is_empty());
    if moves {
        editor.move_selected(Point::new(x, y), Some("nudge"));
    }
    moves
}

fn start_linking(editor: Editor) -> bool {
    let from = editor.selection.with_untracked(|selection| selection.single().map(str::to_owned));
    let starts = from.is_some();
    editor.linking.set(from);
    starts
}

fn select_focused(editor: Editor) -> bool {
    let focused = document().active_element().and_then(|element| element.get_attribute("data-node"));
    let found = focused.is_some();
    if let Some(id) = focused {
        editor.select(Selection::nodes([id]));
    }
    found
}

/// Leaves a field; what was typed stays.
fn leave_field() -> bool {
    let field = document().active_element().and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok());
    field.is_some_and(|field| field.blur().is_ok())
}

/// Gives up what is under way; otherwise puts away what is shown; otherwise selects nothing.
fn escape(editor: Editor) -> bool {
    if editor.linking.get_untracked().is_some() {
        editor.stop_linking();
    } else if editor.gesture.with_untracked(Gesture::is_active) {
        editor.point(Input::Cancel);
    } else if editor.notice.with_untracked(Option::is_some) {
        editor.notice.set(None);
    } else if !editor.selection.with_untracked(Selection::is_empty) {
        editor.select(Selection::default());
    } else {
        return false;
    }
    true
}
