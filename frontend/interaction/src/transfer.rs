//! Documents into documents: copy, paste, replace.
//!
//! What is copied is a scenario, so it can be pasted into another canvas, a file or a mail; pasting and replacing are
//! changes like any other, so both can be undone.

use std::collections::{BTreeSet, HashMap};

use hopscope_scenario::edits::{Change, Document, List, Target, rename_links};
use serde_json::{Value, json};

#[cfg(test)]
mod tests;

/// How far a pasted node stands from the place of its original.
const ASIDE: i64 = 40;

/// The nodes of these ids and the links among them, as the text of a scenario called `name`.
#[must_use]
pub fn part(document: &Document, nodes: &BTreeSet<String>, name: &str) -> String {
    let chosen = |id: &str| nodes.contains(id);
    let nodes: Vec<_> = document.nodes().filter(|node| chosen(node.id())).map(|node| node.value()).collect();
    let links = document.links().filter(|link| chosen(link.from()) && chosen(link.to()));
    let links: Vec<_> = links.map(|link| link.value()).collect();
    let mut part = Document::new(name).value().clone();
    part["nodes"] = json!(nodes);
    part["links"] = json!(links);
    part.to_string()
}

/// The change that adds the nodes and links of another document under new ids and names, a step aside; and the ids of
/// the new nodes. Nodes of no known kind and links without both ends or of no known protocol stay behind.
#[must_use]
pub fn pasting(document: &Document, other: &Document) -> (Vec<String>, Change) {
    // Everything is added to a copy at once, so that ids and names are new among the pasted ones too.
    let mut grown = document.clone();
    let mut changes = Vec::new();
    let mut leading = Vec::new();
    let (mut pasted, mut ids) = (Vec::new(), HashMap::new());
    let mut add = |grown: &mut Document, change: Change, element: Value| {
        if let Change::Insert { list, index, .. } = change {
            let change = Change::Insert { list, index, element };
            if grown.apply(&change).is_ok() {
                changes.push(change);
            }
        }
    };
    for node in other.nodes() {
        let Some(kind) = node.kind() else {
            continue;
        };
        let (id, change) = grown.add_node(kind.descriptor(), node.name(), 0, 0);
        let mut element = node.value().clone();
        if let Change::Insert { element: fresh, .. } = &change {
            element["id"] = fresh["id"].clone();
            element["name"] = fresh["name"].clone();
        }
        step_aside(&mut element);
        add(&mut grown, change, element);
        pasted.push(id.clone());
        ids.insert(node.id().to_owned(), id);
    }
    // Dead letters go to the copy of their queue, or nowhere.
    for node in other.nodes() {
        let target = node.value().get("dead_letters").and_then(Value::as_str);
        if let (Some(target), Some(id)) = (target, ids.get(node.id())) {
            let (node, pointer) = (Target::Node(id.clone()), "/dead_letters");
            leading.push(match ids.get(target) {
                Some(queue) => Change::set(node, pointer, Value::from(queue.as_str())),
                None => Change::unset(node, pointer),
            });
        }
    }
    let mut links = HashMap::new();
    for link in other.links() {
        let ends = (ids.get(link.from()), ids.get(link.to()), link.protocol());
        let (Some(from), Some(to), Some(protocol)) = ends else {
            continue;
        };
        let (id, change) = grown.add_link(from, to, protocol);
        let mut element = link.value().clone();
        for (field, value) in [("id", &id), ("from", from), ("to", to)] {
            element[field] = Value::from(value.as_str());
        }
        // Replies come back through the copy of their queue, or through none.
        let replies = element.get("replies").and_then(Value::as_str).map(|queue| ids.get(queue).cloned());
        match replies {
            Some(Some(queue)) => element["replies"] = Value::from(queue),
            Some(None) => drop(element.as_object_mut().and_then(|link| link.remove("replies"))),
            None => {}
        }
        add(&mut grown, change, element);
        links.insert(link.id().to_owned(), id);
    }
    for node in other.nodes() {
        if let (Some(body), Some(id)) = (node.body(), ids.get(node.id())) {
            let body = rename_links(body, &|link| links.get(link).cloned());
            changes.push(Change::set(Target::Node(id.clone()), "/body", Value::Array(body)));
        }
    }
    changes.extend(leading);
    (pasted, Change::Group(changes))
}

fn step_aside(node: &mut Value) {
    for axis in ["x", "y"] {
        if let Some(at) = node.get(axis).and_then(Value::as_i64) {
            node[axis] = Value::from(at.saturating_add(ASIDE));
        }
    }
}

/// The change that makes one document the other.
#[must_use]
pub fn replacing(before: &Document, after: &Document) -> Change {
    let nodes: Vec<_> = before.nodes().map(|node| node.id()).collect();
    let links: Vec<_> = before.links().map(|link| link.id()).collect();
    let mut changes = vec![before.remove_elements(&nodes, &links)];
    changes.extend(fields(before).map(|(key, _)| Change::unset(Target::Scenario, &pointer(key))));
    changes.extend(fields(after).map(|(key, value)| Change::set(Target::Scenario, &pointer(key), value.clone())));
    let nodes = after.nodes().map(|node| node.value().clone()).enumerate();
    changes.extend(nodes.map(|(index, element)| Change::Insert { list: List::Nodes, index, element }));
    let links = after.links().map(|link| link.value().clone()).enumerate();
    changes.extend(links.map(|(index, element)| Change::Insert { list: List::Links, index, element }));
    Change::Group(changes)
}

/// The scenario's own fields, without those that hold a document together.
fn fields(document: &Document) -> impl Iterator<Item = (&String, &Value)> {
    const HELD: [&str; 4] = ["format", "version", "nodes", "links"];
    let root = document.value().as_object().into_iter().flatten();
    root.filter(|(key, _)| !HELD.contains(&key.as_str()))
}

fn pointer(key: &str) -> String {
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}
