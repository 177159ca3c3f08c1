//! The one frame scheduler: when something moves, state first, paint after; else nothing.

use std::sync::Arc;

use hopscope_scenario::plan::Plan;
use hopscope_scenario::quantity::{Rate, Throughput, Time};
use hopscope_scenario::text;
use hopscope_view::buffer::{ABSENT, QueueLog};
use hopscope_view::clock::Mode;
use hopscope_view::dots::paint::{Area, Style, Surface};
use hopscope_view::dots::{Picture, Stage, Turns};
use hopscope_view::judge::Pace;
use leptos::html::Canvas;
use leptos::prelude::*;
use wasm_bindgen::{Clamped, JsCast};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ImageData};

use super::colors::{Colors, number};
use crate::state::document::Editor;
use crate::state::run::{Data, Levels, Mark, NodeLevel, QueueLevel, Run, Shown, warp};
use crate::ui::text::t;

const MS: f64 = 1e6;
/// Longest time that one frame stands for, in ns: after a pause of the browser the clock does not leap.
const LONGEST: f64 = 100.0 * MS;
/// How long a bad end is shown in a replay, in ns on the screen.
const LINGER: f64 = 500.0 * MS;

/// All that a frame needs; a handle, cheap to copy.
#[derive(Clone, Copy)]
pub(super) struct Frames {
    pub(super) run: Run,
    pub(super) editor: Editor,
    pub(super) canvas: NodeRef<Canvas>,
    paint: StoredValue<Paint, LocalStorage>,
}

#[derive(Default)]
struct Paint {
    scheduled: bool,
    /// When the frame before was, ms on the browser's clock; `None` after a rest.
    before: Option<f64>,
    revision: u64,
    pace: Pace,
    turns: Turns,
    /// Dots as last said on the canvas.
    said: usize,
    surface: Surface,
    colors: Colors,
}

impl Frames {
    pub(super) fn new(run: Run, editor: Editor, canvas: NodeRef<Canvas>) -> Self {
        Self { run, editor, canvas, paint: StoredValue::new_local(Paint::default()) }
    }

    /// Makes sure that a frame comes.
    pub(super) fn schedule(self) {
        let due = self.paint.try_update_value(|paint| !std::mem::replace(&mut paint.scheduled, true));
        if due == Some(true) {
            request_animation_frame(move || self.frame());
        }
    }

    fn frame(self) {
        let now = window().performance().map_or(0.0, |performance| performance.now());
        let passed = self.paint.try_update_value(|paint| {
            paint.scheduled = false;
            paint.before.replace(now).map_or(0.0, |before| ((now - before) * MS).min(LONGEST))
        });
        // The canvas that this frame was for has gone, with all that was kept for it.
        let Some(passed) = passed else { return };
        let moves = self.advance(passed as i64);
        self.show();
        self.put();
        let behind = self.judge(now);
        if moves || behind {
            self.schedule();
        } else {
            self.paint.update_value(|paint| paint.before = None);
        }
    }

    /// Moves clock and dots; answers whether more is to come by itself.
    fn advance(self, passed: i64) -> bool {
        let (scale, speed) = (self.run.scale.get_untracked(), self.run.speed.get_untracked());
        let scene = self.editor.scene.get_untracked();
        self.run.change(|data| {
            let Some((clock, layout, buffer, timeline)) = data.parts() else { return false };
            let Some(plan) = buffer.plan() else { return false };
            let warp = warp(buffer, scale, speed);
            clock.tick(passed, timeline, &warp);
            let stage = Stage::new(plan, &scene, number);
            let picture = match clock.mode() {
                Mode::Live => Picture::Live { time: clock.time() },
                Mode::Replay => Picture::Replay { time: clock.time(), linger: (LINGER / warp.factor()) as i64 },
            };
            layout.update(buffer, &stage, picture);
            clock.is_playing()
        })
    }

