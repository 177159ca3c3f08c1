//! One trace: its sequence, drawn to scale, and every event with its stamp.

use hopscope_interaction::sequence::{Arrow, Bar, Frame, Lane, Mark, Note, Sequence, Stay, Ways, caption, place_name};
use hopscope_markup::view;
use hopscope_record::{Event, Kind, LinkIndex, PlaceIndex};
use hopscope_scenario::catalogue::{Key, plain};
use hopscope_scenario::protocol::Protocol;
use hopscope_scenario::text;
use hopscope_view::buffer::{RunBuffer, Trace};
use leptos::ev;
use leptos::html::Div;
use leptos::prelude::*;

use super::{outcome_class, outcome_label};
use crate::state::run::{Run, use_run};
use crate::ui::node::Node;
use crate::ui::text::{language, shortened, t, t_with};
use crate::ui::{memo, on_window};
use hopscope_view::format;

/// Size of the drawing in pixels; it is as wide as there is room.
const LEAST_WIDTH: f64 = 360.0;
const HEIGHT: f64 = 192.0;
/// Room for words left of the first lane, and right of the last one.
const MARGINS: (f64, f64) = (122.0, 158.0);
/// The same where there are more lanes.
const MARGINS_MANY: (f64, f64) = (94.0, 176.0);
/// More lanes than this are many.
const FEW: usize = 3;
/// Width of the list beside the drawing, of few lanes and of many.
const READING: f64 = 420.0;
const READING_MANY: f64 = 330.0;
/// Width of a character of a lane's name.
const CHARACTER: f64 = 6.4;
/// Below this width the list is under the drawing; the style sheet has the same.
const NARROW: f64 = 780.0;
/// Room for the scroll bar where both are below each other.
const SCROLLBAR: f64 = 16.0;
/// Most events that are listed; a trace has a handful per hop.
const LISTED: usize = 500;

/// A trace with all that is shown of it, decoded when it changes and not at each frame.
#[derive(Clone, PartialEq)]
struct Detail {
    row: u32,
    width: f64,
    /// Width of the list beside it.
    reading: f64,
    trace: Trace,
    events: Vec<Event>,
    drawing: Sequence,
    /// Names of the lanes' places, in their order.
    lanes: Vec<String>,
    lines: Vec<Line>,
    /// What the root carries, in words.
    carries: String,
}

/// One event in the list.
#[derive(Clone, PartialEq)]
struct Line {
    kind: String,
    time: i64,
    place: String,
    caption: String,
    step: Option<u8>,
    attempt: u8,
    late: bool,
}

/// The selected trace.
#[component]
pub(crate) fn TraceDetail() -> impl IntoView {
    let run = use_run();
    let last = memo(move || {
        run.revision.track();
        let row = run.trace.get()?;
        // A trace that is complete does not change with the revision.
        run.with(|data| data.buffer.traces().get(row as usize).map(|trace| (row, trace.last)))
    });
    let (width, area) = use_width();
    let detail = memo(move || {
        let (row, _) = last.get()?;
        let width = width.get();
        run.with(|data| detail(&data.buffer, row, width))
    });
    let key = move |event: web_sys::KeyboardEvent| {
        let forward = match event.key().as_str() {
            "ArrowDown" | "ArrowRight" => true,
            "ArrowUp" | "ArrowLeft" => false,
            _ => return,
        };
        event.prevent_default();
        run.step(forward);
    };
    let shown = move || match detail.get() {
        None => view! { <p class="nothing">{t(text!("trace.none"))}</p> },
        Some(detail) => {
            let label = t_with(text!("trace.label"), &[("number", &format::whole(u64::from(detail.row) + 1))]);
            view! {
            <div class="trace" style:--reading=format!("{}px", format::plain(detail.reading)) tabindex="0" on:keydown=key role="group" aria-label=label>
                <Drawing detail=detail.clone()/>
                <Reading detail/>
            </div>
            }
        }
    };
    view! { <div class="detail" node_ref=area>{shown}</div> }
}

