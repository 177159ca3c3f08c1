//! Downloads of the run: the server streams them to a file.

use hopscope_markup::view;
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::text;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use crate::io::runs::{export_address, recording_address};
use crate::state::run::{Status, use_run};
use crate::ui::memo;
use crate::ui::menu::Menu;
use crate::ui::node::{Node, node};
use crate::ui::text::t;

/// The recording in every format, while there is one that is over: JSON at once, the others by the arrow beside it.
#[component]
pub(crate) fn Downloads() -> impl IntoView {
    let run = use_run();
    let id = memo(move || {
        let over = run.status.with(|status| matches!(status, Status::Whole | Status::Cut));
        over.then(|| run.with(|data| data.id.clone())).flatten()
    });
    node(move || id.get().map(|id| view! { <Export id/> }))
}

#[component]
fn Export(id: String) -> impl IntoView {
    let id = StoredValue::new(id);
    let (json, file) = id.with_value(|id| (export_address(id, "json"), format!("{id}.json")));
    view! {
        <div class="downloads">
            <a class="btn" data-action="export-json" href=json download=file>{t(text!("export.json"))}</a>
            <Menu label=t(text!("export.more")) name="export">{others(id)}</Menu>
        </div>
    }
}

fn others(id: StoredValue<String>) -> Node {
    let formats: [(&str, &str, &str, Key); 3] = [
        ("export-csv", "csv", "csv", text!("export.csv")),
        ("export-csv-messages", "csv-messages", "messages.csv", text!("export.csv-messages")),
        ("export-perfetto", "perfetto", "pftrace", text!("export.perfetto")),
    ];
    id.with_value(|id| {
        let format = |(action, format, ending, label): (&'static str, _, _, _)| {
            item(action, export_address(id, format), format!("{id}.{ending}"), label)
        };
        let mut items: Vec<Node> = formats.into_iter().map(format).collect();
        items.push(item("export-recording", recording_address(id), format!("{id}.hop"), text!("export.recording")));
        items.into_iter().collect()
    })
}

fn item(action: &'static str, address: String, file: String, label: Key) -> Node {
    // The menu closes when the focus leaves it; its button takes it back.
    let leave = move |_| {
        let button = document().query_selector("[data-menu=export]").ok().flatten();
        if let Some(button) = button.and_then(|button| button.dyn_into::<web_sys::HtmlElement>().ok()) {
            // The menu's button takes the focus.
            let _ = button.focus();
        }
    };
    view! {
        <a role="menuitem" tabindex="-1" data-action=action href=address download=file on:click=leave>{t(label)}</a>
    }
}
