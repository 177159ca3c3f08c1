//! What queues ask of the scenario around them: links that take, replies, consumers.

mod dead_letters;
mod exchanges;
mod groups;
mod keys;
mod priorities;
mod streams;
mod transactions;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::graph::{Edge, kind_at, name};
use super::issues::Issues;
use super::walk::short;
use crate::fields::{Field, ValueType};
use crate::issue::{Code, Issue};
use crate::kinds::Kind;
use crate::protocol::{Protocol, Style};
use crate::text;

pub(super) use streams::not_here as streams_not_here;
pub(super) use transactions::not_here as transactions_not_here;

/// What was found of queues, by their nodes.
#[derive(Default)]
pub(super) struct Found {
    /// Those that replies come back through.
    pub(super) replies: BTreeSet<usize>,
    /// Those that dead letters go to.
    pub(super) dead: BTreeSet<usize>,
    /// Those whose messages expire.
    pub(super) ending: BTreeSet<usize>,
    /// From each whose messages expire, and that nobody takes from, to where they go then. No links: they have no protocol.
    pub(super) leaks: Vec<Edge>,
}

/// Checks them, and gives what was found.
pub(super) fn check(issues: &mut Issues, nodes: &[Value], links: &[Value], edges: &[Edge]) -> Found {
    keys::check(issues, nodes, edges);
    transactions::check(issues, nodes, links, edges);
    let edges: Vec<_> = edges.iter().filter(|edge| is_async(edge)).collect();
    let mut owners = BTreeMap::new();
    for edge in &edges {
        let Some(link) = links.get(edge.link) else { continue };
        check_ends(issues, nodes, edge, link);
        if kind_at(nodes, edge.from).is_some_and(Kind::keeps) {
            check_workers(issues, nodes, edge);
        } else if let Some(replies) = link.get("replies").and_then(Value::as_str) {
            check_replies(issues, nodes, &edges, edge, replies, &mut owners);
        }
    }
    for edge in &edges {
        priorities::check(issues, nodes, edge);
    }
    priorities::check_quorums(issues, nodes);
    streams::check(issues, nodes, links, &edges);
    groups::check(issues, nodes, links, &edges);
    exchanges::check(issues, nodes, links, &edges);
    let replies = owners.into_keys().collect();
    dead_letters::check(issues, nodes, &edges, replies)
}

fn is_async(edge: &Edge) -> bool {
    edge.protocol.is_some_and(|protocol| protocol.descriptor().style == Style::Async)
}

/// A link that takes from a queue has no policy of a sender, one that publishes says nothing of those who take, and keys are for
/// exchanges.
fn check_ends(issues: &mut Issues, nodes: &[Value], edge: &Edge, link: &Value) {
    let (Some(protocol), Some(from), Some(to)) = (edge.protocol, kind_at(nodes, edge.from), kind_at(nodes, edge.to))
    else {
        return;
    };
    let may = protocol.options_between(from, to);
    let (taking, publishing) = (protocol.descriptor().taking, protocol.descriptor().options);
    let not = protocol.descriptor().fields().filter(|field| may.iter().all(|may| may.name != field.name));
    for field in not.filter(|field| link.get(field.name).is_some()) {
        let path = format!("/links/{}/{}", edge.link, field.name);
        let is_of = |fields: &[Field]| fields.iter().any(|other| other.name == field.name);
        let (label, keeper) = (("label", field.label.into()), |node| ("queue", name(nodes, node).into()));
        issues.push(if from.keeps() && is_of(publishing) {
            Issue::new(Code::NotWhenTaking, path, [label, keeper(edge.from)])
        } else if to.keeps() && from != Kind::Exchange && is_of(taking) {
            Issue::new(Code::NotWhenPublishing, path, [label, keeper(edge.to)])
        } else {
            let (from, to) = (name(nodes, edge.from).into(), name(nodes, edge.to).into());
            Issue::new(Code::NotBetween, path, [label, ("from", from), ("to", to)])
        });
    }
    let says = |field: &str, value: &str| link.get(field).and_then(Value::as_str) == Some(value);
    if protocol == Protocol::Kafka && says("idempotence", "on") && says("acks", "leader") {
        let args = [("acks", text!("acks.all").into())];
        issues.push(Issue::new(Code::IdempotenceNeedsAll, format!("/links/{}/idempotence", edge.link), args));
    }
}

/// A consumer that may hold fewer messages than it has workers never uses them all.
fn check_workers(issues: &mut Issues, nodes: &[Value], edge: &Edge) {
    let held = (integer(nodes, edge.from, "prefetch"), integer(nodes, edge.to, "workers"));
    let (Some(prefetch), Some(workers)) = held else { return };
    if workers > prefetch {
        let args = [
            ("queue", name(nodes, edge.from).into()),
            ("service", name(nodes, edge.to).into()),
            ("prefetch", prefetch.to_string().into()),
            ("workers", workers.to_string().into()),
        ];
        issues.push(Issue::new(Code::IdleWorkers, format!("/nodes/{}", edge.from), args));
    }
}

/// What an integer field of a node holds, or its default where it is left out; nothing where the node's kind does not have
/// the field or it is faulty, of which its own Issue says enough.
fn integer(nodes: &[Value], node: usize, name: &str) -> Option<i64> {
    let field = kind_at(nodes, node)?.descriptor().fields.iter().find(|field| field.name == name)?;
    let ValueType::Integer { min, max } = field.value else { return None };
    let value = match nodes.get(node)?.get(name) {
        Some(value) => value.as_i64(),
        None => field.default_value()?.as_i64(),
    };
    value.filter(|value| (min..=max).contains(value))
}

/// The replies of one link; `owners` has the client whose replies come through each reply queue.
fn check_replies(
    issues: &mut Issues,
    nodes: &[Value],
    edges: &[&Edge],
    edge: &Edge,
    replies: &str,
    owners: &mut BTreeMap<usize, usize>,
) {
    let path = format!("/links/{}/replies", edge.link);
    let mut found = |code, key, value: String| issues.push(Issue::new(code, path.clone(), [(key, value.into())]));
    let queue = nodes.iter().position(|node| node.get("id").and_then(Value::as_str) == Some(replies));
    let Some(queue) = queue.filter(|queue| kind_at(nodes, *queue) == Some(Kind::Queue)) else {
        return found(Code::UnknownQueue, "value", short(replies));
    };
    if kind_at(nodes, edge.from) != Some(Kind::Client) {
        found(Code::RepliesToService, "name", name(nodes, edge.from));
    }
    let linked = edges.iter().any(|other| other.from == queue || other.to == queue);
    let owner = *owners.entry(queue).or_insert(edge.from);
    if linked || owner != edge.from {
        found(Code::ReplyQueueShared, "queue", name(nodes, queue));
    }
    let takes = |other: &&&Edge| other.from == edge.to && kind_at(nodes, other.to) == Some(Kind::Service);
    if !edges.iter().any(|other| takes(&other)) {
        found(Code::NobodyReplies, "queue", name(nodes, edge.to));
    }
}