/// The width that a drawing has, and the element that gives it.
fn use_width() -> (ReadSignal<f64>, NodeRef<Div>) {
    let (width, set_width) = signal(LEAST_WIDTH);
    let area = NodeRef::<Div>::new();
    let measure = move || {
        if let Some(area) = area.get_untracked() {
            let room = f64::from(area.client_width());
            set_width.set(room);
        }
    };
    Effect::new(move |_| {
        area.track();
        measure();
    });
    on_window(ev::resize, move |_| measure());
    (width, area)
}

fn detail(buffer: &RunBuffer, row: u32, width: f64) -> Option<Detail> {
    let trace = *buffer.traces().get(row as usize)?;
    let mut events = buffer.events_of(row);
    events.truncate(LISTED);
    let plan = buffer.plan();
    let outside = |link: LinkIndex| {
        let plan = plan?;
        plan.external_at(plan.link(link.0)?.to).map(|external| PlaceIndex(external.place))
    };
    let mut places: Vec<_> = events.iter().map(|event| event.place).collect();
    places.extend(events.iter().filter_map(|event| outside(event.link)));
    places.sort_unstable();
    places.dedup();
    let (margins, reading) = if places.len() > FEW { (MARGINS_MANY, READING_MANY) } else { (MARGINS, READING) };
    // The words to the left of the first lane are longer where a call was given up or tried again.
    let longer = events.iter().any(|event| event.kind == Kind::TIMED_OUT || event.message.attempt() > 1);
    let left = if longer { MARGINS.0 } else { margins.0 };
    let width = (if width < NARROW { width - SCROLLBAR } else { width - reading }).max(LEAST_WIDTH);
    let frame = Frame { left, right: width - margins.1, top: 34.0, bottom: HEIGHT - 16.0 };
    let replies_of = |link: LinkIndex| plan.and_then(|plan| plan.link(link.0)?.replies_of).map(LinkIndex);
    let drawing = Sequence::new(&events, frame, Ways { replies_of: &replies_of, outside: &outside });
    let name = |place| {
        plan.map(|plan| place_name(plan, place)).filter(|name| !name.is_empty()).unwrap_or_else(|| "–".to_owned())
    };
    let unknown = |kind: Kind| t_with(text!("trace.kind"), &[("number", &kind.0.to_string())]);
    let lanes = drawing.lanes.iter().map(|lane| name(lane.place)).collect();
    let line = |(event, mark): (&Event, &Mark)| Line {
        kind: buffer.kind_name(event.kind).map_or_else(|| unknown(event.kind), str::to_owned),
        time: event.time,
        place: name(event.place),
        caption: caption(event, buffer)
            .map_or_else(String::new, |(key, args)| of_attempt(mark.attempt, plain(language(), key, &args))),
        step: mark.note.and_then(Note::step),
        attempt: mark.attempt,
        late: event.is_late(),
    };
    let lines = events.iter().zip(&drawing.marks).map(line).collect();
    let carries = carries(buffer, &trace);
    Some(Detail { row, width, reading, trace, events, drawing, lanes, lines, carries })
}

/// What a trace's root carries: its key, its value, and how long before it was wanted its event happened.
fn carries(buffer: &RunBuffer, trace: &Trace) -> String {
    let Some(row) = trace.carries else { return String::new() };
    let told = [
        (text!("trace.key"), buffer.key_of(trace).map(str::to_owned)),
        (text!("trace.value"), row.value.map(|value| value.to_string())),
        (text!("trace.event-time"), row.event_time.map(|time| format::duration(trace.began - time))),
    ];
    let words: Vec<_> = told.into_iter().filter_map(|(key, what)| Some(t_with(key, &[("what", &what?)]))).collect();
    words.join(" · ")
}

/// A caption that says which attempt it is of, from the second on.
fn of_attempt(attempt: u8, caption: String) -> String {
    match attempt {
        0 | 1 => caption,
        _ => t_with(text!("trace.attempt.caption"), &[("number", &attempt.to_string()), ("caption", &caption)]),
    }
}

