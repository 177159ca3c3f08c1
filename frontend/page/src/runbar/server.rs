//! What a server would add to a page that lies on a host of plain files, and how one is started: a modal dialog, for who asks
//! for something that only a server can do.

use hopscope_markup::view;
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::text;
use leptos::html::Dialog;
use leptos::prelude::*;

use crate::state::run::use_run;
use crate::ui::node::Node;
use crate::ui::text::t;

/// The dialog, while it is needed.
#[component]
pub(crate) fn NeedsServer() -> impl IntoView {
    let run = use_run();
    view! { <Show when=move || run.needs_server.get()><Told/></Show> }
}

#[component]
fn Told() -> impl IntoView {
    let run = use_run();
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move |_| {
        if let Some(dialog) = dialog.get() {
            // It is in the document and not open: then it opens.
            let _ = dialog.show_modal();
        }
    });
    // The browser gives the focus back to what had it before.
    let close = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let item = |key: Key| view! { <li>{t(key)}</li> };
    let way = |(words, command): (Key, Key)| view! { <dt>{t(words)}</dt><dd><code>{t(command)}</code></dd> };
    let adds = [text!("server.adds.runs"), text!("server.adds.kept"), text!("server.adds.ci")];
    let ways = [
        (text!("server.start.binary"), text!("server.start.binary.command")),
        (text!("server.start.docker"), text!("server.start.docker.command")),
        (text!("server.start.source"), text!("server.start.source.command")),
    ];
    view! {
        <dialog class="runs needs-server" data-needs="server" aria-labelledby="needs-server" node_ref=dialog
            on:close=move |_| run.needs_server.set(false)
            // The canvas behind it has keys of its own.
            on:keydown=move |event: web_sys::KeyboardEvent| event.stop_propagation()>
            <div class="runs-head">
                <h2 id="needs-server">{t(text!("run.needs-server"))}</h2>
                <span class="spring"></span>
                <button type="button" data-action="close-needs-server" on:click=close>{t(text!("action.close"))}</button>
            </div>
            <div class="runs-body">
                <p>{t(text!("server.without"))}</p>
                <h3>{t(text!("server.adds"))}</h3>
                <ul>{adds.into_iter().map(item).collect::<Node>()}</ul>
                <h3>{t(text!("server.start"))}</h3>
                <dl>{ways.into_iter().map(way).collect::<Node>()}</dl>
                <p>{t(text!("server.start.then"))}</p>
            </div>
        </dialog>
    }
}
