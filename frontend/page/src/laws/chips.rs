//! The chips over the canvas' lower edge: T2 > T1 and, where there are queues, L2 = L1 − 1 by themselves, all other laws in one.

use hopscope_markup::view;
use hopscope_report::laws::{Law, LawReport};
use hopscope_scenario::text;
use hopscope_view::format;
use hopscope_view::judge::{Summary, Verdict, summary};
use leptos::prelude::*;

use super::checks::CheckChip;
use super::{CHIEFS, Told, told, words};
use crate::dock::{Tab, use_tab};
use crate::state::run::use_run;
use crate::ui::memo;
use crate::ui::node::Node;
use crate::ui::text::{t, t_with};

/// What came of the laws; nothing while there is no run.
#[component]
pub(crate) fn LawChips() -> impl IntoView {
    let run = use_run();
    let chief = move |law| memo(move || run.laws.with(|laws| laws.iter().find(|report| report.law == law).cloned()));
    let [calls, queues] = CHIEFS.map(chief);
    let others = memo(move || {
        run.laws.with(|laws| laws.iter().filter(|report| !CHIEFS.contains(&report.law)).cloned().collect::<Vec<_>>())
    });
    // Of a run without queues the other law says nothing.
    let has_queues =
        move || queues.with(|report| report.as_ref().is_some_and(|report| report.not_applicable.is_none()));
    view! {
        <Show when=move || calls.with(Option::is_some)>
            <div class="law-chips" role="group" aria-label=t(text!("laws.chips"))>
                <Chief law=CHIEFS[0] report=calls/>
                <Show when=has_queues><Chief law=CHIEFS[1] report=queues/></Show>
                <Others reports=others/>
                <CheckChip/>
            </div>
        </Show>
    }
}

#[component]
fn Chief(law: Law, report: Memo<Option<LawReport>>) -> impl IntoView {
    let (tab, waits) = (use_tab(), use_run().laws_wait);
    let with =
        move |read: fn(&LawReport) -> String| report.with(|report| report.as_ref().map(read).unwrap_or_default());
    let say = move |read: fn(Told) -> String| {
        report.with(|report| report.as_ref().map(|report| read(told(report, waits.get()))).unwrap_or_default())
    };
    view! {
        <button type="button" class="law-chip chief floating" data-law=law.id() title=t(law.statement())
            data-held=move || with(|report| report.held.to_string())
            data-checked=move || with(|report| report.checked().to_string())
            data-broken=move || with(|report| report.broken.to_string())
            data-verdict=move || say(|told| told.name.to_owned())
            on:click=move |_| tab.set(Tab::Laws)>
            <span>{t(law.name())}</span>
            <b class="num">{move || say(|told| told.figure)}</b>
            <span class="words">{move || say(|told| told.words)}</span>
        </button>
    }
}

/// Every other law: a point for each, and one sentence for all.
#[component]
fn Others(reports: Memo<Vec<LawReport>>) -> impl IntoView {
    let (tab, waits) = (use_tab(), use_run().laws_wait);
    let sum = memo(move || reports.with(|reports| summary(reports.iter())));
    let points = move || {
        let waits = waits.get();
        reports.with(|reports| reports.iter().map(|report| point(report, waits)).collect::<Node>())
    };
    let sentence = move || {
        if waits.get() {
            let of = sum.with(|sum| sum.of.to_string());
            return format!("{}: {}", t_with(text!("laws.further.none"), &[("count", &of)]), t(text!("laws.waits")));
        }
        sum.with(sentence)
    };
    view! {
        <button type="button" class="law-chip floating" data-laws="further" data-verdict=move || sum.with(|sum| sum.verdict.name())
            on:click=move |_| tab.set(Tab::Laws)>
            <span class="points">{points}</span>
            <span>{sentence}</span>
        </button>
    }
}

fn point(report: &LawReport, waits: bool) -> Node {
    let Told { figure, words, name } = told(report, waits);
    let title = format!("{}: {figure} {words}", t(report.law.name()));
    view! {
        <i data-law=report.law.id() data-held=report.held.to_string() data-checked=report.checked().to_string()
            data-broken=report.broken.to_string() data-verdict=name title=title></i>
    }
}

fn sentence(sum: &Summary) -> String {
    let (held, of) = (sum.held.to_string(), sum.of.to_string());
    if !sum.broken.is_empty() {
        let one = |(law, count): &(Law, u64)| {
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
