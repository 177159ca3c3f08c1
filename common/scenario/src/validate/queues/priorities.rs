//! Whether queues tell the priorities apart that clients publish with.

use serde_json::Value;

use super::integer;
use crate::issue::{Code, Issue};
use crate::kinds::Kind;
use crate::text;
use crate::validate::graph::{Edge, kind_at, name};
use crate::validate::issues::Issues;

/// Checks the queues that are kept by a quorum.
pub(super) fn check_quorums(issues: &mut Issues, nodes: &[Value]) {
    for (number, node) in nodes.iter().enumerate().filter(|(number, _)| kind_at(nodes, *number) == Some(Kind::Queue)) {
        if node.get("durability").and_then(Value::as_str) == Some("quorum") && node.get("priorities").is_some() {
            let path = format!("/nodes/{number}/priorities");
            issues.push(Issue::new(Code::QuorumPriorities, path, [("queue", name(nodes, number).into())]));
        }
    }
}

/// Checks a link from a client to a queue.
pub(super) fn check(issues: &mut Issues, nodes: &[Value], edge: &Edge) {
    if kind_at(nodes, edge.from) != Some(Kind::Client) || kind_at(nodes, edge.to) != Some(Kind::Queue) {
        return;
    }
    let Some(priority) = nodes.get(edge.from).and_then(|node| node.pointer("/payload/priority")) else { return };
    let ends = ["priority", "from", "to"].into_iter().filter_map(|field| priority.get(field)?.as_i64());
    let Some(highest) = ends.max() else { return };
    let max = integer(nodes, edge.to, "priorities");
    if highest <= max.unwrap_or(0) {
        return;
    }
    let heeds = if max.is_some() { text!("issue.priority-above.up-to") } else { text!("issue.priority-above.none") };
    let args = [
        ("client", name(nodes, edge.from).into()),
        ("queue", name(nodes, edge.to).into()),
        ("priority", highest.to_string().into()),
        ("max", max.unwrap_or(0).to_string().into()),
        ("heeds", heeds.into()),
    ];
    issues.push(Issue::new(Code::PriorityAbove, format!("/nodes/{}/payload/priority", edge.from), args));
}
