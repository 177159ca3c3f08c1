//! What the nodes and links mean together: ids, names, ends, directions, circles, limits.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::issues::Issues;
use super::queues::{self, Found};
use super::steps;
use super::walk::short;
use crate::issue::{Code, Issue};
use crate::kinds::Kind;
use crate::protocol::{METHOD, PATH, Protocol};
use crate::shape::{MAX_LINKS, MAX_NODES, MAX_REPLICAS, kind_of, protocol_of};
use crate::text;

/// Most names that one Issue lists.
pub(super) const MAX_NAMES_SHOWN: usize = 8;

/// A link whose ends exist, by the nodes' indices.
pub(super) struct Edge {
    pub(super) link: usize,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) protocol: Option<Protocol>,
}

/// Whether there are few enough nodes, links and replicas to look at each; an Issue for each limit that is passed.
pub(super) fn is_within_limits(issues: &mut Issues, nodes: &[Value], links: &[Value]) -> bool {
    check_limits(issues, nodes, links);
    nodes.len() <= MAX_NODES && links.len() <= MAX_LINKS
}

pub(super) fn check(issues: &mut Issues, nodes: &[Value], links: &[Value]) {
    unique(issues, nodes, "nodes", "id", Code::DuplicateId);
    unique(issues, nodes, "nodes", "name", Code::DuplicateName);
    unique(issues, links, "links", "id", Code::DuplicateId);
    let edges = edges(issues, nodes, links);
    for edge in &edges {
        check_legal(issues, nodes, edge);
        check_path(issues, nodes, links, edge);
    }
    let found = queues::check(issues, nodes, links, &edges);
    check_traffic(issues, nodes, links, &edges, &found);
    let avoidable = steps::check(issues, nodes, links, &edges);
    check_circles(issues, nodes, &edges, &found.leaks, &avoidable);
}

fn check_limits(issues: &mut Issues, nodes: &[Value], links: &[Value]) {
    let replicas = nodes
        .iter()
        .filter(|node| kind_of(node) == Some(Kind::Service))
        .map(|node| node.get("replicas").and_then(Value::as_u64).unwrap_or(1))
        .fold(0_u64, u64::saturating_add);
    let counts = [
        ("/nodes", text!("limit.nodes"), nodes.len() as u64, MAX_NODES),
        ("/links", text!("limit.links"), links.len() as u64, MAX_LINKS),
        ("/nodes", text!("limit.replicas"), replicas, MAX_REPLICAS),
    ];
    for (path, what, count, max) in counts {
        if count > max as u64 {
            let args = [("what", what.into()), ("count", count.to_string().into()), ("max", max.to_string().into())];
            issues.push(Issue::new(Code::TooMany, path, args));
        }
    }
}

fn unique(issues: &mut Issues, items: &[Value], list: &str, field: &str, code: Code) {
    let mut seen = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        let Some(text) = item.get(field).and_then(Value::as_str) else {
            continue;
        };
        if !seen.insert(text) {
            let path = format!("/{list}/{index}/{field}");
            issues.push(Issue::new(code, path, [("value", short(text).into())]));
        }
    }
}

/// The links whose two ends name nodes; an end that names none is an Issue. Of nodes with one id the first counts.
fn edges(issues: &mut Issues, nodes: &[Value], links: &[Value]) -> Vec<Edge> {
    let mut by_id = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        if let Some(id) = node.get("id").and_then(Value::as_str) {
            by_id.entry(id).or_insert(index);
        }
    }
    let mut edges = Vec::new();
    for (index, link) in links.iter().enumerate() {
        let mut end = |field: &str| {
            let id = link.get(field)?.as_str()?;
            let node = by_id.get(id).copied();
            if node.is_none() {
                let path = format!("/links/{index}/{field}");
                let args = [("value", short(id).into())];
                issues.push(Issue::new(Code::UnknownNode, path, args));
            }
            node
        };
        let (from, to) = (end("from"), end("to"));
        if let (Some(from), Some(to)) = (from, to) {
            edges.push(Edge { link: index, from, to, protocol: protocol_of(link) });
        }
    }
    edges
}

fn check_legal(issues: &mut Issues, nodes: &[Value], edge: &Edge) {
    let path = format!("/links/{}", edge.link);
    if edge.from == edge.to {
        let args = [("name", name(nodes, edge.from).into())];
        issues.push(Issue::new(Code::SelfLink, path, args));
        return;
    }
    let ends = (kind_at(nodes, edge.from), kind_at(nodes, edge.to));
    let (Some(protocol), (Some(from), Some(to))) = (edge.protocol, ends) else {
        return;
    };
    if !protocol.descriptor().connects.contains(&(from, to)) {
        issues.push(illegal(protocol, (from, to), (name(nodes, edge.from), name(nodes, edge.to)), path));
    }
}

