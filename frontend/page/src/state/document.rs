//! The document under the editor's hands: its history, what is selected, what is wrong with it, where everything is.
//!
//! The one place that changes a document; every change goes through its history. What others show is derived here once.

use std::collections::BTreeSet;
use std::sync::Arc;

use hopscope_interaction::gestures::Gesture;
use hopscope_interaction::transfer::replacing;
use hopscope_scenario::edits::{Change, Document, History, Target};
use hopscope_scenario::issue::Issue;
use hopscope_scenario::text;
use hopscope_view::geometry::{Point, Viewport};
use hopscope_view::scene::Scene;
use leptos::prelude::*;

use super::templates::Template;
use super::viewport::View;
use crate::ui::memo;
use crate::ui::text::t;

/// How much of the canvas stays free around everything that a fit shows, in pixels.
const MARGIN: f64 = 48.0;

/// How close in that goes where the canvas is shown to many.
const CLOSE: f64 = 2.0;

/// What lies over its lower edge then, in pixels.
const FOOT: f64 = 120.0;

/// What is selected: nodes, or one link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    /// Ids of nodes.
    pub(crate) nodes: BTreeSet<String>,
    /// Id of a link; then no node is selected.
    pub(crate) link: Option<String>,
}

impl Selection {
    /// These nodes.
    pub(crate) fn nodes(ids: impl IntoIterator<Item = String>) -> Self {
        let mut nodes = BTreeSet::new();
        nodes.extend(ids);
        Self { nodes, link: None }
    }

    /// This link.
    pub(crate) fn link(id: String) -> Self {
        Self { nodes: BTreeSet::new(), link: Some(id) }
    }

    /// The node, if it is exactly one.
    pub(crate) fn single(&self) -> Option<&str> {
        if self.nodes.len() == 1 { self.nodes.first().map(String::as_str) } else { None }
    }

    /// Whether nothing is selected.
    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.link.is_none()
    }
}

/// An Issue and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The scenario, a node or a link.
    pub(crate) target: Target,
    /// The field: a pointer from the target.
    pub(crate) pointer: String,
    /// What is wrong.
    pub(crate) issue: Issue,
}

/// The editor's state; a handle, cheap to copy.
#[derive(Clone, Copy)]
pub(crate) struct Editor {
    document: RwSignal<Document>,
    history: StoredValue<History>,
    steps: RwSignal<(bool, bool)>,
    /// What is selected.
    pub(crate) selection: RwSignal<Selection>,
    /// What the pointer is doing.
    pub(crate) gesture: RwSignal<Gesture>,
    /// The node that a link is being drawn from by keyboard.
    pub(crate) linking: RwSignal<Option<String>>,
    /// Where everything is, a drag under way included.
    pub(crate) scene: Memo<Arc<Scene>>,
    /// What the link that is being drawn points at.
    pub(crate) aim: Memo<Option<Aim>>,
    /// What is wrong, warnings included, in the document's order.
    pub(crate) problems: Memo<Arc<Vec<Problem>>>,
    /// Whether Space is held: then a drag pans.
    pub(crate) space: RwSignal<bool>,
    /// What the person has to be told, until it is put away.
    pub(crate) notice: RwSignal<Option<Notice>>,
    /// What was just done, for those who hear the page.
    pub(crate) said: RwSignal<String>,
    /// The canvas.
    pub(crate) view: View,
    /// Whether the canvas is shown to many: larger, and with nothing around it but the player.
    pub(crate) presenting: RwSignal<bool>,
    /// The template that the document was opened from.
    pub(crate) template: RwSignal<Option<&'static Template>>,
}

/// Something that could not be done, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// What.
    pub(crate) title: String,
    /// Why.
    pub(crate) issues: Vec<Issue>,
}

impl Editor {
    /// An editor of that document.
    pub(crate) fn new(document: Document) -> Self {
        let document = RwSignal::new(document);
        let selection = RwSignal::new(Selection::default());
        let gesture = RwSignal::new(Gesture::default());
        let moved_by = memo(move || gesture.with(Gesture::moved_by));
        let scene = memo(move || {
            let by = moved_by.get();
            let moving = if by == Point::default() { BTreeSet::new() } else { selection.with(|s| s.nodes.clone()) };
            document.with(|document| Arc::new(Scene::of(document, &moving, by)))
        });
        let problems = memo(move || document.with(|document| Arc::new(problems(document))));
        Self {
            document,
            history: StoredValue::new(History::default()),
            steps: RwSignal::new((false, false)),
            selection,
            gesture,
            linking: RwSignal::new(None),
            scene,
            aim: aim(document, scene, gesture),
            problems,
            space: RwSignal::new(false),
            notice: RwSignal::new(None),
            said: RwSignal::new(String::new()),
            view: View::new(),
            presenting: RwSignal::new(false),
            template: RwSignal::new(None),
        }
    }

