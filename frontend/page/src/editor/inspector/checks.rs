//! The scenario's checks, as rows that can be changed.

use hopscope_interaction::form::{Row, path, shown};
use hopscope_markup::view;
use hopscope_scenario::checks::{CHECK_TAG, METRICS, Metric};
use hopscope_scenario::edits::{Change, Target};
use hopscope_scenario::fields::{Field, Presence, VariantOption};
use hopscope_scenario::text;
use hopscope_scenario::validate::subjects;
use leptos::prelude::*;
use serde_json::Value;

use super::super::use_editor;
use super::field::FieldInput;
use crate::state::document::{Editor, Problem};
use crate::ui::memo;
use crate::ui::node::{Node, node};
use crate::ui::text::{issue_line, t};

/// The metric of a check that is added: of the whole run, so that it names nothing yet.
const FIRST: &str = "answered.p99";

/// The list, and what adds to it.
#[component]
pub(super) fn Checks() -> impl IntoView {
    let editor = use_editor();
    let rows = move || (0..editor.with(|document| list(document.value()).len())).collect::<Vec<usize>>();
    let add = move |_| {
        let added = METRICS.iter().find(|metric| metric.id == FIRST).map(|metric| metric.default_value(CHECK_TAG));
        change(editor, |checks| checks.extend(added));
    };
    view! {
        <section>
            <h2>{t(text!("field.checks"))}</h2>
            <p class="note">{t(text!("checks.note"))}</p>
            <ul class="checks">
                <Each of=rows key=|row: &usize| row.to_string() let:row><CheckRow check=Check { editor, row }/></Each>
            </ul>
            <button type="button" class="btn" data-action="add-check" on:click=add>{t(text!("checks.add"))}</button>
        </section>
    }
}

/// A check by its place in the list; cheap to copy.
#[derive(Clone, Copy)]
struct Check {
    editor: Editor,
    row: usize,
}

impl Check {
    fn pointer(self, key: &str) -> String {
        format!("/checks/{}/{key}", self.row)
    }

    /// The name of the input of a field.
    fn name(self, key: &str) -> String {
        path(&self.pointer(key))
    }

    /// What a field holds, and again whenever it changes.
    fn shown(self, key: &str) -> Memo<String> {
        let pointer = self.pointer(key);
        memo(move || self.editor.with(|document| shown(document.get(&Target::Scenario, &pointer))))
    }

    /// What is wrong with it, or with a field of it.
    fn issues(self) -> Memo<Vec<Problem>> {
        let below = self.pointer("");
        let own = move |problem: &&Problem| {
            problem.target == Target::Scenario && format!("{}/", problem.pointer).starts_with(&below)
        };
        memo(move || self.editor.problems.with(|problems| problems.iter().filter(&own).cloned().collect()))
    }
}

/// What a check is of, which figure, how it has to be to its limit, and what is wrong with that.
#[component]
fn CheckRow(check: Check) -> impl IntoView {
    let (metric, issues) = (check.shown(CHECK_TAG), check.issues());
    let fields = memo(move || metric.with(|metric| Fields::of(metric)));
    let remove = move |_| change(check.editor, |checks| drop(checks.remove(check.row)));
    view! {
        <li data-check=check.row.to_string()>
            <Subject check metric fields/>
            <button type="button" class="clear" data-action="remove-check" title=t(text!("checks.remove"))
                aria-label=t(text!("checks.remove")) on:click=remove>"✕"</button>
            <Figure check metric/>
            <span class="limit"><Part check fields name="op"/><Part check fields name="value"/></span>
            {move || issues.get().iter().map(|problem| issue_line(&problem.issue)).collect::<Node>()}
        </li>
    }
}

