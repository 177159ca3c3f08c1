//! What can be done to the document, whatever asked for it: a gesture, a key, a button.

use hopscope_interaction::gestures::{Effect, Input};
use hopscope_scenario::edits::{Change, Join, Target};
use hopscope_scenario::kinds::Kind;
use hopscope_scenario::text;
use hopscope_view::geometry::{GRID, Point, node_rect};
use leptos::prelude::*;
use serde_json::Value;
use wasm_bindgen::JsCast;

use crate::state::document::{Editor, Notice, Selection};
use crate::ui::text::{t, t_with};

impl Editor {
    /// Feeds the pointer's gesture and carries out what it asks for.
    pub(crate) fn point(self, input: Input) {
        let view = self.view.viewport.get_untracked();
        let effect = self.gesture.try_update(|gesture| gesture.handle(input, view)).flatten();
        if let Some(effect) = effect {
            self.perform(effect);
        }
    }

    fn perform(self, effect: Effect) {
        match effect {
            Effect::Select { id, extend: false } => self.select(Selection::nodes([id])),
            Effect::Select { id, extend: true } => self.selection.update(|selection| {
                selection.link = None;
                selection.nodes.insert(id);
            }),
            Effect::Deselect { id } => self.selection.update(|selection| {
                selection.nodes.remove(&id);
            }),
            Effect::SelectLink { id } => self.select(Selection::link(id)),
            Effect::ClearSelection => self.select(Selection::default()),
            Effect::SelectWithin { within, extend } => {
                let mut selected =
                    self.scene.with_untracked(|scene| Selection::nodes(scene.nodes_within(within).map(str::to_owned)));
                if extend {
                    self.selection.with_untracked(|before| selected.nodes.extend(before.nodes.iter().cloned()));
                }
                self.select(selected);
            }
            Effect::Pan { by } => self.view.viewport.update(|view| *view = view.panned(by)),
            Effect::MoveBy { by } => self.move_selected(by, None),
            Effect::Link { from, at } => {
                let to = self.scene.with_untracked(|scene| scene.node_at(at).map(|node| node.id.clone()));
                if let Some(to) = to.filter(|to| *to != from) {
                    self.link(&from, &to);
                }
            }
            Effect::Place { kind, at } => self.add(kind, self.scene.with_untracked(|scene| scene.place(kind, at))),
            Effect::PlaceInView { kind } => self.add_in_view(kind),
        }
    }

