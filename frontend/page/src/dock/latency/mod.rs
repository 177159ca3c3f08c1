//! What became of the attempts on each link, and how long they took: figures with their units and their counts.

mod charts;

use hopscope_markup::view;
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::text;
use hopscope_view::format;
use hopscope_view::judge::{Counts, LinkRow, Spread};
use leptos::prelude::*;

use crate::state::run::use_run;
use crate::statement::Apart;
use crate::ui::memo;
use crate::ui::node::Node;
use crate::ui::text::{t, t_with};
use charts::Charts;

/// What stands where there is nothing to tell.
const NOTHING: &str = "–";

/// The panel.
#[component]
pub(crate) fn LatencyTable() -> impl IntoView {
    let run = use_run();
    let rows = memo(move || {
        run.laws.track();
        run.with(|data| data.buffer.plan().map(|plan| data.buffer.judge().links(plan)).unwrap_or_default())
    });
    let surroundings = memo(move || {
        run.laws.track();
        run.with(|data| {
            let worst = data.buffer.surroundings();
            if worst.samples == 0 {
                return String::new();
            }
            let said = |text, words: &[(&str, String)]| {
                let words: Vec<_> = words.iter().map(|(name, word)| (*name, word.as_str())).collect();
                t_with(text, &words)
            };
            let network = worst.network_words().map(|words| said(text!("surroundings.network"), &words));
            let clocks = worst.clock_words().map(|words| said(text!("surroundings.clocks"), &words));
            let mut all = said(text!("surroundings.worst"), &worst.words());
            for more in [network, clocks].into_iter().flatten() {
                all.push_str(". ");
                all.push_str(&more);
            }
            all
        })
    });
    let none = memo(move || rows.with(Vec::is_empty));
    let counts = move || rows.with(|rows| rows.iter().map(count_row).collect::<Node>());
    let times = move || rows.with(|rows| rows.iter().map(time_rows).collect::<Node>());
    view! {
        <div class="report" tabindex="0">
            <Show when=move || !none.get() fallback=|| view! { <p class="nothing">{t(text!("latency.none"))}</p> }>
                <Charts/>
                <table class="figures-table">
                    <caption>{t(text!("latency.counts"))}</caption>
                    <thead>
                        <tr><th scope="col">{t(text!("latency.link"))}</th>{count_heads().map(head).collect::<Node>()}</tr>
                    </thead>
                    <tbody>{counts}</tbody>
                </table>
                <table class="figures-table">
                    <caption>{t(text!("latency.times"))}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t(text!("latency.link"))}</th>
                            <th scope="col">{t(text!("latency.what"))}</th>
                            {time_heads().map(head).collect::<Node>()}
                        </tr>
                    </thead>
                    <tbody>{times}</tbody>
                </table>
                <p class="surroundings"><Apart/>{move || surroundings.get()}</p>
            </Show>
        </div>
    }
}

fn head(label: Key) -> Node {
    view! { <th scope="col" class="figure">{t(label)}</th> }
}

fn count_heads() -> std::array::IntoIter<Key, 9> {
    [
        text!("latency.counts.sent"),
        text!("latency.counts.completed"),
        text!("latency.counts.confirmed"),
        text!("latency.counts.handed-over"),
        text!("latency.counts.refused"),
        text!("latency.counts.failed"),
        text!("latency.counts.timed-out"),
        text!("latency.counts.retried"),
        text!("latency.counts.late"),
    ]
    .into_iter()
}

fn time_heads() -> std::array::IntoIter<Key, 5> {
    [text!("latency.count"), text!("latency.p50"), text!("latency.p90"), text!("latency.p99"), text!("latency.max")]
        .into_iter()
}

fn count_row(row: &LinkRow) -> Node {
    let figures = match row.counts {
        None => [None; 9],
        Some(Counts { sent, completed, confirmed, handed_over, refused, failed, timed_out, retried, late }) => {
            [sent, completed, confirmed, handed_over, refused, failed, timed_out, retried, late].map(Some)
        }
    };
    let cell = |count: Option<u64>| figure(count.map(format::whole));
    view! {
        <tr data-counts-of=row.link.0>
            <th scope="row">{row.name.clone()}</th>
            {figures.map(cell).into_iter().collect::<Node>()}
        </tr>
    }
}

fn time_rows(row: &LinkRow) -> Node {
    let one = |name: &'static str, label: Key, about: Key, spread: Spread| {
        let Spread { count, p50, p90, p99, max } = spread;
        let length = |ns: Option<u64>| figure(ns.map(|ns| format::duration(i64::try_from(ns).unwrap_or(i64::MAX))));
        view! {
            <tr data-times-of=row.link.0 data-measure=name>
                <th scope="row">{row.name.clone()}</th>
                <td title=t(about)>{t(label)}</td>
                {figure((count > 0).then(|| format::whole(count)))}
                {[p50, p90, p99, max].map(length).into_iter().collect::<Node>()}
            </tr>
        }
    };
    let confirmed = row
        .confirmed
        .map(|spread| one("confirmed", text!("latency.confirmed"), text!("latency.confirmed.about"), spread));
    let rows = vec![
        Some(one("answered", text!("latency.answered"), text!("latency.answered.about"), row.answered)),
        confirmed,
        Some(one("completed", text!("latency.completed"), text!("latency.completed.about"), row.completed)),
    ];
    // What carries replies has none of its own.
    let told = |spread: Spread| row.confirmed.is_none() || spread.count > 0;
    let told = [told(row.answered), true, told(row.completed)];
    rows.into_iter().zip(told).filter_map(|(row, told)| row.filter(|_| told)).collect()
}

fn figure(text: Option<String>) -> Node {
    view! { <td class="num figure">{text.unwrap_or_else(|| NOTHING.to_owned())}</td> }
}
