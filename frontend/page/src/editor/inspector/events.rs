//! Which types of event come to an exchange: who publishes each, and who subscribed to it.

use hopscope_markup::view;
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::edits::{EventEnd, EventType};
use hopscope_scenario::kinds::Kind;
use hopscope_scenario::text;
use leptos::prelude::*;

use crate::editor::use_editor;
use crate::state::document::Selection;
use crate::ui::memo;
use crate::ui::node::{Node, node};
use crate::ui::text::t;

/// A type of event, with the links and names of its ends.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    name: String,
    publishers: Vec<(String, String)>,
    subscribers: Vec<(String, String)>,
}

/// The types of the node of this id; nothing where it is no exchange, or nothing is published there.
#[component]
pub(super) fn Events(id: String) -> impl IntoView {
    let editor = use_editor();
    let rows = memo(move || {
        editor.with(|document| {
            let exchange = document.node(&id).and_then(|node| node.kind()) == Some(Kind::Exchange);
            let events = if exchange { document.events(&id) } else { Vec::new() };
            let named = |ends: &[EventEnd<'_>]| -> Vec<_> {
                let name = |id| document.node(id).map(|node| node.name()).filter(|name| !name.trim().is_empty());
                ends.iter().map(|end| (end.link.to_owned(), name(end.node).unwrap_or(end.node).to_owned())).collect()
            };
            let row = |event: &EventType<'_>| Row {
                name: event.name.to_owned(),
                publishers: named(&event.publishers),
                subscribers: named(&event.subscribers),
            };
            events.iter().map(row).collect::<Vec<_>>()
        })
    });
    node(move || {
        let rows = rows.get();
        (!rows.is_empty()).then(|| {
            view! {
                <section class="event-types">
                    <h2>{t(text!("events.heading"))}</h2>
                    <ul>{rows.into_iter().map(drawn).collect::<Node>()}</ul>
                </section>
            }
        })
    })
}

fn drawn(Row { name, publishers, subscribers }: Row) -> Node {
    let key = if name.is_empty() { t(text!("events.untyped")) } else { name.clone() };
    view! {
        <li data-event-type=name>
            <strong class="num">{key}</strong>
            <dl>
                {ends(text!("events.publishers"), publishers)}
                {ends(text!("events.subscribers"), subscribers)}
            </dl>
        </li>
    }
}

/// One side of a type: each node leads to the link that says so.
fn ends(label: Key, ends: Vec<(String, String)>) -> Node {
    let editor = use_editor();
    let nobody = ends.is_empty().then(|| view! { <span class="dim">{t(text!("events.nobody"))}</span> });
    let end = |(link, name): (String, String)| {
        view! {
            <button type="button" data-end=link.clone() on:click=move |_| editor.select(Selection::link(link.clone()))>{name}</button>
        }
    };
    view! {
        <dt>{t(label)}</dt>
        <dd>{nobody}{ends.into_iter().map(end).collect::<Node>()}</dd>
    }
}
