//! The statement's rows; only those in view are in the document.

use hopscope_interaction::sequence::place_name;
use hopscope_markup::view;
use hopscope_record::Kind;
use hopscope_scenario::catalogue::Key;
use hopscope_scenario::text;
use hopscope_view::buffer::{RunBuffer, Transition, UNSEEN};
use hopscope_view::format;
use leptos::html::Div;
use leptos::prelude::*;

use super::with_log;
use crate::dock::{open_trace, use_tab};
use crate::state::run::use_run;
use crate::ui::memo;
use crate::ui::node::Node;
use crate::ui::text::{t, t_with};

/// Height of a row in pixels; the style sheet has the same.
const ROW: f64 = 24.0;
/// Rows above and below the view that are kept ready.
const SPARE: usize = 6;

/// A step in words.
#[derive(Clone, PartialEq)]
struct Line {
    /// Its place in the statement, from 0.
    place: usize,
    step: Transition,
    /// Who put it, or has it.
    by: String,
    /// The row of its trace.
    trace: Option<u32>,
}

/// All steps of a queue.
#[component]
pub(super) fn Rows(queue: Memo<usize>) -> impl IntoView {
    let run = use_run();
    let (scrolled, set_scrolled) = signal(0.0_f64);
    let body = NodeRef::<Div>::new();
    let count = memo(move || {
        run.revision.track();
        with_log(run, queue.get(), |log| log.rows().len()).unwrap_or(0)
    });
    // The last step that the player has passed.
    let current = memo(move || {
        count.track();
        let time = run.shown.with(|shown| shown.time);
        with_log(run, queue.get(), |log| log.at(time)).flatten()
    });
    let rows = memo(move || {
        let (count, queue) = (count.get(), queue.get());
        let height = body.get().map_or(200.0, |body| f64::from(body.client_height()));
        let first = ((scrolled.get() / ROW) as usize).saturating_sub(SPARE);
        let end = (first + (height / ROW) as usize + 2 * SPARE + 2).min(count);
        run.with(|data| {
            let steps = data.buffer.queues().get(queue).map_or(&[][..], |log| log.rows());
            let shown = steps.get(first.min(end)..end).unwrap_or(&[]);
            shown.iter().zip(first..).map(|(step, place)| line(&data.buffer, place, *step)).collect::<Vec<_>>()
        })
    });
    // What the player shows is in view.
    Effect::new(move |_| {
        let (Some(current), Some(body)) = (current.get(), body.get()) else { return };
        let (top, height) = (current as f64 * ROW, f64::from(body.client_height()));
        let from = f64::from(body.scroll_top());
        if top < from || top + ROW > from + height {
            body.set_scroll_top((top - (height - ROW) / 2.0).max(0.0) as i32);
        }
    });
    view! {
        <div class="steps-of-queue" role="table" aria-label=t(text!("dock.statement")) aria-rowcount=move || count.get() + 1>
            {head()}
            <div class="rows" role=move || (count.get() > 0).then_some("rowgroup") node_ref=body data-statement-rows=move || count.get()
                on:scroll=move |_| set_scrolled.set(body.get_untracked().map_or(0.0, |body| f64::from(body.scroll_top())))>
                <Show when=move || count.get() == 0>
                    <p class="nothing">{t(text!("statement.empty"))}</p>
                </Show>
                <div class="space" style:height=move || format!("{}px", format::plain(count.get() as f64 * ROW))>
                    <Each of=move || rows.get() key=key let:line><Row line current/></Each>
                </div>
            </div>
        </div>
    }
}

/// What a row is known by: with anything else in it, it is another row.
fn key(line: &Line) -> String {
    format!("{} {} {}", line.place, line.step.time, line.by)
}

fn head() -> Node {
    let columns = [
        text!("statement.ordinal"),
        text!("statement.time"),
        text!("statement.what"),
        text!("statement.cause"),
        text!("statement.trace"),
        text!("statement.by"),
        text!("statement.length"),
        text!("statement.unacked"),
    ];
    let column = |label: Key| view! { <span role="columnheader">{t(label)}</span> };
    view! { <div class="row head" role="row">{columns.into_iter().map(column).collect::<Node>()}</div> }
}