    /// Tells everyone what is shown now, where it has changed.
    fn show(self) {
        let revision = self.run.revision.get_untracked();
        let news = self.paint.try_update_value(|paint| std::mem::replace(&mut paint.revision, revision) != revision);
        let (dots, playing) = self.run.with(|data| (data.layout.dots.len(), data.clock.is_playing()));
        let due = self.paint.try_update_value(|paint| paint.turns.is_due(dots, playing)) == Some(true);
        let (shown, levels, marks, figures) = self.run.with(|data| {
            // The live clock goes on past the last event until all dots are home.
            let last = data.buffer.extent().map_or(i64::MAX, |(_, last)| last.max(data.buffer.head()));
            let shown = Shown {
                mode: data.clock.mode(),
                time: data.clock.time().min(last),
                playing: data.clock.is_playing(),
                messages_per_dot: data.layout.messages_per_dot,
            };
            let levels = || data.buffer.plan().map(|plan| levels(plan, data)).unwrap_or_default();
            let levels = due.then(levels);
            let marks = due.then(|| marks(data));
            (shown, levels, marks, (news == Some(true)).then(|| data.buffer.figures()))
        });
        if due && self.run.shown.get_untracked() != shown {
            self.run.shown.set(shown);
        }
        if let Some(levels) = levels.filter(|levels| self.run.levels.with_untracked(|before| **before != *levels)) {
            self.run.levels.set(Arc::new(levels));
        }
        if let Some(marks) = marks.filter(|marks| self.run.marks.with_untracked(|before| before != marks)) {
            self.run.marks.set(marks);
        }
        if let Some(figures) = figures {
            self.run.figures.set(figures);
        }
    }

    /// Tells what came of the laws, where it is time to; answers whether there is more to tell later.
    fn judge(self, now: f64) -> bool {
        let revision = self.run.revision.get_untracked();
        let known = self.run.with(|data| data.buffer.plan().map(|_| data.is_over()));
        let Some(over) = known else { return false };
        let due = self.paint.try_update_value(|paint| paint.pace.is_due(now, revision, over)).unwrap_or(false);
        if due {
            let (waits, laws, checks) = self.run.with(|data| {
                let judge = data.buffer.judge();
                let checks = data.buffer.plan().map(|plan| judge.checks(plan)).unwrap_or_default();
                (data.buffer.missing().is_some(), judge.laws(), checks)
            });
            self.run.laws_wait.set(waits);
            self.run.laws.set(Arc::new(laws));
            self.run.checks.set(Arc::new(checks));
        }
        self.paint.with_value(|paint| paint.pace.is_behind(revision, over))
    }

    /// Paints the dots.
    fn put(self) {
        let Some(canvas) = self.canvas.get_untracked() else { return };
        let size = self.editor.view.size();
        let ratio = window().device_pixel_ratio();
        let (viewport, selected) = (self.editor.view.viewport.get_untracked(), self.run.trace.get_untracked());
        let pixels = |length: f64| (length * ratio).round().max(1.0) as usize;
        let painted = self.paint.try_update_value(|paint| {
            fit(&canvas, &mut paint.surface, (pixels(size.x), pixels(size.y)));
            paint.colors.refresh(&canvas);
            let Colors { protocols, bad, halo, .. } = &paint.colors;
            let style = Style { viewport, ratio, colors: protocols, bad: *bad, halo: *halo, selected };
            self.run.with(|data| {
                let area = paint.surface.paint(&data.layout.dots, &style);
                put(&canvas, &paint.surface, area);
                data.layout.dots.len()
            })
        });
        // For tests; the attribute's name is a constant.
        let painted = painted.unwrap_or(0);
        let before = self.paint.try_update_value(|paint| std::mem::replace(&mut paint.said, painted));
        if before != Some(painted) {
            let _ = canvas.set_attribute("data-dots", &painted.to_string());
        }
    }
}

/// Gives canvas and surface the same size.
fn fit(canvas: &HtmlCanvasElement, surface: &mut Surface, (width, height): (usize, usize)) {
    if surface.size() != (width, height) {
        canvas.set_width(u32::try_from(width).unwrap_or(1));
        canvas.set_height(u32::try_from(height).unwrap_or(1));
        surface.resize(width, height);
    }
}

