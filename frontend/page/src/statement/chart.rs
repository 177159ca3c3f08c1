//! The length of a queue over time: the least and the greatest per pixel column, and where the player is.

use hopscope_markup::view;
use hopscope_scenario::text;
use hopscope_view::format;
use leptos::prelude::*;

use super::with_log;
use crate::player::TimeArea;
use crate::state::run::use_run;
use crate::ui::memo;
use crate::ui::text::{t, t_with};

/// Height of the drawing in pixels; the style sheet has the same.
const HEIGHT: f64 = 40.0;
/// Room above the longest, for the cursor to be seen.
const HEADROOM: f64 = 3.0;

/// The chart.
#[component]
pub(super) fn Chart(queue: Memo<usize>) -> impl IntoView {
    let run = use_run();
    let area = TimeArea::new();
    let lengths = memo(move || {
        run.revision.track();
        let (columns, queue) = (area.width.get() as usize, queue.get());
        let Some((from, to)) = area.extent.get() else { return Vec::new() };
        with_log(run, queue, |log| log.lengths(from, to, columns)).unwrap_or_default()
    });
    let most = memo(move || lengths.with(|lengths| lengths.iter().map(|(_, most)| *most).max().unwrap_or(0)));
    let label = move || t_with(text!("statement.chart"), &[("most", &format::whole(u64::from(most.get())))]);
    view! {
        <div class="lengths" node_ref=area.element on:click=move |event| area.seek(&event) title=t(text!("statement.chart.seek"))>
            <svg role="img" aria-label=label width=move || area.width.get() height=HEIGHT>
                <path class="least" d=move || lengths.with(|lengths| below(lengths, most.get()))></path>
                <path class="between" d=move || lengths.with(|lengths| between(lengths, most.get()))></path>
                <path class="cursor" d=move || area.cursor(HEIGHT)></path>
            </svg>
            <span class="num most" data-most=move || most.get().to_string()>
                {move || t_with(text!("statement.most"), &[("most", &format::whole(u64::from(most.get())))])}
            </span>
        </div>
    }
}

/// Where a length is drawn.
fn y(length: u32, most: u32) -> f64 {
    HEIGHT - (HEIGHT - HEADROOM) * f64::from(length) / f64::from(most.max(1))
}

/// What is never less in a column.
fn below(lengths: &[(u32, u32)], most: u32) -> String {
    let bottom = format::plain(HEIGHT);
    let mut path = format!("M0 {bottom}");
    for (column, (least, _)) in lengths.iter().enumerate() {
        path.push_str(&format!("V{}H{}", format::fixed(y(*least, most), 1), column + 1));
    }
    path.push_str(&format!("V{bottom}Z"));
    path
}

/// What comes and goes within a column; at least a line.
fn between(lengths: &[(u32, u32)], most: u32) -> String {
    let one = |(column, (least, greatest)): (usize, &(u32, u32))| {
        let (top, bottom) = (y(*greatest, most), y(*least, most));
        format!("M{column} {}h1V{}h-1Z", format::fixed(top, 1), format::fixed(bottom.max(top + 1.0), 1))
    };
    lengths.iter().enumerate().map(one).collect()
}
