//! What the scenario does to a run, as rows that can be changed.

use hopscope_interaction::form::{Row, path, shown};
use hopscope_markup::view;
use hopscope_scenario::disturb::{Action, DISTURBANCE_TAG, DISTURBANCES};
use hopscope_scenario::edits::{Change, Target};
use hopscope_scenario::fields::VariantOption;
use hopscope_scenario::text;
use hopscope_scenario::validate::disturbable;
use leptos::prelude::*;
use serde_json::Value;

use super::super::use_editor;
use super::field::FieldInput;
use crate::state::document::{Editor, Problem};
use crate::ui::memo;
use crate::ui::node::{Node, node};
use crate::ui::text::{issue_line, t};

/// What a disturbance that is added does.
const FIRST: Action = Action::Crash;

/// The list, and what adds to it.
#[component]
pub(super) fn Disturbances() -> impl IntoView {
    let editor = use_editor();
    let rows = move || (0..editor.with(|document| list(document.value()).len())).collect::<Vec<usize>>();
    let add = move |_| {
        let Some(option) = option(FIRST.id()) else { return };
        let mut added = option.default_value(DISTURBANCE_TAG);
        if let Some(on) = editor.now(|document| disturbable(document.value(), FIRST)).into_iter().next() {
            added["on"] = on.into();
        }
        change(editor, |list| list.push(added));
    };
    view! {
        <section>
            <h2>{t(text!("field.disturbances"))}</h2>
            <p class="note">{t(text!("disturbances.note"))}</p>
            <ul class="checks">
                <Each of=rows key=|row: &usize| row.to_string() let:row><DisturbanceRow row/></Each>
            </ul>
            <button type="button" class="btn" data-action="add-disturbance" on:click=add>{t(text!("disturbances.add"))}</button>
        </section>
    }
}

/// What is done, to what, when, by how much, for how long, and what is wrong with that.
#[component]
fn DisturbanceRow(row: usize) -> impl IntoView {
    let editor = use_editor();
    let pointer = move |key: &str| format!("/disturbances/{row}/{key}");
    let held = move |key: &str| {
        let pointer = pointer(key);
        memo(move || editor.with(|document| shown(document.get(&Target::Scenario, &pointer))))
    };
    let (action, on) = (held(DISTURBANCE_TAG), held("on"));
    let issues = memo(move || {
        let own = |problem: &&Problem| {
            problem.target == Target::Scenario && format!("{}/", problem.pointer).starts_with(&pointer(""))
        };
        editor.problems.with(|problems| problems.iter().filter(own).cloned().collect::<Vec<_>>())
    });
    let names = move || {
        let known = action.with(|action| Action::find(action));
        known.map(|action| editor.with(|document| disturbable(document.value(), action))).unwrap_or_default()
    };
    let act = move |chosen: String| {
        let Some(option) = option(&chosen) else { return };
        let other = Action::find(&chosen).map(|action| editor.now(|document| disturbable(document.value(), action)));
        change(editor, |list| {
            if let Some(disturbance) = list.get_mut(row) {
                *disturbance = option.value_after(DISTURBANCE_TAG, disturbance);
                // What a node may have, a link may not.
                let known = other.unwrap_or_default();
                let fits =
                    disturbance.get("on").and_then(Value::as_str).is_some_and(|on| known.iter().any(|it| it == on));
                if let (false, Some(first)) = (fits, known.first()) {
                    disturbance["on"] = first.clone().into();
                }
            }
        });
    };
    let put = move |name: String| {
        editor.apply(Change::set(Target::Scenario, &pointer("on"), Value::from(name)), None);
    };
    let fields = move || {
        let option = action.with(|action| option(action))?;
        let part = |field: &'static hopscope_scenario::fields::Field| {
            let (name, label) = (path(&pointer(field.name)), t(field.label));
            view! {
                <label for=format!("field-{name}")>{label.clone()}</label>
                <FieldInput target=Target::Scenario row=Row { pointer: pointer(field.name), field } label class="num"/>
            }
        };
        Some(option.fields.iter().filter(|field| field.name != "on").map(part).collect::<Node>())
    };
    let remove = move |_| change(editor, |list| drop(list.remove(row)));
    let actions = || Action::ALL.map(|action| action.id().to_owned()).to_vec();
    view! {
        <li data-disturbance=row.to_string()>
            {choice(path(&pointer(DISTURBANCE_TAG)), t(text!("field.disturbance.do")), action, Box::new(actions), Box::new(act))}
            <button type="button" class="clear" data-action="remove-disturbance" title=t(text!("disturbances.remove"))
                aria-label=t(text!("disturbances.remove")) on:click=remove>"✕"</button>
            {choice(path(&pointer("on")), t(text!("field.disturbance.on")), on, Box::new(names), Box::new(put))}
            <span class="parts">{node(fields)}</span>
            {move || issues.get().iter().map(|problem| issue_line(&problem.issue)).collect::<Node>()}
        </li>
    }
}

/// One of some words; what is chosen is among them, whatever it is.
fn choice(
    name: String,
    label: String,
    chosen: Memo<String>,
    offered: Box<dyn Fn() -> Vec<String> + Send>,
    choose: Box<dyn Fn(String) + Send>,
) -> Node {
    let options = move || {
        let (chosen, mut words) = (chosen.get(), offered());
        if !words.contains(&chosen) {
            words.insert(0, chosen.clone());
        }
        let option = |word: String| {
            let selected = word == chosen;
            let label = Action::find(&word).map_or_else(|| word.clone(), |action| t(action.label()));
            view! { <option value=word selected=selected>{label}</option> }
        };
        words.into_iter().map(option).collect::<Node>()
    };
    view! {
        <select name=name aria-label=label prop:value=move || chosen.get()
            on:change=move |event| choose(event_target_value(&event))>{options}</select>
    }
}

fn option(action: &str) -> Option<&'static VariantOption> {
    DISTURBANCES.iter().find(|option| option.id == action)
}

/// The disturbances of a document, as it has them.
fn list(document: &Value) -> &[Value] {
    document.get("disturbances").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Changes the list, as one step of undo.
fn change(editor: Editor, change: impl FnOnce(&mut Vec<Value>)) {
    let mut disturbances = editor.now(|document| list(document.value()).to_vec());
    change(&mut disturbances);
    let target = Target::Scenario;
    editor.apply(
        if disturbances.is_empty() {
            Change::unset(target, "/disturbances")
        } else {
            Change::set(target, "/disturbances", Value::Array(disturbances))
        },
        None,
    );
}
