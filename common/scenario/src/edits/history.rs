//! Undo and redo.

use std::collections::VecDeque;

use super::change::{Change, EditError};
use super::document::Document;
use super::event::with_subscriptions;

/// Most steps that can be undone.
const MAX_STEPS: usize = 500;

/// What was done to one document and what was undone.
#[derive(Clone, Debug, Default)]
pub struct History {
    done: VecDeque<Entry>,
    undone: Vec<Entry>,
}

/// One step of undo.
#[derive(Clone, Debug)]
struct Entry {
    forward: Change,
    inverse: Change,
    /// Which gesture it belongs to, until that is over.
    gesture: Option<String>,
    /// The bindings whose type it writes, as they were found before the gesture: on the way it may be another's.
    bindings: Vec<String>,
}

impl History {
    /// Applies a change. Changes of one `gesture` (a drag, the typing in one field) in a row become one step of undo,
    /// until [`History::end_gesture`]. Checks go on naming what they name, and subscriptions the type of event that they name
    /// alone, in the same step.
    ///
    /// # Errors
    /// When the change does not apply; then document and history are as before.
    pub fn apply(&mut self, document: &mut Document, change: Change, gesture: Option<&str>) -> Result<(), EditError> {
        let last = self.done.back_mut().filter(|last| gesture.is_some() && last.gesture.as_deref() == gesture);
        let bindings = last.as_ref().map_or_else(|| document.subscribed(&change), |last| last.bindings.clone());
        let change = document.followed(with_subscriptions(change, &bindings));
        let inverse = document.apply(&change)?;
        self.undone.clear();
        match last {
            Some(last) => last.join(change, inverse),
            None => {
                let gesture = gesture.map(str::to_owned);
                self.done.push_back(Entry { forward: change, inverse, gesture, bindings });
                if self.done.len() > MAX_STEPS {
                    self.done.pop_front();
                }
            }
        }
        Ok(())
    }

    /// Ends the gesture: what follows is a step of its own, whatever it is called.
    pub fn end_gesture(&mut self) {
        if let Some(last) = self.done.back_mut() {
            last.gesture = None;
        }
    }

    /// Takes the last step back; false where there is none.
    ///
    /// # Errors
    /// When the document was changed past this history; then nothing has changed.
    pub fn undo(&mut self, document: &mut Document) -> Result<bool, EditError> {
        self.end_gesture();
        let Some(entry) = self.done.back() else {
            return Ok(false);
        };
        document.apply(&entry.inverse)?;
        self.undone.extend(self.done.pop_back());
        Ok(true)
    }

    /// Does the step again that was undone last; false where there is none.
    ///
    /// # Errors
    /// As [`History::undo`].
    pub fn redo(&mut self, document: &mut Document) -> Result<bool, EditError> {
        let Some(entry) = self.undone.last() else {
            return Ok(false);
        };
        document.apply(&entry.forward)?;
        self.done.extend(self.undone.pop());
        Ok(true)
    }

    /// Whether there is a step to take back.
    #[must_use]
    pub fn can_undo(&self) -> bool {
        !self.done.is_empty()
    }

    /// Whether there is a step to do again.
    #[must_use]
    pub fn can_redo(&self) -> bool {
        !self.undone.is_empty()
    }
}

impl Entry {
    /// Takes a later change of the same gesture in. Where it writes the very same fields (a drag goes on), the latest
    /// values and the first inverse say it all, so a long drag stays one small step.
    fn join(&mut self, change: Change, inverse: Change) {
        let (mut before, mut now) = (Vec::new(), Vec::new());
        if fields(&self.forward, &mut before) && fields(&change, &mut now) && before == now {
            self.forward = change;
            return;
        }
        drop((before, now));
        append(&mut self.forward, change, false);
        append(&mut self.inverse, inverse, true);
    }
}

/// The fields that a change writes, in order; false where it does anything else, or writes one twice.
fn fields<'a>(change: &'a Change, into: &mut Vec<(&'a super::Target, &'a str)>) -> bool {
    match change {
        Change::Set { target, pointer, .. } => {
            let field = (target, pointer.as_str());
            let new = !into.contains(&field);
            into.push(field);
            new
        }
        Change::Group(changes) => changes.iter().all(|change| fields(change, into)),
        Change::Insert { .. } | Change::Remove { .. } => false,
    }
}

fn append(to: &mut Change, change: Change, first: bool) {
    let old = std::mem::replace(to, Change::Group(Vec::new()));
    *to = Change::Group(if first { vec![change, old] } else { vec![old, change] });
}