    /// Shows the canvas to many, or to one person again; all of it either way.
    pub(crate) fn present(self, present: bool) {
        self.presenting.set(present);
        // The keys are then the canvas' own.
        let focused = document().active_element().and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok());
        if let Some(element) = focused {
            // What cannot lose the focus keeps it.
            let _ = element.blur();
        }
        // The canvas has its new size with the next frame.
        request_animation_frame(move || self.fit());
    }

    /// Selects this and nothing else.
    pub(crate) fn select(self, selection: Selection) {
        if self.selection.with_untracked(|current| *current != selection) {
            self.end_gesture();
            self.selection.set(selection);
        }
    }

    /// Adds a node to what is selected, or takes it out.
    pub(crate) fn toggle(self, id: String) {
        let selected = self.selection.with_untracked(|selection| selection.nodes.contains(&id));
        self.end_gesture();
        self.perform(if selected { Effect::Deselect { id } } else { Effect::Select { id, extend: true } });
    }

    /// Adds a node where there is room near the middle of what the canvas shows, and selects it.
    pub(crate) fn add_in_view(self, kind: Kind) {
        let middle = self.view.middle();
        self.add(kind, self.scene.with_untracked(|scene| scene.free_place(kind, middle)));
    }

    /// Adds a node with its left top corner there in the world, and selects it.
    fn add(self, kind: Kind, corner: Point) {
        let descriptor = kind.descriptor();
        let (x, y) = (corner.x as i32, corner.y as i32);
        let (id, change) = self.now(|document| document.add_node(descriptor, &t(descriptor.inline), x, y));
        self.apply(change, None);
        self.say_of(text!("said.added"), &self.name_of(&id));
        self.select(Selection::nodes([id]));
    }

    /// Links two nodes, or says why not; an exchange and a service by the service's subscription.
    pub(crate) fn link(self, from: &str, to: &str) {
        match self.now(|document| document.may_join(from, to)) {
            Ok(Join::Subscription) => self.subscribe(from, to),
            Ok(Join::Link(protocol)) => {
                let (id, change) = self.now(|document| document.connect(from, to, protocol));
                self.apply(change, None);
                self.say_of(text!("said.linked"), &self.name_of(to));
                self.select(Selection::link(id));
            }
            Err(issue) => self.notice.set(Some(Notice { title: t(text!("notice.link")), issues: vec![issue] })),
        }
    }

    /// Adds a queue below a link, for the replies to its messages; the link stays selected.
    pub(crate) fn add_reply_queue(self, link: &str) {
        let ends = self.scene.with_untracked(|scene| {
            let drawn = scene.link(link)?;
            let (from, to) = (scene.node(&drawn.from)?.rect, scene.node(&drawn.to)?.rect);
            let size = node_rect(Kind::Queue, 0.0, 0.0);
            let below = from.bottom().max(to.bottom()) + 2.0 * GRID + size.h / 2.0;
            Some((drawn.from.clone(), scene.free_place(Kind::Queue, Point::new(to.center().x, below))))
        });
        let Some((from, corner)) = ends else { return };
        let name = t_with(text!("node.replies"), &[("name", &self.name_of(&from))]);
        let (x, y) = (corner.x as i32, corner.y as i32);
        let (id, add) = self.now(|document| document.add_node(Kind::Queue.descriptor(), &name, x, y));
        let set = Change::set(Target::Link(link.to_owned()), "/replies", Value::from(id.as_str()));
        self.end_gesture();
        self.apply(Change::Group(vec![add, set]), None);
        self.say_of(text!("said.added"), &self.name_of(&id));
    }

    /// Moves the selected nodes; moves of one `gesture` in a row are one step of undo.
    pub(crate) fn move_selected(self, by: Point, gesture: Option<&str>) {
        let places: Vec<_> = self.selection.with_untracked(|selection| {
            self.scene.with_untracked(|scene| {
                let nodes = selection.nodes.iter().filter_map(|id| scene.node(id));
                nodes.map(|node| (node.id.clone(), node.rect.origin().plus(by))).collect()
            })
        });
        if !places.is_empty() {
            let moves = places.iter().map(|(id, at)| (id.as_str(), at.x.round() as i32, at.y.round() as i32));
            self.apply(Change::move_nodes(moves), gesture);
        }
    }

    /// Removes what is selected, with the links at it.
    pub(crate) fn delete_selected(self) {
        let selection = self.selection.get_untracked();
        if selection.is_empty() {
            return;
        }
        let nodes: Vec<_> = selection.nodes.iter().map(String::as_str).collect();
        let links: Vec<_> = selection.link.iter().map(String::as_str).collect();
        let change = self.now(|document| document.remove_elements(&nodes, &links));
        self.apply(change, None);
        self.said.set(t(text!("said.removed")));
    }

    /// Selects every node.
    pub(crate) fn select_all(self) {
        self.select(Selection::nodes(
            self.now(|document| document.nodes().map(|node| node.id().to_owned()).collect::<Vec<_>>()),
        ));
    }

    /// What a person calls a node; its id while it has no name.
    pub(crate) fn name_of(self, id: &str) -> String {
        let name = self.now(|document| document.node(id).map(|node| node.name().to_owned()));
        name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| id.to_owned())
    }

    pub(super) fn say_of(self, key: hopscope_scenario::catalogue::Key, name: &str) {
        self.said.set(t_with(key, &[("name", name)]));
    }
}
