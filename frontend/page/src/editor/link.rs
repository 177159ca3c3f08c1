//! A link on the canvas.

use hopscope_markup::view;
use hopscope_scenario::edits::Target;
use hopscope_scenario::protocol::Stroke;
use hopscope_scenario::text;
use hopscope_view::scene::SceneLink;
use leptos::prelude::*;

use super::use_editor;
use crate::ui::memo;
use crate::ui::node::Node;
use crate::ui::text::{t, t_with};

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
    let selected = move || editor.selection.with(|selection| id.with_value(|id| selection.link.as_ref() == Some(id)));
    let faulty = memo(move || {
        let target = Target::Link(id.get_value());
        editor.problems.with(|problems| problems.iter().any(|problem| problem.target == target))
    });
    let name = move || {
        let (from, to) = link.with(|link| link.as_ref().map(|link| (link.from.clone(), link.to.clone())))?;
        let (from, to) = editor.with(|_| (editor.name_of(&from), editor.name_of(&to)));
        let label = link.with(|link| label(link.as_ref()));
        Some(t_with(text!("link.label"), &[("protocol", &label), ("from", &from), ("to", &to)]))
    };
    view! {
        <g class="link" data-link=id.get_value() role="img" aria-label=name
            class:selected=selected class:faulty=move || faulty.get()
            style:--hue=move || link.with(|link| hue(link.as_ref()))>
            {move || link.get().map(|link| drawing(&link))}
        </g>
    }
}

fn drawing(link: &SceneLink) -> Node {
    let label = label(Some(link));
    let width = label.chars().count() as f64 * CHARACTER + CHIP;
    let middle = link.path.beside(width, HEIGHT, GAP);
    let dotted = link.protocol.is_some_and(|protocol| protocol.descriptor().stroke == Stroke::Dotted);
    view! {
        <path class="hit" d=link.path.svg()></path>
        <path class="wire" class:dotted=dotted d=link.path.svg()></path>
        <path class="arrow" d=link.path.arrow(7.0)></path>
        <rect class="chip" x=middle.x - width / 2.0 y=middle.y - HEIGHT / 2.0 width=width height=HEIGHT rx=HEIGHT / 2.0></rect>
        <text class="m" x=middle.x y=middle.y + 3.5 text-anchor="middle">{label}</text>
    }
}

/// The protocol's name; a question mark where it is unknown.
fn label(link: Option<&SceneLink>) -> String {
    let protocol = link.and_then(|link| link.protocol);
    protocol.map_or_else(|| "?".to_owned(), |protocol| t(protocol.descriptor().label))
}

/// The protocol's colour as a token.
fn hue(link: Option<&SceneLink>) -> String {
    let protocol = link.and_then(|link| link.protocol);
    format!("var(--{})", protocol.map_or("bad", |protocol| protocol.descriptor().hue))
}
