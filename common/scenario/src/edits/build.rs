//! The editor's edits, made from the primitives. Nothing here changes the document: the change is applied, and undone,
//! by [`super::History`].

use serde_json::{Value, json};

use super::change::{Change, List, Target};
use super::document::{Document, NodeRef};
use crate::fields::Field;
use crate::issue::{Code, Issue};
use crate::kinds::KindDescriptor;
use crate::protocol::{PROTOCOLS, Protocol};

impl Document {
    /// A new node with its kind's defaults, a fresh id and a name made from `name` ("service", "service 2"); gives the
    /// id too.
    #[must_use]
    pub fn add_node(&self, kind: &KindDescriptor, name: &str, x: i32, y: i32) -> (String, Change) {
        let id = self.fresh_id(List::Nodes, 'n');
        let element = kind.new_node(&id, &self.fresh_name(name), x, y);
        let index = self.elements(List::Nodes).len();
        (id, Change::Insert { list: List::Nodes, index, element })
    }

    /// A new link with a fresh id; gives the id too. Whether it may be is [`Document::may_link`]'s question.
    #[must_use]
    pub fn add_link(&self, from: &str, to: &str, protocol: Protocol) -> (String, Change) {
        let id = self.fresh_id(List::Links, 'l');
        let mut element = json!({"id": id, "from": from, "to": to, "protocol": protocol.descriptor().id});
        if let Value::Object(link) = &mut element {
            link.extend(crate::fields::defaults(self.options_between(from, to, protocol)));
        }
        let index = self.elements(List::Links).len();
        (id, Change::Insert { list: List::Links, index, element })
    }

    /// The options of a link over this protocol between these nodes.
    #[must_use]
    pub fn options_between(&self, from: &str, to: &str, protocol: Protocol) -> &'static [Field] {
        let kind = |id| self.node(id).and_then(NodeRef::kind);
        let ends = kind(from).zip(kind(to));
        ends.map_or(protocol.descriptor().options, |(from, to)| protocol.options_between(from, to))
    }

    /// The protocol that a new link between two nodes gets, or why there can be none: to itself, between these kinds,
    /// in a circle. Validation decides, so a gesture and a file are told the same.
    ///
    /// # Errors
    /// The Issue that the link would have.
    pub fn may_link(&self, from: &str, to: &str) -> Result<Protocol, Issue> {
        let mut refusal = None;
        for descriptor in PROTOCOLS {
            match self.refusal(from, to, descriptor.protocol) {
                None => return Ok(descriptor.protocol),
                Some(issue) => refusal = refusal.or(Some(issue)),
            }
        }
        Err(refusal.unwrap_or_else(|| Issue::new(Code::UnknownNode, "", [("value", to.into())])))
    }

    /// The Issue that a link over this protocol would have.
    fn refusal(&self, from: &str, to: &str, protocol: Protocol) -> Option<Issue> {
        self.refused(&self.connect(from, to, protocol).1)
    }

    /// The Issue that makes a change no good which adds links, each behind those that are there: that one of them may not be.
    pub(super) fn refused(&self, change: &Change) -> Option<Issue> {
        let mut trial = self.clone();
        trial.apply(change).ok()?;
        let added: Vec<_> = (self.links().count()..trial.links().count()).map(|row| format!("/links/{row}")).collect();
        let about = [Code::SelfLink, Code::IllegalLink, Code::SynchronousCycle, Code::EndlessCycle, Code::UnknownNode];
        let of_it = |issue: &Issue| added.iter().any(|path| issue.path.starts_with(path));
        trial.issues().into_iter().find(|issue| about.contains(&issue.code) && of_it(issue))
    }

    /// Removes nodes, the links at them, and links, with the steps that take those links.
    #[must_use]
    pub fn remove_elements(&self, nodes: &[&str], links: &[&str]) -> Change {
        let gone = |id: &str| nodes.contains(&id);
        let links: Vec<_> = self
            .links()
            .filter(|link| links.contains(&link.id()) || gone(link.from()) || gone(link.to()))
            .map(|link| link.id())
            .collect();
        let stays = |id: &str| (!links.contains(&id)).then(|| id.to_owned());
        let bodies: Vec<_> = self.rename_links_in_bodies(&stays).collect();
        let links = links.iter().map(|id| Change::Remove { list: List::Links, id: (*id).to_owned() });
        let nodes = self
            .nodes()
            .filter(|node| gone(node.id()))
            .map(|node| Change::Remove { list: List::Nodes, id: node.id().to_owned() });
        Change::Group(bodies.into_iter().chain(links).chain(nodes).collect())
    }

    /// Fresh ids count on from the greatest number in use, so that an id is not soon another node's.
    fn fresh_id(&self, list: List, letter: char) -> String {
        let numbers = self.elements(list).iter().filter_map(|element| {
            let id = element.get("id")?.as_str()?.strip_prefix(letter)?;
            id.parse::<u32>().ok()
        });
        // A number near the end of its type starts over; the search then finds the first free one.
        let mut number = numbers.max().map_or(1, |number| number.wrapping_add(1)).max(1);
        loop {
            let id = format!("{letter}{number}");
            if self.index_of(list, &id).is_none() {
                return id;
            }
            number = number.wrapping_add(1);
        }
    }

    fn fresh_name(&self, name: &str) -> String {
        let taken = |name: &str| self.nodes().any(|node| node.name() == name);
        if !taken(name) {
            return name.to_owned();
        }
        let mut number = 2_u32;
        loop {
            let numbered = format!("{name} {number}");
            if !taken(&numbered) {
                return numbered;
            }
            number = number.wrapping_add(1);
        }
    }
}

impl Change {
    /// Moves nodes to positions (id, left, top) in canvas units.
    #[must_use]
    pub fn move_nodes<'a>(positions: impl IntoIterator<Item = (&'a str, i32, i32)>) -> Self {
        let set = |id: &str, axis: &str, to: i32| Self::set(Target::Node(id.to_owned()), axis, Value::from(to));
        let moves = positions.into_iter().flat_map(|(id, x, y)| [set(id, "/x", x), set(id, "/y", y)]);
        Self::Group(moves.collect())
    }

    /// Renames the scenario, or a node.
    #[must_use]
    pub fn rename(target: Target, name: &str) -> Self {
        Self::set(target, "/name", Value::from(name))
    }

    /// Writes one field.
    #[must_use]
    pub fn set(target: Target, pointer: &str, value: Value) -> Self {
        Self::Set { target, pointer: pointer.to_owned(), value: Some(value) }
    }

    /// Removes one field.
    #[must_use]
    pub fn unset(target: Target, pointer: &str) -> Self {
        Self::Set { target, pointer: pointer.to_owned(), value: None }
    }
}
