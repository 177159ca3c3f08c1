//! The chips over the canvas' lower edge: T2 > T1 by itself, all other laws in one.

use hopscope_markup::view;
use hopscope_report::laws::LawReport;
use hopscope_scenario::text;
use hopscope_view::format;
use hopscope_view::judge::{Summary, Verdict, summary};
use leptos::prelude::*;

use super::{CHIEF, figure, words};
use crate::dock::{Tab, use_tab};
use crate::state::run::use_run;
use crate::ui::memo;
use crate::ui::node::Node;
use crate::ui::text::{t, t_with};

/// What came of the laws; nothing while there is no run.
#[component]
pub(crate) fn LawChips() -> impl IntoView {
    let run = use_run();
    let chief = memo(move || run.laws.with(|laws| laws.iter().find(|report| report.law == CHIEF).cloned()));
    let others = memo(move || {
        run.laws.with(|laws| laws.iter().filter(|report| report.law != CHIEF).cloned().collect::<Vec<_>>())
    });
    view! {
        <Show when=move || chief.with(Option::is_some)>
            <div class="law-chips" role="group" aria-label=t(text!("laws.chips"))>
                <Chief report=chief/>
                <Others reports=others/>
            </div>
        </Show>
    }
}

#[component]
fn Chief(report: Memo<Option<LawReport>>) -> impl IntoView {
    let tab = use_tab();
    let with =
        move |read: fn(&LawReport) -> String| report.with(|report| report.as_ref().map(read).unwrap_or_default());
    view! {
        <button type="button" class="law-chip chief floating" data-law=CHIEF.id() title=t(CHIEF.statement())
            data-held=move || with(|report| report.held.to_string())
            data-checked=move || with(|report| report.checked().to_string())
            data-broken=move || with(|report| report.broken.to_string())
            data-verdict=move || with(|report| Verdict::of(report).name().to_owned())
            on:click=move |_| tab.set(Tab::Laws)>
            <span>{t(CHIEF.name())}</span>
            <b class="num">{move || with(figure)}</b>
            <span class="words">{move || with(|report| words(Verdict::of(report)))}</span>
        </button>
    }
}

/// Every other law: a point for each, and one sentence for all.
#[component]
fn Others(reports: Memo<Vec<LawReport>>) -> impl IntoView {
    let tab = use_tab();
    let sum = memo(move || reports.with(|reports| summary(reports.iter())));
    let points = move || reports.with(|reports| reports.iter().map(point).collect::<Node>());
    view! {
        <button type="button" class="law-chip floating" data-laws="further" data-verdict=move || sum.with(|sum| sum.verdict.name())
            on:click=move |_| tab.set(Tab::Laws)>
            <span class="points">{points}</span>
            <span>{move || sum.with(sentence)}</span>
        </button>
    }
}

fn point(report: &LawReport) -> Node {
    let verdict = Verdict::of(report);
    let title = format!("{}: {} {}", t(report.law.name()), figure(report), words(verdict));
    view! {
        <i data-law=report.law.id() data-held=report.held.to_string() data-checked=report.checked().to_string()
            data-broken=report.broken.to_string() data-verdict=verdict.name() title=title></i>
    }
}

fn sentence(sum: &Summary) -> String {
    let (held, of) = (sum.held.to_string(), sum.of.to_string());
    if !sum.broken.is_empty() {
        let one = |(law, count): &(hopscope_report::laws::Law, u64)| {
            t_with(text!("laws.further.broken.law"), &[("law", &t(law.name())), ("count", &format::whole(*count))])
        };
        let laws: Vec<_> = sum.broken.iter().map(one).collect();
        return t_with(text!("laws.further.broken"), &[("laws", &laws.join(", "))]);
    }
    match sum.verdict {
        Verdict::Held if sum.held == sum.of => t_with(text!("laws.further.held"), &[("count", &held)]),
        Verdict::Held => t_with(text!("laws.further.some"), &[("count", &held), ("of", &of)]),
        Verdict::Undecided => {
            let rest = (sum.of - sum.held).to_string();
            t_with(text!("laws.further.undecided"), &[("count", &held), ("of", &of), ("rest", &rest)])
        }
        other => format!("{}: {}", t_with(text!("laws.further.none"), &[("count", &of)]), words(other)),
    }
}
