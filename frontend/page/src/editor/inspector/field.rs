//! One field: its input, what it may hold, and what is wrong with it.

use hopscope_scenario::edits::{Change, Document, Target};
use hopscope_scenario::fields::{Field, Presence, ValueType};
use hopscope_scenario::text;
use leptos::prelude::*;
use serde_json::Value;

use super::super::use_editor;
use super::form::Row;
use crate::state::document::{Editor, Problem};
use crate::ui::text::{IssueLine, grouped, t, t_with};

/// Label, input, hint and Issues of a field.
#[component]
pub(super) fn FieldRow(target: Target, row: Row) -> impl IntoView {
    let path = path(&row.pointer);
    let multiline = matches!(row.field.value, ValueType::Text { multiline: true, .. });
    let hint = view! { <p class="hint" id=format!("hint-{path}")>{hint(row.field)}</p> };
    let issues = view! { <FieldIssues target=target.clone() pointer=row.pointer.clone()/> };
    let label = t(row.field.label);
    view! {
        <div class="row" class:tall=multiline>
            <label for=format!("field-{path}")>{label.clone()}</label>
            <FieldInput target row label class="num"/>
        </div>
        {hint}
        {issues}
    }
}

/// The input of a field. Typing writes to the document at once, whatever is typed; leaving the field writes a quantity
/// in its canonical spelling.
#[component]
pub(super) fn FieldInput(target: Target, row: Row, label: String, class: &'static str) -> impl IntoView {
    let editor = use_editor();
    let field = row.field;
    let at = StoredValue::new((target, row.pointer));
    let path = at.with_value(|(_, pointer)| path(pointer));
    let value =
        Memo::new(move |_| editor.with(|document| at.with_value(|(target, pointer)| shown(document, target, pointer))));
    let faulty = Memo::new(move |_| {
        editor.problems.with(|problems| problems.iter().any(|problem| at.with_value(|at| is_about(problem, at))))
    });
    let invalid = move || faulty.get().then_some("true");
    let write = move |text: String| at.with_value(|(target, pointer)| write(editor, target, pointer, field, &text));
    let leave = move |_| {
        at.with_value(|(target, pointer)| tidy(editor, target, pointer, field));
        editor.end_gesture();
    };
    let described = format!("hint-{path} issue-{path}");
    let id = format!("field-{path}");
    match &field.value {
        ValueType::Text { multiline: true, .. } => view! {
            <textarea id=id name=path rows="3" prop:value=move || value.get() aria-describedby=described
                aria-invalid=invalid on:input=move |event| write(event_target_value(&event)) on:blur=leave></textarea>
        }
        .into_any(),
        ValueType::Variant { options, .. } => view! {
            <select id=id name=path prop:value=move || value.get() aria-describedby=described aria-invalid=invalid
                on:change=move |event| write(event_target_value(&event))>
                {options.iter().map(|option| view! {
                    <option value=option.id selected=move || value.with(|value| value == option.id)>{t(option.label)}</option>
                }).collect_view()}
            </select>
        }
        .into_any(),
        _ => view! {
            <input type="text" id=id name=path class=class autocomplete="off" spellcheck="false" aria-label=label
                prop:value=move || value.get() placeholder=placeholder(field) aria-describedby=described
                aria-invalid=invalid on:input=move |event| write(event_target_value(&event)) on:blur=leave/>
        }
        .into_any(),
    }
}

/// The Issues of one field.
#[component]
pub(super) fn FieldIssues(target: Target, #[prop(into)] pointer: String) -> impl IntoView {
    let editor = use_editor();
    let path = path(&pointer);
    let at = (target, pointer);
    let issues = Memo::new(move |_| {
        let own = |problem: &&Problem| is_about(problem, &at);
        editor.problems.with(|problems| problems.iter().filter(own).cloned().collect::<Vec<_>>())
    });
    view! {
        <div id=format!("issue-{path}") class="issues" data-issue-for=path>
            {move || issues.get().into_iter().map(|problem| view! {
                <IssueLine issue=problem.issue/>
            }).collect_view()}
        </div>
    }
}

fn is_about(problem: &Problem, (target, pointer): &(Target, String)) -> bool {
    problem.target == *target && problem.pointer == *pointer
}

/// The field's name in the form: the pointer with dots.
fn path(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

/// What the input shows.
fn shown(document: &Document, target: &Target, pointer: &str) -> String {
    match document.get(target, pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Writes what was typed: as the field's type where it is one, otherwise as the text that it is.
fn write(editor: Editor, target: &Target, pointer: &str, field: &'static Field, text: &str) {
    let typed = text.trim();
    let change = match &field.value {
        _ if typed.is_empty() && field.presence == Presence::Optional => Change::unset(target.clone(), pointer),
        ValueType::Integer { .. } => {
            let value = typed.parse::<i64>().map_or_else(|_| Value::from(text), Value::from);
            Change::set(target.clone(), pointer, value)
        }
        ValueType::Variant { tag, options } => {
            let Some(option) = options.iter().find(|option| option.id == text) else {
                return;
            };
            let whole = pointer.strip_suffix(tag).and_then(|rest| rest.strip_suffix('/')).unwrap_or(pointer);
            Change::set(target.clone(), whole, option.default_value(tag))
        }
        _ => Change::set(target.clone(), pointer, Value::from(text)),
    };
    if editor.now(|document| shown(document, target, pointer)) != text {
        editor.apply(change, Some(&format!("{target:?}{pointer}")));
    }
}

/// Spells a quantity canonically, as part of the typing that wrote it.
fn tidy(editor: Editor, target: &Target, pointer: &str, field: &'static Field) {
    let ValueType::Quantity { dimension, .. } = &field.value else {
        return;
    };
    let now = editor.now(|document| shown(document, target, pointer));
    if let Ok(base) = dimension.parse(&now) {
        write(editor, target, pointer, field, &dimension.print(base));
    }
}

/// Unit, range and default, in words.
fn hint(field: &Field) -> String {
    let range = match &field.value {
        ValueType::Integer { min, max } => {
            let (min, max) = (grouped(&min.to_string()), grouped(&max.to_string()));
            t_with(text!("hint.integer"), &[("min", &min), ("max", &max)])
        }
        ValueType::Quantity { dimension, min, max } => {
            let (min, max) = (dimension.print(*min), dimension.print(*max));
            let units = dimension.allowed();
            t_with(text!("hint.quantity"), &[("min", &min), ("max", &max), ("units", units)])
        }
        ValueType::Text { max_chars, .. } => t_with(text!("hint.text"), &[("max", &grouped(&max_chars.to_string()))]),
        ValueType::Id | ValueType::Group { .. } | ValueType::Variant { .. } => String::new(),
    };
    match (field.presence, field.default_value()) {
        (Presence::Optional, _) => format!("{range}. {}", t(text!("hint.optional"))),
        (_, Some(Value::String(default))) if !default.is_empty() => with_default(&range, &default),
        (_, Some(Value::Number(default))) => with_default(&range, &grouped(&default.to_string())),
        _ => range,
    }
}

fn with_default(range: &str, default: &str) -> String {
    format!("{range}. {}", t_with(text!("hint.default"), &[("value", default)]))
}

/// What an empty input says.
fn placeholder(field: &Field) -> String {
    if field.presence == Presence::Optional { t(text!("field.unbounded")) } else { String::new() }
}
