//! The keyboard: everything that a pointer can do.

use hopscope_interaction::gestures::{Gesture, Input};
use hopscope_view::geometry::{GRID, Point, Rect};
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::files;
use crate::state::document::{Editor, Selection};
use crate::state::run::Run;
use crate::ui::{focus, on_window};

/// How far an arrow key moves what is selected with Shift.
const FINE: f64 = 5.0;
/// How far an arrow key moves the canvas where nothing is selected that could move, in pixels.
const PAN: f64 = 80.0;
/// One step of zoom.
pub(crate) const ZOOM_STEP: f64 = 1.25;

/// Listens for keys as long as the page is there.
pub(crate) fn listen(editor: Editor, run: Run) {
    on_window(leptos::ev::keydown, move |event| {
        if !event.default_prevented() && (presented(editor, run, &event) || handle(editor, &event)) {
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
    /// On the inspector itself, which the arrow keys scroll.
    Inspector,
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
    } else if within(".inspector") {
        Place::Inspector
    } else {
        Place::Canvas
    }
}

/// Shows what the keyboard has come to; a pointer sees where it is.
pub(crate) fn reveal(editor: Editor, event: &web_sys::FocusEvent, rect: Rect) {
    let element = event_target::<web_sys::Element>(event);
    if element.matches(":focus-visible").unwrap_or(false) {
        editor.view.reveal(rect);
    }
}

/// What keys do while the canvas is shown to many; the others do what they always do.
fn presented(editor: Editor, run: Run, event: &web_sys::KeyboardEvent) -> bool {
    if !editor.presenting.get_untracked() || event.ctrl_key() || event.meta_key() || event.alt_key() {
        return false;
    }
    if matches!(place(event), Place::Typing | Place::Button | Place::Elsewhere) {
        return event.key() == "Escape" && place(event) != Place::Typing && !in_dialog() && leave(editor);
    }
    match event.key().as_str() {
        "Escape" => return leave(editor),
        " " => run.turn(),
        "ArrowRight" => run.step_any(true),
        "ArrowLeft" => run.step_any(false),
        _ => return false,
    }
    true
}

/// Whether a dialog is open, which then takes Escape itself.
fn in_dialog() -> bool {
    document().query_selector("dialog[open]").ok().flatten().is_some()
}

/// Shows the canvas to one person again.
fn leave(editor: Editor) -> bool {
    editor.present(false);
    true
}

/// Does what the key asks for; false where it means nothing here.
fn handle(editor: Editor, event: &web_sys::KeyboardEvent) -> bool {
    let key = event.key();
    let place = place(event);
    if key == "Escape" {
        return if place == Place::Typing { leave_field(editor) } else { escape(editor) };
    }
    if event.ctrl_key() || event.meta_key() {
        return place != Place::Typing && command(editor, &key.to_ascii_lowercase(), event.shift_key())
            || key.eq_ignore_ascii_case("s") && command(editor, "s", false);
    }
    let taken = place == Place::Button && matches!(key.as_str(), "Enter" | " ");
    match place {
        Place::Typing | Place::Elsewhere => false,
        _ if taken || event.alt_key() => false,
        Place::Inspector if key.starts_with("Arrow") => false,
        // By its place on the keyboard: what Shift makes of it differs from country to country.
        _ if event.shift_key() && event.code() == "Digit1" => {
            editor.fit();
            true
        }
        Place::Canvas | Place::Button | Place::Inspector => plain(editor, &key, event.shift_key()),
    }
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
    match key {
        "Delete" | "Backspace" => delete(editor),
        "ArrowLeft" => arrow(editor, Point::new(-1.0, 0.0), shift),
        "ArrowRight" => arrow(editor, Point::new(1.0, 0.0), shift),
        "ArrowUp" => arrow(editor, Point::new(0.0, -1.0), shift),
        "ArrowDown" => arrow(editor, Point::new(0.0, 1.0), shift),
        "l" | "L" => return start_linking(editor),
        "f" | "F" => editor.present(!editor.presenting.get_untracked()),
        "+" | "=" => editor.view.zoom_by(ZOOM_STEP),
        "-" => editor.view.zoom_by(1.0 / ZOOM_STEP),
        " " => {
            select_focused(editor);
            editor.space.set(true);
        }
        "Enter" => return enter(editor, shift),
        _ => return false,
    }
    true
}

/// Moves the selected nodes; the canvas, where there are none.
fn arrow(editor: Editor, towards: Point, fine: bool) {
    if editor.selection.with_untracked(|selection| !selection.nodes.is_empty()) {
        editor.move_selected(towards.times(if fine { FINE } else { GRID }), Some("nudge"));
    } else {
        let by = towards.times(if fine { -GRID } else { -PAN });
        editor.view.viewport.update(|view| *view = view.panned(by));
    }
}

fn start_linking(editor: Editor) -> bool {
    if editor.selection.with_untracked(Selection::is_empty) {
        select_focused(editor);
    }
    let from = editor.selection.with_untracked(|selection| selection.single().map(str::to_owned));
    let starts = from.is_some();
    editor.linking.set(from);
    starts
}

/// What of the scene has the focus.
fn focused() -> Option<Selection> {
    let element = document().active_element()?;
    let node = element.get_attribute("data-node").map(|id| Selection::nodes([id]));
    node.or_else(|| element.get_attribute("data-link").map(Selection::link))
}

/// Selects what has the focus, unless it is among what is selected.
fn select_focused(editor: Editor) {
    let Some(focused) = focused() else { return };
    let selected = editor.selection.with_untracked(|selection| {
        focused.nodes.iter().any(|id| selection.nodes.contains(id)) || focused.link.is_some() && focused == *selection
    });
    if !selected {
        editor.select(focused);
    }
}

/// Selects what has the focus and, where it is all that is selected, goes to its fields; with Shift adds it to what is
/// selected, or takes it out.
fn enter(editor: Editor, extend: bool) -> bool {
    let Some(focused) = focused() else { return false };
    match focused.single().filter(|_| extend) {
        Some(id) => editor.toggle(id.to_owned()),
        None if editor.selection.with_untracked(|selection| *selection == focused) => {
            focus(".inspector :is(input, select, textarea)");
        }
        None => editor.select(focused),
    }
    true
}

/// Deletes what is selected; where nothing is, what has the focus. The focus goes to what is next to it.
fn delete(editor: Editor) {
    let from = focused();
    if editor.selection.with_untracked(Selection::is_empty) {
        select_focused(editor);
    }
    let link = editor.selection.with_untracked(|selection| selection.link.clone());
    let caller = link.and_then(|id| editor.now(|document| document.link(&id).map(|link| link.from().to_owned())));
    editor.delete_selected();
    if from.is_some_and(|from| !editor.has(&from)) {
        let next = caller.or_else(|| editor.now(|document| document.nodes().next().map(|node| node.id().to_owned())));
        focus(&next.map_or_else(|| "[data-palette]".to_owned(), |id| format!("[data-node=\"{id}\"]")));
    }
}

/// Leaves a field; what was typed stays. From a field of what is selected it goes back to that.
fn leave_field(editor: Editor) -> bool {
    let field = document().active_element().and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok());
    let Some(field) = field else { return false };
    let of_selected = field.closest(".inspector").ok().flatten().is_some();
    if field.blur().is_ok() && of_selected {
        let back = editor.selection.with_untracked(|selection| {
            let node = selection.single().map(|id| format!("[data-node=\"{id}\"]"));
            node.or_else(|| selection.link.as_ref().map(|id| format!("[data-link=\"{id}\"]")))
        });
        back.iter().for_each(|selector| focus(selector));
    }
    true
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