/// What a link calls of an external service is a path or a method.
fn check_path(issues: &mut Issues, nodes: &[Value], links: &[Value], edge: &Edge) {
    let (Some(link), Some(protocol)) = (links.get(edge.link), edge.protocol) else { return };
    if kind_at(nodes, edge.to) != Some(Kind::External) {
        return;
    }
    for field in protocol.descriptor().outside.iter().filter(|field| [PATH, METHOD].contains(&field.name)) {
        let Some(written) = link.get(field.name).and_then(Value::as_str) else { continue };
        let parts = written.split('/').skip(1).filter(|part| !part.is_empty()).count();
        let plain = written.starts_with('/') && written.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        // A method is of a service.
        if plain && (field.name == PATH || (parts == 2 && written.matches('/').count() == 2)) {
            continue;
        }
        let example = if field.name == PATH { "/orders" } else { "/helloworld.Greeter/SayHello" };
        let args = [("label", field.label.into()), ("value", short(written).into()), ("example", example.into())];
        issues.push(Issue::new(Code::BadPath, format!("/links/{}/{}", edge.link, field.name), args));
    }
}

/// What is wrong with a link over this protocol between these kinds, and the way that there is between them.
fn illegal(protocol: Protocol, (from, to): (Kind, Kind), names: (String, String), path: String) -> Issue {
    let joins = Protocol::between(from, to).next();
    let way = match (joins, from, to) {
        (Some(_), Kind::Exchange, _) => text!("issue.illegal-link.bind"),
        (Some(_), Kind::Queue | Kind::Topic, _) => text!("issue.illegal-link.take"),
        (Some(_), _, Kind::Queue | Kind::Topic | Kind::Exchange) => text!("issue.illegal-link.publish"),
        (Some(_), ..) => text!("issue.illegal-link.call"),
        (None, Kind::Client, _) => text!("issue.illegal-link.from-client"),
        (None, Kind::Topic, Kind::Client) => text!("issue.illegal-link.topic-to-client"),
        (None, Kind::Topic, _) | (None, Kind::Queue, Kind::Topic | Kind::Exchange | Kind::External) => {
            text!("issue.illegal-link.topic-to-topic")
        }
        (None, Kind::External, _) => text!("issue.illegal-link.from-external"),
        (None, Kind::Exchange, _) => text!("issue.illegal-link.from-exchange"),
        (None, Kind::Queue, Kind::Client) => text!("issue.illegal-link.queue-to-client"),
        (None, Kind::Queue, _) => text!("issue.illegal-link.queue-to-queue"),
        (None, Kind::Service, _) => text!("issue.illegal-link.service-to-client"),
    };
    // Where nothing may join the two, it is not this protocol's fault.
    let fault = if joins.is_some() { text!("issue.illegal-link.wrong") } else { text!("issue.illegal-link.none") };
    let args = [
        ("fault", fault.into()),
        ("way", way.into()),
        ("from", names.0.into()),
        ("to", names.1.into()),
        ("from_kind", from.descriptor().inline.into()),
        ("to_kind", to.descriptor().inline.into()),
        ("verb", protocol.descriptor().verb.into()),
        ("protocol", joins.unwrap_or(protocol).descriptor().label.into()),
    ];
    Issue::new(Code::IllegalLink, path, args)
}

/// Nodes that start traffic need somewhere to send it; services that nobody calls stay idle; something must send.
/// Queues that replies come back through are fed and emptied by what needs no link; one of dead letters is fed by other queues,
/// and a person may look at what is left there; where messages expire nothing stays.
fn check_traffic(issues: &mut Issues, nodes: &[Value], links: &[Value], edges: &[Edge], found: &Found) {
    let Found { replies, dead, ending, .. } = found;
    let (mut calls_out, mut called) = (vec![false; nodes.len()], vec![false; nodes.len()]);
    for edge in edges {
        (calls_out[edge.from], called[edge.to]) = (true, true);
    }
    let mut starters = 0;
    let mut unknown_kinds = false;
    for (index, node) in nodes.iter().enumerate() {
        let Some(kind) = kind_of(node) else {
            unknown_kinds = true;
            continue;
        };
        let path = format!("/nodes/{index}");
        let args = || [("name", name(nodes, index).into())];
        if kind.descriptor().starts_traffic {
            starters += 1;
            if !calls_out[index] && !has_loose_end(links, node, "from") {
                issues.push(Issue::new(Code::ClientWithoutLink, path, args()));
            }
            continue;
        }
        // Exchanges are looked at with their bindings.
        if kind == Kind::Exchange {
            continue;
        }
        let is_queue = kind.keeps();
        let (fed, emptied) = (dead.contains(&index), dead.contains(&index) || ending.contains(&index));
        if !called[index] && !replies.contains(&index) && !fed && !has_loose_end(links, node, "to") {
            let code = if is_queue { Code::QueueNotFed } else { Code::ServiceNotCalled };
            issues.push(Issue::new(code, path, args()));
        } else if is_queue
            && !calls_out[index]
            && !replies.contains(&index)
            && !emptied
            && !has_loose_end(links, node, "from")
        {
            issues.push(Issue::new(Code::QueueNotTaken, path, args()));
        }
    }
    if starters == 0 && !unknown_kinds {
        issues.push(Issue::new(Code::NothingToRun, "/nodes", []));
    }
}