/// The sequence diagram.
#[component]
fn Drawing(detail: Detail) -> impl IntoView {
    let run = use_run();
    let Detail { drawing, lanes, lines, events, width, .. } = detail;
    let zero = events.first().map_or(0, |event| event.time);
    let protocol = move |arrow: &Arrow| {
        run.with(|data| data.buffer.plan().and_then(|plan| plan.link(arrow.link.0)).map(|link| link.protocol))
    };
    let bottom = HEIGHT - 8.0;
    // A name has the room up to the next lane.
    let apart = drawing.lanes.windows(2).map(|pair| pair[1].x - pair[0].x).fold(f64::INFINITY, f64::min);
    let letters = ((apart / CHARACTER) as usize).saturating_sub(1).max(4);
    let lane = |(lane, name): (&Lane, &String)| {
        view! {
            <text class="lane" x=lane.x y="14" text-anchor="middle">{shortened(name, letters)}<title>{name.clone()}</title></text>
            <path class="lane" d=format!("M{} 22V{}", format::plain(lane.x), format::plain(bottom))></path>
        }
    };
    let arrows = drawing.arrows.iter().map(|arrow| arrow_view(arrow, protocol(arrow))).collect::<Node>();
    let marks = drawing
        .marks
        .iter()
        .zip(&lines)
        .map(|(mark, line)| mark_view(run, mark, line, zero, &drawing))
        .collect::<Node>();
    view! {
        <svg class="sequence" width=width height=HEIGHT role="img"
            aria-label=t(text!("trace.sequence"))>
            {drawing.lanes.iter().zip(&lanes).map(lane).collect::<Node>()}
            {drawing.bars.iter().map(|bar| bar_view(bar, words_x(&drawing, bar.lane))).collect::<Node>()}
            {arrows}
            {marks}
        </svg>
    }
}

fn arrow_view(arrow: &Arrow, protocol: Option<Protocol>) -> Node {
    let ((x1, y1), (x2, y2)) = (arrow.from, arrow.to);
    let tip = if x2 >= x1 { "-7" } else { "7" };
    let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(|number| format::fixed(number, 1));
    let hue = protocol.map_or("plain", |protocol| protocol.descriptor().hue);
    let (reply, bad, late) = (arrow.reply, arrow.bad, arrow.late);
    view! {
        <g class="passage" class:reply=reply class:bad=bad class:late=late style:--hue=format!("var(--{hue})")>
            <path d=format!("M{x1} {y1}L{x2} {y2}")></path>
            <path class="tip" d=format!("M{x2} {y2}l{tip} -3.5v7z")></path>
        </g>
    }
}

/// Where the words of a lane begin.
fn words_x(drawing: &Sequence, lane: f64) -> f64 {
    drawing.lanes.iter().find(|found| found.x == lane).map_or(lane, |lane| lane.words_x)
}

fn bar_view(bar: &Bar, words_x: f64) -> Node {
    let (work, queued, outside) = (bar.stay == Stay::Works, bar.stay == Stay::Queued, bar.stay == Stay::Outside);
    let height = (bar.bottom - bar.top).max(0.8);
    let label = bar.note_y.map(|y| {
        let key = match bar.stay {
            Stay::Works => text!("trace.work"),
            Stay::Outside => text!("trace.outside"),
            Stay::Waits | Stay::Queued => text!("trace.wait"),
        };
        view! { <text class="m" x=words_x y=y>{t_with(key, &[("length", &format::duration(bar.ns))])}</text> }
    });
    view! {
        <rect class="stay" class:work=work class:queued=queued class:outside=outside x=bar.x - 4.0 y=bar.top width="8" height=height rx="2"></rect>
        {label}
    }
}

fn mark_view(run: Run, mark: &Mark, line: &Line, zero: i64, drawing: &Sequence) -> Node {
    let index = mark.event;
    let current = move || run.event.get() == Some(index);
    let label = mark.note.map(|note| note_label(note, mark.attempt, line.time - zero));
    let leftmost = drawing.lanes.first().is_some_and(|lane| lane.x == mark.x);
    let (x, anchor) = if leftmost { (mark.x - 9.0, "end") } else { (words_x(drawing, mark.x), "start") };
    let y = mark.note_y;
    view! {
        <g class="mark" data-event=line.kind.clone() data-attempt=mark.attempt data-step=mark.note.and_then(Note::step) class:current=current
            on:click=move |_| run.go_to_event(index)>
            <title>{line.caption.clone()}</title>
            <circle class="reach" cx=mark.x cy=mark.y r="6"></circle>
            <circle cx=mark.x cy=mark.y r="2.2"></circle>
            {label.map(|label| view! { <text class="m" x=x y=y text-anchor=anchor>{label}</text> })}
        </g>
    }
}

