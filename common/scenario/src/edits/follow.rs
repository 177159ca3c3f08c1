//! What a change takes along: checks go on naming what they name.

use serde_json::Value;

use super::change::{Change, Target};
use super::document::Document;
use crate::validate::Subjects;

impl Document {
    /// The change, and with it the names in those checks whose link or queue it calls otherwise. A check of what it removes
    /// stays as it is, and waits for something of that name.
    pub(super) fn followed(&self, change: Change) -> Change {
        let before = self.checks();
        // A node that is dragged, a field that is typed: most changes name nothing.
        if before.is_empty() || !names(&change) {
            return change;
        }
        let mut trial = self.clone();
        if trial.apply(&change).is_err() {
            return change;
        }
        let (known, now) = (Subjects::of_document(self.value()), Subjects::of_document(trial.value()));
        let renamed = before.iter().zip(trial.checks()).enumerate().filter_map(|(row, (check, after))| {
            let (metric, id) = known.named_by(check)?;
            // What the change itself writes is what is wanted.
            if check != after || now.named_by(check) == Some((metric, id)) {
                return None;
            }
            Some(Change::set(Target::Scenario, &format!("/checks/{row}/on"), Value::from(now.name_of(metric, id)?)))
        });
        let renamed: Vec<_> = renamed.collect();
        if renamed.is_empty() { change } else { Change::Group(std::iter::once(change).chain(renamed).collect()) }
    }

    fn checks(&self) -> &[Value] {
        self.value().get("checks").and_then(Value::as_array).map_or(&[], Vec::as_slice)
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
