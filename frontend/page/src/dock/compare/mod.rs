//! The shown run beside another: what ran differently, every figure of both with its change, and how the answers spread.

mod chart;

use hopscope_markup::view;
use hopscope_report::compare::{Change, Compared as Row, compare, worded};
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::differences::{Difference, differences};
use hopscope_scenario::text;
use leptos::prelude::*;

use self::chart::Chart;
use crate::io::runs::RunInfo;
use crate::runs::words;
use crate::state::compared::{Choice, Compared, Other};
use crate::state::run::{Run, use_run};
use crate::ui::memo;
use crate::ui::node::{Node, node};
use crate::ui::text::{t, t_with};

/// What stands for nothing.
const NOTHING: &str = "–";

/// The panel.
#[component]
pub(super) fn Compare() -> impl IntoView {
    let (run, compared) = (use_run(), expect_context::<Compared>());
    let shown = memo(move || {
        run.revision.track();
        run.with(|data| data.id.clone())
    });
    // Each time it is opened, and for each run that is: there may be more of them by then.
    Effect::new(move |_| {
        shown.track();
        compared.ask();
    });
    let body = move || match shown.get() {
        None => view! { <p class="note">{t(text!("compare.no-run"))}</p> },
        Some(shown) => view! { {node(move || choice(compared, &shown))}{node(move || found(run, compared))} },
    };
    view! { <div class="report compare" tabindex="0">{body}</div> }
}

/// What may be chosen, or why nothing may.
fn choice(compared: Compared, shown: &str) -> Node {
    match compared.choice.get() {
        Choice::Asked => Node::Empty,
        Choice::Refused(refusal) => {
            let (message, _, remedy) = words::refusal(&refusal);
            view! { <p class="note" role="status"><b>{message}</b> {remedy}</p> }
        }
        Choice::Runs(runs) => {
            let others: Vec<_> = runs.into_iter().filter(|run| run.id != shown).collect();
            if others.is_empty() {
                return view! { <p class="note">{t(text!("compare.no-other"))}</p> };
            }
            let option = |run: RunInfo| {
                let when = words::when(&run.made_at).0;
                let chosen = compared.chosen.with_untracked(|chosen| *chosen == run.id);
                let label = t_with(text!("compare.option"), &[("name", &run.name), ("when", &when)]);
                view! { <option value=run.id selected=chosen>{label}</option> }
            };
            view! {
                <p class="choice">
                    <label for="compare-with">{t(text!("compare.choose"))}</label>
                    <select id="compare-with" name="compare-with"
                        on:change=move |event| compared.choose(event_target_value(&event))>
                        <option value="">{t(text!("compare.none"))}</option>
                        {others.into_iter().map(option).collect::<Node>()}
                    </select>
                </p>
            }
        }
    }
}

/// What came of it.
fn found(run: Run, compared: Compared) -> Node {
    match compared.other.get() {
        Other::None => Node::Empty,
        Other::Reading => view! { <p class="note" role="status">{t(text!("compare.reading"))}</p> },
        Other::Refused(refusal) => {
            let (message, _, remedy) = words::refusal(&refusal);
            view! { <p class="note" role="alert"><b>{message}</b> {remedy}</p> }
        }
        Other::Unreadable(reason) => {
            view! { <p class="note" role="alert">{t_with(text!("compare.unreadable"), &[("reason", &reason)])}</p> }
        }
        Other::Here => {
            // The figures of a run that goes on are looked at again with its laws.
            run.laws.track();
            let told = compared.with(|reading| {
                let before = reading.figures()?;
                run.with(|data| {
                    let after = (data.buffer.plan()?, data.buffer.judge().stats());
                    Some((differences(before.0, after.0), compare(before, after)))
                })
            });
            match told.flatten() {
                None => Node::Empty,
                Some((differences, rows)) => view! {
                    {difference_list(&differences)}
                    <Chart/>
                    {table(&rows)}
                    <p class="note">{t(text!("compare.note"))}</p>
                },
            }
        }
    }
}

fn difference_list(found: &[Difference]) -> Node {
    if found.is_empty() {
        return view! { <p class="note" data-differences="0">{t(text!("compare.same"))}</p> };
    }
    let line = |difference: &Difference| {
        let Difference { of, field, before, after } = difference;
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| NOTHING.to_owned());
        let (before, after) = (value(before), value(after));
        let args = [("of", of.as_str()), ("field", field), ("before", &before), ("after", &after)];
        view! { <li>{t_with(text!("compare.field"), &args).trim().to_owned()}</li> }
    };
    view! {
        <p class="note">{t(text!("compare.differences"))}</p>
        <ul class="differences" data-differences=found.len().to_string()>{found.iter().map(line).collect::<Node>()}</ul>
    }
}

fn table(rows: &[Row]) -> Node {
    let head = |label: Key| view! { <th scope="col">{t(label)}</th> };
    let figure_head = |label: Key| view! { <th scope="col" class="figure">{t(label)}</th> };
    let figures = [text!("compare.before"), text!("compare.after"), text!("compare.change"), text!("compare.interval")];
    view! {
        <table>
            <thead><tr>
                {head(text!("compare.of"))}{head(text!("compare.figure"))}{figures.map(figure_head).into_iter().collect::<Node>()}
            </tr></thead>
            <tbody>{rows.iter().map(row).collect::<Node>()}</tbody>
        </table>
    }
}

fn row(row: &Row) -> Node {
    let on = row.on.as_ref().map_or_else(|| t(text!("checks.of-run")), |subject| subject.name.clone());
    let figure =
        |text: Option<String>| view! { <td class="num figure">{text.unwrap_or_else(|| NOTHING.to_owned())}</td> };
    // A change whose interval has nothing in it may be chance.
    let sure = row.change.is_some_and(|change| change.from > 0.0 || change.to < 0.0);
    view! {
        <tr data-metric=row.metric.id() data-sure=sure.to_string()>
            <th scope="row">{on}</th>
            <td>{row.metric.id()}</td>
            {figure(Some(worded(row.metric, row.before)))}
            {figure(Some(worded(row.metric, row.after)))}
            {figure(row.change.map(Change::words))}
            {figure(row.change.map(Change::interval))}
        </tr>
    }
}
