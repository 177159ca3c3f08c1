//! Where dead letters go, and how long messages live.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Found;
use crate::issue::{Code, Issue};
use crate::kinds::Kind;
use crate::quantity::Dimension;
use crate::text;
use crate::validate::graph::{Edge, kind_at, name, names};
use crate::validate::issues::Issues;
use crate::validate::walk::short;

/// The field of a queue that names where its dead letters go.
const DEAD_LETTERS: &str = "dead_letters";

/// Brokers count a message's time in these.
const MILLISECOND: u64 = 1_000_000;

/// Checks every queue's; `replies` are the queues that replies come back through.
pub(super) fn check(issues: &mut Issues, nodes: &[Value], edges: &[&Edge], replies: BTreeSet<usize>) -> Found {
    let mut found = Found { replies, ..Found::default() };
    let mut targets = vec![None; nodes.len()];
    for (index, node) in nodes.iter().enumerate().filter(|(index, _)| kind_at(nodes, *index) == Some(Kind::Queue)) {
        if ttl(issues, index, node) {
            found.ending.insert(index);
        }
        let target = target(issues, nodes, index, &found.replies);
        targets[index] = target;
        found.dead.extend(target);
        let taken = edges.iter().any(|edge| edge.from == index);
        if let (Some(to), true, false) = (target, found.ending.contains(&index), taken) {
            found.leaks.push(Edge { link: usize::MAX, from: index, to, protocol: None });
        }
    }
    for start in 0..nodes.len() {
        check_circle(issues, nodes, &targets, &found.ending, start);
    }
    found
}

/// Whether a queue's messages expire; a time that no broker can keep is an Issue.
fn ttl(issues: &mut Issues, index: usize, node: &Value) -> bool {
    let Some(written) = node.get("ttl") else { return false };
    let ns = written.as_str().and_then(|text| Dimension::Time.parse(text).ok());
    if ns.is_some_and(|ns| ns % MILLISECOND != 0) {
        let value = short(written.as_str().unwrap_or_default());
        let args = [("label", text!("field.queue.ttl").into()), ("value", value.into())];
        issues.push(Issue::new(Code::NotWholeMilliseconds, format!("/nodes/{index}/ttl"), args));
    }
    true
}

/// The queue that one's dead letters go to.
fn target(issues: &mut Issues, nodes: &[Value], index: usize, replies: &BTreeSet<usize>) -> Option<usize> {
    let written = nodes.get(index)?.get(DEAD_LETTERS)?.as_str()?;
    let path = format!("/nodes/{index}/{DEAD_LETTERS}");
    let target = nodes.iter().position(|node| node.get("id").and_then(Value::as_str) == Some(written));
    let Some(target) = target.filter(|target| kind_at(nodes, *target) == Some(Kind::Queue)) else {
        let args = [("value", short(written).into()), ("name", name(nodes, index).into())];
        issues.push(Issue::new(Code::UnknownDeadLetters, path, args));
        return None;
    };
    if replies.contains(&target) {
        let args = [("name", name(nodes, index).into()), ("queue", name(nodes, target).into())];
        issues.push(Issue::new(Code::DeadLettersAsReplies, path, args));
    }
    Some(target)
}

/// A circle in which no message waits: what is rejected there comes back at once, without end. Told once, of the first queue of
/// it.
fn check_circle(
    issues: &mut Issues,
    nodes: &[Value],
    targets: &[Option<usize>],
    ending: &BTreeSet<usize>,
    start: usize,
) {
    let mut circle = Vec::new();
    let mut at = start;
    while let Some(next) = targets.get(at).copied().flatten() {
        circle.push(at);
        at = next;
        if at == start || circle.len() > nodes.len() {
            break;
        }
    }
    let first = circle.iter().min() == Some(&start);
    if at == start && first && !circle.iter().any(|queue| ending.contains(queue)) {
        let args = [("names", names(nodes, &circle).into())];
        issues.push(Issue::new(Code::DeadLetterCircle, format!("/nodes/{start}/{DEAD_LETTERS}"), args));
    }
}
