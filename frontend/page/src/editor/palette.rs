//! The kinds of nodes, to be dragged onto the canvas or clicked.

use hopscope_interaction::gestures::Input;
use hopscope_markup::view;
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::kinds::{KINDS, KindDescriptor};
use hopscope_scenario::text;
use leptos::prelude::*;

use super::use_editor;
use crate::ui::icon::KindIcon;
use crate::ui::node::Node;
use crate::ui::text::t;

/// The palette.
#[component]
pub(crate) fn Palette() -> impl IntoView {
    let group = |label: Key| {
        let kinds =
            KINDS.iter().filter(|kind| kind.palette == label).map(|kind| view! { <Item kind/> }).collect::<Node>();
        view! {
            <section>
                <h2>{t(label)}</h2>
                {kinds}
            </section>
        }
    };
    view! { <nav class="palette" aria-label=t(text!("palette.label"))>{groups().into_iter().map(group).collect::<Node>()}</nav> }
}

/// The groups in the order of their first kinds.
fn groups() -> Vec<Key> {
    let mut groups: Vec<Key> = Vec::new();
    for kind in KINDS {
        if !groups.contains(&kind.palette) {
            groups.push(kind.palette);
        }
    }
    groups
}

#[component]
fn Item(kind: &'static KindDescriptor) -> impl IntoView {
    let editor = use_editor();
    let button = NodeRef::<leptos::html::Button>::new();
    let press = move |event: web_sys::PointerEvent| {
        if event.button() != 0 {
            return;
        }
        if let Some(button) = button.get_untracked() {
            // Without the capture (the pointer is gone already) the gesture ends by its cancel event.
            let _ = button.set_pointer_capture(event.pointer_id());
        }
        editor.point(Input::Pick { at: editor.view.local(&event), kind: kind.kind });
    };
    let release = move |event: web_sys::PointerEvent| {
        let at = editor.view.local(&event);
        editor.point(Input::Release { at, inside: editor.view.contains(at) });
    };
    // A click without a pointer: Enter, Space, or assistive technology.
    let click = move |event: web_sys::MouseEvent| {
        if event.detail() == 0 {
            editor.add_in_view(kind.kind);
        }
    };
    view! {
        <button type="button" class="kind" data-palette=kind.id title=t(kind.note) node_ref=button
            on:pointerdown=press on:pointerup=release on:click=click
            on:pointermove=move |event| {
                if editor.gesture.with_untracked(|gesture| gesture.is_active()) {
                    editor.point(Input::Move { at: editor.view.local(&event) });
                }
            }
            on:pointercancel=move |_| editor.point(Input::Cancel)>
            <KindIcon kind=kind.kind/>
            {t(kind.label)}
        </button>
    }
}
