//! The list of runs: a button in the bar, and the panel behind it that opens, renames, deletes and imports.
//!
//! Owns what the page knows of the server's runs while the panel is there. Never fetches by itself and never draws a run:
//! what is opened goes to the run that the page shows.

mod list;
mod panel;
mod row;
pub(crate) mod words;

use hopscope_markup::view;
use hopscope_scenario::text;
use leptos::prelude::*;

use crate::editor::use_editor;
use crate::state::run::use_run;
use crate::ui::text::t;
use list::RunList;
use panel::Panel;

/// The button, and the panel while it is open.
#[component]
pub(crate) fn Runs() -> impl IntoView {
    let (list, editor) = (RunList::new(use_run()), use_editor());
    Effect::new(move |_| list.adopt(editor));
    view! {
        <button type="button" data-action="runs" aria-haspopup="dialog" on:click=move |_| list.show()>
            {t(text!("runs.label"))}
        </button>
        <Show when=move || list.shown.get()><Panel list/></Show>
    }
}

#[cfg(test)]
mod tests;
