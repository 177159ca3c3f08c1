//! Where the selected node is reached by programs that are no part of the run, while that goes on, and how, in several languages.

use hopscope_markup::view;
use hopscope_scenario::catalogue::version_of;
use hopscope_scenario::text;
use js_sys::{Function, Reflect};
use leptos::prelude::*;
use serde_json::Value;
use wasm_bindgen::{JsCast as _, JsValue};

use crate::editor::use_editor;
use crate::io;
use crate::io::runs;
use crate::state::run::{Status, use_run};
use crate::ui::memo;
use crate::ui::node::{Node, node};
use crate::ui::text::t;

/// What a program of one's own says, by protocol and kind: a list of `{"tool", "code"}`, fetched when it is wanted.
const SNIPPETS: &str = "snippets.json";
const SNIPPETS_VERSION: u32 = version_of(include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/static/snippets.json")));

/// Where the node is reached over one protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reached {
    protocol: String,
    /// What its broker calls it; empty where it is a service.
    name: String,
    /// Of each replica, or of the broker.
    addresses: Vec<String>,
    /// A program's text for each tool.
    programs: Vec<(String, String)>,
}

/// The addresses of the node of this id, and programs that use them; nothing while no run goes on.
#[component]
pub(super) fn Outside(id: String) -> impl IntoView {
    let (run, editor) = (use_run(), use_editor());
    let found = RwSignal::new(Vec::<Reached>::new());
    let live = memo(move || {
        let is_live = run.status.with(|status| matches!(status, Status::Running | Status::Unkept));
        if is_live { run.with(|data| data.id.clone()) } else { None }
    });
    Effect::new(move |_| {
        let Some(run) = live.get() else { return found.set(Vec::new()) };
        let kind = editor.now(|document| document.node(&id).and_then(|node| node.kind()));
        let (id, kind) = (id.clone(), kind.map_or("", |kind| kind.descriptor().id));
        leptos::task::spawn_local(async move {
            // Without an answer there is nothing to show; the stream tells that the server is gone.
            let Ok(endpoints) = runs::endpoints(&run).await else { return };
            let mut reached = reached(&endpoints, &id);
            if !reached.is_empty() {
                let snippets = io::beside(SNIPPETS, SNIPPETS_VERSION).await.unwrap_or_default();
                let snippets: Value = serde_json::from_str(&snippets).unwrap_or_default();
                reached.iter_mut().for_each(|reached| reached.programs = programs(&snippets, reached, kind));
            }
            // The panel may be another node's by now.
            let _ = found.try_set(reached);
        });
    });
    node(move || found.with(|found| (!found.is_empty()).then(|| panel(found))))
}

fn panel(found: &[Reached]) -> Node {
    let each = |reached: &Reached| {
        let chosen = RwSignal::new(0_usize);
        let programs = StoredValue::new(reached.programs.clone());
        let code =
            move || programs.with_value(|all| all.get(chosen.get()).map(|(_, code)| code.clone()).unwrap_or_default());
        let copy = move |_| drop(write_to_clipboard(&code()));
        let option = |(at, (tool, _)): (usize, &(String, String))| {
            view! { <option value=at.to_string()>{tool.clone()}</option> }
        };
        let choose = move |event| chosen.set(event_target_value(&event).parse().unwrap_or(0));
        let name = Some(reached.name.clone()).filter(|name| !name.is_empty());
        let shown = (!reached.programs.is_empty()).then(|| {
            view! {
                <div class="row">
                    <select name="snippet" aria-label=t(text!("outside.program")) on:change=choose>
                        {reached.programs.iter().enumerate().map(option).collect::<Node>()}
                    </select>
                    <button type="button" class="btn" data-action="copy-snippet" on:click=copy>{t(text!("outside.copy"))}</button>
                </div>
                <pre tabindex="0" data-snippet="true">{code}</pre>
            }
        });
        view! {
            <p data-outside=reached.protocol.clone()>
                <b>{reached.protocol.clone()}</b>" "<code>{reached.addresses.join(", ")}</code>
                {name.map(|name| view! { " "<code data-name-at-broker="true">{name}</code> })}
            </p>
            {shown}
        }
    };
    view! {
        <section class="outside">
            <h2>{t(text!("outside.heading"))}</h2>
            {found.iter().map(each).collect::<Node>()}
        </section>
    }
}

/// Copies a text. A browser that lets nothing be copied, as it does where the page came over plain HTTP from elsewhere, leaves it to
/// be selected.
fn write_to_clipboard(text: &str) -> Result<JsValue, JsValue> {
    let clipboard = Reflect::get(&window().navigator(), &"clipboard".into())?;
    let write: Function = Reflect::get(&clipboard, &"writeText".into())?.dyn_into()?;
    write.call1(&clipboard, &text.into())
}

/// Where a node is reached, of all the endpoints of a run; what begins at a link's network is that link's caller's.
fn reached(endpoints: &Value, id: &str) -> Vec<Reached> {
    let mut found: Vec<Reached> = Vec::new();
    for endpoint in endpoints.as_array().map_or(&[][..], Vec::as_slice) {
        let word = |name: &str| endpoint.get(name).and_then(Value::as_str).unwrap_or_default();
        if word("node") != id || !word("link").is_empty() {
            continue;
        }
        match found.iter_mut().find(|reached| reached.protocol == word("protocol")) {
            Some(reached) => reached.addresses.push(word("address").to_owned()),
            None => found.push(Reached {
                protocol: word("protocol").to_owned(),
                name: word("name").to_owned(),
                addresses: vec![word("address").to_owned()],
                programs: Vec::new(),
            }),
        }
    }
    found
}

/// The programs that there are for this, with its address and name.
fn programs(snippets: &Value, reached: &Reached, kind: &str) -> Vec<(String, String)> {
    let of = |key: &str| snippets.get(key).and_then(Value::as_array);
    let listed = of(&format!("{} {kind}", reached.protocol)).or_else(|| of(&reached.protocol));
    let address = reached.addresses.first().map_or("", String::as_str);
    let program = |snippet: &Value| {
        let word = |name: &str| snippet.get(name).and_then(Value::as_str);
        let code = word("code")?.replace("{address}", address).replace("{name}", &reached.name);
        Some((word("tool")?.to_owned(), code))
    };
    listed.map_or(&[][..], Vec::as_slice).iter().filter_map(program).collect()
}
