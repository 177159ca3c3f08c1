//! The table of traces; only the rows in view are in the document.

use hopscope_markup::view;
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::text;
use hopscope_view::buffer::Trace;
use leptos::html::Div;
use leptos::prelude::*;

use super::{outcome_class, outcome_label};
use crate::dock::{open_trace, use_tab};
use crate::state::run::use_run;
use crate::ui::node::Node;
use crate::ui::text::t;
use crate::ui::{focus, memo};
use hopscope_view::format;

/// Height of a row in pixels; the style sheet has the same.
const ROW: f64 = 26.0;
/// Rows above and below the view that are kept ready.
const SPARE: usize = 6;
/// From so many traces on, a run that goes on is sorted anew only when its tens of thousands change.
const COARSE: usize = 20_000;

/// What the table is sorted by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sort {
    /// In the order of their beginning.
    First,
    /// The slowest first.
    Slowest,
    /// The fastest first.
    Fastest,
}

/// All traces of the run.
#[component]
pub(crate) fn TraceList() -> impl IntoView {
    let run = use_run();
    let sort = RwSignal::new(Sort::First);
    let (scrolled, set_scrolled) = signal(0.0_f64);
    let body = NodeRef::<Div>::new();
    let count = memo(move || {
        run.revision.track();
        let only = run.only.with(|only| only.as_ref().map(|(_, rows)| rows.len()));
        only.unwrap_or_else(|| run.with(|data| data.buffer.traces().len()))
    });
    let sorted_at = memo(move || {
        let count = count.get();
        let revision = run.revision.get();
        if count > COARSE { (count / COARSE) as u64 } else { revision }
    });
    let order = memo(move || {
        sorted_at.track();
        let only = run.only.with(|only| only.as_ref().map(|(_, rows)| rows.clone()));
        run.with(|data| order(data.buffer.traces(), only, sort.get()))
    });
    let rows = memo(move || {
        run.revision.track();
        let height = body.get().map_or(200.0, |body| f64::from(body.client_height()));
        let first = ((scrolled.get() / ROW) as usize).saturating_sub(SPARE);
        let wanted = (height / ROW) as usize + 2 * SPARE + 2;
        run.with(|data| {
            let traces = data.buffer.traces();
            let at = |place: usize| {
                order.with(|order| order.as_ref().map_or(Some(place as u32), |it| it.get(place).copied()))
            };
            let row = |place| at(place).and_then(|row| Some((place, row, *traces.get(row as usize)?)));
            (first..(first + wanted).min(count.get())).filter_map(row).collect::<Vec<_>>()
        })
    });
    // One row is a stop of the Tab key; the arrow keys lead to the others.
    let cursor = RwSignal::new(0);
    let stop = memo(move || {
        let at = |row: Option<&(usize, u32, Trace)>| row.map_or(0, |(place, ..)| *place);
        rows.with(|rows| cursor.get().clamp(at(rows.first()), at(rows.last())))
    });
    view! {
        {move || run.only.with(|only| only.as_ref().map(|(what, _)| what.clone())).map(narrowed)}
        <div class="traces" role="table" aria-label=t(text!("dock.traces")) aria-rowcount=move || count.get() + 1>
            <Head sort/>
            <div class="rows" role=move || (count.get() > 0).then_some("rowgroup") node_ref=body
                on:scroll=move |_| set_scrolled.set(body.get_untracked().map_or(0.0, |body| f64::from(body.scroll_top())))>
                <Show when=move || count.get() == 0>
                    <p class="nothing">{t(text!("traces.none"))}</p>
                </Show>
                <div class="space" style:height=move || format!("{}px", format::plain(count.get() as f64 * ROW))>
                    <Each of=move || rows.get() key=key let:item>
                        <Row place=item.0 row=item.1 trace=item.2 cursor stop/>
                    </Each>
                </div>
            </div>
        </div>
    }
}

/// What the list is narrowed to, and the way back.
fn narrowed(what: String) -> Node {
    let run = use_run();
    view! {
        <p class="narrowed" role="status">
            <span>{what}</span>
            <button type="button" data-action="all-traces" on:click=move |_| run.only.set(None)>{t(text!("traces.all"))}</button>
        </p>
    }
}

