//! The strip that a person plays by: play, step, time, track, speed, scale.

use hopscope_interaction::sequence::caption;
use hopscope_markup::view;
use hopscope_record::Event;
use hopscope_scenario::catalogue::plain;
use hopscope_scenario::text;
use hopscope_view::buffer::Missing;
use hopscope_view::clock::{Mode, Scale};
use leptos::prelude::*;

use crate::state::run::use_run;
use crate::ui::memo;
use crate::ui::node::Node;
use crate::ui::text::{language, t, t_with};
use hopscope_view::format;

/// Columns of the track.
const COLUMNS: usize = 160;
/// Steps of the scrubber.
const STEPS: i64 = 10_000;
/// The speeds to choose from, as factors to what the player would choose.
const SPEEDS: [(&str, f64); 7] =
    [("0.125", 0.125), ("0.25", 0.25), ("0.5", 0.5), ("1", 1.0), ("2", 2.0), ("4", 4.0), ("16", 16.0)];

/// The player's strip.
#[component]
pub(crate) fn Strip() -> impl IntoView {
    let run = use_run();
    let extent = memo(move || {
        run.revision.track();
        run.with(|data| data.buffer.extent())
    });
    let missing = Memo::new(move |_| {
        run.revision.track();
        run.with(|data| data.buffer.missing())
    });
    let span = memo(move || {
        run.revision.track();
        run.with(|data| data.buffer.span())
    });
    let empty = Signal::derive(move || extent.get().is_none());
    let no_trace = Signal::derive(move || run.trace.get().is_none());
    let time = memo(move || run.shown.with(|shown| shown.time));
    let follows = memo(move || run.shown.with(|shown| shown.mode == Mode::Live));
    let may_follow = memo(move || run.status.with(crate::state::run::Status::is_live));
    view! {
        <div class="strip" role="group" aria-label=t(text!("player.label"))>
            <PlayButton empty/>
            <button type="button" data-action="step-back" disabled=no_trace on:click=move |_| run.step(false)
                title=t(text!("player.step-back")) aria-label=t(text!("player.step-back"))>
                <svg viewBox="0 0 12 12" aria-hidden="true"><path d="M2 1 H3.6 V11 H2 Z M11 1 V11 L4.5 6 Z"/></svg>
            </button>
            <button type="button" data-action="step-forward" disabled=no_trace on:click=move |_| run.step(true)
                title=t(text!("player.step-forward")) aria-label=t(text!("player.step-forward"))>
                <svg viewBox="0 0 12 12" aria-hidden="true"><path d="M10 1 H8.4 V11 H10 Z M1 1 V11 L7.5 6 Z"/></svg>
            </button>
            <span class="num clock">
                <span data-figure="position">{move || extent.get().map_or_else(|| "–".to_owned(), |(_, last)| format::clock(time.get().min(last)))}</span>
                <span class="of">{move || extent.get().map(|(_, last)| t_with(text!("player.of"), &[("last", &format::clock(last))]))}</span>
            </span>
            <span class="num hole" data-figure="hole">{move || missing.get().map(hole)}</span>
            <Track span time/>
            <Speed/>
            <ScaleSwitch/>
            <Show when=move || may_follow.get()>
                <button type="button" class="chip" data-action="follow" disabled=move || follows.get()
                    on:click=move |_| run.clock(|clock, timeline| clock.follow(timeline))>{t(text!("player.follow"))}</button>
            </Show>
        </div>
    }
}

/// What is said of frames that are not here yet.
fn hole(missing: Missing) -> String {
    let Missing { here, of } = missing;
    let frames = |count: u32| format::whole(u64::from(count));
    t_with(text!("player.hole"), &[("here", &frames(here)), ("of", &frames(of))])
}

#[component]
fn PlayButton(empty: Signal<bool>) -> impl IntoView {
    let run = use_run();
    let playing = memo(move || !empty.get() && run.shown.with(|shown| shown.playing));
    let act = move |_| run.turn();
    let label = move || t(if playing.get() { text!("player.pause") } else { text!("player.play") });
    let outline =
        move || if playing.get() { "M1.5 1 H4.5 V11 H1.5 Z M7.5 1 H10.5 V11 H7.5 Z" } else { "M2 0.5 L11 6 L2 11.5 Z" };
    view! {
        <button type="button" class="btn" data-action=move || if playing.get() { "pause" } else { "play" }
            disabled=empty on:click=act title=label aria-label=label>
            <svg viewBox="0 0 12 12" aria-hidden="true"><path d=outline/></svg>
        </button>
    }
}

