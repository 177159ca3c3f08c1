//! What exchanges ask of the links at them: keys, headers, and that messages come to some queue.

use serde_json::{Map, Value};

use crate::fields::Field;
use crate::issue::{Code, Issue};
use crate::kinds::Kind;
use crate::model::ExchangeType;
use crate::protocol::{BINDING_KEY, HEADERS, ROUTING_KEY};
use crate::routing;
use crate::validate::graph::{Edge, kind_at, name};
use crate::validate::issues::Issues;
use crate::validate::walk::short;

/// Most bytes of a key (AMQP 0-9-1, section 4.2.5.3).
const MAX_KEY_BYTES: usize = 255;

/// The field of an exchange that names where goes what it cannot hand on.
const ALTERNATE: &str = "alternate";

/// Checks the exchanges and the links at them.
pub(super) fn check(issues: &mut Issues, nodes: &[Value], links: &[Value], edges: &[&Edge]) {
    let exchanges: Vec<_> = (0..nodes.len()).filter(|node| kind_at(nodes, *node) == Some(Kind::Exchange)).collect();
    if exchanges.is_empty() {
        return;
    }
    for edge in edges.iter().filter(|edge| is_at_exchange(nodes, edge)) {
        if let Some(Value::Object(link)) = links.get(edge.link) {
            check_link(issues, edge, link);
        }
    }
    let alternates: Vec<_> = exchanges.iter().map(|node| (*node, alternate(issues, nodes, *node))).collect();
    for (exchange, _) in &alternates {
        let fed = edges.iter().any(|edge| edge.to == *exchange)
            || alternates.iter().any(|(_, alternate)| *alternate == Some(*exchange));
        if !fed {
            let args = [("name", name(nodes, *exchange).into())];
            issues.push(Issue::new(Code::ExchangeNotFed, format!("/nodes/{exchange}"), args));
        }
    }
    for edge in edges.iter().filter(|edge| kind_at(nodes, edge.to) == Some(Kind::Exchange)) {
        let reaches = links
            .get(edge.link)
            .and_then(Value::as_object)
            .is_none_or(|publish| reaches(nodes, links, edges, &alternates, edge.to, publish));
        if !reaches {
            let args = [("from", name(nodes, edge.from).into()), ("to", name(nodes, edge.to).into())];
            issues.push(Issue::new(Code::RoutedNowhere, format!("/links/{}", edge.link), args));
        }
    }
}

fn is_at_exchange(nodes: &[Value], edge: &Edge) -> bool {
    [edge.from, edge.to].into_iter().any(|node| kind_at(nodes, node) == Some(Kind::Exchange))
}

/// Keys that are too long for a broker, and headers that are none.
fn check_link(issues: &mut Issues, edge: &Edge, link: &Map<String, Value>) {
    let labels = edge.protocol.into_iter().flat_map(|protocol| protocol.descriptor().fields());
    for Field { name, label, .. } in labels.filter(|field| [ROUTING_KEY, BINDING_KEY].contains(&field.name)) {
        let bytes = routing::text(link, name).len();
        // Of as many characters its own Issue tells.
        if bytes > MAX_KEY_BYTES && routing::text(link, name).chars().count() <= MAX_KEY_BYTES {
            let count = |count: usize| count.to_string().into();
            let args =
                [("label", (*label).into()), ("count", count(bytes)), ("min", count(0)), ("max", count(MAX_KEY_BYTES))];
            issues.push(Issue::new(Code::TextLength, format!("/links/{}/{name}", edge.link), args));
        }
    }
    if let Err(wrong) = routing::headers(routing::text(link, HEADERS)) {
        let args = [("value", short(wrong).into())];
        issues.push(Issue::new(Code::BadHeaders, format!("/links/{}/{HEADERS}", edge.link), args));
    }
}

/// The exchange that gets what one cannot hand on.
fn alternate(issues: &mut Issues, nodes: &[Value], exchange: usize) -> Option<usize> {
    let written = nodes.get(exchange)?.get(ALTERNATE)?.as_str()?;
    let named = nodes.iter().position(|node| node.get("id").and_then(Value::as_str) == Some(written));
    let alternate = named.filter(|node| kind_at(nodes, *node) == Some(Kind::Exchange));
    if alternate.is_none() {
        let args = [("value", short(written).into()), ("name", name(nodes, exchange).into())];
        issues.push(Issue::new(Code::UnknownAlternate, format!("/nodes/{exchange}/{ALTERNATE}"), args));
    }
    alternate
}

/// Whether a publish to an exchange comes to a queue: by a binding, or by one of an exchange that stands for it.
fn reaches(
    nodes: &[Value],
    links: &[Value],
    edges: &[&Edge],
    alternates: &[(usize, Option<usize>)],
    exchange: usize,
    publish: &Map<String, Value>,
) -> bool {
    let mut at = exchange;
    // Exchanges that stand for each other in a circle end here too.
    for _ in alternates {
        let written = nodes.get(at).and_then(|node| node.get("type")).and_then(Value::as_str);
        let Some(routing) = ExchangeType::find(written.unwrap_or_else(|| ExchangeType::Topic.as_str())) else {
            return true;
        };
        let bound = edges.iter().filter(|edge| edge.from == at).filter_map(|edge| links.get(edge.link)?.as_object());
        if bound.into_iter().any(|binding| routing::hands_on(routing, publish, binding)) {
            return true;
        }
        match alternates.iter().find(|(exchange, _)| *exchange == at) {
            Some((_, Some(alternate))) => at = *alternate,
            _ => return false,
        }
    }
    false
}