/// The four steps of a call with their attempt from the second on, the time-out, and what came after it.
fn note_label(note: Note, attempt: u8, since: i64) -> String {
    let (key, numbered) = match note {
        Note::Put { step, before, after } => return queue_label(text!("trace.put"), step, before, after, 0),
        Note::Taken { step, before, after, waited } => {
            return queue_label(text!("trace.taken"), step, before, after, waited);
        }
        Note::Back { before, after } => return queue_label(text!("trace.back"), None, before, after, 0),
        Note::T1 => (text!("trace.t1"), false),
        Note::T2 => (text!("trace.t2"), false),
        Note::Step(1) => (text!("trace.step.1"), true),
        Note::Step(2) => (text!("trace.step.2"), true),
        Note::Step(3) => (text!("trace.step.3"), true),
        Note::Step(_) => (text!("trace.step.4"), true),
        Note::TimedOut => (text!("trace.timed-out"), false),
        Note::Late => (text!("trace.late.step"), false),
    };
    let step = t_with(key, &[("time", &format::duration(since))]);
    if numbered && attempt > 1 {
        return t_with(text!("trace.attempt.step"), &[("step", &step), ("number", &attempt.to_string())]);
    }
    step
}

/// What a step of a queue did, behind its number if it is one of the four.
fn queue_label(key: Key, step: Option<u8>, before: u32, after: u32, waited: i64) -> String {
    let (before, after) = (format::whole(u64::from(before)), format::whole(u64::from(after)));
    let words = t_with(key, &[("before", &before), ("after", &after), ("waited", &format::duration(waited))]);
    match step {
        Some(step @ 1..=4) => format!("{} {words}", ["①", "②", "③", "④"][usize::from(step - 1)]),
        _ => words,
    }
}

/// What the trace came to, the caption of the event that is shown, and all events.
#[component]
fn Reading(detail: Detail) -> impl IntoView {
    let run = use_run();
    let Detail { row, trace, lines, carries, .. } = detail;
    let captions: Vec<_> = lines.iter().map(|line| line.caption.clone()).collect();
    let shown = move || run.event.get().and_then(|index| captions.get(index).cloned());
    let one = |(index, line): (usize, Line)| {
        let current = move || run.event.get() == Some(index);
        view! {
            <li class:current=current>
                <button type="button" data-step=line.step on:click=move |_| run.go_to_event(index) title=line.caption
                    aria-current=move || current().then_some("step")>
                    <span class="num time">{format::stamp(line.time)}</span>
                    <span>{line.kind}{line.late.then(|| view! { <em>{t(text!("trace.late"))}</em> })}</span>
                    <span class="dim">{line.place}</span>
                    <span class="dim">
                        {(line.attempt > 1).then(|| t_with(text!("trace.attempt"), &[("number", &line.attempt.to_string())]))}
                    </span>
                    <span class="num">{line.step.map(|step| step.to_string())}</span>
                </button>
            </li>
        }
    };
    view! {
        <div class="reading">
            <p class="head">
                <b>{t_with(text!("trace.label"), &[("number", &format::whole(u64::from(row) + 1))])}</b>
                <span class=outcome_class(trace.outcome)>{t(outcome_label(trace.outcome))}</span>
                <span class="num">{trace.answered.map(format::duration)}</span>
                {trace.finished().map(|time| view! {
                    <span class="dim">{t(text!("trace.finished"))}</span><span class="num">{format::duration(time)}</span>
                })}
            </p>
            {(!carries.is_empty()).then(|| view! { <p class="num" data-carries="">{carries}</p> })}
            <p class="caption" aria-live="polite">{move || shown().unwrap_or_else(|| t(text!("trace.step-hint")))}</p>
            <ol class="events">{lines.into_iter().enumerate().map(one).collect::<Node>()}</ol>
        </div>
    }
}
