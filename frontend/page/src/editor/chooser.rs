//! Linking without a pointer: the nodes that the selected one might call, to choose from.

use hopscope_interaction::gestures::Gesture;
use hopscope_markup::view;
use hopscope_scenario::issue::Issue;
use hopscope_scenario::text;
use leptos::html::Ul;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::use_editor;
use crate::state::document::Editor;
use crate::ui::focus;
use crate::ui::node::{Node, node};
use crate::ui::text::{issue_text, t, t_with};

impl Editor {
    /// Puts the chooser away and goes back to the node.
    pub(crate) fn stop_linking(self) {
        let from = self.linking.get_untracked();
        self.linking.set(None);
        self.gesture.set(Gesture::Idle);
        if let Some(id) = from {
            focus(&format!("[data-node=\"{id}\"]"));
        }
    }
}

/// The chooser, while a node is being linked by keyboard.
#[component]
pub(crate) fn Chooser() -> impl IntoView {
    let editor = use_editor();
    node(move || editor.linking.get().map(|from| view! { <Targets from/> }))
}

#[component]
fn Targets(from: String) -> impl IntoView {
    let editor = use_editor();
    let list = NodeRef::<Ul>::new();
    let refusal = RwSignal::new(None::<Issue>);
    let others: Vec<_> = editor.now(|document| {
        let others = document.nodes().filter(|node| node.id() != from);
        others.map(|node| (node.id().to_owned(), node.name().to_owned())).collect()
    });
    let title = t_with(text!("chooser.title"), &[("name", &editor.name_of(&from))]);
    let empty = others.is_empty();
    let from = StoredValue::new(from);
    // What has the focus is drawn as the link would be, and told why it cannot be.
    let preview = move |to: &str| {
        let from = from.get_value();
        refusal.set(editor.now(|document| document.may_join(&from, to)).err());
        let at = editor.scene.with_untracked(|scene| scene.node(to).map(|node| node.rect));
        if let Some(rect) = at {
            editor
                .gesture
                .set(Gesture::Linking { from, at: hopscope_view::geometry::Point::new(rect.x, rect.center().y) });
        }
    };
    let choose = move |to: &str| {
        let from = from.get_value();
        editor.stop_linking();
        editor.link(&from, to);
    };
    let item = move |(id, name): (String, String)| {
        let (focused, clicked) = (id.clone(), id);
        view! {
            <li>
                <button type="button" on:focus=move |_| preview(&focused) on:click=move |_| choose(&clicked)>{name}</button>
            </li>
        }
    };
    let keys = move |event: web_sys::KeyboardEvent| {
        let forward = match event.key().as_str() {
            "ArrowDown" => true,
            "ArrowUp" => false,
            _ => return,
        };
        event.prevent_default();
        step(list, forward);
    };
    Effect::new(move |_| {
        if list.get().is_some() {
            step(list, true);
        }
    });
    view! {
        <div class="chooser floating" role="dialog" aria-label=title.clone() on:keydown=keys>
            <strong>{title.clone()}</strong>
            {empty.then(|| view! { <p class="note">{t(text!("chooser.empty"))}</p> })}
            <ul node_ref=list>{others.into_iter().map(item).collect::<Node>()}</ul>
            <div role="status">{move || refusal.get().map(|issue| view! { <p class="issue">{issue_text(&issue)}</p> })}</div>
            <button type="button" class="btn" on:click=move |_| editor.stop_linking()>{t(text!("action.cancel"))}</button>
        </div>
    }
}

/// Moves the focus to the next entry of the list, or the one before; from outside to the first.
fn step(list: NodeRef<Ul>, forward: bool) {
    let Some(list) = list.get_untracked() else {
        return;
    };
    let Ok(buttons) = list.query_selector_all("button") else {
        return;
    };
    let button = |index: u32| buttons.item(index).and_then(|node| node.dyn_into::<web_sys::HtmlElement>().ok());
    let active = document().active_element();
    let count = buttons.length();
    let current = (0..count).find(|index| buttons.item(*index).as_ref() == active.as_deref());
    let next = match (current, forward) {
        (None, _) => 0,
        (Some(index), true) => (index + 1) % count,
        (Some(index), false) => (index + count - 1) % count,
    };
    if let Some(button) = button(next) {
        // A button of the open list takes the focus.
        let _ = button.focus();
    }
}
