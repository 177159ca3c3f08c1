//! The document and what the editor reads from it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::change::{List, Target, target};
use crate::issue::Issue;
use crate::kinds::Kind;
use crate::model::{FORMAT, VERSION};
use crate::protocol::Protocol;
use crate::shape::{self, kind_of, protocol_of};
use crate::validate::{document_issues, parse};

/// A scenario that is being written: JSON with two lists of objects that have ids; every field may hold anything.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    value: Value,
}

/// A node of a document.
#[derive(Clone, Copy, Debug)]
pub struct NodeRef<'a>(&'a Value);

/// A link of a document.
#[derive(Clone, Copy, Debug)]
pub struct LinkRef<'a>(&'a Value);

impl Document {
    /// An empty scenario of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut value = json!({"format": FORMAT, "version": VERSION, "name": name, "question": "", "about": "", "nodes": [], "links": []});
        shape::complete(&mut value);
        Self { value }
    }

    /// Opens the text of a scenario and writes out its defaults. Faulty fields are kept: [`Document::issues`] has them.
    ///
    /// # Errors
    /// The document's Issues, where the editor has nothing to stand on: no JSON, another format or version, no lists of
    /// objects with ids of their own.
    pub fn open(text: &str) -> Result<Self, Vec<Issue>> {
        let mut value = parse(text)?;
        let heading = value.get("format").is_some_and(|format| format == FORMAT)
            && value.get("version").and_then(Value::as_u64) == Some(u64::from(VERSION));
        if !heading || !has_ids(&value, List::Nodes) || !has_ids(&value, List::Links) {
            return Err(document_issues(&value));
        }
        shape::complete(&mut value);
        Ok(Self { value })
    }

    /// The document as text, for a file: canonical where it is valid, otherwise as it stands.
    #[must_use]
    pub fn to_text(&self) -> String {
        let text = if self.issues().iter().any(Issue::is_error) {
            serde_json::to_string_pretty(&self.value)
        } else {
            serde_json::to_string_pretty(&shape::canonical(&self.value))
        };
        // Printing JSON values to a string has no way to fail.
        let mut text = text.unwrap_or_default();
        text.push('\n');
        text
    }

    /// The JSON.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Every Issue, in one pass.
    #[must_use]
    pub fn issues(&self) -> Vec<Issue> {
        document_issues(&self.value)
    }

    /// What the scenario is called; empty while that is no text.
    #[must_use]
    pub fn name(&self) -> &str {
        text(&self.value, "name")
    }

    /// The nodes in the document's order.
    pub fn nodes(&self) -> impl Iterator<Item = NodeRef<'_>> {
        self.elements(List::Nodes).iter().map(NodeRef)
    }

    /// The links in the document's order.
    pub fn links(&self) -> impl Iterator<Item = LinkRef<'_>> {
        self.elements(List::Links).iter().map(LinkRef)
    }

    /// The node of an id.
    #[must_use]
    pub fn node(&self, id: &str) -> Option<NodeRef<'_>> {
        self.nodes().find(|node| node.id() == id)
    }

    /// The link of an id.
    #[must_use]
    pub fn link(&self, id: &str) -> Option<LinkRef<'_>> {
        self.links().find(|link| link.id() == id)
    }

    /// The value of a target's field; the pointer is the target's own, like `/work/mean`, or empty for all of it.
    #[must_use]
    pub fn get(&self, target: &Target, pointer: &str) -> Option<&Value> {
        match target {
            Target::Scenario => self.value.pointer(pointer),
            Target::Node(id) => self.node(id)?.0.pointer(pointer),
            Target::Link(id) => self.link(id)?.0.pointer(pointer),
        }
    }

    /// What an Issue's path is about, with the pointer from there: `/nodes/0/work/mean` is `/work/mean` of the first
    /// node. Paths to no element are the scenario's own.
    #[must_use]
    pub fn locate(&self, path: &str) -> (Target, String) {
        for list in [List::Nodes, List::Links] {
            let rest = path.strip_prefix('/').and_then(|path| path.strip_prefix(list.name()));
            let Some(rest) = rest.and_then(|rest| rest.strip_prefix('/')) else {
                continue;
            };
            let (index, pointer) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
            let element = index.parse::<usize>().ok().and_then(|index| self.elements(list).get(index));
            if let Some(element) = element {
                return (target(list, text(element, "id")), pointer.to_owned());
            }
        }
        (Target::Scenario, path.to_owned())
    }

    pub(super) fn elements(&self, list: List) -> &[Value] {
        self.value.get(list.name()).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    pub(super) fn elements_mut(&mut self, list: List) -> Option<&mut Vec<Value>> {
        self.value.get_mut(list.name())?.as_array_mut()
    }

    pub(super) fn index_of(&self, list: List, id: &str) -> Option<usize> {
        self.elements(list).iter().position(|element| text(element, "id") == id)
    }

    pub(super) fn element_mut(&mut self, target: &Target) -> Option<&mut Value> {
        let (list, id) = match target {
            Target::Scenario => return Some(&mut self.value),
            Target::Node(id) => (List::Nodes, id),
            Target::Link(id) => (List::Links, id),
        };
        let index = self.index_of(list, id)?;
        self.elements_mut(list)?.get_mut(index)
    }
}

impl<'a> NodeRef<'a> {
    /// Its id.
    #[must_use]
    pub fn id(self) -> &'a str {
        text(self.0, "id")
    }

    /// Its name; empty while that is no text.
    #[must_use]
    pub fn name(self) -> &'a str {
        text(self.0, "name")
    }

    /// Its kind, if it is a known one.
    #[must_use]
    pub fn kind(self) -> Option<Kind> {
        kind_of(self.0)
    }

    /// Its position (left, top) in canvas units, if it has one.
    #[must_use]
    pub fn position(self) -> Option<(i32, i32)> {
        let axis = |name| i32::try_from(self.0.get(name)?.as_i64()?).ok();
        Some((axis("x")?, axis("y")?))
    }

    /// The steps of a service's own body; `None` while none is written.
    #[must_use]
    pub fn body(self) -> Option<&'a Vec<Value>> {
        self.0.get("body")?.as_array()
    }

    /// All of it.
    #[must_use]
    pub fn value(self) -> &'a Value {
        self.0
    }
}

impl<'a> LinkRef<'a> {
    /// Its id.
    #[must_use]
    pub fn id(self) -> &'a str {
        text(self.0, "id")
    }

    /// The id of the node that calls; empty while that is no text.
    #[must_use]
    pub fn from(self) -> &'a str {
        text(self.0, "from")
    }

    /// The id of the node that is called; empty while that is no text.
    #[must_use]
    pub fn to(self) -> &'a str {
        text(self.0, "to")
    }

    /// Its protocol, if it is a known one.
    #[must_use]
    pub fn protocol(self) -> Option<Protocol> {
        protocol_of(self.0)
    }

    /// All of it.
    #[must_use]
    pub fn value(self) -> &'a Value {
        self.0
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a list is one of objects with ids, none twice.
fn has_ids(document: &Value, list: List) -> bool {
    let Some(Value::Array(elements)) = document.get(list.name()) else {
        return false;
    };
    let mut seen = BTreeSet::new();
    elements.iter().all(|element| element.get("id").and_then(Value::as_str).is_some_and(|id| seen.insert(id)))
}
