//! What an empty canvas says.

use hopscope_markup::view;
use hopscope_scenario::text;
use leptos::prelude::*;

use super::use_editor;
use crate::state::run::use_run;
use crate::state::templates::TEMPLATES;
use crate::ui::memo;
use crate::ui::node::Node;
use crate::ui::text::t;

/// The two that an empty canvas offers: the same question asked by a call and through queues.
const OFFERED: std::ops::Range<usize> = 1..3;

/// A sentence and two templates, while there is no node.
#[component]
pub(crate) fn Empty() -> impl IntoView {
    let (editor, run) = (use_editor(), use_run());
    let empty = memo(move || editor.scene.with(|scene| scene.nodes().is_empty()));
    view! {
        <Show when=move || empty.get()>
            <div class="empty">
                <p>{t(text!("canvas.empty.text"))}</p>
                <div class="templates" role="group" aria-label=t(text!("canvas.templates"))>
                    {TEMPLATES[OFFERED].iter().map(|template| view! {
                        <button type="button" class="btn floating" data-action="template" data-template=template.id
                            on:click=move |_| editor.open_template(run, template)>
                            {t(template.label)}
                        </button>
                    }).collect::<Node>()}
                </div>
            </div>
        </Show>
    }
}