    /// Reads the document and follows it.
    pub(crate) fn with<T>(self, read: impl FnOnce(&Document) -> T) -> T {
        self.document.with(read)
    }

    /// Reads the document as it is now.
    pub(crate) fn now<T>(self, read: impl FnOnce(&Document) -> T) -> T {
        self.document.with_untracked(read)
    }

    /// Changes the document. Changes of one `gesture` in a row are one step of undo.
    pub(crate) fn apply(self, change: Change, gesture: Option<&str>) {
        let mut history = self.history.write_value();
        let applied = self.document.try_update(|document| history.apply(document, change, gesture));
        drop(history);
        if let Some(Err(error)) = applied {
            // Only a target that has just gone refuses a change (a field's last event after its node was removed).
            leptos::logging::warn!("{error}");
        }
        self.notice.set(None);
        self.after_change();
    }

    /// Ends the gesture: the next change is a step of its own.
    pub(crate) fn end_gesture(self) {
        self.history.update_value(History::end_gesture);
    }

    /// Takes the last step back.
    pub(crate) fn undo(self) {
        self.step(History::undo);
    }

    /// Does the step again that was undone last.
    pub(crate) fn redo(self) {
        self.step(History::redo);
    }

    fn step<E: std::fmt::Display>(self, step: impl FnOnce(&mut History, &mut Document) -> Result<bool, E>) {
        let mut history = self.history.write_value();
        let stepped = self.document.try_update(|document| step(&mut history, document));
        drop(history);
        if let Some(Err(error)) = stepped {
            leptos::logging::warn!("{error}");
        }
        self.after_change();
    }

    /// Whether there are steps to undo and to redo.
    pub(crate) fn steps(self) -> (bool, bool) {
        self.steps.get()
    }

    /// Makes the document this other one, as one step that can be undone.
    pub(crate) fn replace(self, document: &Document) {
        self.gesture.set(Gesture::default());
        self.linking.set(None);
        self.end_gesture();
        self.template.set(None);
        self.apply(self.now(|before| replacing(before, document)), None);
        self.fit();
    }

    /// Shows everything.
    pub(crate) fn fit(self) {
        let size = self.view.size();
        let (most, foot) = if self.presenting.get_untracked() { (CLOSE, FOOT) } else { (1.0, 0.0) };
        let size = Point::new(size.x, size.y - foot);
        let bounds = self.scene.with_untracked(|scene| scene.bounds());
        let fitted = bounds.map_or_else(Viewport::default, |bounds| Viewport::fit(bounds, size, MARGIN, most));
        self.view.viewport.set(fitted);
    }

    /// Whether all of that is in the document.
    pub(crate) fn has(self, selection: &Selection) -> bool {
        self.now(|document| {
            let nodes = selection.nodes.iter().all(|id| document.node(id).is_some());
            nodes && selection.link.as_ref().is_none_or(|id| document.link(id).is_some())
        })
    }

    /// Drops what no longer exists from the selection, and says anew what can be undone.
    fn after_change(self) {
        let history = self.history.read_value();
        let steps = (history.can_undo(), history.can_redo());
        drop(history);
        if self.steps.get_untracked() != steps {
            self.steps.set(steps);
        }
        let kept = self.now(|document| {
            self.selection.with_untracked(|selection| Selection {
                link: selection.link.clone().filter(|id| document.link(id).is_some()),
                ..Selection::nodes(selection.nodes.iter().filter(|id| document.node(id).is_some()).cloned())
            })
        });
        if self.selection.with_untracked(|selection| *selection != kept) {
            self.selection.set(kept);
        }
    }
}

/// What a link that is being drawn points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Aim {
    /// The node.
    pub(crate) to: String,
    /// Why the link may not end there.
    pub(crate) refusal: Option<Issue>,
}

fn aim(document: RwSignal<Document>, scene: Memo<Arc<Scene>>, gesture: RwSignal<Gesture>) -> Memo<Option<Aim>> {
    let ends = memo(move || {
        gesture.with(|gesture| match gesture {
            Gesture::Linking { from, at } => {
                let to = scene.with(|scene| scene.node_at(*at).map(|node| node.id.clone()))?;
                (to != *from).then(|| (from.clone(), to))
            }
            _ => None,
        })
    });
    // Asked once for each node that is pointed at, not with every move.
    memo(move || {
        let (from, to) = ends.get()?;
        let refusal = document.with(|document| document.may_join(&from, &to)).err();
        Some(Aim { to, refusal })
    })
}

fn problems(document: &Document) -> Vec<Problem> {
    let located = document.issues().into_iter().map(|issue| {
        let (target, pointer) = document.locate(&issue.path);
        Problem { target, pointer, issue }
    });
    located.collect()
}

/// An empty scenario.
pub(crate) fn empty() -> Document {
    Document::new(&t(text!("scenario.untitled")))
}