/// Whether some link names this node at that end, though its other end names nothing: that Issue says enough.
fn has_loose_end(links: &[Value], node: &Value, field: &str) -> bool {
    let id = node.get("id").and_then(Value::as_str);
    id.is_some() && links.iter().any(|link| link.get(field).and_then(Value::as_str) == id)
}

/// One Issue for each link that closes a circle, of calls that wait for each other or of messages that cause each other:
/// nothing could end such a loop. A link that a service's own body may leave out closes none: some request ends it.
/// Depth-first, with a stack of its own: the document's size must not decide how deep this recurses.
///
/// `leaks` are the ways that messages take by themselves, from queue to queue.
fn check_circles(issues: &mut Issues, nodes: &[Value], edges: &[Edge], leaks: &[Edge], avoidable: &BTreeSet<usize>) {
    let mut calls: Vec<Vec<&Edge>> = nodes.iter().map(|_| Vec::new()).collect();
    for edge in edges {
        if edge.from != edge.to && edge.protocol.is_some() && !avoidable.contains(&edge.link) {
            calls[edge.from].push(edge);
        }
    }
    for leak in leaks {
        calls[leak.from].push(leak);
    }
    let mut state = vec![Visit::New; nodes.len()];
    for start in 0..nodes.len() {
        if state[start] != Visit::New {
            continue;
        }
        state[start] = Visit::Open;
        let mut stack = vec![(start, 0)];
        while let Some((node, next)) = stack.last_mut() {
            let (node, edge) = (*node, calls[*node].get(*next).copied());
            *next += 1;
            match edge {
                None => {
                    state[node] = Visit::Done;
                    stack.pop();
                }
                Some(edge) if state[edge.to] == Visit::New => {
                    state[edge.to] = Visit::Open;
                    stack.push((edge.to, 0));
                }
                Some(edge) if state[edge.to] == Visit::Open => {
                    let circle = stack.iter().map(|(node, _)| *node);
                    let circle: Vec<_> = circle.skip_while(|node| *node != edge.to).collect();
                    let queued = circle.iter().any(|node| kind_at(nodes, *node).is_some_and(Kind::keeps));
                    let args = [("names", names(nodes, &circle).into())];
                    let path = match edge.protocol {
                        Some(_) => format!("/links/{}", edge.link),
                        None => format!("/nodes/{}/dead_letters", edge.from),
                    };
                    // Where messages only expire, a broker ends the circle: it drops what comes round unrejected.
                    if circle.iter().all(|node| kind_at(nodes, *node) == Some(Kind::Queue)) {
                        continue;
                    }
                    let code = if queued { Code::EndlessCycle } else { Code::SynchronousCycle };
                    issues.push(Issue::new(code, path, args));
                }
                Some(_) => {}
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    New,
    Open,
    Done,
}

/// The names along a circle, back to the first.
pub(super) fn names(nodes: &[Value], circle: &[usize]) -> String {
    let shown = circle.iter().take(MAX_NAMES_SHOWN);
    let mut names: Vec<_> = shown.map(|node| name(nodes, *node)).collect();
    if circle.len() > MAX_NAMES_SHOWN {
        names.push("…".to_owned());
    }
    names.extend(names.first().cloned());
    names.join(" → ")
}

pub(super) fn kind_at(nodes: &[Value], index: usize) -> Option<Kind> {
    nodes.get(index).and_then(kind_of)
}

/// What a person calls a node: its name, or its id while it has none.
pub(super) fn name(nodes: &[Value], index: usize) -> String {
    let node = nodes.get(index);
    let text = |field| node.and_then(|node| node.get(field)).and_then(Value::as_str);
    let name = text("name").filter(|name| !name.trim().is_empty());
    short(name.or_else(|| text("id")).unwrap_or_default())
}
