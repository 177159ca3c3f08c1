//! Ports that a run's settings fix, for programs that expect a node at one.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Plan;
use crate::catalogue::Arg;
use crate::issue::{Code, Issue};
use crate::kinds::Kind;
use crate::protocol::{Protocol, Style};
use crate::shape;

/// Ports as a run's settings fix them: `NODE/PROTOCOL=PORT`, separated by commas, like `orders/grpc=50051, mail/amqp=5672`. A node
/// goes by its id or its name. Replica 1 listens at the port, each further replica at the next; the port of a queue or a topic is that of
/// its broker. A text only, which documents and command lines write alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FixedPorts(String);

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FixedPort<'a> {
    node: &'a str,
    protocol: Protocol,
    port: u16,
}

impl FixedPorts {
    /// These.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// Whether none is fixed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where places listen: those of the plan that this is a setting of, each by protocol. What is not as it should be is left
    /// out: validation tells of it.
    #[must_use]
    pub fn of(&self, plan: &Plan) -> Vec<(u32, Protocol, u16)> {
        let mut fixed = Vec::new();
        for FixedPort { node, protocol, port } in entries(&self.0).filter_map(|(_, entry)| entry) {
            let named = plan.nodes.iter().position(|row| row.id == node);
            let Some(node) = named.or_else(|| plan.nodes.iter().position(|row| row.name == node)) else { continue };
            let places = (0_u32..).zip(&plan.places).filter(|(_, place)| place.node as usize == node);
            for (ordinal, (place, _)) in (0_u16..).zip(places) {
                fixed.extend(port.checked_add(ordinal).map(|port| (place, protocol, port)));
            }
        }
        fixed
    }
}

impl fmt::Display for FixedPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The entries of a text, each as it is written and, where it is one, as what it says.
fn entries(text: &str) -> impl Iterator<Item = (&str, Option<FixedPort<'_>>)> {
    let written = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    written.map(|entry| {
        let parts = entry.rsplit_once('=').and_then(|(who, port)| Some((who.trim().rsplit_once('/')?, port)));
        let read = parts.and_then(|((node, protocol), port)| {
            let port = port.trim().parse().ok().filter(|port| *port > 0)?;
            Some(FixedPort { node, protocol: Protocol::find(protocol)?, port })
        });
        (entry, read)
    })
}

/// What is wrong with the ports that a request to run a scenario fixes: what fixes none, and whom nothing reaches so. `here` says whether
/// the broker of a protocol is one of this machine.
pub(crate) fn issues(text: &str, scenario: &Value, here: &dyn Fn(Protocol) -> bool) -> Vec<Issue> {
    let list = |name: &str| scenario.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text_of = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut known = Vec::new();
    for node in list("nodes") {
        let (id, name) = (text_of(node, "id"), text_of(node, "name"));
        for protocol in list("links").iter().filter_map(shape::protocol_of) {
            let ends = |end: &str| {
                let mut of = list("links").iter().filter(|link| shape::protocol_of(link) == Some(protocol));
                of.any(|link| link.get(end).and_then(Value::as_str) == Some(&id))
            };
            let listens = match (protocol.descriptor().style, shape::kind_of(node)) {
                (Style::Sync, Some(Kind::Service)) => protocol.descriptor().socket && ends("to"),
                (Style::Async, Some(Kind::Queue | Kind::Topic)) => here(protocol) && (ends("to") || ends("from")),
                _ => false,
            };
            if listens && !known.contains(&(id.clone(), name.clone(), protocol)) {
                known.push((id.clone(), name.clone(), protocol));
            }
        }
    }
    let shown = || {
        let each: Vec<_> =
            known.iter().map(|(_, name, protocol)| format!("{name}/{}", protocol.descriptor().id)).collect();
        if each.is_empty() { "–".to_owned() } else { each.join(", ") }
    };
    let issue = |(entry, read): (&str, Option<FixedPort<'_>>)| {
        let code = match read {
            None => Code::BadPort,
            Some(FixedPort { node, protocol, .. }) => {
                let meant =
                    |(id, name, other): &(String, String, Protocol)| (id == node || name == node) && *other == protocol;
                if known.iter().any(meant) {
                    return None;
                }
                Code::UnknownPort
            }
        };
        Some(Issue::new(code, "/ports", [("value", Arg::from(entry)), ("known", Arg::from(shown()))]))
    };
    entries(text).filter_map(issue).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entry_names_a_node_a_protocol_and_a_port() {
        let read = |text: &'static str| entries(text).map(|(_, entry)| entry).collect::<Vec<_>>();
        let fixed = |node, protocol, port| Some(FixedPort { node, protocol, port });
        assert_eq!(read(""), []);
        assert_eq!(
            read("orders/grpc=50051, a/b = c/http1 = 8080 ,"),
            [fixed("orders", Protocol::Grpc, 50_051), fixed("a/b = c", Protocol::Http1, 8_080)]
        );
        for wrong in
            ["orders", "orders=1", "orders/grpc", "orders/smoke=1", "orders/grpc=0", "orders/grpc=65536", "=", "/="]
        {
            assert_eq!(read(wrong), [None], "{wrong}");
        }
    }

    #[test]
    fn whom_nothing_reaches_so_is_told_with_who_could_be_meant() {
        let scenario = json!({
            "nodes": [
                {"id": "c", "kind": "client", "name": "buyers"},
                {"id": "s", "kind": "service", "name": "shop"},
                {"id": "q", "kind": "queue", "name": "mail"},
                {"id": "t", "kind": "topic", "name": "log"}],
            "links": [
                {"id": "l1", "from": "c", "to": "s", "protocol": "grpc"},
                {"id": "l2", "from": "c", "to": "s", "protocol": "in-process"},
                {"id": "l3", "from": "s", "to": "q", "protocol": "amqp"},
                {"id": "l4", "from": "s", "to": "t", "protocol": "kafka"}]});
        let found = |text: &str, here| {
            let issues = issues(text, &scenario, &|_| here);
            issues.into_iter().map(|issue| issue.code).collect::<Vec<_>>()
        };
        assert_eq!(found("s/grpc=50051, shop/grpc=50052, mail/amqp=5672", true), []);
        assert_eq!(found("log/kafka=9092", true), []);
        assert_eq!(found("mail/amqp=5672, log/kafka=9092", false), [Code::UnknownPort, Code::UnknownPort]);
        for wrong in
            ["shop/http1=1", "shop/in-process=1", "buyers/grpc=1", "nobody/grpc=1", "log/amqp=1", "mail/kafka=1"]
        {
            assert_eq!(found(wrong, true), [Code::UnknownPort], "{wrong}");
        }
        assert_eq!(found("shop", true), [Code::BadPort]);
    }
}
