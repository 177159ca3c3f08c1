//! How the answers of both runs spread: the share of them that came within a time.

use hopscope_markup::view;
use hopscope_report::stats::Latency;
use hopscope_scenario::text;
use hopscope_view::format;
use leptos::prelude::*;

use crate::state::compared::Compared;
use crate::state::run::use_run;
use crate::ui::memo;
use crate::ui::node::{Node, node};
use crate::ui::text::t;

/// Of the drawing, in pixels; the style sheet has the same height.
const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 96.0;
/// Room above and below the lines.
const MARGIN: f64 = 4.0;

/// Both lines, and the ends of their scale in ns.
#[derive(Clone, PartialEq, Default)]
struct Lines {
    before: String,
    after: String,
    least: i64,
    most: i64,
}

/// The chart; nothing where one of them has no answers.
#[component]
pub(super) fn Chart() -> impl IntoView {
    let (run, compared) = (use_run(), expect_context::<Compared>());
    let lines = memo(move || {
        run.laws.track();
        let after = run.with(|data| data.buffer.judge().stats().answered());
        compared.with(|reading| lines(&reading.figures()?.1.answered(), &after)).flatten()
    });
    let drawn = |Lines { before, after, least, most }: Lines| {
        view! {
            <div class="spreads">
                <svg role="img" aria-label=t(text!("compare.chart")) width=WIDTH height=HEIGHT>
                    <path class="before" d=before></path>
                    <path class="after" d=after></path>
                </svg>
                <span class="num least">{format::duration(least)}</span>
                <span class="num most">{format::duration(most)}</span>
                <span class="key">
                    <span class="before">{t(text!("compare.before"))}</span>
                    <span class="after">{t(text!("compare.after"))}</span>
                </span>
            </div>
        }
    };
    node(move || lines.get().map_or(Node::Empty, drawn))
}

/// On one scale: shares from bottom to top, times to the right, each ten times as long as far from the one before.
fn lines(before: &Latency, after: &Latency) -> Option<Lines> {
    let least = before.min()?.min(after.min()?).max(1) as f64;
    let most = (before.max()?.max(after.max()?) as f64).max(least * 1.001);
    let x = |ns: u64| WIDTH * ((ns as f64).max(least) / least).ln() / (most / least).ln();
    let y = |share: f64| MARGIN + (HEIGHT - 2.0 * MARGIN) * (1.0 - share);
    let line = |latency: &Latency| {
        let point = |step: u32| {
            let share = f64::from(step) / 200.0;
            let at = if step == 0 { latency.min() } else { latency.percentile(share * 100.0) };
            at.map(|ns| format!("{}{:.1} {:.1}", if step == 0 { 'M' } else { 'L' }, x(ns), y(share)))
        };
        (0..=200).filter_map(point).collect::<String>()
    };
    Some(Lines { before: line(before), after: line(after), least: least as i64, most: most as i64 })
}
