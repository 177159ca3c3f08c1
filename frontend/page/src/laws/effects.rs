//! What became of the effects: how many traces applied each never, once, more than once; whether transfers are conserved; how long
//! traces went on after their answer. Each number leads to its traces.

use hopscope_markup::view;
use hopscope_record::TraceId;
use hopscope_report::effects::{EffectsReport, Words, name};
use hopscope_scenario::catalogue::{Key, plain};
use hopscope_scenario::text;
use hopscope_view::format;
use leptos::prelude::*;

use crate::dock::{open_trace, use_tab};
use crate::state::run::use_run;
use crate::ui::node::{Node, node};
use crate::ui::text::{language, t, t_with};

/// The traces that a number is of, by their ids; cheap to copy.
type Listed = RwSignal<Vec<u64>>;

/// The table, the sentences below it, and the traces that were asked for; nothing of a run without effects.
#[component]
pub(super) fn EffectTable() -> impl IntoView {
    let run = use_run();
    let listed: Listed = RwSignal::new(Vec::new());
    node(move || {
        run.laws.track();
        let (names, report) = run.with(|data| {
            let judge = data.buffer.judge();
            let name = |row| data.buffer.plan().map(|plan| say(name(plan, row))).unwrap_or_default();
            (judge.effects().iter().map(name).collect::<Vec<_>>(), judge.effects_report())
        });
        (!names.is_empty()).then(|| {
            view! {
                <table class="figures-table laws" aria-label=t(text!("effects.label"))>
                    <thead>{head()}</thead>
                    <tbody>{rows(listed, names, &report)}</tbody>
                </table>
                <ul class="breaches">{sentences(listed, &report)}</ul>
                <Traces listed/>
            }
        })
    })
}

fn say((key, args): Words) -> String {
    plain(language(), key, &args)
}

fn head() -> Node {
    let figures = [
        text!("effects.wanted"),
        text!("effects.never"),
        text!("effects.once"),
        text!("effects.more"),
        text!("effects.repeated"),
    ];
    let figure = |key: Key| view! { <th scope="col" class="figure">{t(key)}</th> };
    let figures = figures.into_iter().map(figure).collect::<Node>();
    view! { <tr><th scope="col">{t(text!("effects.label"))}</th>{figures}</tr> }
}

fn rows(listed: Listed, names: Vec<String>, report: &EffectsReport) -> Node {
    let row = |(name, row): (String, &hopscope_report::effects::EffectReport)| {
        let counts = [("never", &row.never), ("once", &row.once), ("more", &row.more), ("repeated", &row.repeated)];
        let count = |(of, named): (&'static str, &hopscope_report::traces::Named)| {
            view! { <td class="num figure" data-count=of>{opening(listed, format::whole(named.count), &named.traces)}</td> }
        };
        view! {
            <tr data-effect=row.effect>
                <th scope="row">{name}</th>
                <td class="num figure">{format::whole(row.wanted())}</td>
                {counts.into_iter().map(count).collect::<Node>()}
            </tr>
        }
    };
    names.into_iter().zip(&report.effects).map(row).collect()
}

/// What the transfers and the accounts came to, and how long traces went on.
fn sentences(listed: Listed, report: &EffectsReport) -> Node {
    let longest: Vec<_> = report.stale.longest.iter().map(|(trace, _)| *trace).collect();
    let transfers = report.transfers.iter().map(|row| (row.words(), row.unbalanced.traces.clone(), "transfer"));
    let accounts = report.accounts.iter().map(|row| (row.words(), Vec::new(), "account"));
    let all = transfers.chain(accounts).chain([(report.stale.words(), longest, "stale")]);
    let line = |(words, traces, of): (Words, Vec<TraceId>, &'static str)| {
        view! { <li data-effects=of>{opening(listed, say(words), &traces)}</li> }
    };
    all.map(line).collect()
}

/// A text that leads to traces, if there are any.
fn opening(listed: Listed, text: String, traces: &[TraceId]) -> Node {
    if traces.is_empty() {
        return node(text);
    }
    let ids: Vec<u64> = traces.iter().map(|trace| trace.0).collect();
    view! { <button type="button" on:click=move |_| listed.set(ids.clone())>{text}</button> }
}

/// The traces that were asked for, each a way to itself.
#[component]
fn Traces(listed: Listed) -> impl IntoView {
    let (run, tab) = (use_run(), use_tab());
    node(move || {
        let rows =
            run.with(|data| listed.get().into_iter().map(|id| data.buffer.find_trace(TraceId(id))).collect::<Vec<_>>());
        let button = |row: u32| {
            let label = t_with(text!("trace.label"), &[("number", &format::whole(u64::from(row) + 1))]);
            view! { <button type="button" data-effect-trace=row on:click=move |_| open_trace(run, tab, row)>{label}</button> }
        };
        let buttons = rows.into_iter().flatten().map(button).collect::<Node>();
        view! { <p class="breaches" aria-live="polite">{buttons}</p> }
    })
}
