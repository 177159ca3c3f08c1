//! Every law with what came of it, and every breach with the way to its trace.

use hopscope_markup::view;
use hopscope_report::laws::{Breach, LawReport};
use hopscope_scenario::catalogue::plain;
use hopscope_scenario::text;
use hopscope_view::format;
use leptos::prelude::*;

use super::checks::CheckTable;
use super::effects::EffectTable;
use super::{Told, told};
use crate::dock::{open_trace, use_tab};
use crate::state::run::use_run;
use crate::ui::memo;
use crate::ui::node::Node;
use crate::ui::text::{language, t, t_with};

/// The panel.
#[component]
pub(crate) fn LawTable() -> impl IntoView {
    let run = use_run();
    let reports = memo(move || run.laws.get());
    let none = memo(move || reports.with(|reports| reports.is_empty()));
    let rows = move || {
        let waits = run.laws_wait.get();
        reports.with(|reports| reports.iter().map(|report| row(report, waits)).collect::<Node>())
    };
    view! {
        <div class="report" tabindex="0">
            <Show when=move || !none.get() fallback=|| view! { <p class="nothing">{t(text!("laws.none"))}</p> }>
                {move || reports.with(|reports| breaches(reports))}
                <Removed/>
                <CheckTable/>
                <EffectTable/>
                <table class="figures-table laws" aria-label=t(text!("dock.laws"))>
                    <thead>
                        <tr>
                            <th scope="col">{t(text!("laws.law"))}</th>
                            <th scope="col">{t(text!("laws.state"))}</th>
                            <th scope="col" class="figure">{t(text!("laws.held"))}</th>
                            <th scope="col" class="figure">{t(text!("laws.broken"))}</th>
                            <th scope="col" class="figure">{t(text!("laws.undecided"))}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </Show>
        </div>
    }
}

/// What groups never came to, because their topics do not keep it; nothing where there is none.
#[component]
fn Removed() -> impl IntoView {
    let run = use_run();
    let removed = memo(move || {
        run.laws.track();
        let queues = run.with(|data| data.buffer.judge().queues()).into_iter();
        queues.filter(|queue| queue.removed > 0).map(|queue| (queue.name, queue.removed)).collect::<Vec<_>>()
    });
    let line = |(queue, count): &(String, u64)| {
        let words = t_with(text!("laws.removed"), &[("queue", queue), ("count", &format::whole(*count))]);
        view! { <p class="note" data-removed=count.to_string()>{words}</p> }
    };
    view! { {move || removed.with(|removed| removed.iter().map(line).collect::<Node>())} }
}

fn row(report: &LawReport, waits: bool) -> Node {
    let Told { figure, words, name } = told(report, waits);
    let silent = report.not_applicable.filter(|_| !waits);
    let none = waits || silent.is_some();
    let count = |count: u64| if none { "–".to_owned() } else { format::whole(count) };
    let held = if none { "–".to_owned() } else { figure };
    view! {
        <tr data-law-row=report.law.id() data-verdict=name>
            <th scope="row">{t(report.law.name())}<span>{t(report.law.statement())}</span></th>
            <td><b class="verdict" data-verdict=name>{words}</b>{silent.map(|reason| view! { <span>{t(reason)}</span> })}</td>
            <td class="num figure">{held}</td>
            <td class="num figure">{count(report.broken)}</td>
            <td class="num figure">{count(report.undecided)}</td>
        </tr>
    }
}

/// What broke, law by law.
fn breaches(reports: &[LawReport]) -> Option<Node> {
    let broken = || reports.iter().filter(|report| report.broken > 0);
    let of_law = |report: &LawReport| {
        let told = report.breaches.len() as u64;
        let more = (report.broken > told).then(|| {
            let count = format::whole(report.broken - told);
            view! { <li class="dim">{t_with(text!("laws.breaches.more"), &[("count", &count)])}</li> }
        });
        let one = |breach: &Breach| view! { <BreachLine breach=breach.clone()/> };
        view! {
            <li>
                <b>{t(report.law.name())}</b>
                <ul>{report.breaches.iter().map(one).collect::<Node>()}{more}</ul>
            </li>
        }
    };
    broken().next()?;
    Some(view! {
        <h3>{t(text!("laws.breaches"))}</h3>
        <ul class="breaches">{broken().map(of_law).collect::<Node>()}</ul>
    })
}

/// One breach; a click shows its trace, where the page has it.
#[component]
fn BreachLine(breach: Breach) -> impl IntoView {
    let (run, tab) = (use_run(), use_tab());
    let words = plain(language(), breach.text, &breach.args);
    let times: Vec<_> = breach.times.iter().map(|time| format::stamp(*time)).collect();
    let row = run.with(|data| data.buffer.find_trace(breach.trace));
    let trace = row.map(|row| {
        let label = t_with(text!("trace.label"), &[("number", &format::whole(u64::from(row) + 1))]);
        view! { <button type="button" data-breach=format!("{:016x}", breach.trace.0) on:click=move |_| open_trace(run, tab, row)>{label}</button> }
    });
    view! { <li>{trace}<span>{words}</span><span class="num dim">{times.join(", ")}</span></li> }
}