fn line(buffer: &RunBuffer, place: usize, step: Transition) -> Line {
    let by = || {
        let plan = buffer.plan()?;
        let link = plan.link(step.link.0)?;
        let journey = buffer.journeys().and_then(|rows| rows.get(rows.find(step.message)?));
        // A replica that has it, else the node that its link begins or ends at.
        let node = if step.kind == Kind::ENQUEUED { link.from } else { link.to };
        let at = journey.map(|journey| if step.kind == Kind::ENQUEUED { journey.from } else { journey.to });
        let replica = at.filter(|at| plan.places.get(at.0 as usize).is_some_and(|place| place.node == node));
        replica.map(|at| place_name(plan, at)).or_else(|| plan.nodes.get(node as usize).map(|node| node.name.clone()))
    };
    Line { place, step, by: by().unwrap_or_else(|| "–".to_owned()), trace: buffer.find_trace(step.trace) }
}

#[component]
fn Row(line: Line, current: Memo<Option<usize>>) -> impl IntoView {
    let (run, tab) = (use_run(), use_tab());
    let Line { place, step, by, trace } = line;
    let selected = memo(move || run.trace.get().is_some_and(|row| Some(row) == trace));
    let shown = memo(move || current.get() == Some(place));
    let seek = move || run.clock(|clock, timeline| clock.seek(step.time, timeline));
    let key = move |event: web_sys::KeyboardEvent| {
        // The row's button takes its own keys.
        if event.key() == "Enter" && event.target() == event.current_target() {
            event.prevent_default();
            seek();
        }
    };
    let select = move |event: web_sys::MouseEvent| {
        event.stop_propagation();
        if let Some(row) = trace {
            open_trace(run, tab, row);
        }
    };
    let number = trace.map(|row| {
        let number = format::whole(u64::from(row) + 1);
        let label = t_with(text!("trace.label"), &[("number", &number)]);
        view! { <button type="button" class="num" title=label.clone() aria-label=label on:click=select>{number}</button> }
    });
    let whole = |count: u32| format::whole(u64::from(count));
    // Of a broker that stamps nothing nobody knows what is with consumers.
    let seen = step.unacked != UNSEEN;
    let length = t_with(text!("statement.step"), &[("before", &whole(step.before)), ("after", &whole(step.after))]);
    view! {
        <div class="row" role="row" tabindex="0" data-statement=step.ordinal data-kind=step.kind.name()
            data-before=step.before data-after=step.after data-unacked=step.unacked aria-rowindex=place + 2
            class:selected=move || selected.get() class:current=move || shown.get()
            aria-current=move || shown.get().then_some("step")
            style:top=format!("{}px", format::plain(place as f64 * ROW)) on:click=move |_| seek() on:keydown=key>
            <span role="cell" class="num dim">{format::whole(step.ordinal)}</span>
            <span role="cell" class="num">{format::stamp(step.time)}</span>
            <span role="cell" class=class_of(&step)>{what(step.kind).map(t)}</span>
            <span role="cell" class="dim">{cause(&step)}</span>
            <span role="cell">{number}</span>
            <span role="cell">{by}</span>
            <span role="cell" class="num">{length}</span>
            <span role="cell" class="num">{if seen { whole(step.unacked) } else { "–".to_owned() }}</span>
        </div>
    }
}

/// What a step is called.
fn what(kind: Kind) -> Option<Key> {
    Key::find(&format!("statement.{}", kind.name()?))
}

/// Why it was taken; a dash where none is told.
fn cause(step: &Transition) -> String {
    step.cause.name().and_then(|name| Key::find(&format!("cause.{name}"))).map_or_else(|| "–".to_owned(), t)
}

/// For the style sheet: what puts, what takes, and the rest.
fn class_of(step: &Transition) -> &'static str {
    match step.after.cmp(&step.before) {
        std::cmp::Ordering::Greater => "what put",
        std::cmp::Ordering::Less => "what taken",
        std::cmp::Ordering::Equal => "what",
    }
}
