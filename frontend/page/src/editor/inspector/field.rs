//! One field: its input, what it may hold, and what is wrong with it.

use std::sync::Arc;

use hopscope_interaction::form::{Row, path, shown, tidied, typed};
use hopscope_markup::view;
use hopscope_scenario::edits::Target;
use hopscope_scenario::fields::{Field, Presence, ValueType};
use hopscope_scenario::quantity::Dimension;
use hopscope_scenario::text;
use leptos::html::Select;
use leptos::prelude::*;
use serde_json::Value;

use super::super::use_editor;
use crate::state::document::{Editor, Problem};
use crate::ui::memo;
use crate::ui::node::Node;
use crate::ui::text::{grouped, issue_line, t, t_with};

/// What a choice of nodes says for one that does not exist yet; no id has this character.
const NEW: &str = "+new";

/// Label, input, hint and Issues of a field.
#[component]
pub(super) fn FieldRow(target: Target, row: Row) -> impl IntoView {
    let path = path(&row.pointer);
    let multiline = matches!(row.field.value, ValueType::Text { multiline: true, .. });
    let hint = view! { <p class="hint" id=format!("hint-{path}")>{hint(row.field)}</p> };
    let issues = view! { <FieldIssues target=target.clone() pointer=row.pointer.clone()/> };
    let label = t(row.field.label);
    view! {
        <div class="field">
            <div class="row" class:tall=multiline>
                <label for=format!("field-{path}")>{label.clone()}</label>
                <FieldInput target row label class="num"/>
            </div>
            {hint}
            {issues}
        </div>
    }
}

/// The input of a field. Typing writes to the document at once, whatever is typed; leaving the field writes a quantity
/// in its canonical spelling.
#[component]
pub(super) fn FieldInput(target: Target, row: Row, label: String, class: &'static str) -> impl IntoView {
    let editor = use_editor();
    let field = row.field;
    let path = path(&row.pointer);
    // Shared and not owned by this view: a field that goes away with the focus in it hears its blur afterwards.
    let at = Arc::new((target, row));
    let value = Memo::new({
        let at = at.clone();
        move |_| editor.with(|document| shown(document.get(&at.0, &at.1.pointer)))
    });
    let faulty = Memo::new({
        let at = at.clone();
        move |_| editor.problems.with(|problems| problems.iter().any(|it| is_about(it, &at.0, &at.1.pointer)))
    });
    let invalid = move || faulty.get().then_some("true");
    let asked = at.0.clone();
    let write = {
        let at = at.clone();
        move |text: String| write(editor, &at.0, &at.1, &text)
    };
    let leave = move |_| {
        tidy(editor, &at.0, &at.1);
        editor.end_gesture();
    };
    let described = format!("hint-{path} issue-{path}");
    let id = format!("field-{path}");
    match &field.value {
        ValueType::Text { multiline: true, .. } => view! {
            <textarea id=id name=path rows="3" prop:value=move || value.get() aria-describedby=described
                aria-invalid=invalid on:input=move |event| write(event_target_value(&event)) on:blur=leave></textarea>
        },
        ValueType::Variant { .. } | ValueType::Choice { .. } | ValueType::Node { .. } => {
            let (options, asked) = (
                {
                    let asked = asked.clone();
                    memo(move || options(editor, field, &asked, &value.get()))
                },
                asked.clone(),
            );
            // What is chosen may be new among the options: the choice is made when they are there.
            let select = NodeRef::<Select>::new();
            Effect::new(move |_| {
                options.track();
                let value = value.get();
                request_animation_frame(move || {
                    // The field may have gone since.
                    if let Some(Some(select)) = select.try_get_untracked() {
                        select.set_value(&value);
                    }
                });
            });
            let option = move |(id, label): (String, String)| {
                let chosen = id.clone();
                view! { <option value=id selected=move || value.with(|value| *value == chosen)>{label}</option> }
            };
            view! {
                <select id=id name=path node_ref=select prop:value=move || value.get() aria-describedby=described aria-invalid=invalid
                    on:change=move |event| match event_target_value(&event) {
                        new if new == NEW => add_queue(editor, &asked),
                        chosen => write(chosen),
                    }>
                    {move || options.get().into_iter().map(option).collect::<Node>()}
                </select>
            }
        }
        _ => view! {
            <input type="text" id=id name=path class=class autocomplete="off" spellcheck="false" aria-label=label
                prop:value=move || value.get() placeholder=placeholder(field) aria-describedby=described
                aria-invalid=invalid on:input=move |event| write(event_target_value(&event)) on:blur=leave/>
        },
    }
}

