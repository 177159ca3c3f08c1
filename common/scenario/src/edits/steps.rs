//! Edits of a service's own body. A derived body has none of these: there is nothing written to change.

use serde_json::{Value, json};

use super::change::{Change, Target};
use super::document::{Document, NodeRef};
use crate::protocol::{Protocol, Style};
use crate::steps::step_of;

impl Document {
    /// A new link, and where the service that it starts at has a body of its own, a step there that takes it: before a last
    /// reply, otherwise at the end. Gives the link's id too.
    #[must_use]
    pub fn connect(&self, from: &str, to: &str, protocol: Protocol) -> (String, Change) {
        let (id, link) = self.add_link(from, to, protocol);
        let Some(mut body) = self.node(from).and_then(NodeRef::body).cloned() else { return (id, link) };
        add_step(&mut body, json!({"step": step_over(protocol), "link": id}));
        let written = Change::set(Target::Node(from.to_owned()), "/body", Value::Array(body));
        (id, Change::Group(vec![link, written]))
    }

    /// The body that a service has while none is written: work, its links in order, the reply.
    #[must_use]
    pub fn derived_body(&self, node: &str) -> Vec<Value> {
        let links = self.links().filter(|link| link.from() == node).filter_map(|link| {
            let step = step_over(link.protocol()?);
            Some(json!({"step": step, "link": link.id()}))
        });
        std::iter::once(json!({"step": "work"})).chain(links).chain([json!({"step": "reply"})]).collect()
    }

    /// The changes of the bodies that name links which `to` gives another id, or none: a step over such a link goes.
    pub fn rename_links_in_bodies<'a>(
        &'a self,
        to: &'a dyn Fn(&str) -> Option<String>,
    ) -> impl Iterator<Item = Change> + 'a {
        self.nodes().filter_map(move |node| {
            let body = node.body()?;
            let renamed = renamed(body, to);
            (renamed != *body).then(|| Change::set(Target::Node(node.id().to_owned()), "/body", Value::Array(renamed)))
        })
    }
}

/// Adds a step: before a last reply, otherwise at the end.
pub fn add_step(steps: &mut Vec<Value>, step: Value) {
    let before_reply = steps.last().and_then(step_of).is_some_and(|last| last.id == "reply");
    steps.insert(steps.len() - usize::from(before_reply), step);
}

/// The step that takes a link of this protocol.
#[must_use]
pub fn step_over(protocol: Protocol) -> &'static str {
    match protocol.descriptor().style {
        Style::Sync => "call",
        Style::Async => "publish",
    }
}

/// The steps with the links that they name under other ids; those whose link has none are left out.
#[must_use]
pub fn renamed(steps: &[Value], to: &dyn Fn(&str) -> Option<String>) -> Vec<Value> {
    let step = |step: &Value| {
        let mut step = step.clone();
        if let Some(link) = step.get_mut("link")
            && let Some(id) = link.as_str()
        {
            *link = Value::from(to(id)?);
        }
        let branches = step.get_mut("branches").and_then(Value::as_array_mut);
        for branch in branches.into_iter().flatten() {
            if let Some(Value::Array(steps)) = branch.get_mut("steps") {
                *steps = renamed(steps, to);
            }
        }
        Some(step)
    };
    steps.iter().filter_map(step).collect()
}
