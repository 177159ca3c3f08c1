//! What brokers call the queues, exchanges, topics and groups of a run.
//!
//! Each is called as its node, so that other programs find it by that name; where a broker allows no such name, as the node's id.

use std::sync::Arc;

use hopscope_record::PlaceIndex;
use hopscope_scenario::kinds::Kind;
use hopscope_scenario::plan::{Plan, PlanBroker, PlanLink, PlanNode};
use hopscope_scenario::protocol::GROUP;
use serde_json::Value;

/// Most characters of a topic's name (Kafka's `Topic.MAX_NAME_LENGTH`).
const MAX_TOPIC_NAME: usize = 249;

/// Most bytes of a queue's name (AMQP 0-9-1, section 4.2.5.3: a short string).
const MAX_QUEUE_NAME: usize = 255;

/// What the names of the run's objects begin with at its broker.
pub(super) fn prefix(plan: &Plan) -> &str {
    plan.broker.as_ref().map_or("", PlanBroker::prefix)
}

/// What a broker calls a queue: what the run's objects begin with there, then its name in the scenario, so that other programs find it by that; its id where the name is
/// longer than AMQP allows.
pub(super) fn queue(plan: &Plan, node: u32) -> Arc<str> {
    let prefix = prefix(plan);
    let fits = |name: &str| prefix.len() + name.len() <= MAX_QUEUE_NAME;
    let node = plan.nodes.get(node as usize);
    let name = node.map(|node| if fits(&node.name) { node.name.as_str() } else { node.id.as_str() });
    format!("{prefix}{}", name.unwrap_or_default()).into()
}

/// What a broker of topics calls the topic at a node: its name where that is made of what Kafka allows in names, else its id.
pub(super) fn topic(plan: &Plan, node: u32) -> Arc<str> {
    let name = |node: &PlanNode| at_kafka(plan, &node.name).unwrap_or_else(|| prefixed(plan, &node.id));
    plan.nodes.get(node as usize).map(name).unwrap_or_default().into()
}

/// A name with what the run's objects begin with at their broker of topics, where that is made of what Kafka allows in names.
fn at_kafka(plan: &Plan, name: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let name = Some(name).filter(|name| !matches!(*name, "" | "." | "..") && name.chars().all(plain))?;
    Some(prefixed(plan, name)).filter(|name| name.len() <= MAX_TOPIC_NAME)
}

fn prefixed(plan: &Plan, name: &str) -> String {
    format!("{}{name}", plan.kafka.as_ref().map_or("", PlanBroker::prefix))
}

/// What its broker calls the queue, exchange or topic at a node; `None` where the node is none of these.
pub(super) fn at_broker(plan: &Plan, node: u32) -> Option<Arc<str>> {
    match plan.nodes.get(node as usize)?.kind {
        Kind::Queue | Kind::Exchange => Some(queue(plan, node)),
        Kind::Topic => Some(topic(plan, node)),
        Kind::Client | Kind::Service | Kind::External => None,
    }
}

/// What it calls the group that reads over a link: as the link says, for of groups Kafka allows any name, else as the service that reads.
pub(super) fn group(plan: &Plan, link: &PlanLink) -> Arc<str> {
    let named = link.options.get(GROUP).and_then(Value::as_str);
    named.map_or_else(|| topic(plan, link.to), |name| prefixed(plan, name).into())
}

/// What it calls the transactions of a replica: the same when that is started again.
pub(super) fn transactions(plan: &Plan, replica: PlaceIndex) -> Arc<str> {
    let node = plan.node_of(replica.0).map_or("", |node| node.id.as_str());
    // Names of topics have no brackets.
    prefixed(plan, &format!("{node}[{}]", replica.0)).into()
}

#[cfg(test)]
mod tests {
    use hopscope_scenario::plan::{RunSettings, compile};
    use hopscope_scenario::validate::validate;

    use super::*;

    #[test]
    fn a_group_is_called_as_its_link_says_whatever_that_is() {
        let text = r#"{"format": "hopscope-scenario", "version": 1, "name": "named", "nodes": [
            {"id": "n1", "kind": "client", "name": "buyers", "load": {"kind": "constant", "rate": "1/s"}},
            {"id": "t1", "kind": "topic", "name": "what happened"},
            {"id": "n2", "kind": "service", "name": "shop", "work": {"distribution": "constant", "mean": "1 ms"}},
            {"id": "n3", "kind": "service", "name": "our audit", "work": {"distribution": "constant", "mean": "1 ms"}}],
            "links": [{"id": "l1", "from": "n1", "to": "t1", "protocol": "kafka"},
                {"id": "l2", "from": "t1", "to": "n2", "protocol": "kafka", "group": "all of it"},
                {"id": "l3", "from": "t1", "to": "n3", "protocol": "kafka"}]}"#;
        let plan = compile(&validate(text).unwrap().scenario, &RunSettings::default());
        let groups: Vec<_> = plan.links[1..].iter().map(|link| group(&plan, link)).collect();
        // Of topics Kafka allows no spaces, and groups that nobody named are called as topics are.
        assert_eq!((groups[0].as_ref(), groups[1].as_ref(), topic(&plan, 1).as_ref()), ("all of it", "n3", "t1"));
        assert_eq!((at_broker(&plan, 0), at_broker(&plan, 1).as_deref()), (None, Some("t1")));
    }
}