#[component]
fn Head(sort: RwSignal<Sort>) -> impl IntoView {
    let plain = |label: Key| view! { <span role="columnheader">{t(label)}</span> };
    let turn = move |_| {
        sort.update(|sort| {
            *sort = match sort {
                Sort::First => Sort::Slowest,
                Sort::Slowest => Sort::Fastest,
                Sort::Fastest => Sort::First,
            }
        });
    };
    let order = move || match sort.get() {
        Sort::First => "none",
        Sort::Slowest => "descending",
        Sort::Fastest => "ascending",
    };
    let mark = move || match sort.get() {
        Sort::First => "↕",
        Sort::Slowest => "↓",
        Sort::Fastest => "↑",
    };
    view! {
        <div class="row head" role="row">
            {plain(text!("traces.number"))}
            {plain(text!("traces.began"))}
            <span role="columnheader" aria-sort=order>
                <button type="button" data-action="sort-latency" on:click=turn>{t(text!("traces.answered"))}" "{mark}</button>
            </span>
            {plain(text!("traces.finished"))}
            {plain(text!("traces.outcome"))}
            {plain(text!("traces.hops"))}
            {plain(text!("field.payload.key"))}
            {plain(text!("traces.id"))}
        </div>
    }
}

#[component]
fn Row(place: usize, row: u32, trace: Trace, cursor: RwSignal<usize>, stop: Memo<usize>) -> impl IntoView {
    let (run, tab) = (use_run(), use_tab());
    let selected = memo(move || run.trace.get() == Some(row));
    let id = format!("{:016x}", trace.id.0);
    let shown_id = id.clone();
    let key = move |event: web_sys::KeyboardEvent| {
        match event.key().as_str() {
            "Enter" | " " => open_trace(run, tab, row),
            // Rows are counted from 1, after the head.
            "ArrowDown" => go_to(place + 3),
            "ArrowUp" => go_to(place + 1),
            _ => return,
        }
        event.prevent_default();
    };
    view! {
        <div class="row" role="row" tabindex=move || if stop.get() == place { "0" } else { "-1" } data-trace=id aria-rowindex=place + 2
            aria-selected=move || selected.get().to_string() class:selected=move || selected.get()
            style:top=format!("{}px", format::plain(place as f64 * ROW)) on:click=move |_| open_trace(run, tab, row) on:keydown=key
            on:focus=move |_| cursor.set(place)>
            <span role="cell" class="num">{format::whole(u64::from(row) + 1)}</span>
            <span role="cell" class="num">{format::clock(trace.began)}</span>
            <span role="cell" class="num">{trace.answered.map_or_else(|| "–".to_owned(), format::duration)}</span>
            <span role="cell" class="num">{trace.finished().map_or_else(|| "–".to_owned(), format::duration)}</span>
            <span role="cell" class=outcome_class(trace.outcome)>{t(outcome_label(trace.outcome))}</span>
            <span role="cell" class="num">{trace.hops}</span>
            <span role="cell" class="num">{run.with(|data| data.buffer.key_of(&trace).unwrap_or("–").to_owned())}</span>
            <span role="cell" class="num dim">{shown_id}</span>
        </div>
    }
}

/// Gives the focus to a row, if there is one of that number.
fn go_to(number: usize) {
    focus(&format!(".traces .rows [aria-rowindex=\"{number}\"]"));
}

/// What a row is known by: with anything else in it, it is another row.
fn key((place, row, trace): &(usize, u32, Trace)) -> String {
    format!("{place} {row} {:?} {:?} {:?} {}", trace.answered, trace.finished(), trace.outcome, trace.hops)
}

/// The rows in their order; `None` for the order that they are in.
fn order(traces: &[Trace], only: Option<Vec<u32>>, sort: Sort) -> Option<Vec<u32>> {
    if sort == Sort::First {
        return only;
    }
    let mut rows = only.unwrap_or_else(|| (0..u32::try_from(traces.len()).unwrap_or(u32::MAX)).collect());
    // Those without an answer come last, whichever way.
    let latency = |row: &u32| traces.get(*row as usize).and_then(|trace| trace.answered);
    let sign = if sort == Sort::Slowest { -1 } else { 1 };
    rows.sort_unstable_by_key(|row| (latency(row).is_none(), latency(row).map(|ns| sign * ns), *row));
    Some(rows)
}
