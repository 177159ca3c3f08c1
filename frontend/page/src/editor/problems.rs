//! What is wrong, counted on the canvas and listed in the inspector.

use hopscope_markup::view;
use hopscope_scenario::edits::Target;
use hopscope_scenario::text;
use leptos::prelude::*;

use super::use_editor;
use crate::state::document::{Editor, Problem, Selection};
use crate::ui::memo;
use crate::ui::node::Node;
use crate::ui::text::{issue_text, severity, t, t_with};

/// Most problems that are listed at once.
const SHOWN: usize = 50;

/// The count at the canvas' lower edge; it leads to the list.
#[component]
pub(crate) fn ProblemCount() -> impl IntoView {
    let editor = use_editor();
    let empty = memo(move || editor.scene.with(|scene| scene.nodes().is_empty()));
    let counts = memo(move || {
        editor.problems.with(|problems| {
            let errors = problems.iter().filter(|problem| problem.issue.is_error()).count();
            (errors, problems.len() - errors)
        })
    });
    let text = move || {
        let (errors, warnings) = counts.get();
        let (errors, warnings) = (errors.to_string(), warnings.to_string());
        match counts.get() {
            (0, _) => t_with(text!("problems.warnings"), &[("count", &warnings)]),
            (_, 0) => t_with(text!("problems.errors"), &[("count", &errors)]),
            _ => t_with(text!("problems.both"), &[("errors", &errors), ("warnings", &warnings)]),
        }
    };
    let severity = move || if counts.get().0 > 0 { "error" } else { "warning" };
    view! {
        <Show when=move || counts.get() != (0, 0) && !empty.get()>
            <button type="button" class="problems floating" data-problems=move || counts.get().0 data-severity=severity
                on:click=move |_| editor.select(Selection::default())>
                {text}
            </button>
        </Show>
    }
}

/// Every problem, each with the way to what it is about.
#[component]
pub(crate) fn ProblemList() -> impl IntoView {
    let editor = use_editor();
    let problems = memo(move || {
        let empty = editor.scene.with(|scene| scene.nodes().is_empty());
        let all = editor.problems.get();
        if empty { Vec::new() } else { all.iter().take(SHOWN).cloned().collect::<Vec<_>>() }
    });
    view! {
        <Show when=move || problems.with(|problems| !problems.is_empty())>
            <section>
                <h2>{t(text!("problems.label"))}</h2>
                <ul class="problem-list">
                    {move || problems.get().into_iter().map(|problem| view! { <li><Row problem/></li> }).collect::<Node>()}
                </ul>
            </section>
        </Show>
    }
}

#[component]
fn Row(problem: Problem) -> impl IntoView {
    let editor = use_editor();
    let severity = severity(&problem.issue);
    let target = problem.target;
    let text = issue_text(&problem.issue);
    match target {
        Target::Scenario => view! { <p class="issue" data-severity=severity>{text}</p> },
        target => view! {
            <button type="button" class="issue" data-severity=severity on:click=move |_| show(editor, &target)>{text}</button>
        },
    }
}

fn show(editor: Editor, target: &Target) {
    match target {
        Target::Scenario => editor.select(Selection::default()),
        Target::Node(id) => editor.select(Selection::nodes([id.clone()])),
        Target::Link(id) => editor.select(Selection::link(id.clone())),
    }
}
