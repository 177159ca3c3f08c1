//! How long traces took: percentiles over the run's time, and how many took so long.

use hopscope_markup::view;
use hopscope_scenario::text;
use hopscope_view::format;
use hopscope_view::latency::{Course, Length, Ranks};
use leptos::prelude::*;

use crate::player::TimeArea;
use crate::state::run::use_run;
use crate::ui::memo;
use crate::ui::node::Node;
use crate::ui::text::{t, t_with};

/// Height of both drawings in pixels; the style sheet has the same.
const HEIGHT: f64 = 72.0;
/// Room above the longest.
const HEADROOM: f64 = 4.0;
/// Least width of a stretch in pixels.
const STRETCH: f64 = 8.0;
/// Bars of the distribution, and its width in pixels.
const BARS: usize = 40;
const BARS_WIDTH: f64 = 240.0;

/// Both charts, for the answer or for the end of traces.
#[component]
pub(super) fn Charts() -> impl IntoView {
    let run = use_run();
    let area = TimeArea::new();
    let finished = RwSignal::new(false);
    let course = memo(move || {
        run.laws.track();
        let (stretches, finished) = ((area.width.get() / STRETCH) as usize, finished.get());
        let Some(extent) = area.extent.get_untracked() else { return Course::default() };
        run.with(|data| {
            let lengths = data.buffer.measured_traces().iter().filter_map(|trace| {
                let took = if finished { trace.finished() } else { trace.answered };
                Some(Length { began: trace.began, took: took? })
            });
            Course::of(lengths, extent, stretches, BARS)
        })
    });
    let words = move || {
        course.with(|course| {
            let Ranks { count, p50, p90, p99 } = course.all;
            let [p50, p90, p99, most] = [p50, p90, p99, course.most].map(format::duration);
            let count = format::whole(count as u64);
            t_with(
                text!("latency.summary"),
                &[("p50", &p50), ("p90", &p90), ("p99", &p99), ("most", &most), ("count", &count)],
            )
        })
    };
    let choice = move |name: &'static str, of: bool, label| {
        view! {
            <button type="button" data-course=name aria-pressed=move || (finished.get() == of).to_string()
                on:click=move |_| finished.set(of)>{t(label)}</button>
        }
    };
    // A run whose every trace took alike still has a scale.
    let top = memo(move || course.with(|course| course.stretches.iter().map(|part| part.p99).max().unwrap_or(0)));
    let line = move |rank: fn(&Ranks) -> i64| {
        move || course.with(|course| line(&course.stretches, rank, top.get(), area.width.get()))
    };
    view! {
        <div class="courses" data-traces=move || course.with(|course| course.all.count).to_string()>
            <div class="choice" role="group" aria-label=t(text!("latency.course"))>
                {choice("answered", false, text!("latency.answered"))}{choice("finished", true, text!("latency.finished"))}
                <span class="num">{words}</span>
            </div>
            <div class="charts">
                <div class="over-time" node_ref=area.element on:click=move |event| area.seek(&event)
                    title=t(text!("statement.chart.seek"))>
                    <svg role="img" aria-label=t(text!("latency.course")) width=move || area.width.get() height=HEIGHT>
                        <path class="p50" d=line(|ranks| ranks.p50)></path>
                        <path class="p90" d=line(|ranks| ranks.p90)></path>
                        <path class="p99" d=line(|ranks| ranks.p99)></path>
                        <path class="cursor" d=move || area.cursor(HEIGHT)></path>
                    </svg>
                    <span class="num most">{move || format::duration(top.get())}</span>
                    <span class="key">
                        <span class="p50">{t(text!("latency.p50"))}</span>
                        <span class="p90">{t(text!("latency.p90"))}</span>
                        <span class="p99">{t(text!("latency.p99"))}</span>
                    </span>
                </div>
                <div class="distribution">
                    <svg role="img" aria-label=t(text!("latency.distribution")) width=BARS_WIDTH height=HEIGHT>
                        <path class="bars" d=move || course.with(|course| bars(&course.bars))></path>
                        <path class="p50" d=move || course.with(|course| mark(course, course.all.p50))></path>
                        <path class="p99" d=move || course.with(|course| mark(course, course.all.p99))></path>
                    </svg>
                    <span class="num least">{move || course.with(|course| ends(course).0)}</span>
                    <span class="num most">{move || course.with(|course| ends(course).1)}</span>
                </div>
            </div>
        </div>
    }
}

/// The shortest and the longest, in words; nothing without any.
fn ends(course: &Course) -> (Node, Node) {
    if course.all.count == 0 {
        return (Node::Empty, Node::Empty);
    }
    let [least, most] = [course.least, course.most].map(format::duration);
    (crate::ui::node::node(least), crate::ui::node::node(most))
}

/// One percentile over time: a line from stretch to stretch, broken where there is none.
fn line(stretches: &[Ranks], rank: fn(&Ranks) -> i64, top: i64, width: f64) -> String {
    let step = width / stretches.len().max(1) as f64;
    let mut path = String::new();
    let mut pen = 'M';
    for (index, ranks) in stretches.iter().enumerate() {
        if ranks.count == 0 {
            pen = 'M';
            continue;
        }
        let y = HEIGHT - (HEIGHT - HEADROOM) * rank(ranks) as f64 / top.max(1) as f64;
        let (left, right) = (index as f64 * step, (index + 1) as f64 * step);
        path.push_str(&format!("{pen}{} {}H{}", format::fixed(left, 1), format::fixed(y, 1), format::fixed(right, 1)));
        pen = 'L';
    }
    path
}

fn bars(counts: &[usize]) -> String {
    let most = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let (width, bottom) = (BARS_WIDTH / counts.len().max(1) as f64, format::plain(HEIGHT));
    let bar = |(index, count): (usize, &usize)| {
        let height = (HEIGHT - HEADROOM) * *count as f64 / most;
        let left = index as f64 * width;
        if *count == 0 {
            String::new()
        } else {
            let [left, height, width] = [left, height, width - 1.0].map(|number| format::fixed(number, 1));
            format!("M{left} {bottom}v-{height}h{width}V{bottom}Z")
        }
    };
    counts.iter().enumerate().map(bar).collect()
}

fn mark(course: &Course, took: i64) -> String {
    if course.all.count == 0 {
        String::new()
    } else {
        format!("M{} 0V{}", format::fixed(course.position(took) * BARS_WIDTH, 1), format::plain(HEIGHT))
    }
}
