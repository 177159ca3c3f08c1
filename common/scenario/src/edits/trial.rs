//! Several changes that are made one after the other, and applied as one.

use serde_json::Value;

use super::change::{Change, Target};
use super::document::Document;
use super::steps::step_over;
use crate::kinds::Kind;
use crate::protocol::Protocol;

/// A node that a conversion adds: its name, its left and its top in canvas units.
#[derive(Clone, Copy, Debug)]
pub struct Added<'a> {
    /// What it is called; numbered where the name is taken.
    pub name: &'a str,
    /// Left.
    pub x: i32,
    /// Top.
    pub y: i32,
}

/// Changes, and the document as they make it: a later one finds the ids of an earlier one taken.
pub(super) struct Trial {
    pub(super) document: Document,
    changes: Vec<Change>,
}

impl Trial {
    pub(super) fn new(document: &Document) -> Self {
        Self { document: document.clone(), changes: Vec::new() }
    }

    pub(super) fn apply(&mut self, change: Change) -> Option<()> {
        self.document.apply(&change).ok()?;
        self.changes.push(change);
        Some(())
    }

    pub(super) fn set(&mut self, target: &Target, pointer: &str, value: Value) -> Option<()> {
        self.apply(Change::set(target.clone(), pointer, value))
    }

    /// Adds a node with its kind's defaults; gives its id.
    pub(super) fn add(&mut self, kind: Kind, Added { name, x, y }: Added<'_>) -> Option<String> {
        let (id, change) = self.document.add_node(kind.descriptor(), name, x, y);
        self.apply(change)?;
        Some(id)
    }

    /// Adds a queue for a service: of as many messages at once as it has workers, so that none of them is idle.
    pub(super) fn queue_of(&mut self, service: &str, queue: Added<'_>) -> Option<String> {
        let workers = self.document.get(&Target::Node(service.to_owned()), "/workers").filter(|workers| **workers != 1);
        let workers = workers.cloned();
        let queue = self.add(Kind::Queue, queue)?;
        if let Some(workers) = workers {
            self.set(&Target::Node(queue.clone()), "/prefetch", workers)?;
        }
        Some(queue)
    }

    /// Adds a link; gives its id.
    pub(super) fn link(&mut self, from: &str, to: &str, protocol: Protocol) -> Option<String> {
        let (id, change) = self.document.add_link(from, to, protocol);
        self.apply(change)?;
        Some(id)
    }

    /// All of it, as one.
    pub(super) fn done(self) -> Change {
        Change::Group(self.changes)
    }

    /// Gives a link another protocol: what only the one before can have goes, and steps take the link as the new one does.
    pub(super) fn change_protocol(&mut self, link: &str, protocol: Protocol) -> Option<()> {
        let target = Target::Link(link.to_owned());
        let before = self.document.link(link)?;
        let from = before.from().to_owned();
        let options = |protocol| self.document.options_between(&from, before.to(), protocol);
        let (has, had) = (options(protocol), before.protocol().map_or(&[][..], options));
        let lost: Vec<_> = had.iter().map(|field| field.name).collect();
        for name in lost.into_iter().filter(|name| has.iter().all(|field| field.name != *name)) {
            if self.document.get(&target, &format!("/{name}")).is_some() {
                self.apply(Change::unset(target.clone(), &format!("/{name}")))?;
            }
        }
        self.set(&target, "/protocol", Value::from(protocol.descriptor().id))?;
        let body = self.document.node(&from).and_then(|node| node.body().cloned());
        if let Some(mut body) = body {
            let before = body.clone();
            take_as(&mut body, link, step_over(protocol));
            if body != before {
                self.set(&Target::Node(from), "/body", Value::Array(body))?;
            }
        }
        Some(())
    }
}

/// Lets every step that takes a link be of this kind.
fn take_as(steps: &mut [Value], link: &str, step: &str) {
    for taking in steps {
        if taking.get("link").and_then(Value::as_str) == Some(link)
            && let Some(kind) = taking.get_mut("step")
        {
            *kind = Value::from(step);
        }
        for branch in taking.get_mut("branches").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(Value::Array(steps)) = branch.get_mut("steps") {
                take_as(steps, link, step);
            }
        }
    }
}