/// The link or the queue. What is chosen is among the options, whatever it is; that there is none, too.
#[component]
fn Subject(check: Check, metric: Memo<String>, fields: Memo<Option<Fields>>) -> impl IntoView {
    let (editor, on) = (check.editor, check.shown("on"));
    let names = memo(move || {
        let metric = metric.with(|metric| Metric::find(metric));
        metric.map(|metric| editor.with(|document| subjects(document.value(), metric))).unwrap_or_default()
    });
    let of_run = memo(move || {
        let on = fields.get().and_then(|fields| fields.named("on"));
        on.is_none_or(|on| on.presence == Presence::Optional)
    });
    let options = move || {
        let (chosen, mut names) = (on.get(), names.get());
        if !chosen.is_empty() && !names.contains(&chosen) {
            names.insert(0, chosen.clone());
        }
        names.insert(0, String::new());
        // Only some metrics are of the whole run; of the others nothing is chosen yet.
        let none = if of_run.get() { text!("checks.of-run") } else { text!("field.none") };
        let option = |name: String| {
            let selected = name == chosen;
            let label = if name.is_empty() { t(none) } else { name.clone() };
            view! { <option value=name selected=selected>{label}</option> }
        };
        names.into_iter().map(option).collect::<Node>()
    };
    let choose = move |event| {
        let pointer = check.pointer("on");
        let change = match event_target_value(&event) {
            none if none.is_empty() => Change::unset(Target::Scenario, &pointer),
            name => Change::set(Target::Scenario, &pointer, Value::from(name)),
        };
        editor.apply(change, None);
    };
    view! {
        <select name=check.name("on") aria-label=t(text!("field.check.on")) prop:value=move || on.get()
            on:change=choose>{options}</select>
    }
}

/// The metric. One that takes another's place keeps what both have.
#[component]
fn Figure(check: Check, metric: Memo<String>) -> impl IntoView {
    let options = move || {
        let chosen = metric.get();
        let unknown = (!METRICS.iter().any(|metric| metric.id == chosen)).then(|| {
            let chosen = chosen.clone();
            view! { <option value=chosen.clone() selected=true>{chosen}</option> }
        });
        let option = |metric: &VariantOption| {
            view! { <option value=metric.id selected=metric.id == chosen title=t(metric.label)>{metric.id}</option> }
        };
        view! { {unknown}{METRICS.iter().map(option).collect::<Node>()} }
    };
    let choose = move |event| {
        let chosen = event_target_value(&event);
        let Some(option) = METRICS.iter().find(|metric| metric.id == chosen) else { return };
        change(check.editor, |checks| {
            if let Some(check) = checks.get_mut(check.row) {
                *check = option.value_after(CHECK_TAG, check);
            }
        });
    };
    view! {
        <select name=check.name(CHECK_TAG) aria-label=t(text!("field.check.metric")) prop:value=move || metric.get()
            on:change=choose>{options}</select>
    }
}

/// A field that each metric has in its own way.
#[component]
fn Part(check: Check, fields: Memo<Option<Fields>>, name: &'static str) -> impl IntoView {
    let row = memo(move || {
        let field = fields.get()?.named(name)?;
        Some(Row { pointer: check.pointer(name), field })
    });
    node(move || {
        row.get().map(|row| {
            let label = t(row.field.label);
            view! {
                <label class="unseen" for=format!("field-{}", check.name(name))>{label.clone()}</label>
                <FieldInput target=Target::Scenario row label class="num"/>
            }
        })
    })
}

/// The fields of a metric, told apart by which they are.
#[derive(Clone, Copy)]
struct Fields(&'static [Field]);

impl Fields {
    fn of(metric: &str) -> Option<Self> {
        METRICS.iter().find(|option| option.id == metric).map(|option| Self(option.fields))
    }

    fn named(self, name: &str) -> Option<&'static Field> {
        self.0.iter().find(|field| field.name == name)
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

/// The checks of a document, as it has them.
fn list(document: &Value) -> &[Value] {
    document.get("checks").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Changes the list, as one step of undo.
fn change(editor: Editor, change: impl FnOnce(&mut Vec<Value>)) {
    let mut checks = editor.now(|document| list(document.value()).to_vec());
    change(&mut checks);
    editor.apply(Change::set(Target::Scenario, "/checks", Value::Array(checks)), None);
}
