//! What floats over the canvas: zoom, the reason why a link is refused, notices.

use hopscope_interaction::gestures::Gesture;
use hopscope_markup::view;
use hopscope_scenario::text;
use hopscope_view::format;
use hopscope_view::geometry::{Point, Viewport};
use leptos::prelude::*;

use super::keys::ZOOM_STEP;
use super::use_editor;
use crate::ui::memo;
use crate::ui::node::{Node, node};
use crate::ui::text::{issue_text, t};

/// The room that a tip may need.
const TIP: Point = Point::new(334.0, 90.0);

/// Zoom out, its percentage (back to 100 %), zoom in, fit.
#[component]
pub(crate) fn Zoom() -> impl IntoView {
    let editor = use_editor();
    let view = editor.view;
    let percent = move || view.viewport.with(|view| format!("{} %", format::fixed(view.zoom * 100.0, 0)));
    let reset = move |_| {
        let zoom = view.viewport.with_untracked(|view: &Viewport| view.zoom);
        view.zoom_by(1.0 / zoom);
    };
    view! {
        <div class="zoom floating" role="group" aria-label=t(text!("zoom.label"))>
            <button type="button" title=t(text!("zoom.out")) aria-label=t(text!("zoom.out"))
                on:click=move |_| view.zoom_by(1.0 / ZOOM_STEP)>"−"</button>
            <button type="button" class="num" title=t(text!("zoom.reset")) on:click=reset>{percent}</button>
            <button type="button" title=t(text!("zoom.in")) aria-label=t(text!("zoom.in"))
                on:click=move |_| view.zoom_by(ZOOM_STEP)>"+"</button>
            <button type="button" data-action="fit" title=t(text!("zoom.fit")) aria-label=t(text!("zoom.fit"))
                on:click=move |_| editor.fit()>"⤢"</button>
            <button type="button" data-action="present" title=t(text!("zoom.present")) aria-label=t(text!("zoom.present"))
                aria-pressed=move || editor.presenting.get().to_string()
                on:click=move |_| editor.present(!editor.presenting.get_untracked())>
                <svg class="sign" viewBox="0 0 12 12" aria-hidden="true"><path d="M1 4 V1 H4 M8 1 H11 V4 M11 8 V11 H8 M4 11 H1 V8"/></svg>
            </button>
        </div>
    }
}

/// Why the link that is being drawn cannot end where it is, beside the pointer.
#[component]
pub(crate) fn LinkTip() -> impl IntoView {
    let editor = use_editor();
    // Beside the pointer, on the side where there is room.
    let place = memo(move || {
        let at = editor.gesture.with(|gesture| match gesture {
            Gesture::Linking { at, .. } => *at,
            _ => Point::default(),
        });
        let (at, size) = (editor.view.viewport.get().to_screen(at), editor.view.size());
        let x = if at.x + TIP.x > size.x { at.x - TIP.x } else { at.x + 14.0 };
        let y = if at.y + TIP.y > size.y { at.y - TIP.y } else { at.y + 14.0 };
        Point::new(x.max(0.0), y.max(0.0))
    });
    node(move || {
        let issue = editor.aim.with(|aim| aim.as_ref().and_then(|aim| aim.refusal.clone()))?;
        let by_keyboard = editor.linking.with(Option::is_some);
        (!by_keyboard).then(|| {
            view! {
                <p class="tip" style:left=move || format!("{}px", format::fixed(place.get().x, 0))
                    style:top=move || format!("{}px", format::fixed(place.get().y, 0))>
                    {issue_text(&issue)}
                </p>
            }
        })
    })
}

/// What could not be done and why, until it is put away.
#[component]
pub(crate) fn NoticeCard() -> impl IntoView {
    let editor = use_editor();
    let card = move || {
        editor.notice.get().map(|notice| {
            let issue = |issue| view! { <li class="issue">{issue_text(&issue)}</li> };
            view! {
                <div class="refusal floating">
                    <strong>{notice.title}</strong>
                    <ul>{notice.issues.into_iter().map(issue).collect::<Node>()}</ul>
                    <button type="button" class="btn" on:click=move |_| editor.notice.set(None)>{t(text!("action.close"))}</button>
                </div>
            }
        })
    };
    view! {
        <div role="alert">{card}</div>
        <div class="unseen" role="status">{move || editor.said.get()}</div>
    }
}