fn put(canvas: &HtmlCanvasElement, surface: &Surface, area: Area) {
    if area.w == 0 || area.h == 0 {
        return;
    }
    let context = canvas.get_context("2d").ok().flatten().and_then(|it| it.dyn_into::<CanvasRenderingContext2d>().ok());
    let (width, height) = surface.size();
    let pixels = Clamped(surface.pixels());
    let (Ok(width), Ok(height)) = (u32::try_from(width), u32::try_from(height)) else { return };
    let (Some(context), Ok(image)) = (context, ImageData::new_with_u8_clamped_array_and_sh(pixels, width, height))
    else {
        return;
    };
    let [x, y, w, h] = [area.x, area.y, area.w, area.h].map(|length| length as f64);
    // Image data that was just made has pixels to put.
    let _ =
        context.put_image_data_with_dirty_x_and_dirty_y_and_dirty_width_and_dirty_height(&image, 0.0, 0.0, x, y, w, h);
}

/// What each node that has levels holds.
fn levels(plan: &Plan, data: &Data) -> Levels {
    let layout = &data.layout;
    let mut levels = Levels::new();
    for service in &plan.services {
        let Some(node) = plan.nodes.get(service.node as usize) else { continue };
        let places = service.places().map(|place| layout.levels.get(place as usize).copied().unwrap_or_default());
        let mut level = NodeLevel::default();
        for place in places {
            level.waiting += place.waiting;
            level.busy.push(place.busy);
        }
        levels.insert(node.id.clone(), level);
    }
    for log in data.buffer.queues() {
        let Some(node) = plan.nodes.get(log.node as usize) else { continue };
        let queue = Some(queue_level(log, data.clock.time()));
        levels.insert(node.id.clone(), NodeLevel { queue, ..NodeLevel::default() });
    }
    for log in data.buffer.groups() {
        let lag = log.at(data.clock.time());
        let (Some(node), Some(lag)) = (plan.nodes.get(log.node as usize), lag) else { continue };
        levels.entry(node.id.clone()).or_default().groups.push((log.name.clone(), lag));
    }
    levels
}

/// What was done to nodes and links and is so still.
fn marks(data: &Data) -> Vec<Mark> {
    let (Some(plan), Some(state)) = (data.buffer.plan(), data.buffer.disturbed(data.clock.time())) else {
        return Vec::new();
    };
    let mut marks: Vec<Mark> = Vec::new();
    for (place, row) in plan.places.iter().zip(state.places()) {
        let it = row.disturbed;
        let Some(node) = plan.nodes.get(place.node as usize).filter(|_| !it.is_none()) else { continue };
        let (class, words) = if it.crashed == 1 {
            ("down", t(text!("mark.down")))
        } else if it.paused == 1 {
            ("paused", t(text!("mark.paused")))
        } else {
            ("rate", Rate(it.rate.saturating_mul(1_000)).to_string())
        };
        if marks.last().is_none_or(|last| last.id != node.id) {
            marks.push(Mark { link: false, id: node.id.clone(), class, words });
        }
    }
    for (link, row) in plan.links.iter().zip(state.links()) {
        let it = row.disturbed;
        let mut words = Vec::new();
        if it.cut == 1 {
            words.push(t(text!("mark.cut")));
        }
        if it.delay > 0 {
            words.push(format!("+{}", Time(it.delay)));
        }
        if it.throttle > 0 {
            words.push(Throughput(it.throttle).to_string());
        }
        if !words.is_empty() {
            let class = if it.cut == 1 { "cut" } else { "slow" };
            marks.push(Mark { link: true, id: link.id.clone(), class, words: words.join(", ") });
        }
    }
    marks
}

/// How a queue stands by its steps up to a time.
fn queue_level(log: &QueueLog, time: i64) -> QueueLevel {
    let Some(step) = log.at(time).and_then(|row| log.rows().get(row)) else { return QueueLevel::default() };
    let oldest = (step.oldest != ABSENT).then(|| time.saturating_sub(step.oldest));
    QueueLevel { before: step.before, after: step.after, unacked: step.unacked, oldest }
}
