//! What a change takes along: checks go on naming what they name.

use serde_json::Value;

use super::change::{Change, Target};
use super::document::Document;
use crate::validate::{name_of_subject, subject_of};

impl Document {
    /// The change, and with it the names in those checks whose link or queue it calls otherwise. A check of what it removes
    /// stays as it is, and waits for something of that name.
    pub(super) fn followed(&self, change: Change) -> Change {
        let checks =
            |document: &Document| document.value().get("checks").and_then(Value::as_array).cloned().unwrap_or_default();
        let before = checks(self);
        let named: Vec<_> = before.iter().map(|check| subject_of(self.value(), check)).collect();
        if named.iter().all(Option::is_none) {
            return change;
        }
        let mut trial = self.clone();
        if trial.apply(&change).is_err() {
            return change;
        }
        let after = trial.value();
        let same = before.iter().zip(checks(&trial)).map(|(before, after)| *before == after);
        let renamed = named.iter().zip(&before).zip(same).enumerate().filter_map(|(row, ((named, check), same))| {
            let (metric, id) = (*named)?;
            // What the change itself writes is what is wanted.
            if !same || subject_of(after, check) == *named {
                return None;
            }
            let name = name_of_subject(after, metric, id)?;
            Some(Change::set(Target::Scenario, &format!("/checks/{row}/on"), Value::from(name)))
        });
        let renamed: Vec<_> = renamed.collect();
        if renamed.is_empty() { change } else { Change::Group(std::iter::once(change).chain(renamed).collect()) }
    }
}
