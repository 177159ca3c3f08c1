//! Changes as values. Four primitives are enough; [`Document`]'s builders make every edit of the editor from them.

use serde_json::Value;

use super::Document;

/// One of the document's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum List {
    /// `nodes`.
    Nodes,
    /// `links`.
    Links,
}

impl List {
    /// Its key in the document.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nodes => "nodes",
            Self::Links => "links",
        }
    }
}

/// What a change or an Issue is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// The scenario itself.
    Scenario,
    /// The node of this id.
    Node(String),
    /// The link of this id.
    Link(String),
}

/// A change of a document. Applying it gives its inverse.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Puts an element into a list at an index; the element is an object with an id that is new there.
    Insert {
        /// Which list.
        list: List,
        /// Where; at most the list's length.
        index: usize,
        /// The node or link.
        element: Value,
    },
    /// Takes an element out of a list, and nothing else.
    Remove {
        /// Which list.
        list: List,
        /// Which element.
        id: String,
    },
    /// Writes or removes one field. The field's object must exist; an `id` cannot be changed.
    Set {
        /// Whose field.
        target: Target,
        /// JSON pointer from the target, like `/work/mean`.
        pointer: String,
        /// Any JSON, valid for the scenario or not; `None` removes the field.
        value: Option<Value>,
    },
    /// Changes in order, all or none.
    Group(Vec<Change>),
}

/// Why a change does not apply; the document is as before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The target is not in the document.
    #[error("{0:?} is not in the document")]
    NoTarget(Target),
    /// The pointer leads nowhere.
    #[error("there is no object at \"{0}\" to hold that field")]
    NoField(String),
    /// An `id`, or one of the lists, was to be set.
    #[error("\"{0}\" holds the document together and cannot be set")]
    Fixed(String),
    /// The element is no object with an id that is new to its list, or the index is past the list's end.
    #[error("the element cannot be put into {list} at {index}")]
    BadElement {
        /// Key of the list.
        list: &'static str,
        /// Where.
        index: usize,
    },
}

impl Document {
    /// Applies a change and gives the change that takes it back.
    ///
    /// # Errors
    /// When it does not apply; then nothing has changed.
    pub fn apply(&mut self, change: &Change) -> Result<Change, EditError> {
        match change {
            Change::Insert { list, index, element } => self.insert(*list, *index, element),
            Change::Remove { list, id } => self.remove(*list, id),
            Change::Set { target, pointer, value } => self.set_field(target, pointer, value.as_ref()),
            Change::Group(changes) => self.apply_all(changes),
        }
    }

    fn insert(&mut self, list: List, index: usize, element: &Value) -> Result<Change, EditError> {
        let bad = EditError::BadElement { list: list.name(), index };
        let Some(id) = element.get("id").and_then(Value::as_str) else {
            return Err(bad);
        };
        if self.index_of(list, id).is_some() {
            return Err(bad);
        }
        match self.elements_mut(list) {
            Some(elements) if index <= elements.len() => elements.insert(index, element.clone()),
            _ => return Err(bad),
        }
        Ok(Change::Remove { list, id: id.to_owned() })
    }

    fn remove(&mut self, list: List, id: &str) -> Result<Change, EditError> {
        let absent = || EditError::NoTarget(target(list, id));
        let index = self.index_of(list, id).ok_or_else(absent)?;
        let elements = self.elements_mut(list).ok_or_else(absent)?;
        Ok(Change::Insert { list, index, element: elements.remove(index) })
    }

    fn set_field(&mut self, target: &Target, pointer: &str, value: Option<&Value>) -> Result<Change, EditError> {
        let fixed: &[&str] = match target {
            Target::Scenario => &["/format", "/version", "/nodes", "/links"],
            Target::Node(_) | Target::Link(_) => &["/id"],
        };
        let holds =
            |field: &&str| pointer == *field || pointer.strip_prefix(*field).is_some_and(|r| r.starts_with('/'));
        if fixed.iter().any(holds) {
            return Err(EditError::Fixed(pointer.to_owned()));
        }
        let no_field = || EditError::NoField(pointer.to_owned());
        let (parent, key) = pointer.rsplit_once('/').ok_or_else(no_field)?;
        let key = key.replace("~1", "/").replace("~0", "~");
        let element = self.element_mut(target).ok_or_else(|| EditError::NoTarget(target.clone()))?;
        let Some(Value::Object(object)) = element.pointer_mut(parent) else {
            return Err(no_field());
        };
        let before = match value {
            Some(value) => object.insert(key, value.clone()),
            None => object.shift_remove(&key),
        };
        Ok(Change::Set { target: target.clone(), pointer: pointer.to_owned(), value: before })
    }

    fn apply_all(&mut self, changes: &[Change]) -> Result<Change, EditError> {
        let mut inverses = Vec::with_capacity(changes.len());
        for change in changes {
            match self.apply(change) {
                Ok(inverse) => inverses.push(inverse),
                Err(error) => {
                    for inverse in inverses.iter().rev() {
                        // The inverse of what was just applied applies.
                        let _ = self.apply(inverse);
                    }
                    return Err(error);
                }
            }
        }
        inverses.reverse();
        Ok(Change::Group(inverses))
    }
}

pub(super) fn target(list: List, id: &str) -> Target {
    match list {
        List::Nodes => Target::Node(id.to_owned()),
        List::Links => Target::Link(id.to_owned()),
    }
}
