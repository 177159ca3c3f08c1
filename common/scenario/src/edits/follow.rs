//! What a change takes along: checks and disturbances go on naming what they name.

use serde_json::Value;

use super::change::{Change, Target};
use super::document::Document;
use crate::disturb::action_of;
use crate::validate::Subjects;

impl Document {
    /// The change, and with it the names in those checks and disturbances whose node or link it calls otherwise. One of what
    /// it removes stays as it is, and waits for something of that name.
    pub(super) fn followed(&self, change: Change) -> Change {
        let (before, disturbed) = (self.listed("checks"), self.listed("disturbances"));
        // A node that is dragged, a field that is typed: most changes name nothing.
        if (before.is_empty() && disturbed.is_empty()) || !names(&change) {
            return change;
        }
        let mut trial = self.clone();
        if trial.apply(&change).is_err() {
            return change;
        }
        let (known, now) = (Subjects::of_document(self.value()), Subjects::of_document(trial.value()));
        let renamed = before.iter().zip(trial.listed("checks")).enumerate().filter_map(|(row, (check, after))| {
            let (metric, id) = known.named_by(check)?;
            // What the change itself writes is what is wanted.
            if check != after || now.named_by(check) == Some((metric, id)) {
                return None;
            }
            Some(Change::set(Target::Scenario, &format!("/checks/{row}/on"), Value::from(now.name_of(metric, id)?)))
        });
        let moved = disturbed.iter().zip(trial.listed("disturbances")).enumerate().filter_map(|(row, (one, after))| {
            let on = one.get("on")?.as_str()?;
            if one != after {
                return None;
            }
            let name = if action_of(one)?.of_node() {
                trial.node(self.node_named(on)?)?.name().to_owned()
            } else {
                let id = known.link(on)?;
                if now.link(on) == Some(id) { on.to_owned() } else { now.name_of_link(id)? }
            };
            let pointer = format!("/disturbances/{row}/on");
            (name != on).then(|| Change::set(Target::Scenario, &pointer, Value::from(name)))
        });
        let renamed: Vec<_> = renamed.chain(moved).collect();
        if renamed.is_empty() { change } else { Change::Group(std::iter::once(change).chain(renamed).collect()) }
    }

    fn listed(&self, list: &str) -> &[Value] {
        self.value().get(list).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The id of the node that has this name.
    fn node_named(&self, name: &str) -> Option<&str> {
        self.nodes().find(|node| node.name() == name).map(|node| node.id())
    }
}

/// Whether a change may call a link or a queue otherwise.
fn names(change: &Change) -> bool {
    match change {
        Change::Insert { .. } | Change::Remove { .. } => true,
        Change::Set { target: Target::Scenario, .. } => false,
        Change::Set { pointer, .. } => ["", "/name", "/kind", "/from", "/to"].contains(&pointer.as_str()),
        Change::Group(changes) => changes.iter().any(names),
    }
}
