//! What came of the scenario's checks: in view as a chip, and each as a row.

use hopscope_markup::view;
use hopscope_report::checks::{CheckReport, Found};
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::text;
use leptos::prelude::*;

use crate::dock::{Tab, use_tab};
use crate::state::run::{Run, Status, use_run};
use crate::ui::memo;
use crate::ui::node::Node;
use crate::ui::text::t;

/// What may be said of a check now, for style sheet and tests, and in words. While a run goes on, what has not happened yet may
/// still.
fn told(run: Run, check: &CheckReport) -> (&'static str, Key) {
    match check.found {
        _ if run.laws_wait.get() => ("waits", text!("laws.waits")),
        Found::Nothing if run.status.with(Status::is_live) => ("undecided", text!("laws.verdict.undecided")),
        Found::Nothing => ("broken", text!("checks.nothing")),
        Found::NoSubject => ("broken", text!("checks.no-subject")),
        Found::Figure(_) if check.passed() => ("held", text!("checks.passes")),
        Found::Figure(_) => ("broken", text!("checks.fails")),
    }
}

/// How many pass; nothing of a run without checks.
#[component]
pub(super) fn CheckChip() -> impl IntoView {
    let (run, tab) = (use_run(), use_tab());
    let counts =
        memo(move || run.checks.with(|checks| (checks.iter().filter(|check| check.passed()).count(), checks.len())));
    // Of several verdicts the worst.
    let verdict = move || {
        let told: Vec<_> = run.checks.with(|checks| checks.iter().map(|check| told(run, check).0).collect());
        ["waits", "broken", "undecided"].into_iter().find(|verdict| told.contains(verdict)).unwrap_or("held")
    };
    let figure = move || {
        let (passed, all) = counts.get();
        format!("{passed} / {all}")
    };
    let words = move || t(if run.laws_wait.get() { text!("laws.waits") } else { text!("checks.pass") });
    view! {
        <Show when=move || counts.get().1 != 0>
            <button type="button" class="law-chip chief floating" data-checks=figure data-verdict=verdict
                on:click=move |_| tab.set(Tab::Laws)>
                <span>{t(text!("field.checks"))}</span>
                <b class="num">{figure}</b>
                <span class="words">{words}</span>
            </button>
        </Show>
    }
}

/// Each check with its figure and whether it passes.
#[component]
pub(super) fn CheckTable() -> impl IntoView {
    let run = use_run();
    let any = memo(move || run.checks.with(|checks| !checks.is_empty()));
    let rows = move || run.checks.with(|checks| checks.iter().map(|check| row(run, check)).collect::<Node>());
    view! {
        <Show when=move || any.get()>
            <table class="figures-table laws" aria-label=t(text!("field.checks"))>
                <thead>
                    <tr>
                        <th scope="col">{t(text!("field.check"))}</th>
                        <th scope="col">{t(text!("laws.state"))}</th>
                        <th scope="col" class="figure">{t(text!("checks.found"))}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </Show>
    }
}

fn row(run: Run, check: &CheckReport) -> Node {
    let (verdict, words) = told(run, check);
    view! {
        <tr data-check-row=check.line() data-verdict=verdict>
            <th scope="row">{check.line()}</th>
            <td><b class="verdict" data-verdict=verdict>{t(words)}</b></td>
            <td class="num figure">{check.figure().unwrap_or_else(|| "–".to_owned())}</td>
        </tr>
    }
}
