//! What a stream does not have of what queues have: copies stay there, so nothing expires, is dropped or put back, and each consumer
//! reads all of it.

use serde_json::Value;

use crate::issue::{Code, Issue};
use crate::kinds::Kind;
use crate::validate::graph::{Edge, kind_at, name};
use crate::validate::issues::Issues;

/// Fields of queues that streams do not have. Without a capacity nothing overflows, whatever is said of that.
const NOT_THEIRS: [&str; 4] = ["capacity", "ttl", "dead_letters", "priorities"];

fn is_stream(nodes: &[Value], node: usize) -> bool {
    kind_at(nodes, node) == Some(Kind::Queue) && nodes.get(node).is_some_and(says_stream)
}

fn says_stream(node: &Value) -> bool {
    node.get("durability").and_then(Value::as_str) == Some("stream")
}

/// Checks the streams, what replies and dead letters are sent to, and who reads.
pub(super) fn check(issues: &mut Issues, nodes: &[Value], links: &[Value], edges: &[&Edge]) {
    let by_id = |id: &str| nodes.iter().position(|node| node.get("id").and_then(Value::as_str) == Some(id));
    let stream = |id: Option<&Value>| id.and_then(Value::as_str).and_then(by_id).filter(|node| is_stream(nodes, *node));
    for (number, node) in nodes.iter().enumerate() {
        if is_stream(nodes, number) {
            for field in NOT_THEIRS.into_iter().filter(|field| node.get(field).is_some()) {
                let args = [("queue", name(nodes, number).into()), ("field", field.into())];
                issues.push(Issue::new(Code::StreamOption, format!("/nodes/{number}/{field}"), args));
            }
        } else if let Some(target) = stream(node.get("dead_letters")) {
            let args = [("queue", name(nodes, target).into()), ("field", "dead_letters".into())];
            issues.push(Issue::new(Code::StreamOption, format!("/nodes/{number}/dead_letters"), args));
        }
    }
    for edge in edges {
        if let Some(target) = stream(links.get(edge.link).and_then(|link| link.get("replies"))) {
            let args = [("queue", name(nodes, target).into()), ("field", "replies".into())];
            issues.push(Issue::new(Code::StreamOption, format!("/links/{}/replies", edge.link), args));
        }
        let replicas = nodes.get(edge.to).and_then(|node| node.get("replicas")?.as_i64()).unwrap_or(1);
        if is_stream(nodes, edge.from) && replicas > 1 {
            let args = [("queue", name(nodes, edge.from).into()), ("service", name(nodes, edge.to).into())];
            issues.push(Issue::new(Code::StreamReaders, format!("/links/{}", edge.link), args));
        }
    }
}

/// The streams, for a broker that has none.
pub(in crate::validate) fn not_here(scenario: &Value) -> Vec<Issue> {
    let nodes = scenario.get("nodes").and_then(Value::as_array).into_iter().flatten().enumerate();
    let streams = nodes.filter(|(_, node)| node.get("kind").is_some_and(|kind| kind == "queue") && says_stream(node));
    streams.map(|(row, _)| Issue::new(Code::StreamNotHere, format!("/nodes/{row}/durability"), [])).collect()
}
