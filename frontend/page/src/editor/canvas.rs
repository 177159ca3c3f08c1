//! The canvas: where pointers become gestures and the scene becomes a drawing.

use hopscope_interaction::gestures::{Gesture, Input, Target};
use hopscope_markup::view;
use hopscope_scenario::text;
use hopscope_view::format;
use hopscope_view::geometry::{LinkPath, Point, Rect, node_rect};
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::files;
use super::link::LinkView;
use super::node::NodeView;
use super::use_editor;
use crate::state::document::Editor;
use crate::ui::memo;
use crate::ui::node::{Node, node};
use crate::ui::text::t;

/// Zoom per pixel of the wheel.
const WHEEL: f64 = 0.0015;
/// Below this zoom, small print is left out.
const FAR: f64 = 0.45;

/// The canvas; its children lie over the drawing.
#[component]
pub(crate) fn Canvas(children: Children) -> impl IntoView {
    let editor = use_editor();
    let viewport = editor.view.viewport;
    let press = move |event: web_sys::PointerEvent| press(editor, &event);
    // While a node is being linked by keyboard the chooser draws the gesture; a pointer that chooses there is no part of it.
    let by_keyboard = move || editor.linking.with_untracked(Option::is_some);
    let follow = move |event: web_sys::PointerEvent| {
        if !by_keyboard() && editor.gesture.with_untracked(Gesture::is_active) {
            editor.point(Input::Move { at: editor.view.local(&event) });
        }
    };
    let release = move |event: web_sys::PointerEvent| {
        if !by_keyboard() {
            let at = editor.view.local(&event);
            editor.point(Input::Release { at, inside: editor.view.contains(at) });
        }
    };
    let wheel = move |event: web_sys::WheelEvent| {
        event.prevent_default();
        turn_wheel(editor, &event);
    };
    let transform = move || {
        let view = viewport.get();
        format!(
            "translate({} {}) scale({})",
            format::fixed(view.pan.x, 2),
            format::fixed(view.pan.y, 2),
            format::fixed(view.zoom, 4)
        )
    };
    view! {
        <main class="canvas" aria-label=t(text!("canvas.label")) node_ref=editor.view.canvas
            data-gesture=move || editor.gesture.with(gesture_name)
            class:pannable=move || editor.space.get()
            style:background-position=move || viewport.with(|view| format!("{}px {}px", format::fixed(view.pan.x, 1), format::fixed(view.pan.y, 1)))
            style:background-size=move || viewport.with(|view| grid_size(view.zoom))
            on:pointerdown=press on:pointermove=follow on:pointerup=release on:wheel=wheel
            on:pointercancel=move |_| editor.point(Input::Cancel)
            on:dragover=move |event| event.prevent_default() on:drop=move |event| drop_file(editor, &event)>
            <svg class="scene" class:far=move || viewport.with(|view| view.zoom < FAR)>
                <g transform=transform>
                    <Links/>
                    <Nodes/>
                    <Pending/>
                </g>
            </svg>
            {children()}
        </main>
    }
}

#[component]
fn Links() -> impl IntoView {
    let editor = use_editor();
    let ids =
        memo(move || editor.scene.with(|scene| scene.links().iter().map(|link| link.id.clone()).collect::<Vec<_>>()));
    view! { <Each of=move || ids.get() key=String::clone let:id><LinkView id/></Each> }
}

#[component]
fn Nodes() -> impl IntoView {
    let editor = use_editor();
    let ids =
        memo(move || editor.scene.with(|scene| scene.nodes().iter().map(|node| node.id.clone()).collect::<Vec<_>>()));
    view! { <Each of=move || ids.get() key=String::clone let:id><NodeView id/></Each> }
}

