//! Links that are made into others, with the nodes that this takes: queues, events and subscriptions.

use hopscope_scenario::edits::{Added, Change, Conversion};
use hopscope_scenario::kinds::Kind;
use hopscope_scenario::text;
use hopscope_view::geometry::{GRID, Point, Rect, node_rect};
use hopscope_view::scene::Scene;
use leptos::prelude::*;

use crate::state::document::{Editor, Selection};
use crate::ui::text::{t, t_with};

/// Room for a link on each side of a node that is put into one, in canvas units.
const GAP: f64 = 100.0;

/// Where nodes go that are put between two, and what is moved for them.
struct Between {
    /// The corner of each.
    corners: Vec<Point>,
    /// The nodes that make room, each with its new corner.
    moves: Vec<(String, Point)>,
    /// How far those are moved to the right.
    missing: f64,
}

impl Between {
    /// Room for nodes of these kinds between two: where the second stands to the right, all that stands there makes way.
    fn new(scene: &Scene, from: Rect, to: Rect, kinds: &[Kind]) -> Self {
        let wide: f64 = kinds.iter().map(|kind| node_rect(*kind, 0.0, 0.0).w + GAP).sum();
        let room = to.x - from.right();
        let missing = if room >= 0.0 { (wide + GAP - room).max(0.0) } else { 0.0 };
        let moved = scene.nodes().iter().filter(|node| missing > 0.0 && node.rect.x >= to.x);
        let moves = moved.map(|node| (node.id.clone(), node.rect.origin().plus(Point::new(missing, 0.0)))).collect();
        let (start, way) = (from.center(), to.center().plus(Point::new(missing, 0.0)).minus(from.center()));
        let parts = kinds.len() as f64 + 1.0;
        let corner = |(nth, kind): (usize, &Kind)| {
            let middle = start.plus(way.times((nth as f64 + 1.0) / parts));
            // What makes way leaves its place to these.
            if missing > 0.0 { scene.place(*kind, middle) } else { scene.free_place(*kind, middle) }
        };
        Self { corners: kinds.iter().enumerate().map(corner).collect(), moves, missing }
    }

    /// The change, and the moves that it needs.
    fn with(&self, change: Change) -> Change {
        let moves = self.moves.iter().map(|(id, at)| (id.as_str(), at.x.round() as i32, at.y.round() as i32));
        Change::Group(vec![Change::move_nodes(moves), change])
    }
}

fn at(name: &str, corner: Point) -> Added<'_> {
    Added { name, x: corner.x as i32, y: corner.y as i32 }
}

impl Editor {
    /// Makes another of a link in one step of undo; it stays selected.
    pub(crate) fn convert(self, link: &str, conversion: Conversion) {
        let change = match conversion {
            Conversion::ToQueue => self.make_queue(link),
            Conversion::ToEvent => self.make_event(link),
            Conversion::ToCall => self.now(|document| document.to_call(link)),
        };
        if let Some(change) = change {
            self.end_gesture();
            self.apply(change, None);
            self.said.set(t(text!("said.converted")));
            // What was moved aside may be out of view.
            self.fit();
        }
    }

    /// Subscribes a service to an exchange; the binding is selected, so that the types can be written at once.
    pub(super) fn subscribe(self, exchange: &str, service: &str) {
        let between = self.scene.with_untracked(|scene| {
            let between = Between::new(scene, scene.node(exchange)?.rect, scene.node(service)?.rect, &[Kind::Queue]);
            Some((between.corners.first().copied()?, between))
        });
        let Some((corner, between)) = between else { return };
        let queue = t_with(text!("node.queue-of"), &[("name", &self.name_of(service))]);
        let binding = self.now(|document| document.links().count());
        let Some(change) = self.now(|document| document.subscribe(exchange, service, at(&queue, corner))) else {
            return;
        };
        self.end_gesture();
        self.apply(between.with(change), None);
        self.say_of(text!("said.subscribed"), &self.name_of(service));
        if let Some(id) = self.now(|document| document.links().nth(binding).map(|link| link.id().to_owned())) {
            self.select(Selection::link(id));
        }
    }

    /// Puts the queue into the link; the replies' queue goes below.
    fn make_queue(self, link: &str) -> Option<Change> {
        let (caller, called) = self.ends(link)?;
        let (between, corner, below) = self.scene.with_untracked(|scene| {
            let (from, to) = (scene.node(&caller)?.rect, scene.node(&called)?.rect);
            let between = Between::new(scene, from, to, &[Kind::Queue]);
            let corner = between.corners.first().copied()?;
            let size = node_rect(Kind::Queue, 0.0, 0.0);
            let middle = from.center().plus(to.center().plus(Point::new(between.missing, 0.0))).times(0.5);
            let below = from.bottom().max(to.bottom()).max(corner.y + size.h) + 2.0 * GRID + size.h / 2.0;
            let below = scene.free_place(Kind::Queue, Point::new(middle.x, below));
            Some((between, corner, below))
        })?;
        let queue = t_with(text!("node.queue-of"), &[("name", &self.name_of(&called))]);
        let replies = t_with(text!("node.replies"), &[("name", &self.name_of(&caller))]);
        let convert = self.now(|document| document.to_queue(link, at(&queue, corner), at(&replies, below)))?;
        Some(between.with(convert))
    }

    /// Puts the exchange, where the caller has none yet, and the queue of who is called into the link.
    fn make_event(self, link: &str) -> Option<Change> {
        let (caller, called) = self.ends(link)?;
        let has = self.now(|document| document.publishes_to(&caller).map(str::to_owned));
        let kinds = if has.is_some() { &[Kind::Queue][..] } else { &[Kind::Exchange, Kind::Queue] };
        let between = self.scene.with_untracked(|scene| {
            let from = scene.node(has.as_deref().unwrap_or(&caller))?.rect;
            Some(Between::new(scene, from, scene.node(&called)?.rect, kinds))
        })?;
        let (first, last) = (*between.corners.first()?, *between.corners.last()?);
        let exchange = t_with(text!("node.events-of"), &[("name", &self.name_of(&caller))]);
        let queue = t_with(text!("node.queue-of"), &[("name", &self.name_of(&called))]);
        let convert = self.now(|document| document.to_event(link, at(&exchange, first), at(&queue, last)))?;
        Some(between.with(convert))
    }

    /// The ids of the nodes that a link joins.
    fn ends(self, link: &str) -> Option<(String, String)> {
        self.now(|document| document.link(link).map(|link| (link.from().to_owned(), link.to().to_owned())))
    }
}