/// Events over time, and the scrubber over them.
#[component]
fn Track(span: Memo<Option<(i64, i64)>>, time: Memo<i64>) -> impl IntoView {
    let run = use_run();
    let density = memo(move || {
        run.revision.track();
        outline(&run.with(|data| data.buffer.density(COLUMNS)))
    });
    let position = move || span.get().map_or(0, |(from, to)| place(time.get(), from, to));
    // What is not here is hatched.
    let hole = memo(move || {
        run.revision.track();
        let (left, right) = run.with(|data| data.buffer.hole())?;
        let (from, to) = span.get()?;
        let [left, right] = [left, right].map(|time| place(time, from, to));
        Some((left, right - left))
    });
    let percent = |steps: i64| format!("{}%", format::fixed(steps as f64 * 100.0 / STEPS as f64, 2));
    let hatched = move || {
        let (left, width) = hole.get()?;
        Some(view! { <i class="hatched" style:left=percent(left) style:width=percent(width)></i> })
    };
    let marks = memo(move || {
        run.revision.track();
        run.with(|data| {
            let mut before = None;
            let first = |event: &&Event| {
                // One for all replicas of a node.
                let node =
                    data.buffer.plan().and_then(|plan| plan.places.get(event.place.0 as usize)).map(|it| it.node);
                let this = (event.a, event.link.0, node);
                let same = node.is_some() && before == Some(this);
                before = Some(this);
                !same
            };
            let controls = data.buffer.controls().iter().filter(first);
            let told = |event: &Event| {
                let (key, args) = caption(event, &data.buffer)?;
                Some((event.time, plain(language(), key, &args)))
            };
            controls.filter_map(told).collect::<Vec<(i64, String)>>()
        })
    });
    let marked = move || {
        let (from, to) = span.get()?;
        let mark = |(time, words): (i64, String)| {
            let words = format!("{} {words}", format::clock(time));
            let go = move |_| run.clock(|clock, timeline| clock.seek(time, timeline));
            view! {
                <button type="button" class="mark" style:left=percent(place(time, from, to)) title=words.clone()
                    aria-label=words on:click=go></button>
            }
        };
        Some(marks.get().into_iter().map(mark).collect::<Node>())
    };
    let scrub = move |value: String| {
        if let (Some((from, to)), Ok(position)) = (span.get_untracked(), value.parse::<i64>()) {
            let time = from + (i128::from(to - from) * i128::from(position) / i128::from(STEPS)) as i64;
            run.clock(|clock, timeline| clock.seek(time, timeline));
        }
    };
    view! {
        <span class="track">
            <svg viewBox=format!("0 0 {COLUMNS} 24") preserveAspectRatio="none" aria-hidden="true"><path d=density/></svg>
            {hatched}
            <input type="range" name="position" min="0" max=STEPS step="1" aria-label=t(text!("player.position"))
                aria-valuetext=move || format::clock(time.get())
                disabled=move || span.get().is_none()
                prop:value=move || position().to_string() on:input=move |event| scrub(event_target_value(&event))/>
            {marked}
        </span>
    }
}

fn place(time: i64, from: i64, to: i64) -> i64 {
    let length = i128::from(to.saturating_sub(from)).max(1);
    let within = i128::from(time.clamp(from, to.max(from)) - from) * i128::from(STEPS) / length;
    i64::try_from(within).unwrap_or(STEPS)
}

/// The density as an area, 24 high.
fn outline(density: &[u64]) -> String {
    let most = density.iter().copied().max().unwrap_or(0).max(1) as f64;
    let mut path = "M0 24".to_owned();
    for (column, events) in density.iter().enumerate() {
        let y = 24.0 - 20.0 * *events as f64 / most;
        path.push_str(&format!("V{}H{}", format::fixed(y, 1), column + 1));
    }
    path.push_str("V24Z");
    path
}

#[component]
fn Speed() -> impl IntoView {
    let run = use_run();
    let choose = move |value: String| {
        if let Some((_, speed)) = SPEEDS.iter().find(|(name, _)| *name == value) {
            run.speed.set(*speed);
            run.wanted.notify();
        }
    };
    let option = move |(name, speed): (&'static str, f64)| {
        view! { <option value=name selected=move || run.speed.get() == speed>{t_with(text!("player.speed.times"), &[("times", name)])}</option> }
    };
    view! {
        <select class="chip" name="speed" aria-label=t(text!("player.speed")) title=t(text!("player.speed"))
            on:change=move |event| choose(event_target_value(&event))>
            {SPEEDS.into_iter().map(option).collect::<Node>()}
        </select>
    }
}

#[component]
fn ScaleSwitch() -> impl IntoView {
    let run = use_run();
    let even = move || run.scale.get() == Scale::Even;
    let turn = move |_| {
        run.scale.update(|scale| *scale = if *scale == Scale::Even { Scale::ToScale } else { Scale::Even });
        run.wanted.notify();
    };
    view! {
        <button type="button" class="chip" data-action="scale" on:click=turn title=t(text!("player.scale"))>
            {move || t(if even() { text!("player.scale.even") } else { text!("player.scale.true") })}
        </button>
    }
}
