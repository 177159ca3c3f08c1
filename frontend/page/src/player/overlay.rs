//! The dots over the canvas, and what a click on one does.

use hopscope_markup::view;
use hopscope_scenario::edits::Document;
use hopscope_scenario::text;
use hopscope_view::clock::Mode;
use hopscope_view::dots::nearest;
use leptos::ev;
use leptos::html::Canvas;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::frames::Frames;
use crate::editor::use_editor;
use crate::state::document::Editor;
use crate::state::run::{Run, use_run};
use crate::ui::text::{t, t_with};
use crate::ui::{memo, on_window};
use hopscope_view::format;

/// How far from a dot's middle a click may be, in CSS pixels.
const REACH: f64 = 9.0;

/// The dots, and how they are stretched in words.
#[component]
pub(crate) fn Overlay() -> impl IntoView {
    let (run, editor) = (use_run(), use_editor());
    let canvas = NodeRef::<Canvas>::new();
    let frames = Frames::new(run, editor, canvas);
    Effect::new(move |_| {
        run.wanted.track();
        editor.scene.track();
        editor.view.viewport.track();
        frames.schedule();
    });
    on_window(ev::resize, move |_| frames.schedule());
    on_window(ev::click, move |event| click(run, editor, &event));
    bring_scenario(run, editor);
    view! {
        <canvas class="dots" node_ref=canvas data-dots="0" aria-hidden="true"></canvas>
        <Legend/>
    }
}

/// How slow the picture is, and how many messages a dot stands for.
#[component]
fn Legend() -> impl IntoView {
    let run = use_run();
    let caption = memo(move || {
        run.revision.track();
        let (scale, speed, shown) = (run.scale.get(), run.speed.get(), run.shown.get());
        let warp = run.with(|data| {
            data.buffer.plan()?;
            Some(crate::state::run::warp(&data.buffer, scale, speed))
        })?;
        Some(match shown.mode {
            Mode::Live => t_with(text!("player.stretched"), &[("factor", &format::factor(warp.factor()))]),
            Mode::Replay if warp.factor() > warp.held_factor() * 1.01 => t_with(
                text!("player.slower.even"),
                &[("factor", &format::factor(warp.factor())), ("held", &format::factor(warp.held_factor()))],
            ),
            Mode::Replay => t_with(text!("player.slower"), &[("factor", &format::factor(warp.factor()))]),
        })
    });
    let sampled = move || {
        let messages = run.shown.with(|shown| shown.messages_per_dot);
        (messages > 1).then(|| t_with(text!("player.sampled"), &[("count", &format::whole(u64::from(messages)))]))
    };
    view! {
        <Show when=move || caption.with(Option::is_some)>
            <div class="legend floating" title=t(text!("player.legend"))>
                <span>{caption}</span>
                <span>{sampled}</span>
            </div>
        </Show>
    }
}

/// A click on a dot selects its trace.
fn click(run: Run, editor: Editor, event: &web_sys::MouseEvent) {
    let element = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    // The selectors are constants that parse.
    let within = |selector: &str| element.as_ref().and_then(|it| it.closest(selector).ok().flatten()).is_some();
    if !within(".canvas") || within(".floating") {
        return;
    }
    let viewport = editor.view.viewport.get_untracked();
    let point = viewport.to_world(editor.view.local(event));
    let hit = run.with(|data| nearest(&data.layout.dots, point, REACH / viewport.zoom).map(|dot| dot.trace));
    if hit.is_some() {
        run.select(hit);
    }
}

/// Puts the run's scenario on a canvas that is empty, so that a run opened by its address can be seen.
fn bring_scenario(run: Run, editor: Editor) {
    let known = memo(move || {
        run.revision.track();
        run.with(|data| data.buffer.plan().is_some())
    });
    Effect::new(move |_| {
        if !known.get() || editor.now(|document| document.nodes().next().is_some()) {
            return;
        }
        let scenario = run.with(|data| Some(data.buffer.plan()?.scenario.to_string()));
        if let Some(Ok(document)) = scenario.map(|scenario| Document::open(&scenario)) {
            editor.replace(&document);
        }
    });
}
