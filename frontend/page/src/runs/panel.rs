//! The panel: a modal dialog, so that the browser keeps the focus in it, closes it by Escape and gives the focus back.

use hopscope_markup::view;
use hopscope_scenario::text;
use leptos::html::Input;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::list::{Listed, RunList, Trouble};
use super::row::{Row, RunRow};
use super::words;
use crate::ui::memo;
use crate::ui::node::{Node, node};
use crate::ui::text::t;

/// The dialog.
#[component]
pub(super) fn Panel(list: RunList) -> impl IntoView {
    Effect::new(move |_| {
        if let Some(dialog) = list.dialog.get() {
            // It is in the document and not open: then it opens.
            let _ = dialog.show_modal();
        }
    });
    let keys = move |event: web_sys::KeyboardEvent| {
        // The canvas behind it has keys of its own.
        event.stop_propagation();
        let forward = match event.key().as_str() {
            "ArrowDown" => true,
            "ArrowUp" => false,
            _ => return,
        };
        event.prevent_default();
        step(list, forward);
    };
    let drop = move |event: web_sys::DragEvent| {
        event.prevent_default();
        if let Some(file) = event.data_transfer().and_then(|data| data.files()).and_then(|files| files.get(0)) {
            list.import(file);
        }
    };
    view! {
        <dialog class="runs" aria-label=t(text!("runs.label")) node_ref=list.dialog on:close=move |_| list.closed()
            on:keydown=keys on:dragover=move |event| event.prevent_default() on:drop=drop>
            <Head list/>
            <div class="runs-said" role="status">{move || list.progress.get()}</div>
            {move || list.trouble.get().map(|trouble| told(list, &trouble))}
            <div class="runs-body">{body(list)}</div>
            <p class="runs-foot">{t(text!("runs.drop"))}" "<span data-kept="true">{move || list.kept.get()}</span></p>
        </dialog>
    }
}

#[component]
fn Head(list: RunList) -> impl IntoView {
    let picker = NodeRef::<Input>::new();
    let chosen = move |_| {
        let Some(input) = picker.get_untracked() else { return };
        if let Some(file) = input.files().and_then(|files| files.get(0)) {
            list.import(file);
        }
        // So that the same file can be chosen again.
        input.set_value("");
    };
    let pick = move |_| {
        if let Some(input) = picker.get_untracked() {
            input.click();
        }
    };
    let busy = move || list.progress.with(Option::is_some);
    view! {
        <div class="runs-head">
            <h2>{t(text!("runs.label"))}</h2>
            <span class="spring"></span>
            <input type="file" class="unseen" name="recording-file" accept=".json,application/json" tabindex="-1"
                aria-label=t(text!("runs.import")) node_ref=picker on:change=chosen/>
            <button type="button" class="btn" data-action="import" disabled=busy on:click=pick>{t(text!("runs.import"))}</button>
            <button type="button" data-action="close-runs" on:click=move |_| list.close()>{t(text!("action.close"))}</button>
        </div>
    }
}

/// What was not done, in the server's words.
fn told(list: RunList, trouble: &Trouble) -> Node {
    let (message, path, remedy) = words::refusal(&trouble.refusal);
    view! {
        <div class="runs-trouble" role="alert">
            <p>
                <b>{trouble.title.clone()}</b>
                <span class="message">{message}</span>
                {(!path.is_empty()).then(|| view! { <code class="num">{path}</code> })}
                <span class="remedy">{remedy}</span>
            </p>
            <button type="button" on:click=move |_| list.trouble.set(None)>{t(text!("action.close"))}</button>
        </div>
    }
}

/// The table, or why there is none.
fn body(list: RunList) -> Node {
    let state = memo(move || list.listed.with(|listed| state(listed).to_owned()));
    node(move || match state.get().as_str() {
        "loading" => view! { <p class="nothing" data-runs="loading">{t(text!("runs.loading"))}</p> },
        "none" => view! { <p class="nothing" data-runs="none">{t(text!("runs.none"))}</p> },
        "refused" => refused(list),
        _ => table(list),
    })
}

fn state(listed: &Listed) -> &'static str {
    match listed {
        Listed::Loading => "loading",
        Listed::Refused(_) => "refused",
        Listed::Here(runs) if runs.is_empty() => "none",
        Listed::Here(_) => "here",
    }
}

/// The list is not to be had: why, and another try.
fn refused(list: RunList) -> Node {
    let words = list.listed.with_untracked(|listed| match listed {
        Listed::Refused(refusal) => words::refusal(refusal),
        Listed::Loading | Listed::Here(_) => Default::default(),
    });
    view! {
        <div class="nothing" data-runs="refused" role="alert">
            <b>{words.0}</b>
            <p>{words.2}</p>
            <button type="button" class="btn" data-action="runs-again" on:click=move |_| list.load()>{t(text!("runs.again"))}</button>
        </div>
    }
}

fn table(list: RunList) -> Node {
    let current = memo(move || list.current());
    view! {
        <table class="figures-table" aria-label=t(text!("runs.label"))>
            <thead>
                <tr>
                    <th scope="col">{t(text!("runs.name"))}</th>
                    <th scope="col">{t(text!("runs.when"))}</th>
                    <th scope="col">{t(text!("runs.scenario"))}</th>
                    <th scope="col" class="figure">{t(text!("field.duration"))}</th>
                    <th scope="col" class="figure">{t(text!("runs.events"))}</th>
                    <th scope="col">{t(text!("runs.state"))}</th>
                    <th scope="col"><span class="unseen">{t(text!("runs.actions"))}</span></th>
                </tr>
            </thead>
            <tbody><Each of=move || rows(list) key=Row::key let:of><RunRow list current of/></Each></tbody>
        </table>
    }
}

fn rows(list: RunList) -> Vec<Row> {
    list.listed.with(|listed| match listed {
        Listed::Here(runs) => runs.iter().map(Row::of).collect(),
        Listed::Loading | Listed::Refused(_) => Vec::new(),
    })
}

/// Moves the focus to the next run, or to the one before; from elsewhere to the first.
fn step(list: RunList, forward: bool) {
    let Some(dialog) = list.dialog.get_untracked() else { return };
    let Ok(rows) = dialog.query_selector_all("[data-run]") else { return };
    let active = document().active_element();
    let holds = |index: &u32| rows.item(*index).is_some_and(|row| row.contains(active.as_deref().map(AsRef::as_ref)));
    let count = rows.length();
    let next = match ((0..count).find(holds), forward) {
        (None, _) => 0,
        (Some(index), true) => (index + 1).min(count - 1),
        (Some(index), false) => index.saturating_sub(1),
    };
    let row = rows.item(next).and_then(|row| row.dyn_into::<web_sys::Element>().ok());
    let open = row.and_then(|row| row.query_selector(".runs-open").ok().flatten());
    if let Some(open) = open.and_then(|open| open.dyn_into::<web_sys::HtmlElement>().ok()) {
        // A run in the list takes the focus.
        let _ = open.focus();
    }
}
