//! Downloads of the run: the server streams them to a file.

use hopscope_markup::view;
use hopscope_scenario::text;
use leptos::prelude::*;

use crate::io::runs::{json_address, recording_address};
use crate::state::run::{Status, use_run};
use crate::ui::memo;
use crate::ui::node::node;
use crate::ui::text::t;

/// The recording as JSON, and as it is; while there is one that is over.
#[component]
pub(crate) fn Downloads() -> impl IntoView {
    let run = use_run();
    let id = memo(move || {
        let over = run.status.with(|status| matches!(status, Status::Whole | Status::Cut));
        over.then(|| run.with(|data| data.id.clone())).flatten()
    });
    node(move || {
        id.get().map(|id| {
            view! {
                <div class="downloads">
                    <a class="btn" data-action="export-json" href=json_address(&id) download=format!("{id}.json")>
                        {t(text!("export.json"))}
                    </a>
                    <a class="btn" data-action="export-recording" href=recording_address(&id) download=format!("{id}.hop")>
                        {t(text!("export.recording"))}
                    </a>
                </div>
            }
        })
    })
}
