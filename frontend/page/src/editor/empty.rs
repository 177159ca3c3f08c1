//! What an empty canvas says.

use hopscope_markup::view;
use hopscope_scenario::text;
use leptos::prelude::*;

use super::files::TEMPLATES;
use super::use_editor;
use crate::ui::memo;
use crate::ui::node::Node;
use crate::ui::text::t;

/// A sentence and a way on, while there is no node.
#[component]
pub(crate) fn Empty() -> impl IntoView {
    let editor = use_editor();
    let empty = memo(move || editor.scene.with(|scene| scene.nodes().is_empty()));
    view! {
        <Show when=move || empty.get()>
            <div class="empty">
                <h2>{t(text!("canvas.empty.title"))}</h2>
                <p>{t(text!("canvas.empty.text"))}</p>
                <div class="templates" role="group" aria-label=t(text!("canvas.templates"))>
                    {TEMPLATES.iter().map(|template| view! {
                        <button type="button" class="btn floating" data-action="template" data-template=template.id
                            on:click=move |_| editor.open_template(template)>
                            {t(template.label)}
                        </button>
                    }).collect::<Node>()}
                </div>
            </div>
        </Show>
    }
}
