//! The label of a recording that came with the page: when, on what and by which version it was made.

use hopscope_markup::view;
use hopscope_scenario::text;
use leptos::prelude::*;

use crate::state::run::use_run;
use crate::ui::node::node;
use crate::ui::text::t_with;

/// The label, while such a recording is shown.
#[component]
pub(crate) fn Label() -> impl IntoView {
    let run = use_run();
    node(move || {
        run.recorded.get().map(|(template, made)| {
            let words = [
                ("date", made.date.as_str()),
                ("cpu", &made.cpu),
                ("cores", &made.cores),
                ("system", &made.system),
                ("version", &made.version),
            ];
            let words = t_with(text!("recorded.label"), &words);
            view! { <p class="recorded floating" data-recorded=template.id>{words}</p> }
        })
    })
}
