//! A link on the canvas.

use hopscope_markup::view;
use hopscope_scenario::edits::Target;
use hopscope_scenario::protocol::Stroke;
use hopscope_scenario::text;
use hopscope_view::geometry::Rect;
use hopscope_view::scene::SceneLink;
use leptos::prelude::*;

use super::keys::reveal;
use super::use_editor;
use crate::state::run::{mark, use_run};
use crate::ui::memo;
use crate::ui::node::Node;
use crate::ui::text::{columns, shortened, t, t_with};

/// Width of one character of a link's label, and what its chip adds to the text.
const CHARACTER: f64 = 6.4;
const CHIP: f64 = 10.0;
/// Height of the label, and how far it stands off the line, so that the dots on it leave it readable.
const HEIGHT: f64 = 14.0;
const GAP: f64 = 6.0;

/// The link of an id.
#[component]
pub(crate) fn LinkView(id: String) -> impl IntoView {
    let editor = use_editor();
    let id = StoredValue::new(id);
    let link = memo(move || editor.scene.with(|scene| id.with_value(|id| scene.link(id).cloned())));
    // What carries replies belongs to the link of the messages, and is selected with it.
    let owner = id.with_value(|id| {
        let of = editor.scene.with_untracked(|scene| scene.link(id).and_then(|link| link.replies_of.clone()));
        of.map_or_else(|| (id.clone(), false), |of| (of, true))
    });
    let (owner, replies) = (StoredValue::new(owner.0), owner.1);
    // A way of dead letters is its queue's, and is set there.
    let dead = link.with_untracked(|link| link.as_ref().is_some_and(|link| link.dead_letters));
    let derived = replies || dead;
    let selected =
        move || editor.selection.with(|selection| owner.with_value(|id| selection.link.as_ref() == Some(id)));
    let faulty = memo(move || {
        let target = Target::Link(owner.get_value());
        editor.problems.with(|problems| problems.iter().any(|problem| problem.target == target))
    });
    let run = use_run();
    let marked = memo(move || {
        let mark = id.with_value(|id| mark(run, true, id))?;
        Some((mark.class, mark.words))
    });
    let name = move || {
        let (from, to) = link.with(|link| link.as_ref().map(|link| (link.from.clone(), link.to.clone())))?;
        let (from, to) = editor.with(|_| (editor.name_of(&from), editor.name_of(&to)));
        let label = link.with(|link| label(link.as_ref(), marked.get().as_ref()));
        let key = match (replies, dead) {
            (true, _) => text!("link.label.replies"),
            (_, true) => text!("link.label.dead"),
            _ => text!("link.label"),
        };
        Some(t_with(key, &[("protocol", &label), ("from", &from), ("to", &to)]))
    };
    // What is no link of the document is no stop of its own for the keyboard.
    let (role, stop) = if derived { ("img", None) } else { ("button", Some("0")) };
    let focus = move |event: web_sys::FocusEvent| {
        let at = link.with_untracked(|link| link.as_ref().map(|link| link.path.at(0.5)));
        if let Some(at) = at {
            reveal(editor, &event, Rect::new(at.x, at.y, 0.0, 0.0));
        }
    };
    view! {
        <g class="link" data-link=(!derived).then(|| id.get_value()) data-replies-of=replies.then(|| owner.get_value())
            role=role tabindex=stop aria-label=name aria-pressed=move || (!derived).then(|| selected().to_string()) on:focus=focus
            class:replies=derived data-mark=move || marked.get().map(|(class, _)| class)
            class:selected=selected class:faulty=move || faulty.get()
            style:--hue=move || link.with(|link| hue(link.as_ref()))>
            {move || link.get().map(|link| drawing(&link, marked.get().as_ref()))}
        </g>
    }
}

fn drawing(link: &SceneLink, marked: Option<&(&'static str, String)>) -> Node {
    let (dotted, dashed) = (link.stroke == Stroke::Dotted, link.stroke == Stroke::Dashed);
    let line = view! {
        <path class="hit" d=link.path.svg()></path>
        <path class="wire" class:dotted=dotted class:dashed=dashed d=link.path.svg()></path>
        <path class="arrow" d=link.path.arrow(if link.replies_of.is_some() || link.dead_letters { 5.0 } else { 7.0 })></path>
    };
    if link.replies_of.is_some() {
        return line;
    }
    let label = match link.dead_letters {
        true if link.id.ends_with("alternate") => t(text!("link.alternate")),
        true => t(text!("link.dead")),
        false => label(Some(link), marked),
    };
    let width = columns(&label) as f64 * CHARACTER + CHIP;
    let middle = link.path.beside(width, HEIGHT, GAP);
    view! {
        {line}
        <rect class="chip" x=middle.x - width / 2.0 y=middle.y - HEIGHT / 2.0 width=width height=HEIGHT rx=HEIGHT / 2.0></rect>
        <text class="m" x=middle.x y=middle.y + 3.5 text-anchor="middle">{label}</text>
    }
}

/// The protocol's name, a question mark where it is unknown; and what was done to the link.
fn label(link: Option<&SceneLink>, marked: Option<&(&'static str, String)>) -> String {
    let protocol = link.and_then(|link| link.protocol);
    let key = link.map(|link| shortened(&link.key, 20)).filter(|key| !key.is_empty());
    let name =
        key.unwrap_or_else(|| protocol.map_or_else(|| "?".to_owned(), |protocol| t(protocol.descriptor().label)));
    marked.map_or_else(|| name.clone(), |(_, words)| format!("{name} · {words}"))
}

/// The protocol's colour as a token.
fn hue(link: Option<&SceneLink>) -> String {
    let protocol = link.and_then(|link| link.protocol);
    format!("var(--{})", protocol.map_or("bad", |protocol| protocol.descriptor().hue))
}
