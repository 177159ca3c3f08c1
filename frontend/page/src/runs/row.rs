//! A run in the list: what it is, and what can be done with it where it stands.

use hopscope_markup::view;
use hopscope_scenario::text;
use hopscope_view::format;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::list::RunList;
use super::words;
use crate::io::runs::{RunInfo, RunState};
use crate::ui::memo;
use crate::ui::node::Node;
use crate::ui::text::{t, t_with};

/// What a row tells.
#[derive(Clone)]
pub(super) struct Row {
    id: String,
    name: String,
    /// When it was made: in words, and to the second.
    when: (String, String),
    scenario: String,
    duration: String,
    /// For the style sheet, and in words.
    state: (&'static str, String),
    /// Whether it can be renamed and deleted here: another process has the files of a run that it makes.
    ours: bool,
}

impl Row {
    pub(super) fn of(info: &RunInfo) -> Self {
        Self {
            id: info.id.clone(),
            name: info.name.clone(),
            when: words::when(&info.made_at),
            scenario: info.scenario.clone(),
            duration: info.duration.clone().unwrap_or_else(|| t(text!("duration.until-stopped"))),
            state: words::state(info),
            ours: info.state != RunState::Elsewhere,
        }
    }

    /// Tells apart what does not look the same: a row whose run has changed is made anew. The events are told apart by
    /// themselves: they may grow every second, under the focus of whoever is at the row.
    pub(super) fn key(&self) -> String {
        [&self.id, &self.name, &self.when.0, &self.state.1].map(String::as_str).join("\n")
    }
}

/// The row.
#[component]
pub(super) fn RunRow(list: RunList, current: Memo<Option<String>>, of: Row) -> impl IntoView {
    let row = StoredValue::new(of);
    let id = row.with_value(|row| row.id.clone());
    let is = move |of: Option<&str>| row.with_value(|row| of == Some(row.id.as_str()));
    let is_current = memo(move || current.with(|current| is(current.as_deref())));
    let deletes = memo(move || list.deleting.with(|deleting| is(deleting.as_deref())));
    let click = move |event: web_sys::MouseEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        // What has a meaning of its own within the row means that.
        let other = target.is_some_and(|target| target.closest("input, [data-action]").ok().flatten().is_some());
        if !other && !deletes.get_untracked() {
            row.with_value(|row| list.open(&row.id));
        }
    };
    let ours = row.with_value(|row| row.ours);
    let keys = move |event: web_sys::KeyboardEvent| {
        let act = match event.key().as_str() {
            _ if !ours => return,
            "F2" => RunList::begin_renaming as fn(RunList, &str),
            "Delete" => RunList::ask,
            "Escape" if deletes.get_untracked() => RunList::keep,
            _ => return,
        };
        event.prevent_default();
        row.with_value(|row| act(list, &row.id));
    };
    view! {
        <tr data-run=id class:current=move || is_current.get() data-state=row.with_value(|row| row.state.0)
            on:click=click on:keydown=keys>
            {move || if deletes.get() { confirm(list, row) } else { cells(list, row, is_current) }}
        </tr>
    }
}

fn cells(list: RunList, row: StoredValue<Row>, is_current: Memo<bool>) -> Node {
    let renames =
        memo(move || list.renaming.with(|renaming| row.with_value(|row| renaming.as_deref() == Some(row.id.as_str()))));
    let Row { name, when, scenario, duration, state, ours, .. } = row.get_value();
    let events = memo(move || row.with_value(|row| list.events_of(&row.id)));
    let (rename, delete) = (t_with(text!("runs.rename.label"), &[("name", &name)]), delete_label(&name));
    let ask = move |_| row.with_value(|row| list.ask(&row.id));
    let acts = ours.then(|| {
        view! {
            <button type="button" data-action="rename-run" title=rename.clone() aria-label=rename
                on:click=move |_| row.with_value(|row| list.begin_renaming(&row.id))>{t(text!("runs.rename"))}</button>
            <button type="button" data-action="delete-run" title=delete.clone() aria-label=delete
                on:click=ask>{t(text!("runs.delete"))}</button>
        }
    });
    view! {
        <th scope="row">{move || if renames.get() { field(list, row) } else { opener(row, is_current) }}</th>
        <td title=when.1>{when.0}</td>
        <td class="cut-off" title=scenario.clone()>{scenario.clone()}</td>
        <td class="num figure">{duration}</td>
        <td class="num figure">{move || events.get().filter(|events| *events > 0).map_or_else(|| "–".to_owned(), format::whole)}</td>
        <td><span class="runs-state">{state.1}</span></td>
        <td class="runs-acts">{acts}</td>
    }
}

fn delete_label(name: &str) -> String {
    t_with(text!("runs.delete.label"), &[("name", name)])
}

/// The name, to open the run by.
fn opener(row: StoredValue<Row>, is_current: Memo<bool>) -> Node {
    let name = row.with_value(|row| row.name.clone());
    view! {
        <button type="button" class="runs-open" title=name.clone() aria-label=t_with(text!("runs.open.label"), &[("name", &name)])
            aria-current=move || is_current.get().then_some("true")>{name.clone()}</button>
    }
}

/// The name, to be changed.
fn field(list: RunList, row: StoredValue<Row>) -> Node {
    let name = row.with_value(|row| row.name.clone());
    let done = move |name: &str, back: bool| {
        let (id, before) = row.with_value(|row| (row.id.clone(), row.name.clone()));
        if name.trim() != before {
            list.rename(&id, name, back);
        } else if back {
            list.keep_name(&id);
        } else {
            list.renaming.set(None);
        }
    };
    let keys = move |event: web_sys::KeyboardEvent| {
        // The row and the panel have keys of their own.
        event.stop_propagation();
        match event.key().as_str() {
            "Enter" => done(&event_target_value(&event), true),
            "Escape" => row.with_value(|row| list.keep_name(&row.id)),
            _ => return,
        }
        event.prevent_default();
    };
    view! {
        <input type="text" name="run-name" autocomplete="off" spellcheck="false"
            aria-label=t_with(text!("runs.rename.label"), &[("name", &name)])
            prop:value=name on:keydown=keys on:blur=move |event| done(&event_target_value(&event), false)/>
    }
}

/// Asks where the row stands.
fn confirm(list: RunList, row: StoredValue<Row>) -> Node {
    let name = row.with_value(|row| row.name.clone());
    view! {
        <td class="runs-confirm" colspan="7">
            <span>{t_with(text!("runs.delete.ask"), &[("name", &name)])}</span>
            <button type="button" class="btn danger" data-action="delete-yes"
                on:click=move |_| row.with_value(|row| list.delete(&row.id))>{t(text!("runs.delete"))}</button>
            <button type="button" class="btn" data-action="delete-no"
                on:click=move |_| row.with_value(|row| list.keep(&row.id))>{t(text!("action.cancel"))}</button>
        </td>
    }
}