/// Adds the queue that a link's replies shall come back through.
fn add_queue(editor: Editor, target: &Target) {
    if let Target::Link(link) = target {
        editor.add_reply_queue(link);
    }
}

/// What a field may be, by value and in words: none where it may be left out, and what it is, if that is not among them.
fn options(editor: Editor, field: &Field, target: &Target, value: &str) -> Vec<(String, String)> {
    let mut options: Vec<(String, String)> = match &field.value {
        ValueType::Variant { options, .. } => options.iter().map(|it| (it.id.to_owned(), t(it.label))).collect(),
        ValueType::Choice { options } => options.iter().map(|it| (it.id.to_owned(), t(it.label))).collect(),
        ValueType::Node { kind } => editor.with(|document| {
            let nodes = document.nodes().filter(|node| node.kind() == Some(*kind));
            nodes.map(|node| (node.id().to_owned(), editor.name_of(node.id()))).collect()
        }),
        _ => Vec::new(),
    };
    // A link's replies; a queue's dead letters are another field of this type.
    let replies = matches!((&field.value, target), (ValueType::Node { .. }, Target::Link(_)));
    if field.presence == Presence::Optional {
        let none = if replies { text!("field.replies.none") } else { text!("field.none") };
        options.insert(0, (String::new(), t(none)));
    }
    if replies {
        options.push((NEW.to_owned(), t(text!("field.replies.new"))));
    }
    if !options.iter().any(|(id, _)| id == value) {
        options.push((value.to_owned(), value.to_owned()));
    }
    options
}

/// The Issues of one field.
#[component]
pub(super) fn FieldIssues(target: Target, #[prop(into)] pointer: String) -> impl IntoView {
    let editor = use_editor();
    let path = path(&pointer);
    let issues = memo(move || {
        let own = |problem: &&Problem| is_about(problem, &target, &pointer);
        editor.problems.with(|problems| problems.iter().filter(own).cloned().collect::<Vec<_>>())
    });
    view! {
        <div id=format!("issue-{path}") class="issues" data-issue-for=path>
            {move || issues.get().into_iter().map(|problem| issue_line(&problem.issue)).collect::<Node>()}
        </div>
    }
}

fn is_about(problem: &Problem, target: &Target, pointer: &str) -> bool {
    problem.target == *target && problem.pointer == pointer
}

/// Writes what was typed, as part of the typing in this field.
fn write(editor: Editor, target: &Target, row: &Row, text: &str) {
    let change = editor.now(|document| {
        let object = document.get(target, "").filter(|_| shown(document.get(target, &row.pointer)) != text)?;
        typed(target, row, text, object)
    });
    if let Some(change) = change {
        editor.apply(change, Some(&format!("{target:?}{}", row.pointer)));
    }
}

/// Spells a quantity canonically, as part of the typing that wrote it.
fn tidy(editor: Editor, target: &Target, row: &Row) {
    let now = editor.now(|document| shown(document.get(target, &row.pointer)));
    if let Some(canonical) = tidied(row.field, &now) {
        write(editor, target, row, &canonical);
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
            // Rates and shares have one unit, which their ends show, and a number none.
            let one = matches!(dimension, Dimension::Rate | Dimension::Share | Dimension::Number);
            let key = if one { text!("hint.integer") } else { text!("hint.quantity") };
            t_with(key, &[("min", &min), ("max", &max), ("units", dimension.allowed())])
        }
        ValueType::Text { max_chars, .. } => t_with(text!("hint.text"), &[("max", &grouped(&max_chars.to_string()))]),
        ValueType::Id
        | ValueType::Choice { .. }
        | ValueType::Node { .. }
        | ValueType::Group { .. }
        | ValueType::List { .. }
        | ValueType::Steps
        | ValueType::Variant { .. } => String::new(),
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
    match (field.presence, &field.value) {
        (Presence::Optional, ValueType::Text { .. }) => t(text!("field.none")),
        (Presence::Optional, _) => t(text!("field.unbounded")),
        _ => String::new(),
    }
}
