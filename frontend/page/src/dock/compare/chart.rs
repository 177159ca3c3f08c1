//! How the answers of both runs spread: the share of them that came within a time.

use hopscope_markup::view;
use hopscope_scenario::text;
use hopscope_view::format;
use serde_json::Value;

use crate::ui::node::Node;
use crate::ui::text::t;

/// Of the drawing, in pixels; the style sheet has the same.
const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 96.0;
/// Room above and below the lines.
const MARGIN: f64 = 4.0;

/// The chart of the times, in ns, that equal steps of the answers came within; nothing where one run has no answers. Shares go
/// from bottom to top, times to the right, each ten times as long as far from the one before.
pub(super) fn chart(before: &[Value], after: &[Value]) -> Node {
    let time = |value: Option<&Value>| value.and_then(Value::as_f64);
    let ends = [before, after].map(|times| Some((time(times.first())?, time(times.last())?)));
    let [Some(one), Some(other)] = ends else { return Node::Empty };
    let least = one.0.min(other.0).max(1.0);
    let most = one.1.max(other.1).max(least * 1.001);
    let line = |times: &[Value]| {
        let steps = times.len().saturating_sub(1).max(1) as f64;
        let point = |(step, value): (usize, &Value)| {
            let x = WIDTH * (value.as_f64().unwrap_or(least).max(least) / least).ln() / (most / least).ln();
            let y = MARGIN + (HEIGHT - 2.0 * MARGIN) * (1.0 - step as f64 / steps);
            format!("{}{} {}", if step == 0 { 'M' } else { 'L' }, format::fixed(x, 1), format::fixed(y, 1))
        };
        times.iter().enumerate().map(point).collect::<String>()
    };
    view! {
        <div class="spreads">
            <svg role="img" aria-label=t(text!("compare.chart")) width=WIDTH height=HEIGHT>
                <path class="before" d=line(before)></path>
                <path class="after" d=line(after)></path>
            </svg>
            <span class="num least">{format::duration(least as i64)}</span>
            <span class="num most">{format::duration(most as i64)}</span>
            <span class="key">
                <span class="before">{t(text!("compare.before"))}</span>
                <span class="after">{t(text!("compare.after"))}</span>
            </span>
        </div>
    }
}
