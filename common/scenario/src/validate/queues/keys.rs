//! Whether what is published to a topic that keeps the newest record of each key has one.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::issue::{Code, Issue};
use crate::kinds::Kind;
use crate::validate::graph::{Edge, kind_at, name};
use crate::validate::issues::Issues;

/// Checks the links that publish to such topics.
pub(super) fn check(issues: &mut Issues, nodes: &[Value], edges: &[Edge]) {
    let compacts = |node: usize| {
        let said = nodes.get(node).and_then(|node| node.get("compaction")?.as_str());
        kind_at(nodes, node) == Some(Kind::Topic) && said == Some("on")
    };
    for edge in edges.iter().filter(|edge| compacts(edge.to)) {
        if !has_keys(nodes, edges, edge.from, &mut BTreeSet::new()) {
            let args = [("topic", name(nodes, edge.to).into()), ("from", name(nodes, edge.from).into())];
            issues.push(Issue::new(Code::CompactionNeedsKeys, format!("/links/{}", edge.link), args));
        }
    }
}

/// Whether all that a node publishes has a key: a client's by its payload; a service hands on those of the topics that it reads, and
/// what it is called with, or takes from a queue, carries none.
fn has_keys(nodes: &[Value], edges: &[Edge], node: usize, seen: &mut BTreeSet<usize>) -> bool {
    if !seen.insert(node) {
        return true;
    }
    match kind_at(nodes, node) {
        Some(Kind::Client) => nodes.get(node).is_some_and(|client| client.pointer("/payload/key").is_some()),
        Some(Kind::Service) => {
            let mut into = edges.iter().filter(|edge| edge.to == node);
            into.all(|edge| kind_at(nodes, edge.from) == Some(Kind::Topic) && has_keys(nodes, edges, edge.from, seen))
        }
        Some(Kind::Topic) => {
            let mut into = edges.iter().filter(|edge| edge.to == node);
            into.all(|edge| has_keys(nodes, edges, edge.from, seen))
        }
        _ => true,
    }
}
