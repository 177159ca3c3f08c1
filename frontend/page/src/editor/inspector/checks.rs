//! The scenario's checks, as rows that can be changed.

use hopscope_markup::view;
use hopscope_scenario::checks::{CHECK_TAG, METRICS, Metric};
use hopscope_scenario::edits::{Change, Target};
use hopscope_scenario::fields::Field;
use hopscope_scenario::text;
use hopscope_scenario::validate::subjects;
use hopscope_view::form::{Row, shown};
use leptos::prelude::*;
use serde_json::Value;

use super::super::use_editor;
use super::field::FieldInput;
use crate::state::document::Editor;
use crate::ui::memo;
use crate::ui::node::Node;
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
            <ul class="checks"><Each of=rows key=|row: &usize| row.to_string() let:row><CheckRow row/></Each></ul>
            <button type="button" class="btn" data-action="add-check" on:click=add>{t(text!("checks.add"))}</button>
        </section>
    }
}

/// What a check is of, which figure, how it has to be to its limit, and what is wrong with that.
#[component]
fn CheckRow(row: usize) -> impl IntoView {
    let editor = use_editor();
    let whole = format!("/checks/{row}");
    let at = {
        let whole = whole.clone();
        move |key: &str| format!("{whole}/{key}")
    };
    let value = {
        let at = at.clone();
        move |key: &'static str| {
            let pointer = at(key);
            memo(move || editor.with(|document| shown(document.get(&Target::Scenario, &pointer))))
        }
    };
    let (metric, on) = (value(CHECK_TAG), value("on"));
    let fields = memo(move || metric.with(|metric| Fields::of(metric)));
    let names = memo(move || {
        let metric = metric.with(|metric| Metric::find(metric));
        metric.map(|metric| editor.with(|document| subjects(document.value(), metric))).unwrap_or_default()
    });
    let issues = {
        let (whole, below) = (whole.clone(), format!("{whole}/"));
        memo(move || {
            editor.problems.with(|problems| {
                let own = problems.iter().filter(|it| it.pointer == whole || it.pointer.starts_with(&below));
                own.filter(|it| it.target == Target::Scenario).cloned().collect::<Vec<_>>()
            })
        })
    };
    let choose_subject = {
        let pointer = at("on");
        move |event| {
            let change = match event_target_value(&event) {
                none if none.is_empty() => Change::unset(Target::Scenario, &pointer),
                name => Change::set(Target::Scenario, &pointer, Value::from(name)),
            };
            editor.apply(change, None);
        }
    };
    let choose_metric = move |event| {
        let chosen = event_target_value(&event);
        let Some(option) = METRICS.iter().find(|metric| metric.id == chosen) else { return };
        change(editor, |checks| {
            if let Some(check) = checks.get_mut(row) {
                *check = option.value_after(CHECK_TAG, check);
            }
        });
    };
    let remove = move |_| change(editor, |checks| drop(checks.remove(row)));
    // What is chosen is among the options, whatever it is; that there is none, too.
    let subjects = move || {
        let (chosen, mut names) = (on.get(), names.get());
        if !chosen.is_empty() && !names.contains(&chosen) {
            names.insert(0, chosen.clone());
        }
        names.insert(0, String::new());
        let option = move |name: String| {
            let selected = name == chosen;
            let label = if name.is_empty() { t(text!("checks.of-run")) } else { name.clone() };
            view! { <option value=name selected=selected>{label}</option> }
        };
        names.into_iter().map(option).collect::<Node>()
    };
    let metrics = move || {
        let chosen = metric.get();
        let unknown = (!METRICS.iter().any(|metric| metric.id == chosen)).then(|| {
            let chosen = chosen.clone();
            view! { <option value=chosen.clone() selected=true>{chosen}</option> }
        });
        let option = |metric: &hopscope_scenario::fields::VariantOption| {
            view! { <option value=metric.id selected=metric.id == chosen title=t(metric.label)>{metric.id}</option> }
        };
        view! { {unknown}{METRICS.iter().map(option).collect::<Node>()} }
    };
    let (op, limit) = (at("op"), at("value"));
    let input = move |which: fn(Fields) -> Option<&'static Field>, pointer: String| {
        memo(move || fields.get().and_then(which).map(|field| Row { pointer: pointer.clone(), field }))
    };
    let (op, limit) = (input(|fields| fields.named("op"), op), input(|fields| fields.named("value"), limit));
    let field = |row: Memo<Option<Row>>| {
        move || {
            row.get().map(|row| {
                let label = t(row.field.label);
                view! {
                    <label class="unseen" for=format!("field-{}", hopscope_view::form::path(&row.pointer))>{label.clone()}</label>
                    <FieldInput target=Target::Scenario row label class="num"/>
                }
            })
        }
    };
    view! {
        <li data-check=row.to_string()>
            <select name=format!("checks.{row}.on") aria-label=t(text!("field.check.on")) prop:value=move || on.get()
                on:change=choose_subject>{subjects}</select>
            <button type="button" class="clear" data-action="remove-check" title=t(text!("checks.remove"))
                aria-label=t(text!("checks.remove")) on:click=remove>"✕"</button>
            <select name=format!("checks.{row}.metric") aria-label=t(text!("field.check.metric")) prop:value=move || metric.get()
                on:change=choose_metric>{metrics}</select>
            <span class="limit">{field(op)}{field(limit)}</span>
            {move || issues.get().iter().map(|problem| issue_line(&problem.issue)).collect::<Node>()}
        </li>
    }
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
