//! The shown run beside another: what ran differently, every figure of both with its change, and how the answers spread.

mod chart;

use hopscope_markup::view;
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::text;
use leptos::prelude::*;
use serde_json::Value;

use self::chart::chart;
use crate::io::runs::{Refusal, RunInfo};
use crate::runs::words;
use crate::state::compared::{Choice, Compared, Comparison};
use crate::state::run::use_run;
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
        let shown = shown.get();
        let chosen = compared.chosen.get_untracked();
        if let Some((before, after)) = chosen
            && shown.as_deref() != Some(after.as_str())
        {
            compared.choose(if shown.is_some() { before } else { String::new() }, shown.unwrap_or_default());
        }
        compared.ask();
    });
    let body = move || match shown.get() {
        None => view! { <p class="note">{t(text!("compare.no-run"))}</p> },
        Some(shown) => {
            let choice = move || choice(compared, &shown);
            view! { {node(choice)}{node(move || found(&compared.comparison.get()))} }
        }
    };
    view! { <div class="report compare" tabindex="0">{body}</div> }
}

/// What may be chosen, or why nothing may.
fn choice(compared: Compared, shown: &str) -> Node {
    match compared.choice.get() {
        Choice::Asked => Node::Empty,
        Choice::Refused(refusal) => refused(&refusal),
        Choice::Runs(runs) => {
            let others: Vec<_> = runs.into_iter().filter(|run| run.id != shown).collect();
            if others.is_empty() {
                return view! { <p class="note">{t(text!("compare.no-other"))}</p> };
            }
            let chosen = compared.chosen.get_untracked().map(|(before, _)| before).unwrap_or_default();
            let option = |run: RunInfo| {
                let when = words::when(&run.made_at).0;
                let selected = run.id == chosen;
                let label = t_with(text!("compare.option"), &[("name", &run.name), ("when", &when)]);
                view! { <option value=run.id selected=selected>{label}</option> }
            };
            let shown = shown.to_owned();
            view! {
                <p class="choice">
                    <label for="compare-with">{t(text!("compare.choose"))}</label>
                    <select id="compare-with" name="compare-with"
                        on:change=move |event| compared.choose(event_target_value(&event), shown.clone())>
                        <option value="">{t(text!("compare.none"))}</option>
                        {others.into_iter().map(option).collect::<Node>()}
                    </select>
                </p>
            }
        }
    }
}

pub(crate) fn refused(refusal: &Refusal) -> Node {
    let (message, _, remedy) = words::refusal(refusal);
    view! { <p class="note" role="status"><b>{message}</b>" "{remedy}</p> }
}

/// What came of it.
fn found(comparison: &Comparison) -> Node {
    match comparison {
        Comparison::None => Node::Empty,
        Comparison::Reading => view! { <p class="note" role="status">{t(text!("compare.reading"))}</p> },
        Comparison::Refused(refusal) => refused(refusal),
        Comparison::Here(document) => view! {
            {differences(list(document, "differences"))}
            {chart(list(&document["spreads"], "before"), list(&document["spreads"], "after"))}
            {table(list(document, "figures"))}
            <p class="note">{t(text!("compare.note"))}</p>
        },
    }
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or(NOTHING)
}

fn differences(found: &[Value]) -> Node {
    if found.is_empty() {
        return view! { <p class="note" data-differences="0">{t(text!("compare.same"))}</p> };
    }
    let line = |difference: &Value| {
        let [of, field, before, after] = ["of", "field", "before", "after"].map(|name| word(difference, name));
        let subject = format!("{of} {field}");
        let args = [("subject", subject.trim()), ("before", before), ("after", after)];
        view! { <li>{t_with(text!("compare.field"), &args)}</li> }
    };
    view! {
        <p class="note">{t(text!("compare.differences"))}</p>
        <ul class="differences" data-differences=found.len().to_string()>{found.iter().map(line).collect::<Node>()}</ul>
    }
}

fn table(rows: &[Value]) -> Node {
    let head = |(label, class): (Key, &'static str)| view! { <th scope="col" class=class>{t(label)}</th> };
    let heads = [
        (text!("compare.of"), ""),
        (text!("compare.figure"), ""),
        (text!("compare.before"), "figure"),
        (text!("compare.after"), "figure"),
        (text!("compare.change"), "figure"),
        (text!("compare.interval"), "figure"),
    ];
    view! {
        <table class="figures-table">
            <thead><tr>{heads.map(head).into_iter().collect::<Node>()}</tr></thead>
            <tbody>{rows.iter().map(row).collect::<Node>()}</tbody>
        </table>
    }
}

fn row(row: &Value) -> Node {
    let on = row["on"].as_str().map_or_else(|| t(text!("checks.of-run")), str::to_owned);
    let figure = |text: &str| view! { <td class="num figure">{text.to_owned()}</td> };
    let (metric, change) = (word(row, "metric").to_owned(), &row["change"]);
    view! {
        <tr data-metric=metric.clone() data-sure=change["sure"].to_string()>
            <th scope="row">{on}</th>
            <td>{metric}</td>
            {figure(word(row, "before_words"))}
            {figure(word(row, "after_words"))}
            {figure(word(change, "words"))}
            {figure(word(change, "interval"))}
        </tr>
    }
}