/// What a gesture under way adds to the drawing.
#[component]
fn Pending() -> impl IntoView {
    let editor = use_editor();
    node(move || {
        editor.gesture.with(|gesture| match gesture {
            Gesture::Linking { from, at } => {
                // Where it may end it is drawn as the link would be.
                let end = editor.aim.with(|aim| aim.as_ref().map(|aim| aim.to.clone()));
                let rect = |id: &str| editor.scene.with(|scene| scene.node(id).map(|node| node.rect));
                let to = end.and_then(|to| rect(&to)).unwrap_or(Rect::new(at.x, at.y, 0.0, 0.0));
                let path = LinkPath::between(rect(from)?, to);
                Some(view! { <path class="wire pending" d=path.svg()></path> })
            }
            Gesture::Marquee { from, to, .. } => Some(outline("marquee", Rect::between(*from, *to), 0.0)),
            Gesture::Placing { kind, at, dragged: true, .. } => {
                let corner = editor.scene.with(|scene| scene.place(*kind, *at));
                Some(outline("ghost", node_rect(*kind, corner.x, corner.y), 8.0))
            }
            _ => None,
        })
    })
}

fn outline(class: &'static str, rect: Rect, radius: f64) -> Node {
    view! { <rect class=class x=rect.x y=rect.y width=rect.w height=rect.h rx=radius></rect> }
}

fn press(editor: Editor, event: &web_sys::PointerEvent) {
    let middle = event.button() == 1;
    let Some(target) = (event.button() == 0 || middle).then(|| target_of(editor, event)).flatten() else {
        return;
    };
    if let Some(canvas) = editor.view.canvas.get_untracked() {
        // Without the capture (the pointer is gone already) the gesture ends by its cancel event.
        let _ = canvas.set_pointer_capture(event.pointer_id());
    }
    let pan = middle || editor.space.get_untracked();
    let at = editor.view.local(event);
    editor.point(Input::Press { at, target, extend: event.shift_key(), pan });
}

/// What of the scene a pointer is on; `None` on what floats over the canvas.
fn target_of(editor: Editor, event: &web_sys::PointerEvent) -> Option<Target> {
    let element = event.target()?.dyn_into::<web_sys::Element>().ok()?;
    // The selectors are constants that parse.
    let closest = |selector: &str| element.closest(selector).ok().flatten();
    if closest(".floating").is_some() {
        return None;
    }
    let id = |attribute: &str| closest(&format!("[{attribute}]")).and_then(|found| found.get_attribute(attribute));
    if let Some(id) = id("data-port-of") {
        return Some(Target::Port { id });
    }
    if let Some(id) = id("data-node") {
        let origin = editor.scene.with_untracked(|scene| scene.node(&id).map(|node| node.rect.origin()))?;
        let selected = editor.selection.with_untracked(|selection| selection.nodes.contains(&id));
        return Some(Target::Node { id, origin, selected });
    }
    Some(id("data-link").or_else(|| id("data-replies-of")).map_or(Target::Background, |id| Target::Link { id }))
}

/// A scenario's file that is dropped here is opened.
fn drop_file(editor: Editor, event: &web_sys::DragEvent) {
    event.prevent_default();
    let file = event.data_transfer().and_then(|data| data.files()).and_then(|files| files.get(0));
    if let Some(file) = file {
        files::open(editor, file);
    }
}

/// The wheel zooms at the pointer; sideways, or with Shift, it pans.
fn turn_wheel(editor: Editor, event: &web_sys::WheelEvent) {
    const LINE: f64 = 16.0;
    let unit = if event.delta_mode() == web_sys::WheelEvent::DOM_DELTA_PIXEL { 1.0 } else { LINE };
    let by = Point::new(event.delta_x(), event.delta_y()).times(unit);
    let sideways = event.shift_key() || by.x.abs() > by.y.abs();
    let at = editor.view.local(event);
    editor.view.viewport.update(|view| {
        *view = if sideways { view.panned(by.times(-1.0)) } else { view.zoomed(at, (-by.y * WHEEL).exp()) };
    });
}

/// The grid's step on the screen; far out, every fifth point.
fn grid_size(zoom: f64) -> String {
    let step = format::fixed(hopscope_view::geometry::GRID * zoom * if zoom < FAR { 5.0 } else { 1.0 }, 2);
    format!("{step}px {step}px")
}

/// For the style sheet's cursors.
fn gesture_name(gesture: &Gesture) -> &'static str {
    match gesture {
        Gesture::Idle | Gesture::Pressed { .. } => "idle",
        Gesture::Panning { .. } => "panning",
        Gesture::Moving { .. } => "moving",
        Gesture::Marquee { .. } => "marquee",
        Gesture::Linking { .. } => "linking",
        Gesture::Placing { .. } => "placing",
    }
}
