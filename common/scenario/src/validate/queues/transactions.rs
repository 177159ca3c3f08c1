//! What a service asks of the scenario that reads a topic in transactions: it has one at a time, and in it all that it takes and
//! all that it publishes to topics, through one producer.

use serde_json::Value;

use crate::issue::{Code, Issue};
use crate::kinds::Kind;
use crate::protocol::{Protocol, is_in_transactions};
use crate::quantity::Time;
use crate::validate::graph::{Edge, kind_at, name};
use crate::validate::issues::Issues;

/// Checks the services that do.
pub(super) fn check(issues: &mut Issues, nodes: &[Value], links: &[Value], edges: &[Edge]) {
    let reads = |edge: &&Edge| {
        let link = links.get(edge.link).and_then(Value::as_object);
        kind_at(nodes, edge.from) == Some(Kind::Topic) && link.is_some_and(is_in_transactions)
    };
    for reading in edges.iter().filter(reads) {
        let service = reading.to;
        let other = edges.iter().find(|edge| edge.to == service && edge.link != reading.link);
        if let Some(other) = other {
            let args = [
                ("service", name(nodes, service).into()),
                ("topic", name(nodes, reading.from).into()),
                ("other", name(nodes, other.from).into()),
            ];
            issues.push(Issue::new(Code::TransactionAlone, format!("/links/{}/commit", reading.link), args));
        }
        check_producer(issues, nodes, links, edges.iter().filter(|edge| edge.from == service));
    }
}

/// Checks the links of one service that publish in its transactions.
fn check_producer<'a>(issues: &mut Issues, nodes: &[Value], links: &[Value], edges: impl Iterator<Item = &'a Edge>) {
    let mut first = None;
    for edge in edges.filter(|edge| edge.protocol == Some(Protocol::Kafka)) {
        let said = |field: &str| links.get(edge.link).and_then(|link| link.get(field)?.as_str());
        let alike = [
            ("linger", said("linger").and_then(|text| text.parse::<Time>().ok()).unwrap_or(Time(0)).to_string()),
            ("compression", said("compression").unwrap_or("none").to_owned()),
        ];
        let first = first.get_or_insert_with(|| alike.clone());
        // Its producer tries as long as the transaction may last, and who gives up before does not take back what it sent.
        let own = ["timeout", "retry"]
            .into_iter()
            .find(|field| links.get(edge.link).is_some_and(|link| link.get(field).is_some()));
        let odd = alike.iter().zip(first).find(|(one, other)| one.1 != other.1).map(|(one, _)| one.0);
        let leader = (said("acks") == Some("leader")).then_some("acks");
        if let Some(field) = leader.or(own).or(odd) {
            let args = [("service", name(nodes, edge.from).into()), ("field", field.into())];
            issues.push(Issue::new(Code::TransactionProducer, format!("/links/{}/{field}", edge.link), args));
        }
    }
}

/// The links that read in transactions, for a broker that has none.
pub(in crate::validate) fn not_here(scenario: &Value) -> Vec<Issue> {
    let links = scenario.get("links").and_then(Value::as_array).into_iter().flatten().enumerate();
    let in_them = links.filter(|(_, link)| link.as_object().is_some_and(is_in_transactions));
    in_them.map(|(row, _)| Issue::new(Code::TransactionNotHere, format!("/links/{row}/commit"), [])).collect()
}
